"""Marks: the quarters of an hour whose orders got other credit, said in the transaction that writes it.

Whoever keeps sums of credit learns from them which no longer hold. They are appended and never counted, so nobody waits
for anybody.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from app.attribution.models import CreditMark
from app.kernel import bulk
from app.kernel.ids import new_id
from app.kernel.periods import QUARTER


class Quarter(NamedTuple):
    """A quarter of an hour of orders under a policy, one merchant's; `starts` is in microseconds since 1970."""

    policy: str
    livemode: bool
    starts: int


def quarter_of(policy: str, livemode: bool, order_at: int) -> Quarter:
    """That of an order which was made at `order_at`, in microseconds since 1970."""
    return Quarter(policy, livemode, order_at - order_at % QUARTER)


def mark(session: Session, merchant_id: int, quarters: Collection[Quarter], now: datetime) -> None:
    """Say that credit of orders of these quarters is written in this transaction."""
    mark_id = new_id("mrk", merchant_id, now)
    bulk.append(session, CreditMark, _COLUMNS, [(merchant_id, mark_id, *quarter) for quarter in sorted(quarters)])


_COLUMNS: Final = ("merchant_id", "mark_id", *Quarter._fields)
