"""The share tree of one person by itself: a hundred thousand descendants with their sales, read in this process."""

from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from random import Random
from time import perf_counter
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.kernel.database import Base, Database, table_of
from app.kernel.ids import new_id
from app.merchants import service as merchants
from app.orders.models import Order
from app.referrals.models import Claim, Referral, Visit
from app.reports.ledger import Question
from app.reports.share_tree import ShareTree, share_tree

DESCENDANTS = 100_000
SHAPES = ("random", "chain")
"""Everybody below somebody who was there before, whoever that was; or each below the one before."""

_SHARER = "the first"
_ORDERS = 20_000
_VISITS = 100_000
_BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
_AT_ONCE = 10_000
Row = dict[str, Any]


def built(database: Database, shape: str) -> int:
    """A merchant (its number) whose first sharer has so many descendants, with visits and sales through them."""
    random = Random(1)
    with database.transaction() as session:
        new = merchants.NewMerchant("Tall Trees", "eur", "UTC", [], [])
        merchant = merchants.create(session, new, _BEGAN).merchant_id
        ids = [new_id("ref", merchant, _at(place)) for place in range(DESCENDANTS + 1)]
        parents = [place - 1 if shape == "chain" else random.randrange(place) for place in range(1, len(ids))]
        clicks = [new_id("clk", merchant, _at(place)) for place in range(_VISITS)]
        orders = [new_id("ord", merchant, _at(place)) for place in range(_ORDERS)]
        for table, rows in (
            (Referral, _referrals(ids, [None, *parents])),
            (Visit, _visits(clicks, random.choices(ids, k=_VISITS))),
            (Claim, _claims(clicks)),
            (Order, _orders(orders)),
            (CreditLine, _lines(merchant, orders, random.choices(ids, k=_ORDERS))),
        ):
            _write(session, table, [{"merchant_id": merchant, **row} for row in rows])
    return merchant


def seconds_to_read(database: Database, merchant_id: int) -> float:
    """How long the tree's first page takes, with the totals of the whole."""
    begin = perf_counter()
    with database.reading() as session:
        found = share_tree(session, question(merchant_id), _SHARER, depth=5, after=None, limit=101)
    took = perf_counter() - begin
    assert _is_whole(found), "every descendant and every sale is in the totals"
    return took


def question(merchant_id: int) -> Question:
    return Question(
        merchant_id=merchant_id,
        since=_BEGAN,
        until=_BEGAN + timedelta(days=365),
        zone=ZoneInfo("UTC"),
        livemode=True,
        as_of=_BEGAN + timedelta(days=365),
        group_by=("sharer",),
    )


def _is_whole(found: ShareTree) -> bool:
    return (found.shape.referrals, found.subtree) == (DESCENDANTS + 1, {"eur": 1000 * _ORDERS})


def _write(session: Session, table: type[Base], rows: Sequence[Row]) -> None:
    for begin in range(0, len(rows), _AT_ONCE):
        session.execute(insert(table_of(table)), rows[begin : begin + _AT_ONCE])


def _at(place: int) -> datetime:
    return _BEGAN + timedelta(seconds=place)


def _known(place: int) -> Row:
    return {"at": _at(place), "received_at": _at(place)}


def _referrals(ids: Sequence[str], parents: Sequence[int | None]) -> Iterator[Row]:
    for place, (name, parent) in enumerate(zip(ids, parents, strict=True)):
        yield {
            "referral_id": name,
            "kind": "share",
            "visitor_id": f"v{place}" if place else _SHARER,
            "target": "/",
            "network": "x",
            "parent_id": None if parent is None else ids[parent],
            **_known(place),
        }


def _visits(clicks: Sequence[str], through: Sequence[str]) -> Iterator[Row]:
    for place, (name, referral) in enumerate(zip(clicks, through, strict=True)):
        yield {"visit_id": name, "referral_id": referral, "type": "click", **_known(place)}


def _claims(clicks: Sequence[str]) -> Iterator[Row]:
    for place, name in enumerate(clicks):
        yield {"visit_id": name, "claimed_id": name, "visitor_id": f"b{place // 2}", **_known(place)}


def _orders(orders: Sequence[str]) -> Iterator[Row]:
    told = {"source": "api", "fingerprint": "", "livemode": True, "currency": "eur", "gross": 1000, "net": 1000}
    for place, name in enumerate(orders):
        yield {"order_id": name, "external_id": name, **told, **_known(place)}


def _lines(merchant: int, orders: Sequence[str], through: Sequence[str]) -> Iterator[Row]:
    told = {"source": "touch", "network": "x", "sharer": _SHARER, "level": 0, "policy_version": 1, "currency": "eur"}
    for place, (order, referral) in enumerate(zip(orders, through, strict=True)):
        yield {
            "credit_id": new_id("crd", merchant, _at(place)),
            "order_id": order,
            "source_referral": referral,
            "gross": 1000,
            "reversed": 0,
            "livemode": True,
            "order_at": _at(place),
            "written_at": _at(place),
            **told,
        }
