"""The ledger of credit, asked itself: which lines a question is about, and their sums."""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    Select,
    SQLColumnExpression,
    String,
    Subquery,
    cast,
    func,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.attribution.policies import CURRENT
from app.kernel.clock import from_micros
from app.kernel.periods import QUARTER, label
from app.reports.asked import Asked
from app.reports.ranking import BY_NET, Order, Place, Turn, turn

NONE = "(none)"

COLUMNS: Mapping[str, SQLColumnExpression[Any]] = {
    "network": CreditLine.network,
    "shared_to": CreditLine.shared_to,
    "seen_from": CreditLine.seen_from,
    "product": CreditLine.product,
    "wall": CreditLine.wall,
    "sharer": CreditLine.sharer,
    "kind": CreditLine.kind,
    "depth": CreditLine.level,
}
UNITS = ("day", "week", "month")
DIMENSIONS = (*COLUMNS, *UNITS)


Within = Sequence[ColumnElement[bool]]
"""Which lines are meant, of those that the question is about."""


@dataclass(frozen=True, kw_only=True)
class Question(Asked):
    """What is asked of this report."""

    group_by: tuple[str, ...]
    policy: str = CURRENT  # one that is kept computed, by its name
    order: Order = BY_NET
    after: Place | None = None  # only the rows that come after
    limit: int | None = None  # so many rows, the first ones; None: all

    def turn(self, currency: str, names: tuple[str, ...], sums: "Sums") -> Turn:
        """When it is a row's turn."""
        return turn(self.order, self.group_by, currency, self.number(sums), names)

    def number(self, sums: "Sums") -> int:
        """The one by which rows are sorted; 0 where they are by a dimension."""
        return 0 if self.order.by in self.group_by else int(getattr(sums, self.order.by))

    def turn_of_place(self) -> Turn | None:
        """What comes after this is asked for. Raises `Invalid` for a place that is none here."""
        if self.after is None:
            return None
        values = self.after.values(self.group_by)
        return turn(self.order, self.group_by, self.after.currency, self.after.number, values)


@dataclass(slots=True)
class Sums:
    """Minor units, and distinct orders."""

    orders: int = 0
    gross: int = 0
    refunded: int = 0

    @property
    def net(self) -> int:
        return self.gross - self.refunded

    def add(self, orders: int, gross: int, refunded: int) -> None:
        """Databases answer sums as other kinds of numbers."""
        self.orders += int(orders)
        self.gross += int(gross)
        self.refunded += int(refunded)


Grouped = dict[tuple[str, tuple[str, ...]], Sums]
"""By currency, and the values of what is grouped by."""


def totals(session: Session, question: Question, within: Within = ()) -> dict[str, Sums]:
    """By currency."""
    found: dict[str, Sums] = defaultdict(Sums)
    for currency, *sums in session.execute(sums_by(question, [], within)):
        found[currency].add(*sums)
    return found


def grouped(session: Session, question: Question, within: Within = ()) -> Grouped:
    """By what the question groups by."""
    found: Grouped = defaultdict(Sums)
    columns = [COLUMNS[name] for name in question.group_by if name in COLUMNS]
    if any(name in UNITS for name in question.group_by):
        columns.append(_quarter())
    for *values, currency, orders, gross, refunded in session.execute(sums_by(question, columns, within)):
        found[currency, _names(question, values)].add(orders, gross, refunded)
    return found


def _names(question: Question, values: Sequence[object]) -> tuple[str, ...]:
    left = list(values)
    quarter = left.pop() if any(name in UNITS for name in question.group_by) else None
    names = []
    for name in question.group_by:
        if name in UNITS:
            names.append(label(from_micros(int(str(quarter)) * QUARTER), question.zone, name))
        else:
            value = left.pop(0)
            names.append(NONE if value is None else str(value))
    return tuple(names)


def by_order(question: Question, columns: Sequence[SQLColumnExpression[Any]], within: Within = ()) -> Subquery:
    """Sums of each order that has any left, by `columns` (`d0`, `d1`, …), so that what was moved away from a row does
    not count there."""
    sums = func.sum(CreditLine.gross), func.sum(CreditLine.reversed)
    return (
        select(
            *(column.label(f"d{index}") for index, column in enumerate(columns)),
            CreditLine.currency,
            CreditLine.order_id,
            sums[0].label("gross"),
            sums[1].label("refunded"),
        )
        .where(*conditions(question), *within)
        .group_by(*columns, CreditLine.currency, CreditLine.order_id)
        .having((sums[0] != 0) | (sums[1] != 0))
        .subquery()
    )


def sums_by(question: Question, columns: Sequence[SQLColumnExpression[Any]], within: Within = ()) -> Select[Any]:
    """Sums by `columns` and currency."""
    found = by_order(question, columns, within)
    dimensions = [found.c[f"d{index}"] for index in range(len(columns))]
    return select(
        *dimensions,
        found.c.currency,
        func.count(),
        func.sum(found.c.gross),
        func.sum(found.c.refunded),
    ).group_by(*dimensions, found.c.currency)


def ledger(asked: Asked, policy: str) -> list[ColumnElement[bool]]:
    """Which lines count, whenever their orders were made and whatever brought them."""
    conditions = [
        CreditLine.merchant_id == asked.merchant_id,
        CreditLine.policy == policy,
        CreditLine.livemode == asked.livemode,
        CreditLine.written_at <= asked.as_of,
    ]
    if asked.currency is not None:
        conditions.append(CreditLine.currency == asked.currency)
    return conditions


def conditions(question: Question) -> list[ColumnElement[bool]]:
    """Which lines the question is about."""
    conditions = ledger(question, question.policy)
    conditions += [CreditLine.order_at >= question.since, CreditLine.order_at < question.until]
    conditions += [called(name).in_(values) for name, values in question.only.items()]
    conditions += [called(name).not_in(values) for name, values in question.without.items()]
    return conditions


def called(dimension: str) -> ColumnElement[str]:
    """What a line has of a dimension, as reports say it: numbers as text, too."""
    return func.coalesce(cast(COLUMNS[dimension], String), NONE)


def _quarter() -> ColumnElement[int]:
    """The quarter of an hour in which the order was made: its days are told apart in Python, by time zone."""
    return type_coerce(CreditLine.order_at, BigInteger).op("/")(QUARTER)
