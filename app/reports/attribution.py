"""Net sales by what brought them: sums of credit lines.

A report's rows add up to its totals, and these to the orders, to the cent. An order counts in a row when something of
it is credited there. What is kept added up answers where it can (credit_reading.py), the ledger for everything else.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy.orm import Session

from app.reports import credit_reading, ledger
from app.reports.ledger import Question, Sums


@dataclass(frozen=True)
class Row:
    """One combination of dimensions in one currency. `share` is its part of the net in that currency."""

    dimensions: Mapping[str, str]
    currency: str
    sums: Sums
    share: float | None


@dataclass(frozen=True)
class Report:
    """Rows, largest net first, and one total for each currency."""

    rows: Sequence[Row]
    totals: Mapping[str, Sums]


def answer(session: Session, question: Question) -> Report:
    """The report that `question` asks for."""
    kept = credit_reading.answering(session, question)
    totals, grouped = kept or (ledger.totals(session, question), ledger.grouped(session, question))
    rows = [
        Row(dict(zip(question.group_by, names, strict=True)), currency, sums, _share(sums, totals[currency]))
        for (currency, names), sums in grouped.items()
    ]
    rows.sort(key=lambda row: (row.currency, -row.sums.net, tuple(row.dimensions.values())))
    return Report(rows, totals)


def _share(sums: Sums, total: Sums) -> float | None:
    return round(sums.net / total.net, 6) if total.net else None
