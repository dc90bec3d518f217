"""Visits of machines, by HTTP."""

from datetime import UTC
from typing import Annotated, Literal
from zoneinfo import ZoneInfo

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.kernel.http.wire import Body, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.kernel.periods import period
from app.merchants.access import ReportKey
from app.merchants.api import Timezone
from app.reports import machines
from app.reports.query import Format, Only, Without, filters, grouping, rows_only, with_rows

router = APIRouter(prefix="/v1/reports", tags=["reports"])


class MachinesQuery(Body):
    """What is asked of the report on machines."""

    group_by: Annotated[
        str,
        Field(
            description=f"Any of {', '.join(machines.DIMENSIONS)}; several by comma. `network` is the one on which the "
            "link was shared, `kind` is `preview` (a network draws its card), `crawler`, or `hidden` (a page had "
            "browsers ask for the link unseen, as a picture or a frame: nobody followed it), `machine` whose it is.",
            examples=["day,machine"],
            max_length=200,
        ),
    ] = "machine"
    begin: Annotated[
        str | None,
        Field(
            alias="from",
            description="A date or time; default: 30 days before `to`. Its whole day (UTC) counts.",
            examples=["2026-11-01"],
        ),
    ] = None
    end: Annotated[
        str | None,
        Field(
            alias="to",
            description="A date, not included, or a time, whose whole day (UTC) counts; default: now.",
            examples=["2026-12-01"],
        ),
    ] = None
    timezone: Annotated[
        Timezone | None,
        Field(description="As other reports take it, and without effect: machines are counted by days in UTC."),
    ] = None
    network: Only = []
    product: Only = []
    wall: Only = []
    kind: Annotated[Only, Field(examples=[["crawler"]])] = []
    machine: Annotated[Only, Field(examples=[["googlebot"]])] = []
    not_network: Annotated[Without, Field(alias="-network")] = []
    not_product: Annotated[Without, Field(alias="-product")] = []
    not_wall: Annotated[Without, Field(alias="-wall")] = []
    not_kind: Annotated[Without, Field(alias="-kind")] = []
    not_machine: Annotated[Without, Field(alias="-machine")] = []
    format: Annotated[Format, Field(description="`csv` and `ndjson` have the rows only.")] = "json"


class MachinesTotal(Wire):
    """All of them."""

    visits: int


class MachinesReport(Wire):
    """Rows of `{<dimension>: ..., visits}`, most visits first. Always as of now (`as_of`): what was counted is not kept
    as it was known before. `from` and `to` are the whole days that were counted. Machines bring no credit, so there is
    no currency and no policy."""

    data: Annotated[
        list[dict[str, str | int]],
        Field(examples=[[{"day": "2026-11-22", "machine": "whatsapp", "visits": 12}]]),
    ]
    totals: MachinesTotal
    begin: Annotated[Timestamp, Field(serialization_alias="from")]
    end: Annotated[Timestamp, Field(serialization_alias="to")]
    timezone: Literal["UTC"] = "UTC"
    as_of: Timestamp


@router.get("/machines", response_model=MachinesReport)
def machines_report(query: Annotated[MachinesQuery, Query()], caller: ReportKey, work: UnitOfWork) -> Response:
    """How often machines asked for links: the previews of networks, search engines, monitors, scanners. They are no
    visits, so no other report knows them. Days are days in UTC. Of a storm of machines some may not be counted."""
    group_by = grouping(query.group_by, machines.DIMENSIONS)
    since, until = period(query.begin, query.end, ZoneInfo("UTC"), work.here.clock.now())
    question = machines.Question(
        merchant_id=caller.merchant_id,
        since=since.astimezone(UTC),
        until=until,
        group_by=group_by,
        only=filters(query, "", machines.FILTERS),
        without=filters(query, "not_", machines.FILTERS),
    )
    with work.here.reports.view(work.here.clock.now(), caller.merchant_id) as (session, now):
        found = machines.answer(session, question)
    rows: list[dict[str, str | int]] = [{**row.dimensions, "visits": row.visits} for row in found]
    if answer := rows_only(query, [*group_by, "visits"], rows):
        return answer
    begin, end = machines.whole_days(question.since, question.until)
    totals = MachinesTotal(visits=sum(row.visits for row in found))
    return with_rows(MachinesReport(data=[], totals=totals, begin=begin, end=end, as_of=now), rows)
