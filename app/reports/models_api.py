"""The report that sets the models side by side, by HTTP."""

from typing import Annotated, Literal

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.attribution.engine import ORDERS, TooManyStates
from app.attribution.policy_wire import PolicyOut
from app.kernel.errors import Invalid
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import ExactReportKey
from app.reports import models_report
from app.reports.query import ReportQuery, rows_only, understood

router = APIRouter(prefix="/v1/reports", tags=["reports"])


class ModelsQuery(ReportQuery):
    """What is asked of this report."""

    group_by: Annotated[Literal["network", "product", "wall"], Field(description="What earns credit.")] = "network"
    order: Annotated[
        int,
        Field(ge=min(ORDERS), le=max(ORDERS), description="How many channels the Markov chain remembers."),
    ] = min(ORDERS)


class PathsOut(Wire):
    """How many journeys the aggregate models looked at."""

    converted: Annotated[int, Field(description="Orders with a touch or a coupon that earns.")]
    not_converted: Annotated[int, Field(description="People who were touched and have bought nothing since.")]


class ModelsReport(Wire):
    """Rows of `{<network, product or wall>, currency, <net under each model>}`, in minor units, largest net under the
    policy in force first. `totals` has the same without the first. `policy` is the version in force at the time of the
    report; older orders may be divided by older versions."""

    data: Annotated[
        list[dict[str, str | int]],
        Field(
            examples=[
                [
                    {
                        "network": "whatsapp",
                        "currency": "eur",
                        "last_touch": 9000,
                        "first_touch": 7000,
                        "linear": 8000,
                        "position_based": 8000,
                        "time_decay": 8400,
                        "markov": 7900,
                        "shapley": 8100,
                    }
                ]
            ]
        ),
    ]
    totals: list[dict[str, str | int]]
    policy: PolicyOut
    policy_version: int
    markov_order: int
    paths: PathsOut
    livemode: bool
    as_of: Timestamp


@router.get("/models", response_model=ModelsReport)
def compare_models(query: Annotated[ModelsQuery, Query()], caller: ExactReportKey, work: UnitOfWork) -> Response:
    """The net of the same orders under every model: each touch model in the place of the policy's own, and `markov`
    and `shapley` over all journeys of the period, those of people who have not bought included. Without filters the
    totals of all models are the same, to the cent, and `(direct)` is. Filters choose which credit is shown, not which
    journeys are looked at. Orders are divided anew for this, so it takes longer than the attribution report."""
    test_mode = work.here.settings.test_mode
    with work.here.reports.view(work.here.clock.now()) as (session, now):
        asked = understood(session, query, caller.merchant_id, now, test_mode)
        question = models_report.Question(**vars(asked), group_by=query.group_by, order=query.order)
        try:
            report = models_report.answer(session, question)
        except TooManyStates as error:
            field = "group_by" if query.order == min(ORDERS) else "order"
            raise Invalid.field(field, f"has too much to look at in this period: {error}") from None
    rows: list[dict[str, str | int]] = [
        {query.group_by: row.value, "currency": row.currency, **row.net} for row in report.rows
    ]
    if answer := rows_only(query, [query.group_by, "currency", *models_report.COLUMNS], rows):
        return answer
    shown = ModelsReport(
        data=rows,
        totals=[{"currency": currency, **net} for currency, net in report.totals.items()],
        policy=PolicyOut.of(report.policy.policy),
        policy_version=report.policy.version,
        markov_order=query.order,
        paths=PathsOut(converted=report.converted, not_converted=report.not_converted),
        livemode=question.livemode,
        as_of=question.as_of,
    )
    return Response(shown.model_dump_json(), media_type="application/json")
