"""What all reports are asked by: period, time zone, currency, filters, `as_of`, and the form of the answer."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any, Literal
from zoneinfo import ZoneInfo

from fastapi import Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.attribution import policy_book
from app.attribution.engine import policy_to_wire
from app.attribution.policies import CURRENT
from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, Currency, Text, Timestamp, Wire
from app.kernel.periods import moment, period
from app.merchants import service as merchants
from app.merchants.api import Timezone
from app.reports import formats
from app.reports.asked import Asked

Format = Literal["json", "csv", "ndjson"]
Values = Annotated[list[Text], Field(max_length=100)]
Row = Mapping[str, formats.Cell]

_FILTERS = ("network", "product", "wall", "sharer")


class ReportQuery(Body):
    """What may be asked of every report."""

    begin: Annotated[str | None, Field(alias="from", description="A date or time; default: 30 days before `to`.")] = (
        None
    )
    end: Annotated[str | None, Field(alias="to", description="A date or time, not included; default: now.")] = None
    timezone: Annotated[Timezone | None, Field(description="Shifts days; default: the merchant's.")] = None
    currency: Currency | None = None
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


class CreditQuery(ReportQuery):
    """What may be asked of reports that add up credit as it was written."""

    policy: Annotated[
        str,
        Field(
            description="The name of a policy that is kept computed (`GET /v1/policies`); default: the one in force. "
            "409 `policy_computing` until it is computed for all orders.",
            examples=[CURRENT],
            max_length=200,
        ),
    ] = CURRENT


class CreditReport(Wire):
    """What is told with every answer that adds up credit. `policy` is the version that divides orders at the time of
    the report; older orders may have been divided by older versions."""

    policy: dict[str, Any]
    policy_name: str
    policy_version: int
    livemode: bool
    as_of: Timestamp


def by_policy(
    session: Session, query: CreditQuery, merchant_id: int, now: datetime, test_mode: bool
) -> tuple[Asked, dict[str, Any]]:
    """`query` understood, and the fields of `CreditReport`. Raises `Invalid`, or `PolicyComputing`."""
    asked = understood(session, query, merchant_id, now, test_mode)
    as_of = None if query.as_of is None else asked.as_of
    version = policy_book.for_report(session, merchant_id, query.policy, as_of, now)
    told = {
        "policy": policy_to_wire(version.policy),
        "policy_name": version.name,
        "policy_version": version.version,
        "livemode": asked.livemode,
        "as_of": asked.as_of,
    }
    return asked, told


def understood(session: Session, query: ReportQuery, merchant_id: int, now: datetime, test_mode: bool) -> Asked:
    """`query` with its defaults, for this merchant and moment. Raises `Invalid` naming the parameter."""
    zone = ZoneInfo(query.timezone or merchants.get(session, merchant_id).timezone)
    since, until = period(query.begin, query.end, zone, now)
    return Asked(
        merchant_id=merchant_id,
        since=since,
        until=until,
        zone=zone,
        livemode=not test_mode if query.livemode is None else query.livemode,
        as_of=now if query.as_of is None else moment(query.as_of, zone, "as_of"),
        currency=query.currency,
        only=_filters(query, ""),
        without=_filters(query, "not_"),
    )


def grouping(said: str, dimensions: Collection[str]) -> tuple[str, ...]:
    """The dimensions that `group_by` names, by comma, each once. Raises `Invalid` for any other."""
    names = tuple(dict.fromkeys(name.strip() for name in said.split(",") if name.strip()))
    if not names or not set(names) <= set(dimensions):
        raise Invalid.field("group_by", f"must be any of {', '.join(dimensions)}")
    return names


def rows_only(query: ReportQuery, columns: Sequence[str], rows: Iterable[Row]) -> Response | None:
    """The rows as CSV or NDJSON where one of them is asked for; None for JSON, which tells more than rows."""
    if query.format == "csv":
        return Response(formats.to_csv(columns, rows), media_type="text/csv; charset=utf-8")
    if query.format == "ndjson":
        return Response(formats.to_ndjson(rows), media_type="application/x-ndjson")
    return None


def _filters(query: ReportQuery, prefix: str) -> dict[str, list[str]]:
    given: dict[str, list[str]] = {name: getattr(query, prefix + name) for name in _FILTERS}
    return {name: [part for value in values for part in value.split(",")] for name, values in given.items() if values}
