"""How the word spread, by HTTP."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Annotated, Any, ClassVar, Final, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.kernel.http.few import Few
from app.kernel.http.work import UnitOfWork
from app.merchants.access import ExactReportKey
from app.reports import comparing, spread
from app.reports.cursor import Cursor, Limit, Paging
from app.reports.formats import Cell
from app.reports.query import CreditQuery, CreditReport, Only, Without, by_policy, grouping, rows_only, with_rows
from app.reports.ranking import Place, order_of
from app.reports.spread import Row, Spread
from app.reports.spread_wire import Net, Ratio, ShapeOut, ratio
from app.reports.wire import Gone, PreviousPeriod, columns_previously, flat_previously, gone, previously

router = APIRouter(prefix="/v1/reports", tags=["reports"])

AT_ONCE: Final = Few(2, "Others are having trees walked just now; ask again in a moment.")
_COMPARED: Final = (*spread.NUMBERS, "k")


class SpreadQuery(CreditQuery):
    """What is asked of the report. The period and the filters choose trees by when, where and by whom they began."""

    dimensions: ClassVar[Sequence[str]] = (*CreditQuery.dimensions, "kind", "shared_to")

    group_by: Annotated[
        str,
        Field(
            description=f"Any of {', '.join(spread.DIMENSIONS)} of the tree's root; several by comma.",
            examples=["network,product"],
            max_length=200,
        ),
    ] = "network"
    kind: Annotated[Only, Field(examples=[["share"]])] = []
    shared_to: Annotated[Only, Field(examples=[["whatsapp"]])] = []
    not_kind: Annotated[Without, Field(alias="-kind")] = []
    not_shared_to: Annotated[Without, Field(alias="-shared_to")] = []
    compare: Annotated[
        Literal["previous"] | None,
        Field(
            description="`previous`: each row and the totals also for the trees that began in the period before, with "
            "all that became of them until the same moment. Not together with day, week or month in `group_by`. CSV "
            "and NDJSON have columns `previous_referrals` and so on.",
            examples=["previous"],
        ),
    ] = None
    sort: Annotated[
        str,
        Field(
            description=f"By one of {', '.join(spread.NUMBERS)}, or a dimension that is grouped by; with `-` in front, "
            "the largest first.",
            examples=["-sharers", "network"],
            max_length=200,
        ),
    ] = "-referrals"
    limit: Limit = None
    cursor: Cursor = None


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


class SpreadTotalOut(SpreadOut):
    """As rows tell it too, where the report is compared: the numbers of the period before."""

    previous: Annotated[
        dict[str, float | None] | None,
        Field(examples=[{**dict.fromkeys(spread.NUMBERS, 1), "k": 0.5}]),
    ] = None
    change: Annotated[float | None, Field(description="Of the referrals: 0.5 is half as many more.")] = None


class SpreadReport(CreditReport):
    """Rows of `{<dimension>: ..., ...}` with the fields of `totals`, most referrals first, or as `sort` says.
    `sharers`, `invitations` and `converted` count people, so they do not add up where somebody is in several rows; the
    totals say the true number. With `compare`, rows have `previous` and `change` as totals have them."""

    data: Annotated[
        list[dict[str, Any]],
        Field(examples=[[{"network": "whatsapp", "trees": 2, "referrals": 7, "k": 0.8, "net": {"eur": 12000}}]]),
    ]
    totals: SpreadTotalOut
    previous: Annotated[PreviousPeriod | None, Field(description="With `compare`: the period before.")] = None
    next_cursor: Annotated[str | None, Field(description="Where `limit` leaves rows for another page.")] = None
    note: Gone = None


@router.get("/spread", response_model=SpreadReport)
def spread_report(
    query: Annotated[SpreadQuery, Query()], caller: ExactReportKey, work: UnitOfWork, request: Request
) -> Response:
    """How the word spread: the share trees that began in the period, each whole, with all that became of them until
    now (or `as_of`), in the row of where they began. K factor, branching, depth, breadth, structural virality, time to
    re-share, and the sales that came through their links. Whole trees are walked for this: two are answered at once,
    and 503 with `Retry-After` says that others are being answered. All pages show the report as it was known when the
    first was asked for; shares and visits that a batch had in hand then are counted a moment later. As CSV
    or NDJSON the next page stands in the header `Link`."""
    paging = Paging.of(request, query, query.cursor, Place, work.here.clock.now())
    view = work.here.reports.view(paging.now, caller.merchant_id, exactly=paging.after is not None)
    with AT_ONCE, view as (session, now):
        paging = replace(paging, now=now)
        group_by = grouping(query.group_by, spread.DIMENSIONS)
        asked, told = by_policy(session, query, caller.merchant_id, now, work.here.settings.test_mode)
        question = spread.Question(
            **vars(asked),
            group_by=group_by,
            policy=query.policy,
            order=order_of(query.sort, group_by, spread.NUMBERS),
            after=paging.after,
            limit=None if query.limit is None else query.limit + 1,  # tells whether there is another page
        )
        if query.compare is not None:
            comparing.refuse_units(group_by)
            told["previous"] = PreviousPeriod.before(question)
        told["note"] = gone(session, question, compared=query.compare is not None)
        report = (spread.compared if query.compare else spread.answer)(session, question)
    places = [spread.place_of(question, row) for row in report.rows]
    next_cursor = None if query.limit is None else paging.next_cursor(places, query.limit)
    rows = report.rows[: query.limit]
    if query.format != "json":
        return paging.linked(_as_rows(query, group_by, rows), next_cursor)
    totals = _told(report.totals, report.then)
    shown = SpreadReport(data=[], totals=SpreadTotalOut(**totals), next_cursor=next_cursor, **told)
    return with_rows(shown, [{**row.dimensions, **_told(row.told, row.then)} for row in rows], totals=totals)


def _told(now: Spread, then: Spread | None) -> dict[str, Any]:
    told = SpreadOut.of(now).model_dump()
    return told if then is None else told | previously(_numbers(then), _change(now, then))


def _as_rows(query: SpreadQuery, group_by: Sequence[str], rows: Sequence[Row]) -> Response:
    """As CSV or NDJSON."""
    columns = [*group_by, *SpreadOut.model_fields]
    if query.compare is not None:
        columns += columns_previously(_COMPARED)
    answer = rows_only(query, columns, map(_flat, rows))
    assert answer is not None
    return answer


def _flat(row: Row) -> dict[str, Cell]:
    told = {**row.dimensions, **SpreadOut.of(row.told).model_dump()}
    if row.then is None:
        return told
    return told | flat_previously(_COMPARED, _numbers(row.then), _change(row.told, row.then))


def _numbers(then: Spread) -> dict[str, Any]:
    return {**then.numbers, "k": ratio(then.k)}


def _change(now: Spread, then: Spread) -> float | None:
    return comparing.change(now.shape.referrals, then.shape.referrals)
