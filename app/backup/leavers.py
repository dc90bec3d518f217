"""Those who left, carried over a restore: an older backup does not know of them, and must forget them again.

The list names nobody (`app/privacy/leaving.py`), so it may lie beside backups; without the server's secret it says
nothing. Reads and writes that one table, of whichever database.
"""

import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import datetime
from pathlib import Path
from typing import Final, NamedTuple

from sqlalchemy import inspect, select
from sqlalchemy.orm import Session

from app.backup.seal import Refused
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import insert_new
from app.merchants.models import Merchant
from app.privacy.models import Leaver

_HASH: Final = 64


class Gone(NamedTuple):
    """One who left; times in microseconds since 1970."""

    merchant: int
    visitor_hash: str
    opted_out_at: int | None
    erased_at: int | None


def known(session: Session) -> list[Gone]:
    """Those whom this database knows; none where it has no such table."""
    if not inspect(session.connection()).has_table(Leaver.__tablename__):
        return []
    return [
        Gone(row.merchant_id, row.visitor_hash, _micros(row.opted_out_at), _micros(row.erased_at))
        for row in session.scalars(select(Leaver).order_by(Leaver.merchant_id, Leaver.visitor_hash))
    ]


def lines(gone: Iterable[Gone]) -> Iterator[str]:
    """The list as lines of JSON."""
    return (json.dumps(each._asdict()) for each in gone)


def read(file: Path) -> list[Gone]:
    """A list that `lines` wrote. Raises `Refused` for what is none."""
    found = []
    for number, line in enumerate(filter(str.strip, file.read_text(encoding="utf-8").splitlines()), start=1):
        try:
            each = Gone(**json.loads(line))
            whole = isinstance(each.merchant, int) and len(each.visitor_hash) == _HASH
            if not whole or not all(isinstance(at, int | None) for at in each[2:]):
                raise ValueError(line)
        except (ValueError, TypeError):
            raise Refused(f"{file}, line {number}: this is no list of `grapevine leavers`") from None
        found.append(each)
    return found


def carry_over(session: Session, gone: Sequence[Gone]) -> None:
    """Add those who left to the list of a database, which then has still to forget them. Whoever left a merchant that
    is not there is passed over."""
    merchants = set(session.scalars(select(Merchant.merchant_id)))
    for each in gone:
        if each.merchant not in merchants:
            continue
        place = {"merchant_id": each.merchant, "visitor_hash": each.visitor_hash}
        insert_new(session, Leaver, **place, opted_out_at=None, erased_at=None, finished_at=None)
        leaver = session.get_one(Leaver, tuple(place.values()))
        if each.opted_out_at is not None:
            leaver.opted_out_at = leaver.opted_out_at or from_micros(each.opted_out_at)
        if each.erased_at is not None and leaver.erased_at is None:  # of this the backup knew nothing
            leaver.erased_at, leaver.finished_at = from_micros(each.erased_at), None
    session.flush()


def _micros(at: datetime | None) -> int | None:
    return None if at is None else to_micros(at)
