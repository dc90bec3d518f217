"""Marks: the hours whose orders got other credit, said in the transaction that writes it.

Whoever keeps sums of credit by the hour learns from them which no longer hold. They are appended and never counted, so
nobody waits for anybody.
"""

from collections.abc import Collection
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from app.attribution.models import CreditMark
from app.kernel import bulk
from app.kernel.ids import new_id

HOUR: Final = 3_600_000_000
"""Microseconds."""


class Hour(NamedTuple):
    """An hour of orders under a policy, one merchant's; `starts` is in microseconds since 1970."""

    policy: str
    livemode: bool
    starts: int


def hour_of(policy: str, livemode: bool, order_at: int) -> Hour:
    """The hour of an order that was made at `order_at`, in microseconds since 1970."""
    return Hour(policy, livemode, order_at - order_at % HOUR)


def mark(session: Session, merchant_id: int, hours: Collection[Hour], now: datetime) -> None:
    """Say that credit of orders of these hours is written in this transaction."""
    mark_id = new_id("mrk", merchant_id, now)
    bulk.append(session, CreditMark, _COLUMNS, [(merchant_id, mark_id, *hour) for hour in sorted(hours)])


_COLUMNS: Final = ("merchant_id", "mark_id", *Hour._fields)
