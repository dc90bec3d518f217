"""The drill-down by HTTP: which orders a figure of the attribution report is made of."""

from dataclasses import replace
from typing import Annotated, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.kernel.clock import from_micros
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import ExactReportKey
from app.reports import attribution, drilldown
from app.reports.cursor import Cursor, Paging
from app.reports.drilldown import Credit, Credited
from app.reports.ledger import Question, Sums
from app.reports.query import CreditByAllQuery, CreditReport, by_policy, rows_only
from app.reports.wire import TotalOut

router = APIRouter(prefix="/v1/reports", tags=["reports"])


class OrdersQuery(CreditByAllQuery):
    """What is asked of the list: the filters and the period of the figure whose orders are wanted."""

    limit: Annotated[int, Field(ge=1, le=100, description="How many orders at most.")] = 20
    cursor: Cursor = None


class CreditOut(Wire):
    """What one referral, or nobody, has of an order: the part that the filters let through, in minor units. `level`
    is 0 for who brought the buyer, 1 for whose word had brought them, and null for what is nobody's."""

    referral: str | None
    sharer: str
    level: int | None
    network: str
    shared_to: str | None
    seen_from: str | None
    product: str | None
    wall: str | None
    kind: str | None
    reason: str | None
    gross: int
    refunded: int
    net: int

    @classmethod
    def of(cls, credit: Credit, sums: Sums) -> Self:
        return cls(**credit._asdict(), gross=sums.gross, refunded=sums.refunded, net=sums.net)


class CreditedOrderOut(Wire):
    """An order of which something is credited here. `gross`, `refunded` and `net` are of that part alone, in minor
    units: over all orders they add up to the figure. `explanation` is where the whole order is explained."""

    order: str
    external_id: str
    placed_at: Timestamp
    currency: str
    gross: int
    refunded: int
    net: int
    credits: list[CreditOut]
    explanation: Annotated[str, Field(examples=["/v1/reports/orders/ord_01jd9k3s7qmx2tbn4w5yzc8ehg/attribution"])]

    @classmethod
    def of(cls, found: Credited) -> Self:
        return cls(
            order=found.place.order_id,
            external_id=found.external_id,
            placed_at=from_micros(found.place.at),
            currency=found.currency,
            gross=found.sums.gross,
            refunded=found.sums.refunded,
            net=found.sums.net,
            credits=[CreditOut.of(credit, sums) for credit, sums in found.credits],
            explanation=f"/v1/reports/orders/{found.place.order_id}/attribution",
        )


class OrdersReport(CreditReport):
    """Orders, newest first. `totals` are of all pages: the figures of `/v1/reports/attribution` for the same
    question."""

    data: list[CreditedOrderOut]
    totals: list[TotalOut]
    next_cursor: str | None


@router.get("/orders", response_model=OrdersReport)
def credited_orders(
    query: Annotated[OrdersQuery, Query()], caller: ExactReportKey, work: UnitOfWork, request: Request
) -> Response:
    """The orders that a row of `/v1/reports/attribution` is made of: ask with the row's dimensions as filters
    (`?network=whatsapp&sharer=…`) and the same period. Of an order that is split, each row has a part; here stands the
    part that the filters let through, and to whom it is credited. All pages show the list as it was known when the
    first was asked for. As CSV or NDJSON the next page stands in the header `Link`."""
    paging = Paging.of(request, query, query.cursor, drilldown.Place, work.here.clock.now())
    with work.here.reports.view(paging.now, exactly=paging.after is not None) as (session, now):
        paging = replace(paging, now=now)
        asked, told = by_policy(session, query, caller.merchant_id, now, work.here.settings.test_mode)
        asked = replace(asked, as_known_now=asked.as_known_now and paging.after is None)
        question = Question(**vars(asked), group_by=(), policy=query.policy)
        found = drilldown.page(session, question, paging.after, query.limit + 1)
        totals = attribution.answer(session, question).totals if query.format == "json" else {}
    data = [CreditedOrderOut.of(each) for each in found[: query.limit]]
    next_cursor = paging.next_cursor([each.place for each in found], query.limit)
    rows = [row.model_dump(mode="json") for row in data]
    if answer := rows_only(query, list(CreditedOrderOut.model_fields), rows):
        return paging.linked(answer, next_cursor)
    shown = OrdersReport(
        data=data,
        totals=[TotalOut.of(currency, sums) for currency, sums in sorted(totals.items())],
        next_cursor=next_cursor,
        **told,
    )
    return Response(shown.model_dump_json(), media_type="application/json")
