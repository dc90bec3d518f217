"""The report that sets the models side by side, by HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.attribution.engine import ORDERS, TooManyStates
from app.attribution.policy_wire import PolicyOut
from app.kernel.errors import Invalid
from app.kernel.http.few import Few
from app.kernel.http.wire import Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import ExactReportKey
from app.reports import models_report
from app.reports.cursor import Cursor, Limit, Paging
from app.reports.formats import Cell
from app.reports.models_report import COLUMNS, Question, Report
from app.reports.query import CreditReport, Only, ReportQuery, Without, rows_only, understood, with_rows
from app.reports.ranking import Place, order_of
from app.reports.wire import Compare, Gone, PreviousPeriod, columns_previously, flat_previously, gone, previously

router = APIRouter(prefix="/v1/reports", tags=["reports"])

AT_ONCE: Final = Few(2, "Others are having models compared just now; ask again in a moment.")
"""Each goes through all journeys of its period."""


class ModelsQuery(ReportQuery):
    """What is asked of this report."""

    dimensions: ClassVar[Sequence[str]] = (*ReportQuery.dimensions, "kind", "shared_to", "seen_from")

    group_by: Annotated[Literal["network", "product", "wall"], Field(description="What earns credit.")] = "network"
    order: Annotated[
        int,
        Field(ge=min(ORDERS), le=max(ORDERS), description="How many channels the Markov chain remembers."),
    ] = min(ORDERS)
    kind: Annotated[Only, Field(examples=[["share"]])] = []
    shared_to: Annotated[Only, Field(examples=[["whatsapp"]])] = []
    seen_from: Annotated[Only, Field(examples=[["facebook", "(none)"]])] = []
    not_kind: Annotated[Without, Field(alias="-kind")] = []
    not_shared_to: Annotated[Without, Field(alias="-shared_to")] = []
    not_seen_from: Annotated[Without, Field(alias="-seen_from")] = []
    compare: Compare = None
    sort: Annotated[
        str | None,
        Field(
            description=f"By one of {', '.join(COLUMNS)}, or what is grouped by; with `-` in front, the largest first. "
            "Always by currency before. Default: the largest under the policy in force first.",
            examples=["-markov", "network"],
            max_length=200,
        ),
    ] = None
    limit: Limit = None
    cursor: Cursor = None


class PathsOut(Wire):
    """How many journeys the aggregate models looked at."""

    converted: Annotated[int, Field(description="Orders with a touch or a coupon that earns.")]
    not_converted: Annotated[int, Field(description="People who were touched and have bought nothing since.")]


class ModelsReport(CreditReport):
    """Rows of `{<network, product or wall>, currency, <net under each model>}`, in minor units, largest net under the
    policy in force first, or as `sort` says. `totals` has the same without the first. With `compare`, both have
    `previous: {<net under each model>}` and `change`: of the net under the model in force, / what it was - 1, null
    where there was nothing before. `policy` is the version in force at the time of the report; older orders may be
    divided by older versions."""

    data: Annotated[
        list[dict[str, Any]],
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
    totals: list[dict[str, Any]]
    markov_order: int
    paths: PathsOut
    previous: Annotated[PreviousPeriod | None, Field(description="With `compare`: the period before.")] = None
    previous_paths: Annotated[PathsOut | None, Field(description="With `compare`: those of the period before.")] = None
    next_cursor: Annotated[str | None, Field(description="Where `limit` leaves rows for another page.")] = None
    note: Gone = None


@router.get("/models", response_model=ModelsReport)
def compare_models(
    query: Annotated[ModelsQuery, Query()], caller: ExactReportKey, work: UnitOfWork, request: Request
) -> Response:
    """The net of the same orders under every model: each touch model in the place of the policy's own, and `markov`
    and `shapley` over all journeys of the period, those of people who have not bought included. Without filters the
    totals of all models are the same, to the cent, and `(direct)` is. Filters choose which credit is shown, not which
    journeys are looked at. Orders are divided anew for this, so it takes longer than the attribution report, the more
    the longer the period: two are answered at once, and 503 with `Retry-After` says that others are being answered.
    All pages show the report as it was known when the first was asked for. As CSV or NDJSON the next page stands in
    the header `Link`."""
    paging = Paging.of(request, query, query.cursor, Place, work.here.clock.now())
    view = work.here.reports.view(paging.now, caller.merchant_id, exactly=paging.after is not None)
    with AT_ONCE, view as (session, now):
        paging = replace(paging, now=now)
        asked = understood(session, query, caller.merchant_id, now, work.here.settings.test_mode)
        question = Question(
            **vars(asked),
            group_by=query.group_by,
            order=query.order,
            sort=None if query.sort is None else order_of(query.sort, [query.group_by], COLUMNS),
            after=paging.after,
            limit=None if query.limit is None else query.limit + 1,  # tells whether there is another page
        )
        try:
            report = (models_report.compared if query.compare else models_report.answer)(session, question)
        except TooManyStates as error:
            field = "group_by" if query.order == min(ORDERS) else "order"
            raise Invalid.field(field, f"has too much to look at in this period: {error}") from None
        note = gone(session, question, compared=query.compare is not None, policies=[report.policy.policy])
    places = [models_report.place_of(question, report, row) for row in report.rows]
    next_cursor = None if query.limit is None else paging.next_cursor(places, query.limit)
    if query.format != "json":
        return paging.linked(_as_rows(query, report), next_cursor)
    shown = ModelsReport(
        data=[],
        totals=[],
        policy=PolicyOut.of(report.policy.policy),
        policy_name=report.policy.name,
        policy_version=report.policy.version,
        markov_order=query.order,
        paths=PathsOut.model_validate(report.paths),
        previous=None if query.compare is None else PreviousPeriod.before(question),
        previous_paths=report.paths_then and PathsOut.model_validate(report.paths_then),
        next_cursor=next_cursor,
        livemode=question.livemode,
        as_of=question.as_of,
        note=note,
    )
    return with_rows(shown, _rows(query, report), totals=_totals(report))


def _rows(query: ModelsQuery, report: Report) -> list[dict[str, Any]]:
    return [
        {query.group_by: row.value, "currency": row.currency, **_told(report, row.net, row.then)}
        for row in report.rows[: query.limit]
    ]


def _totals(report: Report) -> list[dict[str, Any]]:
    then = report.totals_then or {}
    return [{"currency": currency, **_told(report, net, then.get(currency))} for currency, net in report.totals.items()]


def _told(report: Report, net: Mapping[str, int], then: Mapping[str, int] | None) -> dict[str, Any]:
    if report.totals_then is None:
        return dict(net)
    return {**net, **previously(None if then is None else dict(then), report.change(net, then))}


def _as_rows(query: ModelsQuery, report: Report) -> Response:
    """As CSV or NDJSON."""
    columns = [query.group_by, "currency", *COLUMNS]
    if query.compare is not None:
        columns += columns_previously(COLUMNS)
    rows: list[dict[str, Cell]] = [
        {query.group_by: row.value, "currency": row.currency, **row.net} for row in report.rows[: query.limit]
    ]
    if query.compare is not None:
        for told, row in zip(rows, report.rows, strict=False):
            told |= flat_previously(COLUMNS, row.then, report.change(row.net, row.then))
    answer = rows_only(query, columns, rows)
    assert answer is not None
    return answer
