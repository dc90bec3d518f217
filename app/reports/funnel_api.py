"""The funnel by HTTP."""

from collections.abc import Mapping
from datetime import datetime
from typing import Annotated, Any, Final
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import Field, model_validator
from sqlalchemy.orm import Session

from app.attribution import policy_book
from app.attribution.policies import CURRENT
from app.attribution.policy_wire import PolicyOut
from app.kernel.errors import Invalid
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.kernel.periods import period
from app.kernel.rollups.reading import Counts
from app.kernel.rollups.tables import Dimension
from app.merchants import service as merchants
from app.merchants.access import ReportKey
from app.reports import agency, comparing, funnel
from app.reports.agency import SmallGroup
from app.reports.comparing import Compared, FunnelRow, change
from app.reports.funnel import BY, MOST_PERIODS, NotWhole, Step, TooMany
from app.reports.ledger import UNITS
from app.reports.query import CreditReport, KeptPolicy, Only, PeriodQuery, Without, filters, rows_only, with_rows
from app.reports.spread_wire import Ratio
from app.reports.wire import Compare, PreviousPeriod, columns_previously, flat_previously, previously

router = APIRouter(prefix="/v1/reports", tags=["reports"])


class FunnelQuery(PeriodQuery):
    """What is asked of the funnel. Filters are about one dimension: the one that is grouped by, where there is one."""

    group_by: Annotated[
        str,
        Field(
            description=f"Nothing (default); one of {', '.join(BY)}; one of {', '.join(UNITS)}; or one of each.",
            examples=["network,day"],
            max_length=200,
        ),
    ] = ""
    network: Annotated[Only, Field(examples=[["whatsapp", "(direct)"]])] = []
    shared_to: Annotated[Only, Field(examples=[["whatsapp"]])] = []
    seen_from: Annotated[Only, Field(examples=[["facebook", "(none)"]])] = []
    product: Annotated[Only, Field(examples=[["prod_01jd9k3s7qmx2tbn4w5yzc8ehg"]])] = []
    wall: Annotated[Only, Field(examples=[["wall_01jd9k3s7qmx2tbn4w5yzc8ehg"]])] = []
    kind: Annotated[Only, Field(examples=[["share"]])] = []
    not_network: Annotated[Without, Field(alias="-network")] = []
    not_shared_to: Annotated[Without, Field(alias="-shared_to")] = []
    not_seen_from: Annotated[Without, Field(alias="-seen_from")] = []
    not_product: Annotated[Without, Field(alias="-product")] = []
    not_wall: Annotated[Without, Field(alias="-wall")] = []
    not_kind: Annotated[Without, Field(alias="-kind")] = []
    policy: KeptPolicy = CURRENT
    compare: Compare = None

    @model_validator(mode="before")
    @classmethod
    def _is_of_now(cls, said: Any) -> Any:
        """Raises `Invalid` for what other reports may be asked: how it was known once."""
        if isinstance(said, Mapping) and "as_of" in said:
            raise Invalid.field("as_of", "cannot be asked for: the funnel is always as of now")
        return said


class StepOut(Wire):
    """What is told of each row. Rates are null where there is nothing to divide by, and may be greater than 1: not all
    that is bought was visited in the same period."""

    currency: Annotated[str, Field(description="Of `orders` and `net`. Counts have none.")]
    wall_views: int
    card_views: int
    card_opens: int
    share_opens: int
    checkout_opens: int
    likes: Annotated[int, Field(description="Those that stand: one that is taken back leaves its own quarter.")]
    shares: int
    visits: int
    checkouts: Annotated[int, Field(description="Begun, of test orders too: counts do not ask for `livemode`.")]
    orders: Annotated[int, Field(description="Distinct orders with credit here; of a split one each row counts it.")]
    net: Annotated[int, Field(description="In minor units: credit less refunds.")]
    open_rate: Annotated[Ratio, Field(description="`card_opens` / `card_views`")]
    share_rate: Annotated[Ratio, Field(description="`shares` / `card_views`")]
    visits_per_referral: Annotated[Ratio, Field(description="`visits` / (`likes` + `shares`)")]
    checkout_rate: Annotated[Ratio, Field(description="`checkouts` / `visits`")]
    order_rate: Annotated[Ratio, Field(description="`orders` / `visits`")]

    @classmethod
    def of(cls, currency: str, step: Step) -> "StepOut":
        counts = step.counts
        return cls(
            currency=currency,
            **counts._asdict(),
            orders=step.orders,
            net=step.net,
            open_rate=_rate(counts.card_opens, counts.card_views),
            share_rate=_rate(counts.shares, counts.card_views),
            visits_per_referral=_rate(counts.visits, counts.likes + counts.shares),
            checkout_rate=_rate(counts.checkouts, counts.visits),
            order_rate=_rate(step.orders, counts.visits),
        )


_EXAMPLE: dict[str, Any] = {
    "network": "whatsapp",
    "currency": "eur",
    **Counts(card_views=1250, card_opens=200, shares=31, visits=840, checkouts=52)._asdict(),
    "orders": 37,
    "net": 148_200,
    "open_rate": 0.16,
    "share_rate": 0.0248,
    "visits_per_referral": 27.096774,
    "checkout_rate": 0.061905,
    "order_rate": 0.044048,
}


_COMPARED: Final = (*Counts._fields, "orders", "net")


class FunnelTotalOut(StepOut):
    """As rows tell it too, where the funnel is compared: the counts, orders and net of the period before."""

    previous: Annotated[
        dict[str, int] | None,
        Field(examples=[{**Counts(card_views=900, shares=20, visits=610)._asdict(), "orders": 30, "net": 98_800}]),
    ] = None
    change: Annotated[float | None, Field(description="Of the net: 0.5 is half as much more.", examples=[0.5])] = None


class FunnelReport(CreditReport):
    """Rows of `{<dimension>: ..., currency, ...}` with the fields of `totals`, by currency, then time, then most visits
    first. Each fact counts once under each dimension, and counts have no currency: all of them stand in the rows of the
    merchant's own currency, or of the one that is asked for, and there counts and `net` of the rows add up to the
    total. A row of another currency stands only where something was sold in it: `net` adds up there too, and the counts
    beside it are those of the other row once more. Always as of now (`as_of`): what was counted is not kept as it was
    known before. `from` and `to` are the period that was counted, in whole quarters of an hour. With `compare`, rows
    have `previous` and `change` as totals have them."""

    data: Annotated[list[dict[str, Any]], Field(examples=[[_EXAMPLE]])]
    totals: Annotated[list[FunnelTotalOut], Field(description="One for each currency; at least the merchant's own.")]
    previous: Annotated[PreviousPeriod | None, Field(description="With `compare`: the period before.")] = None
    begin: Annotated[Timestamp, Field(serialization_alias="from")]
    end: Annotated[Timestamp, Field(serialization_alias="to")]
    timezone: str
    small_group: SmallGroup = None


@router.get("/funnel", response_model=FunnelReport)
def funnel_report(query: Annotated[FunnelQuery, Query()], caller: ReportKey, work: UnitOfWork) -> Response:
    """What was seen, opened, liked, shared, visited, begun and bought: by one dimension, over time, or both, with
    rates. Days begin in the time zone; a period begins and ends with a quarter of an hour, as every time zone's days
    do. What it costs grows with the rows, not with what happened; at most 4,000 days, weeks or months are told apart.
    Orders and net are those of `/v1/reports/attribution` for the same period: `currency` and `livemode` choose them,
    and no counts. By `network`, `(direct)` are people without a link: what they saw and bought; `(unknown)` is what
    another system told of without a network."""
    with work.here.reports.view(work.here.clock.now()) as (session, now):
        query, fewest = agency.asked(session, query, query.group_by, caller, now)
        question = _understood(session, query, caller.merchant_id, now, work.here.settings.test_mode)
        version = policy_book.for_report(session, caller.merchant_id, query.policy, None, now)
        found = _answer(session, question, fewest, is_compared=query.compare is not None)
    if query.format != "json":
        return _as_rows(query, question, found)
    rows = [{**names, **_told(currency, step, then, query)} for (names, currency, step), then in found.rows]
    totals = [_told(currency, *steps, query) for currency, steps in sorted(found.totals.items())]
    shown = FunnelReport(
        data=[],
        totals=[],
        previous=None if query.compare is None else PreviousPeriod.before(question),
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
    return with_rows(shown, rows, totals=totals)


def _answer(
    session: Session, question: funnel.Question, fewest: int | None, *, is_compared: bool
) -> Compared[FunnelRow, Step]:
    if is_compared:
        comparing.refuse_units(question.group_by)
        return comparing.funnelled(session, question, fewest)
    try:
        report = agency.funnelled(session, question, fewest)
    except TooMany as reason:
        most = f"at most {MOST_PERIODS:,} are told apart: ask for a shorter period, or for wider rows"
        raise Invalid.field("group_by", f"the period has more {reason.unit}s: {most}") from None
    return Compared([(row, None) for row in report.rows], {name: (step, None) for name, step in report.totals.items()})


def _as_rows(query: FunnelQuery, question: funnel.Question, found: Compared[FunnelRow, Step]) -> Response:
    """As CSV or NDJSON."""
    columns = [*question.group_by, *StepOut.model_fields]
    columns += [] if query.compare is None else columns_previously(_COMPARED)
    rows = ({**names, **_told(currency, step, then, query, flat=True)} for (names, currency, step), then in found.rows)
    answer = rows_only(query, columns, rows)
    assert answer is not None
    return answer


def _told(currency: str, step: Step, then: Step | None, query: FunnelQuery, *, flat: bool = False) -> dict[str, Any]:
    """What stands in a row besides its dimensions."""
    told = StepOut.of(currency, step).model_dump()
    if query.compare is None:
        return told
    before = None if then is None else {**then.counts._asdict(), "orders": then.orders, "net": then.net}
    grown = change(step.net, None if then is None else then.net)
    return told | (flat_previously(_COMPARED, before, grown) if flat else previously(before, grown))


def _understood(
    session: Session, query: FunnelQuery, merchant_id: int, now: datetime, test_mode: bool
) -> funnel.Question:
    """`query` with its defaults, for this merchant and moment. Raises `Invalid` naming the parameter."""
    merchant = merchants.get(session, merchant_id)
    zone = ZoneInfo(query.timezone or merchant.timezone)
    since, until = _period(query, zone, now)
    by, unit = _grouped(query.group_by)
    only, without = _filters(query, by)
    return funnel.Question(
        merchant_id=merchant_id,
        since=since,
        until=until,
        zone=zone,
        livemode=not test_mode if query.livemode is None else query.livemode,
        as_of=now,
        as_known_now=True,
        currency=query.currency,
        only=only,
        without=without,
        own_currency=merchant.currency,
        by=by,
        unit=unit,
        policy=query.policy,
    )


def _period(query: FunnelQuery, zone: ZoneInfo, now: datetime) -> tuple[datetime, datetime]:
    said = {name for name, value in (("from", query.begin), ("to", query.end)) if value is not None}
    try:
        return funnel.whole_quarters(*period(query.begin, query.end, zone, now), now, said)
    except NotWhole as reason:
        nearest = " or ".join(f"{at:%Y-%m-%dT%H:%MZ}" for at in (reason.before, reason.after))
        raise Invalid.field(reason.name, f"must be a whole quarter of an hour, such as {nearest}") from None


def _grouped(said: str) -> tuple[Dimension | None, str | None]:
    names = {name.strip() for name in said.split(",")} - {""}
    by, units = [name for name in BY if name in names], [name for name in UNITS if name in names]
    if len(by) > 1 or len(units) > 1 or names - {*BY, *UNITS}:
        raise Invalid.field("group_by", f"must be one of {', '.join(BY)}, one of {', '.join(UNITS)}, or one of each")
    return next(iter(by), None), next(iter(units), None)


def _filters(query: FunnelQuery, by: str | None) -> tuple[dict[str, list[str]], dict[str, list[str]]]:
    """Each fact is counted under each dimension by itself, so that filters of one say nothing of another."""
    only, without = filters(query, "", BY), filters(query, "not_", BY)
    one = by or next(iter([*only, *without]), None)
    for prefix, found in (("", only), ("-", without)):
        for name in found:
            if name != one:
                what = "is grouped by" if by else "other filters are about"
                raise Invalid.field(f"{prefix}{name}", f"must be about what {what}: {one}")
    return only, without


def _rate(part: int, whole: int) -> float | None:
    """To six digits after the point, as `ratio` rounds: a report of years by day has thousands."""
    if not whole:
        return None
    millionths, rest = divmod(part * _MILLION, whole)
    if 2 * rest > whole or (2 * rest == whole and millionths % 2):
        millionths += 1
    return millionths / _MILLION


_MILLION: Final = 1_000_000
