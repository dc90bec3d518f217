"""How the word spread, by HTTP."""

from typing import Annotated, Any

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.kernel.http.work import UnitOfWork
from app.merchants.access import ExactReportKey
from app.reports import spread
from app.reports.query import CreditQuery, CreditReport, by_policy, grouping, rows_only
from app.reports.spread import Spread
from app.reports.spread_wire import Net, Ratio, ShapeOut, ratio

router = APIRouter(prefix="/v1/reports", tags=["reports"])


class SpreadQuery(CreditQuery):
    """What is asked of the report. The period and the filters choose trees by when, where and by whom they began."""

    group_by: Annotated[
        str,
        Field(
            description=f"Any of {', '.join(spread.DIMENSIONS)} of the tree's root; several by comma.",
            examples=["network,product"],
            max_length=200,
        ),
    ] = "network"


class SpreadOut(ShapeOut):
    """How the word spread in some trees: `k` = invitations / sharers x converted / invitations."""

    sharers: Annotated[int, Field(description="People who made the referrals.")]
    visits: int
    invitations: Annotated[
        int, Field(description="People who came through a sharer's links: each once for each such sharer.")
    ]
    converted: Annotated[int, Field(description="Of the invitations, those that liked or shared on from there.")]
    conversion: Ratio
    k: Ratio
    net: Net

    @classmethod
    def of(cls, told: Spread) -> "SpreadOut":
        return cls(
            **ShapeOut.fields_of(told.shape, told.median_wait),
            sharers=told.sharers,
            visits=told.visits,
            invitations=told.invitations,
            converted=told.converted,
            conversion=ratio(told.conversion),
            k=ratio(told.k),
            net=dict(told.net),
        )


class SpreadReport(CreditReport):
    """Rows of `{<dimension>: ..., ...}` with the fields of `totals`, most referrals first. `sharers`, `invitations`
    and `converted` count people, so they do not add up where somebody is in several rows; the totals say the true
    number."""

    data: Annotated[
        list[dict[str, Any]],
        Field(examples=[[{"network": "whatsapp", "trees": 2, "referrals": 7, "k": 0.8, "net": {"eur": 12000}}]]),
    ]
    totals: SpreadOut


@router.get("/spread", response_model=SpreadReport)
def spread_report(query: Annotated[SpreadQuery, Query()], caller: ExactReportKey, work: UnitOfWork) -> Response:
    """How the word spread: the share trees that began in the period, each whole, with all that became of them until
    now (or `as_of`), in the row of where they began. K factor, branching, depth, breadth, structural virality, time to
    re-share, and the sales that came through their links."""
    test_mode = work.here.settings.test_mode
    with work.here.reports.view(work.here.clock.now()) as (session, now):
        group_by = grouping(query.group_by, spread.DIMENSIONS)
        asked, told = by_policy(session, query, caller.merchant_id, now, test_mode)
        report = spread.answer(session, spread.Question(**vars(asked), group_by=group_by, policy=query.policy))
    rows = [{**dimensions, **SpreadOut.of(each).model_dump()} for dimensions, each in report.rows]
    if answer := rows_only(query, [*group_by, *SpreadOut.model_fields], rows):
        return answer
    shown = SpreadReport(data=rows, totals=SpreadOut.of(report.totals), **told)
    return Response(shown.model_dump_json(), media_type="application/json")
