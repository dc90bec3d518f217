"""Reports by HTTP."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.kernel.http.wire import Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import ReportKey
from app.reports import attribution, ledger
from app.reports.query import CreditQuery, CreditReport, by_policy, grouping, rows_only

router = APIRouter(prefix="/v1/reports", tags=["reports"])


class AttributionQuery(CreditQuery):
    """What is asked of the attribution report."""

    group_by: Annotated[
        str,
        Field(
            description=f"Any of {', '.join(ledger.DIMENSIONS)}; several by comma.",
            examples=["network,day"],
            max_length=200,
        ),
    ] = "network"


class TotalOut(Wire):
    """The sums of one currency, in minor units."""

    currency: str
    orders: int
    gross: int
    refunded: int
    net: int


class AttributionReport(CreditReport):
    """Rows of `{<dimension>: ..., currency, orders, gross, refunded, net, share}`, largest net first. `policy` is the
    version that divides orders at the time of the report; older orders may have been divided by older versions."""

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


@router.get("/attribution", response_model=AttributionReport)
def attribution_report(query: Annotated[AttributionQuery, Query()], caller: ReportKey, work: UnitOfWork) -> Response:
    """Net sales by network, product, wall, sharer, kind, depth or time: rows add up to the totals, and these to the
    orders and their refunds, to the cent. `orders` counts distinct orders, so it does not add up over rows that
    split an order; the totals say the true number. An order of nothing has nothing to credit and is not counted."""
    test_mode = work.here.settings.test_mode
    with work.here.reports.view(work.here.clock.now()) as (session, now):
        group_by = grouping(query.group_by, ledger.DIMENSIONS)
        asked, told = by_policy(session, query, caller.merchant_id, now, test_mode)
        question = ledger.Question(**vars(asked), group_by=group_by, policy=query.policy)
        report = attribution.answer(session, question)
    rows = [_row(row) for row in report.rows]
    columns = [*group_by, "currency", "orders", "gross", "refunded", "net", "share"]
    if answer := rows_only(query, columns, rows):
        return answer
    shown = AttributionReport(
        data=rows,
        totals=[_total(currency, sums) for currency, sums in sorted(report.totals.items())],
        **told,
    )
    return Response(shown.model_dump_json(), media_type="application/json")


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


def _total(currency: str, sums: ledger.Sums) -> TotalOut:
    return TotalOut(currency=currency, orders=sums.orders, gross=sums.gross, refunded=sums.refunded, net=sums.net)
