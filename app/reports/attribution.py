"""Net sales by what brought them: sums of credit lines.

A report's rows add up to its totals, and these to the orders, to the cent. An order counts in a row when something of
it is credited there. What is kept added up answers where it can (credit_reading.py), the ledger for everything else.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.reports import credit_ranking, credit_reading, ledger
from app.reports.credit_ranking import Named
from app.reports.ledger import Question, Sums
from app.reports.ranking import Place, page_of


class Row(NamedTuple):
    """One combination of dimensions in one currency. `share` is its part of the net in that currency."""

    dimensions: Mapping[str, str]
    currency: str
    sums: Sums
    share: float | None


@dataclass(frozen=True)
class Report:
    """Rows in the order that is asked for (by default, largest net first), and one total for each currency."""

    rows: Sequence[Row]
    totals: Mapping[str, Sums]


def answer(session: Session, question: Question) -> Report:
    """The report that `question` asks for."""
    first = credit_ranking.ranked(session, question) if question.limit is not None else None
    if first is not None:
        return Report([*_rows(question, first.totals, first.rows)], first.totals)
    kept = credit_reading.answering(session, question)
    totals, grouped = kept or (ledger.totals(session, question), ledger.grouped(session, question))
    named = ((currency, names, sums) for (currency, names), sums in grouped.items())
    return Report(arranged(question, _rows(question, totals, named)), totals)


def streamed(session: Session, question: Question) -> Iterator[Row]:
    """The rows of the same report, read as they are asked for, in a session that sees one moment."""
    found = credit_ranking.ranked(session, question)
    if found is None and not credit_reading.answers(session, question):
        found = credit_ranking.of_ledger(session, question)
    if found is None:
        return iter(answer(session, question).rows)
    return _rows(question, found.totals, found.rows)


def _rows(question: Question, totals: Mapping[str, Sums], rows: Iterable[Named]) -> Iterator[Row]:
    wholes = {currency: total.net for currency, total in totals.items()}
    for currency, names, sums in rows:
        dimensions = dict(zip(question.group_by, names, strict=True))
        yield Row(dimensions, currency, sums, share(sums.net, wholes.get(currency, 0)))


def arranged(question: Question, rows: Iterable[Row]) -> list[Row]:
    """The rows of the page that is asked for, in their order. Raises `Invalid` for a cursor of something else."""
    after = question.turn_of_place()
    turns = ((question.turn(row.currency, tuple(row.dimensions.values()), row.sums), row) for row in rows)
    return page_of(turns, after, question.limit)


def place_of(question: Question, row: Row) -> Place:
    """Where a row of the report stands: the next page begins after it."""
    return Place.of(row.currency, question.number(row.sums), tuple(row.dimensions.values()))


def share(net: int, whole: int) -> float | None:
    """A row's part of the net in its currency, rounded to six digits; None of nothing."""
    return round(net / whole, 6) if whole else None
