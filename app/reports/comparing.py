"""A report beside itself of the period before: which period that is, and what has changed. Knows no HTTP."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from typing import Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.reports import agency, attribution, funnel, ledger
from app.reports.asked import Asked
from app.reports.attribution import Row
from app.reports.funnel import Step
from app.reports.ledger import UNITS, Sums
from app.reports.ranking import BY_NET

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)

FunnelRow = tuple[Mapping[str, str], str, Step]
_Key = TypeVar("_Key")
_One = TypeVar("_One")
_Told = TypeVar("_Told")


@dataclass(frozen=True)
class Compared(Generic[_One, _Told]):
    """Rows and totals, each with what it was in the period before; None where that is not told."""

    rows: list[tuple[_One, _Told | None]]
    totals: dict[str, tuple[_Told, _Told | None]]


def before(since: datetime, until: datetime, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The period before: where both ends are midnights of `zone`, as many of its days, of however many hours; else
    one of the same length. It never begins before 1970, when there was nothing."""
    days = (until.astimezone(zone).date() - since.astimezone(zone).date()).days
    try:
        if _is_midnight(since, zone) and _is_midnight(until, zone):
            begin = _midnight(since.astimezone(zone) - timedelta(days=days), zone)
        else:
            begin = since.astimezone(UTC) - (until.astimezone(UTC) - since.astimezone(UTC))
    except OverflowError:
        begin = _FIRST
    return max(begin, _FIRST), since


def change(now: int, then: int | None) -> float | None:
    """By what part the net has grown, or shrunk below zero, to six digits; None where there was nothing before."""
    if then is None or then <= 0:
        return None
    return round(float(Fraction(now, then) - 1), 6)


def attributed(session: Session, question: ledger.Question, fewest: int | None) -> Compared[Row, Sums]:
    """The attribution report beside that of the period before. A row stands where either has something; for keys that
    are shown no small groups, where the period itself tells it. Raises `Invalid`."""
    whole = replace(question, limit=None, after=None, order=BY_NET)
    reports = [agency.attributed(session, each, fewest) for each in (whole, _before(whole))]
    now, then = ({(row.currency, tuple(row.dimensions.values())): row for row in report.rows} for report in reports)
    nothing = Sums() if fewest is None else None
    totals = _beside(reports[0].totals, reports[1].totals, nothing)
    net = {currency: total.net for currency, (total, _) in totals.items()}
    for key, row in then.items() if fewest is None else ():
        if key not in now:
            now[key] = row._replace(sums=Sums(), share=attribution.share(0, net[row.currency]))
    of_key = {key: row.sums for key, row in then.items()}
    rows = attribution.arranged(question, now.values())
    told = [(row, of_key.get((row.currency, tuple(row.dimensions.values())), nothing)) for row in rows]
    return Compared(told, totals)


def funnelled(session: Session, question: funnel.Question, fewest: int | None) -> Compared[FunnelRow, Step]:
    """The funnel beside that of the period before, likewise. Raises `Invalid`, `TooMany`."""
    reports = [agency.funnelled(session, each, fewest) for each in (question, _before(question))]
    now, then = ({(currency, tuple(names.values())): step for names, currency, step in each.rows} for each in reports)
    nothing = Step() if fewest is None else None
    told = _beside(now, then, nothing)
    rows: list[tuple[FunnelRow, Step | None]] = [
        ((dict(zip(question.group_by, names, strict=True)), currency, step), earlier)
        for (currency, names), (step, earlier) in told.items()
    ]
    rows.sort(key=lambda each: funnel.place(question.unit, each[0]))
    return Compared(rows, _beside(reports[0].totals, reports[1].totals, nothing))


_Asked = TypeVar("_Asked", bound=Asked)


def _before(question: _Asked) -> _Asked:
    since, until = before(question.since, question.until, question.zone)
    return replace(question, since=since, until=until)


def refuse_units(group_by: Iterable[str]) -> None:
    """Raises `Invalid` where rows are of days, weeks or months: none of them is in both periods."""
    if set(group_by) & {*UNITS}:
        raise Invalid.field("compare", f"cannot be asked for together with {', '.join(UNITS)} in group_by")


def _beside(
    now: Mapping[_Key, _Told], then: Mapping[_Key, _Told], nothing: _Told | None
) -> dict[_Key, tuple[_Told, _Told | None]]:
    """What is now beside what was then; what is missing is `nothing`, and where that is None, is not known."""
    found = {key: (each, then.get(key, nothing)) for key, each in now.items()}
    if nothing is not None:
        found |= {key: (nothing, each) for key, each in then.items() if key not in now}
    return found


def _is_midnight(at: datetime, zone: ZoneInfo) -> bool:
    """Whether a day begins then: where clocks are put forward at midnight, an hour later."""
    return _midnight(at.astimezone(zone), zone) == at.astimezone(UTC)


def _midnight(local: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(local.date(), time.min, zone).astimezone(UTC)
