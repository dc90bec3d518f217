"""A report beside itself of the period before: which period that is, and what has changed. Knows no HTTP."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from fractions import Fraction
from typing import Final, Generic, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.reports import agency, attribution, ledger
from app.reports.asked import Asked
from app.reports.attribution import Row
from app.reports.funnel import FunnelRow
from app.reports.funnel_asked import Question as FunnelQuestion
from app.reports.funnel_rates import Step
from app.reports.ledger import UNITS, Sums
from app.reports.ranking import BY_NET

_FIRST: Final = datetime(1970, 1, 1, tzinfo=UTC)

_Key = TypeVar("_Key")
_One = TypeVar("_One")
_Told = TypeVar("_Told")
_Nothing = Callable[[int, _Key], _Told]
"""What is told where a row is missing now (0) or then (1)."""


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
    nothing: _Nothing[str, Sums] | None = None if fewest is not None else lambda _, __: Sums()
    totals = _beside(reports[0].totals, reports[1].totals, nothing)
    net = {currency: total.net for currency, (total, _) in totals.items()}
    for key, row in then.items() if fewest is None else ():
        if key not in now:
            now[key] = row._replace(sums=Sums(), share=attribution.share(0, net[row.currency]))
    of_key = {key: row.sums for key, row in then.items()}
    rows = attribution.arranged(question, now.values())
    unknown = None if fewest is not None else Sums()
    told = [(row, of_key.get((row.currency, tuple(row.dimensions.values())), unknown)) for row in rows]
    return Compared(told, totals)


def funnelled(session: Session, question: FunnelQuestion, fewest: int | None) -> Compared[FunnelRow, Step]:
    """The funnel beside that of the period before, likewise; rows in no order. Raises `Invalid`, `TooMany`,
    `TooManyFacts`, and `Unavailable` where others have facts counted."""
    own = question.currency or question.own_currency
    reports = [agency.funnelled(session, each, fewest) for each in (question, _before(question))]
    now, then = ({(currency, tuple(names.values())): step for names, currency, step in each.rows} for each in reports)

    def unsold(which: int, key: tuple[str, tuple[str, ...]]) -> Step:
        return _unsold((now, then)[which].get((own, key[1])), reports[which].untold)

    told = _beside(now, then, unsold if fewest is None else None)
    nothing = None if fewest is not None else lambda which, _: _unsold(reports[which].totals[own], frozenset())
    totals = _beside(reports[0].totals, reports[1].totals, nothing)
    rows: list[tuple[FunnelRow, Step | None]] = [
        ((dict(zip(question.group_by, names, strict=True)), currency, step), earlier)
        for (currency, names), (step, earlier) in told.items()
    ]
    return Compared(rows, totals)


def _unsold(of_own_currency: Step | None, untold: frozenset[str]) -> Step:
    """What is told where nothing was sold: counts have no currency."""
    return Step(untold=untold) if of_own_currency is None else replace(of_own_currency, orders=0, net=0)


_Asked = TypeVar("_Asked", bound=Asked)


def _before(question: _Asked) -> _Asked:
    since, until = before(question.since, question.until, question.zone)
    return replace(question, since=since, until=until)


def refuse_units(group_by: Iterable[str]) -> None:
    """Raises `Invalid` where rows are of days, weeks or months: none of them is in both periods."""
    if set(group_by) & {*UNITS}:
        raise Invalid.field("compare", f"cannot be asked for together with {', '.join(UNITS)} in group_by")


def _beside(
    now: Mapping[_Key, _Told], then: Mapping[_Key, _Told], nothing: _Nothing[_Key, _Told] | None
) -> dict[_Key, tuple[_Told, _Told | None]]:
    """What is now beside what was then. What is missing is `nothing` of now or of then; where that is None, it is not
    known."""
    if nothing is None:
        return {key: (each, then.get(key)) for key, each in now.items()}
    return {key: (now.get(key) or nothing(0, key), then.get(key) or nothing(1, key)) for key in {**now, **then}}


def _is_midnight(at: datetime, zone: ZoneInfo) -> bool:
    """Whether a day begins then: where clocks are put forward at midnight, an hour later."""
    return _midnight(at.astimezone(zone), zone) == at.astimezone(UTC)


def _midnight(local: datetime, zone: ZoneInfo) -> datetime:
    return datetime.combine(local.date(), time.min, zone).astimezone(UTC)
