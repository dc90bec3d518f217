"""The funnel: what was seen, said, visited, begun and bought, by what brought it and over time.

Orders and net are sums of credit lines, as in the attribution report; each fact counts once under each dimension
(funnel_counts.py). Counts have no currency. All of them stand in the rows of the merchant's own, or of the one that is
asked for: those add up to its total. They are told once more beside what was sold in another.
"""

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Final

from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.kernel.rollups.reading import Counts
from app.reports import attribution, ledger, ranking
from app.reports.asked import Asked
from app.reports.funnel_asked import DEPTH, Place, Question
from app.reports.funnel_counts import Told, added, counted
from app.reports.funnel_rates import NOTHING, NUMBERS, RATES, Step
from app.reports.ranking import Order

FunnelRow = tuple[Mapping[str, str], str, Step]
"""A row's dimensions, its currency, and what is told of it."""
Beside = tuple[FunnelRow, Step | None]
"""A row, and what it was in the period before where that is asked for and told."""
SORTED_BY: Final = (*NUMBERS, *RATES)
_COUNTS: Final = frozenset(Counts._fields)


@dataclass(frozen=True)
class Report:
    """Rows, in no order; a total for the merchant's own currency, and for each in which something was sold.
    `untold` is what no row tells."""

    rows: Sequence[FunnelRow]
    totals: Mapping[str, Step]
    untold: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Row:
    """All currencies of one combination of dimensions."""

    untold: frozenset[str] = frozenset()
    counts: Counts = NOTHING
    sales: dict[str, ledger.Sums] = field(default_factory=dict)

    def steps(self, own_currency: str) -> Iterator[tuple[str, Step]]:
        if any(self.counts) and own_currency not in self.sales:
            yield own_currency, Step(self.counts, untold=self.untold)
        for currency, sums in self.sales.items():
            yield currency, Step(self.counts, sums.orders, sums.net, self.untold)


def answer(session: Session, question: Question) -> Report:
    """The funnel that `question` asks for: all its rows. Raises `TooMany`, `TooManyFacts`, and `Unavailable` where
    others have facts counted."""
    is_by_depth = DEPTH in question.group_by
    told = counted(session, replace(question, group_by=()) if is_by_depth else question)
    total = _Row(frozenset(told.unknown))
    for counts in told.counts.values():
        total.counts = added(total.counts, counts)
    grouped = _counted(Told({}, _COUNTS) if is_by_depth else told)
    credit = attribution.answer(session, credit_of(question))
    for row in credit.rows:
        grouped[tuple(row.dimensions[name] for name in question.group_by)].sales[row.currency] = row.sums
    total.sales |= credit.totals
    own = question.currency or question.own_currency
    rows = [
        (dict(zip(question.group_by, names, strict=True)), currency, step)
        for names, row in grouped.items()
        for currency, step in row.steps(own)
    ]
    totals = {own: Step(total.counts, untold=total.untold), **dict(total.steps(own))}
    return Report(rows, totals, _COUNTS if is_by_depth else total.untold)


def _counted(told: Told) -> dict[tuple[str, ...], _Row]:
    rows: dict[tuple[str, ...], _Row] = defaultdict(lambda: _Row(frozenset(told.unknown)))
    for names, counts in told.counts.items():
        rows[names].counts = counts
    return rows


def credit_of(question: Question) -> ledger.Question:
    """What is asked of credit."""
    asked = {name: getattr(question, name) for name in Asked.__dataclass_fields__}
    return ledger.Question(**asked, group_by=question.group_by, policy=question.policy)


# Their order, and pages of them.


def order_of(said: str | None, group_by: Sequence[str]) -> Order | None:
    """The order that `sort` names: with `-` in front, the largest first. Raises `Invalid` for any other."""
    if said is None:
        return None
    choices = (*SORTED_BY, *group_by)
    if said.removeprefix("-") not in choices:
        raise Invalid.field(
            "sort", f"must be one of {', '.join(choices)}, each also with - in front: the largest first"
        )
    return Order(said.removeprefix("-"), said.startswith("-"))


def arranged(question: Question, rows: Iterable[Beside]) -> list[Beside]:
    """The rows of the page that is asked for, in their order. Raises `Invalid` for a cursor of something else."""
    after = question.turn_of_place()
    turns = ((_turn(question, row), (row, then)) for row, then in rows)
    found = [each for each in turns if after is None or after < each[0]]
    found.sort(key=lambda each: each[0])
    return [row for _, row in found[: question.limit]]


def place_of(question: Question, row: FunnelRow) -> Place:
    """Where a row of the report stands: the next page begins after it."""
    names, currency, step = row
    number = _number(question, step)
    return Place(currency, number, step.net, ranking.Place.of(currency, number, [*names.values()]).names)


def _turn(question: Question, row: FunnelRow) -> tuple[object, ...]:
    names, currency, step = row
    return question.turn(currency, _number(question, step), step.net, tuple(names.values()))


def _number(question: Question, step: Step) -> int:
    by = "visits" if question.order is None else question.order.by
    return step.sorted_by(by) if by in SORTED_BY else 0
