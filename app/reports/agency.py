"""Reports for keys that are shown no small groups: what they may ask, and what they are told (suppression.py).

Such a key is given to somebody outside, who counts by whole days: of days that are over, in the merchant's own time
zone, by one dimension at most. Whatever else tells people apart is refused, since between answers of different kinds
there is always something to subtract. Knows the other reports, not HTTP.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Annotated, Final, TypeVar
from zoneinfo import ZoneInfo

from pydantic import Field
from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.kernel.periods import DEFAULT_DAYS, moment
from app.kernel.rollups.reading import Counts
from app.merchants import service as merchants
from app.merchants.access import Caller
from app.reports import attribution, funnel, funnel_asked, ledger, suppression
from app.reports.asked import Asked
from app.reports.funnel_rates import NUMBERS, Step
from app.reports.ledger import UNITS, Sums
from app.reports.query import PeriodQuery
from app.reports.ranking import BY_NET
from app.reports.suppression import FEW, Days, Figures, Told

DIMENSIONS: Final = ("network", "product", "wall")
_MAY_BE_ASKED: Final = frozenset(
    {"begin", "end", "group_by", "currency", "livemode", "format", "compare", "sort", "limit", "cursor"}
)

SmallGroup = Annotated[
    int | None,
    Field(description="For a key that is shown no small groups: fewer orders or visits are not told apart. Else null."),
]
Asking = TypeVar("Asking", bound=PeriodQuery)
_DATE = len("2026-11-22")


def asked(session: Session, query: Asking, group_by: str, caller: Caller, now: datetime) -> tuple[Asking, int | None]:
    """What `caller` may be told: the query with the days that it is about, and of how many people each figure must be;
    None for a key that sees everything. Raises `Invalid` for what such a key cannot ask."""
    if not caller.suppressed:
        return query, None
    merchant = merchants.get(session, caller.merchant_id)
    for name in sorted(query.model_fields_set - _MAY_BE_ASKED):
        raise Invalid.field(
            type(query).model_fields[name].alias or name,
            "cannot be asked for with this key, which is shown no small groups",
        )
    names = {name.strip() for name in group_by.split(",")} - {""}
    if names - {*DIMENSIONS, *UNITS} or len(names & {*DIMENSIONS}) > 1 or len(names & {*UNITS}) > 1:
        choices = f"one of {', '.join(DIMENSIONS)}, one of {', '.join(UNITS)}, or one of each"
        raise Invalid.field("group_by", f"must be {choices}, with this key, which is shown no small groups")
    zone = ZoneInfo(merchant.timezone)
    today = now.astimezone(zone).date()
    until = min(_day(query.end, zone, "to") or today, today)
    since = _day(query.begin, zone, "from") or until - timedelta(days=DEFAULT_DAYS)
    days = {"begin": since.isoformat(), "end": until.isoformat()}
    return query.model_copy(update=days), merchant.fewest_told


def attributed(session: Session, question: ledger.Question, fewest: int | None) -> attribution.Report:
    """`attribution.answer`, in figures of at least so many orders where `fewest` says how many."""
    if fewest is None:
        return attribution.answer(session, question)
    rows: list[attribution.Row] = []
    totals: dict[str, Sums] = {}
    for currency, told in _sales(session, question, fewest).items():
        if told.total is None:
            continue
        totals[currency] = total = _sums(told.total)
        for row in told.rows:
            names = {name: row.when if name in UNITS else row.value for name in question.group_by}
            sums = _sums(row.figures)
            rows.append(attribution.Row(names, currency, sums, attribution.share(sums.net, total.net)))
    return attribution.Report(attribution.arranged(question, rows), totals)


def funnelled(session: Session, question: funnel_asked.Question, fewest: int | None) -> funnel.Report:
    """`funnel.answer`, in figures of at least so many: of each step by itself, since each is of other people. What is
    of fewer, or of nobody, is not told. Raises what that raises."""
    if fewest is None:
        return funnel.answer(session, question)
    own = question.currency or question.own_currency
    sales = _sales(session, funnel.credit_of(question), fewest)
    counted = _counted(session, question, own, fewest)
    cells: dict[tuple[str, str, str], dict[str, int]] = defaultdict(dict)  # by currency, time and value
    totals: dict[str, dict[str, int]] = {own: {}, **{currency: {} for currency, told in sales.items() if told.total}}
    for currency in totals:
        for name, told in counted.items():
            for row in told.rows:
                cells[currency, row.when, row.value][name] = row.figures.people
            totals[currency].update({} if told.total is None else {name: told.total.people})
    for currency, told in sales.items():
        for row in told.rows:
            cells[currency, row.when, row.value].update(_sold(row.figures))
        if told.total is not None:
            totals[currency].update(_sold(told.total))
    rows = [
        ({name: when if name in UNITS else value for name in question.group_by}, currency, _step(found, fewest, value))
        for (currency, when, value), found in cells.items()
        if currency == own or "orders" in found
    ]
    return funnel.Report(rows, {currency: _step(found, fewest) for currency, found in totals.items()})


def _step(cells: Mapping[str, int], fewest: int, value: str = "") -> Step:
    """Where everything is told, what has no cell is nothing; else it is unknown. Who is told together at one step is
    not at another, so there are no rates of them."""
    counts = Counts(**{name: cells.get(name, 0) for name in Counts._fields})
    untold = frozenset(NUMBERS) - cells.keys() if fewest > 1 else frozenset[str]()
    return Step(counts, cells.get("orders", 0), cells.get("net", 0), untold, has_rates=value != FEW)


def _sales(session: Session, question: ledger.Question, fewest: int) -> Mapping[str, Told]:
    """Orders, gross and refunded of each currency; an order stands for whoever made it."""
    by = next((name for name in question.group_by if name not in UNITS), None)
    daily = replace(question, since=_first_of_year(question), group_by=("day",), limit=None, after=None, order=BY_NET)
    found: dict[str, dict[str, Figures]] = defaultdict(dict)
    for row in attribution.answer(session, daily).rows:
        found[row.currency][row.dimensions["day"]] = _figures(row.sums)
    values: dict[str, dict[str, dict[str, Figures]]] = defaultdict(lambda: defaultdict(dict))
    if by is not None:
        for row in attribution.answer(session, replace(daily, group_by=(by, "day"))).rows:
            values[row.currency][row.dimensions["day"]][row.dimensions[by]] = _figures(row.sums)
    return {
        currency: _told(question, Days(whole, None if by is None else values[currency]), fewest)
        for currency, whole in found.items()
    }


def _counted(session: Session, question: funnel_asked.Question, own: str, fewest: int) -> Mapping[str, Told]:
    """What is told of each count. Counts have no currency: they stand in the rows of `own`."""
    by = next(iter(question.by), None)
    days = replace(question, since=_first_of_year(question), group_by=(*question.by, "day"))
    daily = funnel.answer(session, days)
    rows = [(names, step.counts._asdict()) for names, currency, step in daily.rows if currency == own]
    return {name: _told(question, _days(rows, name, by), fewest) for name in Counts._fields}


def _days(rows: Iterable[tuple[Mapping[str, str], Mapping[str, int]]], name: str, by: str | None) -> Days:
    whole: dict[str, int] = defaultdict(int)
    values: dict[str, dict[str, Figures]] = defaultdict(dict)
    for names, counts in rows:
        if counts[name]:
            whole[names["day"]] += counts[name]
            if by is not None:
                values[names["day"]][names[by]] = Figures(counts[name])
    return Days({day: Figures(count) for day, count in whole.items()}, None if by is None else values)


def _told(question: ledger.Question | funnel_asked.Question, days: Days, fewest: int) -> Told:
    unit = next((name for name in question.group_by if name in UNITS), None)
    since, until = (at.astimezone(question.zone).date().isoformat() for at in (question.since, question.until))
    return suppression.told(days, fewest, since, until, unit)


def _first_of_year(question: Asked) -> datetime:
    year = question.since.astimezone(question.zone).year
    return moment(date(year, 1, 1).isoformat(), question.zone, "from")


def _day(said: str | None, zone: ZoneInfo, name: str) -> date | None:
    if said is None:
        return None
    moment(said, zone, name)
    if len(said) != _DATE:
        raise Invalid.field(name, "must be a date (2026-11-22), with this key, which is shown no small groups")
    return date.fromisoformat(said)


def _figures(sums: Sums) -> Figures:
    return Figures(sums.orders, (sums.gross, sums.refunded))


def _sums(figures: Figures) -> Sums:
    return Sums(figures.people, *figures.amounts)


def _sold(figures: Figures) -> dict[str, int]:
    sums = _sums(figures)
    return {"orders": sums.orders, "net": sums.net}
