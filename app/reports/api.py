"""Reports by HTTP."""

from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.attribution import shell
from app.attribution.engine import policy_to_wire
from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, Currency, Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants import service as merchants
from app.merchants.access import ReportKey
from app.merchants.api import Timezone
from app.reports import attribution, formats
from app.reports.periods import moment, period

router = APIRouter(prefix="/v1/reports", tags=["reports"])

Format = Literal["json", "csv", "ndjson"]
Values = Annotated[list[Text], Field(max_length=100)]


class AttributionQuery(Body):
    """What is asked of the attribution report."""

    begin: Annotated[str | None, Field(alias="from", description="A date or time; default: 30 days before `to`.")] = (
        None
    )
    end: Annotated[str | None, Field(alias="to", description="A date or time, not included; default: now.")] = None
    timezone: Annotated[Timezone | None, Field(description="Shifts days; default: the merchant's.")] = None
    currency: Currency | None = None
    group_by: Annotated[
        str,
        Field(
            description=f"Any of {', '.join(attribution.DIMENSIONS)}; several by comma.",
            examples=["network,day"],
            max_length=200,
        ),
    ] = "network"
    network: Values = []
    product: Values = []
    wall: Values = []
    sharer: Values = []
    not_network: Annotated[Values, Field(alias="-network")] = []
    not_product: Annotated[Values, Field(alias="-product")] = []
    not_wall: Annotated[Values, Field(alias="-wall")] = []
    not_sharer: Annotated[Values, Field(alias="-sharer")] = []
    livemode: Annotated[
        bool | None, Field(description="`false`: test orders. Default: real ones, unless Stripe is simulated here.")
    ] = None
    as_of: Annotated[str | None, Field(description="What was known at that time; default: now.")] = None
    format: Format = "json"


class TotalOut(Wire):
    """The sums of one currency, in minor units."""

    currency: str
    orders: int
    gross: int
    refunded: int
    net: int


class AttributionReport(Wire):
    """Rows of `{<dimension>: ..., currency, orders, gross, refunded, net, share}`, largest net first."""

    data: Annotated[
        list[dict[str, str | int | float | None]],
        Field(
            examples=[
                [
                    {
                        "network": "whatsapp",
                        "currency": "eur",
                        "orders": 3,
                        "gross": 12000,
                        "refunded": 1000,
                        "net": 11000,
                        "share": 0.61,
                    }
                ]
            ]
        ),
    ]
    totals: list[TotalOut]
    policy: dict[str, Any]
    policy_version: int
    livemode: bool
    as_of: Timestamp


@router.get("/attribution", response_model=AttributionReport)
def attribution_report(query: Annotated[AttributionQuery, Query()], caller: ReportKey, work: UnitOfWork) -> Response:
    """Net sales by network, product, wall, sharer, kind, depth or time: rows add up to the totals, and these to the
    orders and their refunds, to the cent. `orders` counts distinct orders, so it does not add up over rows that
    split an order; the totals say the true number. An order of nothing has nothing to credit and is not counted."""
    now = work.here.clock.now()
    with work.here.database.reading() as session:
        question = _question(session, query, caller.merchant_id, now, work.here.settings.test_mode)
        report = attribution.answer(session, question)
    rows = [_row(row) for row in report.rows]
    if query.format == "csv":
        columns = [*question.group_by, "currency", "orders", "gross", "refunded", "net", "share"]
        return Response(formats.to_csv(columns, rows), media_type="text/csv; charset=utf-8")
    if query.format == "ndjson":
        return Response(formats.to_ndjson(rows), media_type="application/x-ndjson")
    shown = AttributionReport(
        data=rows,
        totals=[_total(currency, sums) for currency, sums in sorted(report.totals.items())],
        policy=policy_to_wire(shell.POLICY),
        policy_version=shell.POLICY_VERSION,
        livemode=question.livemode,
        as_of=question.as_of,
    )
    return Response(shown.model_dump_json(), media_type="application/json")


def _question(
    session: Session, query: AttributionQuery, merchant_id: int, now: datetime, test_mode: bool
) -> attribution.Question:
    zone = ZoneInfo(query.timezone or merchants.get(session, merchant_id).timezone)
    since, until = period(query.begin, query.end, zone, now)
    group_by = tuple(dict.fromkeys(name.strip() for name in query.group_by.split(",") if name.strip()))
    unknown = [name for name in group_by if name not in attribution.DIMENSIONS]
    if unknown or not group_by:
        raise Invalid.field("group_by", f"must be any of {', '.join(attribution.DIMENSIONS)}")
    return attribution.Question(
        merchant_id=merchant_id,
        since=since,
        until=until,
        zone=zone,
        group_by=group_by,
        livemode=not test_mode if query.livemode is None else query.livemode,
        as_of=now if query.as_of is None else moment(query.as_of, zone, "as_of"),
        currency=query.currency,
        only=_filters(query, ""),
        without=_filters(query, "not_"),
    )


def _filters(query: AttributionQuery, prefix: str) -> dict[str, list[str]]:
    given = {name: getattr(query, prefix + name) for name in ("network", "product", "wall", "sharer")}
    return {name: [part for value in values for part in value.split(",")] for name, values in given.items() if values}


def _row(row: attribution.Row) -> dict[str, str | int | float | None]:
    return {
        **row.dimensions,
        "currency": row.currency,
        "orders": row.sums.orders,
        "gross": row.sums.gross,
        "refunded": row.sums.refunded,
        "net": row.sums.net,
        "share": row.share,
    }


def _total(currency: str, sums: attribution.Sums) -> TotalOut:
    return TotalOut(currency=currency, orders=sums.orders, gross=sums.gross, refunded=sums.refunded, net=sums.net)
