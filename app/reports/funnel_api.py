"""The funnel by HTTP."""

from dataclasses import replace
from datetime import datetime
from typing import Annotated
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Request, Response
from sqlalchemy.orm import Session

from app.attribution import policy_book
from app.attribution.policy_wire import PolicyOut
from app.kernel.errors import Invalid
from app.kernel.http.work import UnitOfWork
from app.kernel.periods import period
from app.kernel.runtime import Runtime
from app.merchants import service as merchants
from app.merchants.access import ReportKey
from app.referrals import keeping
from app.reports import agency, comparing, funnel, funnel_facts
from app.reports.comparing import Compared
from app.reports.cursor import Paging
from app.reports.funnel import Beside, FunnelRow
from app.reports.funnel_asked import BY, DEPTH, DIMENSIONS, FILTERS, SHARER, NotWhole, Place, Question, whole_quarters
from app.reports.funnel_counts import MOST_PERIODS, TooMany
from app.reports.funnel_facts import TooManyFacts
from app.reports.funnel_rates import NUMBERS, Step
from app.reports.funnel_wire import FunnelQuery, FunnelReport, columns, told
from app.reports.query import filters, grouping, rows_only, with_rows
from app.reports.wire import PreviousPeriod, columns_previously

router = APIRouter(prefix="/v1/reports", tags=["reports"])


@router.get("/funnel", response_model=FunnelReport)
def funnel_report(
    query: Annotated[FunnelQuery, Query()], caller: ReportKey, work: UnitOfWork, request: Request
) -> Response:
    """What was seen, opened, liked, shared, visited, begun and bought: by any dimensions and over time, with rates.
    Days begin in the time zone; a period begins and ends with a quarter of an hour, as every time zone's days do. By
    one dimension and over time an answer costs what it shows, not what happened. Everything else is counted from the
    facts: periods of too many are refused, naming how many there are and what to ask instead, and 503 with
    `Retry-After` says that others have theirs counted. At most 4,000 days, weeks or months are told apart. Orders and
    net are those of `/v1/reports/attribution` for the same period: `currency` and `livemode` choose them, and no
    counts. By `network`, `(direct)` are people without a link: what they saw and bought; `(unknown)` is what another
    system told of without a network. By `sharer`, counts are those of the sharer's own likes, shares and links, and
    `net` is what they are credited. As CSV or NDJSON the next page stands in the header `Link`."""
    paging = Paging.of(request, query, query.cursor, Place, work.here.clock.now())
    with work.here.reports.view(work.here.clock.now(), caller.merchant_id) as (session, now):
        paging = paging if paging.after is not None else replace(paging, now=now)
        query, fewest = agency.asked(session, query, query.group_by, caller, paging.now)
        question = _understood(session, query, caller.merchant_id, paging, now, work.here)
        version = policy_book.for_report(session, caller.merchant_id, query.policy, now, now)
        found = _answer(session, question, fewest, is_compared=query.compare is not None)
    rows = funnel.arranged(question, found.rows)
    next_cursor = None
    if query.limit is not None:
        next_cursor = paging.next_cursor([funnel.place_of(question, row) for row, _ in rows], query.limit)
        rows = rows[: query.limit]
    if query.format != "json":
        return paging.linked(_as_rows(query, question, rows), next_cursor)
    shown = FunnelReport(
        data=[],
        totals=[],
        previous=None if query.compare is None else PreviousPeriod.before(question),
        next_cursor=next_cursor,
        begin=question.since,
        end=question.until,
        timezone=question.zone.key,
        policy=PolicyOut.of(version.policy),
        policy_name=version.name,
        policy_version=version.version,
        livemode=question.livemode,
        as_of=now,
        small_group=fewest,
    )
    data = [{**names, **told(currency, step, then, query.compare)} for (names, currency, step), then in rows]
    totals = [told(currency, *steps, query.compare) for currency, steps in sorted(found.totals.items())]
    return with_rows(shown, data, totals=totals)


def _answer(
    session: Session, question: Question, fewest: int | None, *, is_compared: bool
) -> Compared[FunnelRow, Step]:
    """All its rows, in no order. Raises `Invalid`, and `Unavailable` where others have facts counted."""
    if is_compared:
        comparing.refuse_units(question.group_by)
    try:
        if is_compared:
            return comparing.funnelled(session, question, fewest)
        report = agency.funnelled(session, question, fewest)
    except TooMany as reason:
        most = f"at most {MOST_PERIODS:,} are told apart: ask for a shorter period, or for wider rows"
        raise Invalid.field("group_by", f"the period has more {reason.unit}s: {most}") from None
    except TooManyFacts as reason:
        raise _too_many(question, reason.many) from None
    return Compared([(row, None) for row in report.rows], {name: (step, None) for name, step in report.totals.items()})


def _too_many(question: Question, many: int) -> Invalid:
    """Names what must be asked otherwise: the dimensions that no rollup knows together, else the filter of another."""
    by = () if DEPTH in question.by else question.by
    others = [name for name in dict.fromkeys((*question.only, *question.without)) if name not in by]
    if len(by) > 1 or SHARER in by:
        name = "group_by"
    else:
        other = SHARER if SHARER in others else others[0 if by else 1]
        name = other if other in question.only else f"-{other}"
    hint = f"ask for a shorter period, or of one dimension alone: of {', '.join(BY)}"
    most = f"at most {funnel_facts.MOST:,} are for one answer"
    return Invalid.field(name, f"takes {many:,} facts to be counted, and {most}: {hint}")


def _as_rows(query: FunnelQuery, question: Question, rows: list[Beside]) -> Response:
    """As CSV or NDJSON."""
    names = columns(question.group_by)
    names += [] if query.compare is None else columns_previously(NUMBERS)
    flat = ({**named, **told(currency, step, then, query.compare, flat=True)} for (named, currency, step), then in rows)
    answer = rows_only(query, names, flat)
    assert answer is not None
    return answer


def _understood(
    session: Session, query: FunnelQuery, merchant_id: int, paging: Paging[Place], now: datetime, here: Runtime
) -> Question:
    """`query` with its defaults, for this merchant and moment. Raises `Invalid` naming the parameter."""
    merchant = merchants.get(session, merchant_id)
    zone = ZoneInfo(query.timezone or merchant.timezone)
    since, until = _period(query, zone, paging.now)
    group_by = grouping(query.group_by, DIMENSIONS) if query.group_by.strip(", ") else ()
    return Question(
        merchant_id=merchant_id,
        since=since,
        until=until,
        zone=zone,
        livemode=not here.settings.test_mode if query.livemode is None else query.livemode,
        as_of=now,
        currency=query.currency,
        only=filters(query, "", FILTERS),
        without=filters(query, "not_", FILTERS),
        own_currency=merchant.currency,
        beacons_since=keeping.beacons_kept_since(here.settings, now),
        group_by=group_by,
        policy=query.policy,
        order=funnel.order_of(query.sort, group_by),
        after=paging.after,
        limit=None if query.limit is None else query.limit + 1,
    )


def _period(query: FunnelQuery, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    said = {name for name, value in (("from", query.begin), ("to", query.end)) if value is not None}
    try:
        return whole_quarters(*period(query.begin, query.end, zone, now), now, said)
    except NotWhole as reason:
        nearest = " or ".join(f"{at:%Y-%m-%dT%H:%MZ}" for at in (reason.before, reason.after))
        raise Invalid.field(reason.name, f"must be a whole quarter of an hour, such as {nearest}") from None
