"""What the funnel is asked by over HTTP, and what it tells."""

from collections.abc import Mapping
from typing import Annotated, Any

from pydantic import Field, model_validator

from app.attribution.policies import CURRENT
from app.kernel.errors import Invalid
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.rollups.reading import Counts
from app.reports.agency import SmallGroup
from app.reports.comparing import change
from app.reports.cursor import Cursor
from app.reports.funnel import SORTED_BY
from app.reports.funnel_asked import DIMENSIONS
from app.reports.funnel_facts import MOST
from app.reports.funnel_rates import NUMBERS, Step
from app.reports.ledger import UNITS
from app.reports.query import CreditReport, KeptPolicy, Only, PeriodQuery, Without
from app.reports.spread_wire import Ratio
from app.reports.wire import Compare, PreviousPeriod, flat_previously, previously


class FunnelQuery(PeriodQuery):
    """What is asked of the funnel."""

    group_by: Annotated[
        str,
        Field(
            description=f"Nothing (default), or any of {', '.join(DIMENSIONS)}; several by comma. One of them beside "
            f"{', '.join(UNITS)} is known at once, however much happened; for several, for `sharer`, and for filters "
            f"of another dimension facts are counted, of periods with at most {MOST:,}. By `depth` there are orders "
            "and net alone, for counts have none: whoever is counted came through one link.",
            examples=["network,day", "sharer,network"],
            max_length=200,
        ),
    ] = ""
    network: Annotated[Only, Field(examples=[["whatsapp", "(direct)"]])] = []
    shared_to: Annotated[Only, Field(examples=[["whatsapp"]])] = []
    seen_from: Annotated[Only, Field(examples=[["facebook", "(none)"]])] = []
    product: Annotated[Only, Field(examples=[["prod_01jd9k3s7qmx2tbn4w5yzc8ehg"]])] = []
    wall: Annotated[Only, Field(examples=[["wall_01jd9k3s7qmx2tbn4w5yzc8ehg"]])] = []
    kind: Annotated[Only, Field(examples=[["share"]])] = []
    sharer: Annotated[Only, Field(examples=[["vis_01jd9k3s7qmx2tbn4w5yzc8ehg"]])] = []
    not_network: Annotated[Without, Field(alias="-network")] = []
    not_shared_to: Annotated[Without, Field(alias="-shared_to")] = []
    not_seen_from: Annotated[Without, Field(alias="-seen_from")] = []
    not_product: Annotated[Without, Field(alias="-product")] = []
    not_wall: Annotated[Without, Field(alias="-wall")] = []
    not_kind: Annotated[Without, Field(alias="-kind")] = []
    not_sharer: Annotated[Without, Field(alias="-sharer")] = []
    as_of: Annotated[str | None, Field(description="Is refused: the funnel is always as of now.")] = None
    policy: KeptPolicy = CURRENT
    compare: Compare = None
    sort: Annotated[
        str | None,
        Field(
            description=f"By one of {', '.join(SORTED_BY)}, or a dimension that is grouped by; with `-` in front, the "
            "largest first. Default: in order of time where rows are of days, weeks or months, then most visits first. "
            "Always by currency before, and by names where rows are alike; what is null is less than 0.",
            examples=["-order_rate", "-net"],
            max_length=200,
        ),
    ] = None
    limit: Annotated[
        int | None,
        Field(
            ge=1,
            description="At most so many rows, the first ones as they are sorted; the next ones come with `cursor`. "
            "Default: all. `totals` are those of all rows. Each page is of its own moment, for the same period: sorted "
            "by a dimension no row comes twice, whatever happens in between.",
            examples=[100],
        ),
    ] = None
    cursor: Cursor = None

    @model_validator(mode="before")
    @classmethod
    def _is_of_now(cls, said: Any) -> Any:
        """Raises `Invalid` for what other reports may be asked: how it was known once."""
        if isinstance(said, Mapping) and "as_of" in said:
            raise Invalid.field("as_of", "cannot be asked for: the funnel is always as of now")
        return said


_Count = int | None


class StepOut(Wire):
    """What is told of each row. What is null is not told: what is of few people or of nobody, for a key that is shown
    no small groups; counts by `depth`; and where facts are counted, what widgets reported, of a period of which some of
    it is not kept any more. Rates are null where a part is, or where there is nothing to divide by, and may be greater
    than 1: not all that is bought was visited in the same period."""

    currency: Annotated[str, Field(description="Of `orders` and `net`. Counts have none.")]
    wall_views: _Count
    card_views: _Count
    card_opens: _Count
    share_opens: _Count
    checkout_opens: _Count
    likes: Annotated[_Count, Field(description="Those that stand: one that is taken back leaves its own quarter.")]
    shares: _Count
    visits: _Count
    checkouts: Annotated[_Count, Field(description="Begun, of test orders too: counts do not ask for `livemode`.")]
    orders: Annotated[_Count, Field(description="Distinct orders with credit here; of a split one each row counts it.")]
    net: Annotated[int | None, Field(description="In minor units: credit less refunds.")]
    open_rate: Annotated[Ratio, Field(description="`card_opens` / `card_views`")]
    share_rate: Annotated[Ratio, Field(description="`shares` / `card_views`")]
    visits_per_referral: Annotated[Ratio, Field(description="`visits` / (`likes` + `shares`)")]
    checkout_rate: Annotated[Ratio, Field(description="`checkouts` / `visits`")]
    order_rate: Annotated[Ratio, Field(description="`orders` / `visits`")]


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


class FunnelTotalOut(StepOut):
    """As rows tell it too, where the funnel is compared: the counts, orders and net of the period before."""

    previous: Annotated[
        dict[str, int | None] | None,
        Field(examples=[{**Counts(card_views=900, shares=20, visits=610)._asdict(), "orders": 30, "net": 98_800}]),
    ] = None
    change: Annotated[float | None, Field(description="Of the net: 0.5 is half as much more.", examples=[0.5])] = None


class FunnelReport(CreditReport):
    """Rows of `{<dimension>: ..., currency, ...}` with the fields of `totals`, by currency, then time, then most visits
    first, or as `sort` says. Each fact counts once under each dimension, and counts have no currency: all of them stand
    in the rows of the merchant's own currency, or of the one that is asked for, and there counts and `net` of the rows
    add up to the total. A row of another currency stands only where something was sold in it: `net` adds up there too,
    and the counts beside it are those of the other row once more. Always as of now (`as_of`): what was counted is not
    kept as it was known before. `from` and `to` are the period that was counted, in whole quarters of an hour. With
    `compare`, rows have `previous` and `change` as totals have them."""

    data: Annotated[list[dict[str, Any]], Field(examples=[[_EXAMPLE]])]
    totals: Annotated[list[FunnelTotalOut], Field(description="One for each currency; at least the merchant's own.")]
    previous: Annotated[PreviousPeriod | None, Field(description="With `compare`: the period before.")] = None
    next_cursor: Annotated[str | None, Field(description="Where `limit` leaves rows for another page.")]
    begin: Annotated[Timestamp, Field(serialization_alias="from")]
    end: Annotated[Timestamp, Field(serialization_alias="to")]
    timezone: str
    small_group: SmallGroup = None


def columns(group_by: tuple[str, ...]) -> list[str]:
    """Of CSV, without those of the period before."""
    return [*group_by, *StepOut.model_fields]


def told(currency: str, step: Step, then: Step | None, compare: str | None, *, flat: bool = False) -> dict[str, Any]:
    """What stands in a row besides its dimensions; `flat` for CSV and NDJSON."""
    found = {"currency": currency, **step.numbers(), **step.rates()}
    if compare is None:
        return found
    before: dict[str, Any] | None = None if then is None else then.numbers()
    net, earlier = step.numbers()["net"], None if before is None else before["net"]
    grown = None if net is None else change(net, earlier)
    return found | (flat_previously(NUMBERS, before, grown) if flat else previously(before, grown))
