"""All facts of a merchant as files, one for each table, as they are at one moment: NDJSON or CSV.

Names are those of the API. Read a piece at a time, so memory does not grow with what there is; the files get their
names when all of them are whole. Beside them `export.json` says where the feed of facts (`facts.py`) goes on.
"""

import json
from collections.abc import Mapping
from contextlib import ExitStack
from datetime import datetime
from pathlib import Path
from typing import IO, Any, Final, Literal, NamedTuple

from sqlalchemy import ColumnElement, SQLColumnExpression, func, not_, select
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.catalog.models import Import, Product
from app.delivery import facts
from app.kernel.clock import rfc3339
from app.kernel.database import Base, Database, table_of
from app.kernel.whole_files import whole
from app.orders.models import Order, OrderCorrection, OrderLine, Refund
from app.referrals.models import Beacon, Claim, Coupon, Identity, Referral, Visit
from app.reports import formats
from app.trust.models import Decision, Doubt
from app.walls.models import Wall

Format = Literal["ndjson", "csv"]

_ABOUT: Final = "export.json"
_AT_ONCE: Final = 1000
"""Rows."""


class Table(NamedTuple):
    """What is told of a table: a column, or what is reckoned of some, by the name that it is told under."""

    mapped: type[Base]
    columns: Mapping[str, SQLColumnExpression[Any]]


class Exported(NamedTuple):
    """How many rows of each table were written, and where the feed of facts goes on after them."""

    rows: Mapping[str, int]
    cursor: str


def export(
    database: Database, merchant_id: int, public_id: str, folder: Path, file_format: Format, now: datetime
) -> Exported:
    """Write all facts of the merchant into files of `folder`, in place of those of an earlier export. Where
    `export.json` stands there, all of them are of the moment that it names.

    Raises `OSError` where a file cannot be written: what was there is as it was then.
    """
    written: dict[str, int] = {}
    with ExitStack() as files, database.reading() as session:
        cursor = facts.end(session, merchant_id)  # before the rows: in the same view, which begins here
        about = files.enter_context(whole(folder / _ABOUT))  # closed last, when all others have their names
        for name, table in TABLES.items():
            file = files.enter_context(whole(folder / f"{name}.{file_format}"))
            written[name] = _write(session, merchant_id, table, file, file_format)
        said = {"merchant": public_id, "as_of": rfc3339(now), "cursor": cursor, "format": file_format, "rows": written}
        about.write(json.dumps(said, indent=2).encode() + b"\n")
        (folder / _ABOUT).unlink(missing_ok=True)  # of before, while the others get their names
    return Exported(written, cursor)


def _write(session: Session, merchant_id: int, table: Table, file: IO[bytes], file_format: Format) -> int:
    names, count = list(table.columns), 0
    if file_format == "csv":
        file.write(formats.to_csv(names, []).encode())
    rows = table_of(table.mapped)
    asked = select(*table.columns.values()).where(rows.c.merchant_id == merchant_id)
    asked = asked.order_by(*list(rows.primary_key)[1:])
    for piece in session.execute(asked, execution_options={"yield_per": _AT_ONCE}).partitions():
        told = [{name: _told(value) for name, value in zip(names, row, strict=True)} for row in piece]
        if file_format == "csv":
            _, _, text = formats.to_csv(names, map(_plain, told)).partition("\r\n")  # the names stand there already
        else:
            text = formats.to_ndjson(told)
        file.write(text.encode())
        count += len(piece)
    return count


def _told(value: Any) -> Any:
    return rfc3339(value) if isinstance(value, datetime) else value


def _plain(row: Mapping[str, Any]) -> dict[str, Any]:
    """As spreadsheets and databases write truth."""
    return {name: str(value).lower() if isinstance(value, bool) else value for name, value in row.items()}


def _same(mapped: type[Base], *names: str, **others: SQLColumnExpression[Any]) -> Table:
    """Columns under their own names, and others."""
    columns = table_of(mapped).c
    return Table(mapped, {**others, **{name: columns[name] for name in names}})


def _first(*columns: SQLColumnExpression[Any]) -> ColumnElement[Any]:
    return func.coalesce(*columns)


TABLES: Final[Mapping[str, Table]] = {
    "products": _same(Product, "external_id", "title", "url", "withdrawn_at", id=Product.product_id),
    "walls": _same(Wall, "title", "withdrawn_at", id=Wall.wall_id),
    "referrals": _same(
        Referral,
        *("kind", "network", "code", "caption", "at", "received_at", "withdrawn_at"),
        id=Referral.referral_id,
        visitor=Referral.visitor_id,
        parent=Referral.parent_id,
        product=_first(Referral.product_id, Referral.told_product),
        wall=_first(Referral.wall_id, Referral.told_wall),
        page=Referral.address,
    ),
    "visits": _same(
        Visit,
        *("type", "at", "received_at"),
        id=Visit.visit_id,
        referral=Visit.referral_id,
        network=Visit.seen_from,
        product=Visit.product_id,
        wall=Visit.wall_id,
    ),
    "claims": _same(Claim, "at", visit=Claim.visit_id, claimed=Claim.claimed_id, visitor=Claim.visitor_id),
    "beacons": _same(
        Beacon,
        *("type", "at"),
        id=Beacon.beacon_id,
        wall=Beacon.wall_id,
        product=Beacon.product_id,
        referral=Beacon.referral_id,
        click=Beacon.click_id,
        visitor=Beacon.visitor_id,
    ),
    "identities": _same(Identity, "person", "at", "received_at", visitor=Identity.visitor_id),
    "coupons": _same(Coupon, "at", "received_at", id=Coupon.coupon_id, code=Coupon.said, referral=Coupon.referral_id),
    "orders": _same(
        Order,
        *("external_id", "source", "currency", "gross", "net", "click_id", "coupon", "received_at"),
        id=Order.order_id,
        test=not_(Order.livemode),
        visitor=Order.visitor_id,
        wall=Order.wall_id,
        placed_at=Order.at,
    ),
    "order_lines": _same(
        OrderLine, "position", "product", "variant", "title", "quantity", "amount", order=OrderLine.order_id
    ),
    "corrections": _same(
        OrderCorrection, "position", "before", "note", order=OrderCorrection.order_id, at=OrderCorrection.received_at
    ),
    "refunds": _same(
        Refund,
        *("external_id", "reason", "amount", "at", "received_at", "dropped_at"),
        id=Refund.refund_id,
        order=Refund.order_id,
    ),
    "credits": _same(
        CreditLine,
        *("policy", "policy_version", "source", "touch", "referral", "sharer", "network", "level", "reason"),
        *("currency", "gross", "shared_to", "seen_from", "product", "wall", "kind", "written_at"),
        credit=CreditLine.credit_id,
        order=CreditLine.order_id,
        refunded=CreditLine.reversed,
        net=CreditLine.gross - CreditLine.reversed,
        test=not_(CreditLine.livemode),
        placed_at=CreditLine.order_at,
    ),
    "imports": _same(
        Import, "format", "status", "created", "updated", "unchanged", "failed", "finished_at", id=Import.import_id
    ),
    "doubts": _same(Doubt, "about", "subject", "rule", "evidence", "at", id=Doubt.doubt_id),
    "decisions": _same(
        Decision,
        "verdict",
        "effect",
        "note",
        "at",
        id=Decision.decision_id,
        doubt=Decision.doubt_id,
        key=Decision.key_id,
    ),
}
"""By the names of the files."""
