"""Visits of machines: how often link previews and crawlers asked for links, apart from the visits of people.

They are counted by day in UTC, so these are the only days that this report knows.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta
from typing import Any

from sqlalchemy import ColumnElement, SQLColumnExpression, and_, func, select
from sqlalchemy.orm import Session

from app.attribution.engine import UNKNOWN_NETWORK
from app.referrals.models import MachineVisits, Referral
from app.reports.ledger import NONE

_OF_REFERRALS: Mapping[str, SQLColumnExpression[Any]] = {
    "network": func.coalesce(Referral.network, UNKNOWN_NETWORK),
    "product": func.coalesce(Referral.product_id, NONE),
    "wall": func.coalesce(Referral.wall_id, NONE),
}
_COLUMNS: Mapping[str, SQLColumnExpression[Any]] = {
    "day": MachineVisits.day,
    "kind": MachineVisits.kind,
    "machine": MachineVisits.machine,
    **_OF_REFERRALS,
    "referral": MachineVisits.referral_id,
}
DIMENSIONS = tuple(_COLUMNS)
FILTERS = (*_OF_REFERRALS, "kind", "machine")
"""Dimensions by which rows are chosen."""


@dataclass(frozen=True, kw_only=True)
class Question:
    """What is asked of this report. Each day that `since <= t < until` touches counts whole."""

    merchant_id: int
    since: datetime
    until: datetime
    group_by: tuple[str, ...]
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    without: Mapping[str, Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True)
class Row:
    """One combination of dimensions."""

    dimensions: Mapping[str, str]
    visits: int


def whole_days(since: datetime, until: datetime) -> tuple[datetime, datetime]:
    """The days, in UTC, that a period touches."""
    first = datetime.combine(since.date(), time.min, since.tzinfo)
    last = datetime.combine(until.date(), time.min, until.tzinfo)
    return first, last if last == until else last + timedelta(days=1)


def answer(session: Session, question: Question) -> Sequence[Row]:
    """The rows that `question` asks for, most visits first; they add up to all visits of the period."""
    columns = [_COLUMNS[name] for name in question.group_by]
    theirs = and_(Referral.merchant_id == MachineVisits.merchant_id, Referral.referral_id == MachineVisits.referral_id)
    query = (
        select(*columns, func.sum(MachineVisits.visits))
        .outerjoin(Referral, theirs)
        .where(*_conditions(question))
        .group_by(*columns)
    )
    rows = [
        Row(dict(zip(question.group_by, map(_name, values), strict=True)), int(visits))
        for *values, visits in session.execute(query)
    ]
    return sorted(rows, key=lambda row: (-row.visits, tuple(row.dimensions.values())))


def _conditions(question: Question) -> list[ColumnElement[bool]]:
    first, end = whole_days(question.since, question.until)
    days = [MachineVisits.day >= first, MachineVisits.day < end]
    only = [_COLUMNS[name].in_(values) for name, values in question.only.items()]
    without = [_COLUMNS[name].not_in(values) for name, values in question.without.items()]
    return [MachineVisits.merchant_id == question.merchant_id, *days, *only, *without]


def _name(value: object) -> str:
    return value.date().isoformat() if isinstance(value, datetime) else str(value)
