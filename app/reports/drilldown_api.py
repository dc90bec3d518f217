"""The drill-down by HTTP: which orders a figure of the attribution report is made of."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass, fields, replace
from typing import Annotated, Final, Literal, Self

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.kernel.clock import from_micros
from app.kernel.http.few import Few
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import ExactReportKey
from app.reports import attribution, drilldown
from app.reports.cursor import Cursor, Paging
from app.reports.drilldown import Credit, Credited
from app.reports.formats import Cell
from app.reports.ledger import Question, Sums
from app.reports.query import CreditByAllQuery, CreditReport, by_policy, rows_only
from app.reports.ranking import Order
from app.reports.wire import TotalOut

router = APIRouter(prefix="/v1/reports", tags=["reports"])

AT_ONCE: Final = Few(2, "Others are having orders sorted just now; ask again in a moment.")
"""All of the ledger that the question is about is read for each page."""


class OrdersQuery(CreditByAllQuery):
    """What is asked of the list: the filters and the period of the figure whose orders are wanted."""

    sort: Annotated[
        Literal["-placed_at", "placed_at", "-net", "net"],
        Field(
            description="With `-` in front, the newest or the largest first. By `net` of what is credited here, and by "
            "currency before: 503 with `Retry-After` where others are having orders sorted so just now."
        ),
    ] = "-placed_at"
    limit: Annotated[int, Field(ge=1, le=100, description="How many orders at most.")] = 20
    cursor: Cursor = None


@dataclass(frozen=True)
class CreditOut(Credit):
    """What one referral, or nobody, has of an order: the part that the filters let through, in minor units. `level`
    (in reports, `depth`) is 0 for who brought the buyer, 1 for whose word had brought them, and null for what is
    nobody's. `name`: what the sharer wants to be called now, if anything, as in `/v1/sharers`."""

    name: str | None
    gross: int
    refunded: int
    net: int

    @classmethod
    def of(cls, credit: Credit, sums: Sums, names: Mapping[str, str]) -> Self:
        name = names.get(credit.sharer)
        return cls(**vars(credit), name=name, gross=sums.gross, refunded=sums.refunded, net=sums.net)


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
    def of(cls, found: Credited, names: Mapping[str, str]) -> Self:
        return cls(
            order=found.order_id,
            external_id=found.external_id,
            placed_at=from_micros(found.at),
            currency=found.currency,
            gross=found.sums.gross,
            refunded=found.sums.refunded,
            net=found.sums.net,
            credits=[CreditOut.of(credit, sums, names) for credit, sums in found.credits],
            explanation=f"/v1/reports/orders/{found.order_id}/attribution",
        )

    def by_credit(self) -> list[dict[str, Cell]]:
        """For spreadsheets: a row for each credit, with figures of its own, so that columns add up."""
        order = self.model_dump(mode="json", exclude={"credits"})
        return [order | vars(credit) for credit in self.credits]


_ORDER: Final = ("order", "external_id", "placed_at", "currency", "gross", "refunded", "net")
_CREDIT: Final = [field.name for field in fields(CreditOut) if field.name not in _ORDER]
_COLUMNS: Final = (*_ORDER, *_CREDIT, "explanation")
"""Of CSV."""


class OrdersReport(CreditReport):
    """Orders, newest first or as `sort` says. `totals` are of all pages: the figures of `/v1/reports/attribution` for
    the same question."""

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
    first was asked for. As CSV or NDJSON the next page stands in the header `Link`; CSV has a row for each of an
    order's `credits`, whose `gross`, `refunded` and `net` are its own."""
    paging = Paging.of(request, query, query.cursor, drilldown.Place, work.here.clock.now())
    with work.here.reports.view(paging.now, caller.merchant_id, exactly=paging.after is not None) as (session, now):
        paging = replace(paging, now=now)
        asked, told = by_policy(session, query, caller.merchant_id, now, work.here.settings.test_mode)
        question = Question(**vars(asked), group_by=(), policy=query.policy)
        order = Order(query.sort.removeprefix("-"), query.sort.startswith("-"))
        with nullcontext() if order.by == drilldown.PLACED_AT else AT_ONCE:
            found, names = drilldown.page(session, question, order, paging.after, query.limit + 1)
        totals = attribution.answer(session, question).totals if query.format == "json" else {}
    data = [CreditedOrderOut.of(each, names) for each in found[: query.limit]]
    next_cursor = paging.next_cursor([each.place for each in found], query.limit)
    if query.format == "csv":
        rows = [row for each in data for row in each.by_credit()]
    else:
        rows = [each.model_dump(mode="json") for each in data]
    if answer := rows_only(query, _COLUMNS, rows):
        return paging.linked(answer, next_cursor)
    shown = OrdersReport(
        data=data,
        totals=[TotalOut.of(currency, sums) for currency, sums in sorted(totals.items())],
        next_cursor=next_cursor,
        **told,
    )
    return Response(shown.model_dump_json(), media_type="application/json")
