"""Reports by HTTP."""

from collections.abc import Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.kernel.http.work import UnitOfWork
from app.merchants.access import ReportKey
from app.reports import agency, attribution, comparing, ledger
from app.reports.agency import SmallGroup
from app.reports.asked import Asked
from app.reports.attribution import Row
from app.reports.comparing import Compared, change
from app.reports.cursor import Cursor, Limit, Paging
from app.reports.formats import Cell
from app.reports.ledger import Question, Sums
from app.reports.query import CreditByAllQuery, CreditReport, by_policy, grouping, rows_only, with_rows
from app.reports.ranking import BY_NET, NUMBERS, Place, order_of
from app.reports.wire import (
    Compare,
    PreviousPeriod,
    TotalOut,
    columns_previously,
    flat_previously,
    numbers_of,
    previously,
)

router = APIRouter(prefix="/v1/reports", tags=["reports"])


class AttributionQuery(CreditByAllQuery):
    """What is asked of the attribution report."""

    group_by: Annotated[
        str,
        Field(
            description=f"Any of {', '.join(ledger.DIMENSIONS)}; several by comma.",
            examples=["network,day"],
            max_length=200,
        ),
    ] = "network"
    compare: Compare = None
    sort: Annotated[
        str,
        Field(
            description=f"By one of {', '.join(NUMBERS)}, or a dimension that is grouped by; with `-` in front, the "
            "largest first. Always by currency before, and by names where rows are alike.",
            examples=["-net", "orders"],
            max_length=200,
        ),
    ] = "-net"
    limit: Limit = None
    cursor: Cursor = None


class AttributionTotalOut(TotalOut):
    """The sums of one currency, in minor units; `previous` and `change` where the report is compared."""

    previous: Annotated[
        dict[str, int] | None, Field(examples=[{"orders": 2, "gross": 9000, "refunded": 0, "net": 9000}])
    ] = None
    change: Annotated[float | None, Field(description="Of the net: 0.25 is a quarter more.", examples=[0.25])] = None


class AttributionReport(CreditReport):
    """Rows of `{<dimension>: ..., currency, orders, gross, refunded, net, share}`, largest net first, or as `sort`
    says. With `compare`, rows have `previous: {orders, gross, refunded, net}` and `change`: net / previous net - 1,
    null where there was nothing before. `policy` is the version that divides orders at the time of the report; older
    orders may have been divided by older versions."""

    data: Annotated[
        list[dict[str, Any]],
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
    totals: list[AttributionTotalOut]
    previous: Annotated[PreviousPeriod | None, Field(description="With `compare`: the period before.")] = None
    next_cursor: Annotated[str | None, Field(description="Where `limit` leaves rows for another page.")]
    small_group: SmallGroup = None


@router.get("/attribution", response_model=AttributionReport)
def attribution_report(
    query: Annotated[AttributionQuery, Query()], caller: ReportKey, work: UnitOfWork, request: Request
) -> Response:
    """Net sales by network, product, wall, sharer, kind, depth or time: rows add up to the totals, and these to the
    orders and their refunds, to the cent. `orders` counts distinct orders, so it does not add up over rows that
    split an order; the totals say the true number. An order of nothing has nothing to credit and is not counted.
    All pages show the report as it was known when the first was asked for. As CSV or NDJSON the next page stands in
    the header `Link`; rows without `limit` are sent while they are read, and 503 with `Retry-After` says that others
    are being sent many just now."""
    paging = Paging.of(request, query, query.cursor, Place, work.here.clock.now())
    with ExitStack() as held:
        view = work.here.reports.view(paging.now, caller.merchant_id, exactly=paging.after is not None)
        session, now = held.enter_context(view)
        paging = replace(paging, now=now)
        query, fewest = agency.asked(session, query, query.group_by, caller, now)
        asked, told = by_policy(session, query, caller.merchant_id, now, work.here.settings.test_mode)
        question = _question(query, asked, paging.after)
        if query.compare is not None:
            comparing.refuse_units(question.group_by)
            told["previous"] = PreviousPeriod.before(question)
        if query.format != "json" and query.limit is None and query.compare is None and fewest is None:
            streamed = ((row, None) for row in attribution.streamed(session, question))
            return _as_rows(query, question.group_by, streamed, held.pop_all())
        found = _answered(session, question, fewest, is_compared=query.compare is not None)
    next_cursor = None
    if query.limit is not None:
        next_cursor = paging.next_cursor([attribution.place_of(question, row) for row, _ in found.rows], query.limit)
    rows = found.rows[: query.limit]
    if query.format != "json":
        return paging.linked(_as_rows(query, question.group_by, rows), next_cursor)
    shown = AttributionReport(data=[], totals=[], next_cursor=next_cursor, small_group=fewest, **told)
    return with_rows(shown, [_row(*each, query.compare) for each in rows], totals=_totals(query, found))


def _question(query: AttributionQuery, asked: Asked, after: Place | None) -> Question:
    """Raises `Invalid`. One row more than is shown is asked for: it tells whether there is another page."""
    group_by = grouping(query.group_by, ledger.DIMENSIONS)
    return Question(
        **vars(asked),
        group_by=group_by,
        policy=query.policy,
        order=order_of(query.sort, group_by),
        after=after,
        limit=None if query.limit is None else query.limit + 1,
    )


def _answered(session: Session, question: Question, fewest: int | None, *, is_compared: bool) -> Compared[Row, Sums]:
    if is_compared:
        return comparing.attributed(session, question, fewest)
    if fewest is None:
        report = attribution.answer(session, question)
        rows = report.rows
    else:
        report = agency.attributed(session, replace(question, after=None, limit=None, order=BY_NET), fewest)
        rows = attribution.arranged(question, report.rows)
    totals: dict[str, tuple[Sums, Sums | None]] = {currency: (sums, None) for currency, sums in report.totals.items()}
    return Compared([(row, None) for row in rows], totals)


def _as_rows(
    query: AttributionQuery,
    group_by: Sequence[str],
    rows: Iterable[tuple[Row, Sums | None]],
    held: ExitStack | None = None,
) -> Response:
    """As CSV or NDJSON."""
    columns = [*group_by, "currency", *NUMBERS, "share"]
    if query.compare is not None:
        columns += columns_previously(NUMBERS)
    answer = rows_only(query, columns, (_flat_row(*each, query.compare) for each in rows), held)
    assert answer is not None
    return answer


def _row(row: Row, then: Sums | None, compare: str | None) -> dict[str, Any]:
    told = {**row.dimensions, "currency": row.currency, **numbers_of(row.sums), "share": row.share}
    return told if compare is None else told | _previously(row.sums, then)


def _flat_row(row: Row, then: Sums | None, compare: str | None) -> dict[str, Cell]:
    told = _row(row, then, None)
    if compare is None:
        return told
    before = None if then is None else numbers_of(then)
    return told | flat_previously(NUMBERS, before, _change(row.sums, then))


def _totals(query: AttributionQuery, found: Compared[Row, Sums]) -> list[dict[str, Any]]:
    return [
        {"currency": currency, **numbers_of(sums), **({} if query.compare is None else _previously(sums, then))}
        for currency, (sums, then) in sorted(found.totals.items())
    ]


def _previously(sums: Sums, then: Sums | None) -> dict[str, Any]:
    return previously(None if then is None else numbers_of(then), _change(sums, then))


def _change(sums: Sums, then: Sums | None) -> float | None:
    return change(sums.net, None if then is None else then.net)
