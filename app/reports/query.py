"""What all reports are asked by: period, time zone, currency, filters, `as_of`, and the form of the answer."""

from collections.abc import Collection, Iterable, Mapping, Sequence
from contextlib import ExitStack
from datetime import datetime
from typing import Annotated, Any, ClassVar, Literal, Protocol
from zoneinfo import ZoneInfo

import msgspec
from fastapi import Response
from pydantic import BaseModel, Field
from sqlalchemy.orm import Session

from app.attribution import policy_book
from app.attribution.policies import CURRENT
from app.attribution.policy_wire import PolicyOut
from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, Currency, Text, Timestamp, Wire
from app.kernel.periods import moment, period
from app.merchants import service as merchants
from app.merchants.api import Timezone
from app.reports import formats
from app.reports.asked import Asked
from app.reports.ledger import COLUMNS
from app.reports.streaming import sent

Format = Literal["json", "csv", "ndjson"]
Row = Mapping[str, formats.Cell]

_FILTERS = ("network", "product", "wall", "sharer")
_MOST = 100
"""Values of one filter."""

Only = Annotated[
    list[Text],
    Field(
        max_length=_MOST,
        description="Only what has one of these values: several by comma, or by saying it again, by the names that "
        "rows have: `(none)` for what has none; of networks, `(direct)` for people without a link and `(unknown)` for "
        "what another system told without one.",
    ),
]
Without = Annotated[
    list[Text],
    Field(
        max_length=_MOST, description="All but what has one of these values: several by comma, or by saying it again."
    ),
]


class PeriodQuery(Body):
    """What may be asked of every report over a period."""

    begin: Annotated[
        str | None,
        Field(alias="from", description="A date or time; default: 30 days before `to`.", examples=["2026-11-01"]),
    ] = None
    end: Annotated[
        str | None,
        Field(alias="to", description="A date or time, not included; default: now.", examples=["2026-12-01"]),
    ] = None
    timezone: Annotated[Timezone | None, Field(description="Shifts days; default: the merchant's.")] = None
    currency: Annotated[Currency | None, Field(description="Only this currency (ISO 4217); default: all.")] = None
    livemode: Annotated[
        bool | None, Field(description="`false`: test orders. Default: real ones, unless Stripe is simulated here.")
    ] = None
    format: Annotated[
        Format, Field(description="`csv` and `ndjson` have the rows only; `json` tells totals and more beside them.")
    ] = "json"


class ReportQuery(PeriodQuery):
    """What may be asked of every report of credit."""

    dimensions: ClassVar[Sequence[str]] = _FILTERS
    """What there are filters of."""

    network: Only = []
    product: Only = []
    wall: Only = []
    sharer: Only = []
    not_network: Annotated[Without, Field(alias="-network")] = []
    not_product: Annotated[Without, Field(alias="-product")] = []
    not_wall: Annotated[Without, Field(alias="-wall")] = []
    not_sharer: Annotated[Without, Field(alias="-sharer")] = []
    as_of: Annotated[
        str | None,
        Field(
            description="A date or time: the report as it was known then. Default, and for what is to come: now.",
            examples=["2026-11-22T09:30:00Z"],
        ),
    ] = None


KeptPolicy = Annotated[
    str,
    Field(
        description="The name of a policy that is kept computed (`GET /v1/policies`); default: the one in force. "
        "409 `policy_computing` until it is computed for all orders.",
        examples=[CURRENT],
        max_length=200,
    ),
]


class CreditQuery(ReportQuery):
    """What may be asked of reports that add up credit as it was written."""

    policy: KeptPolicy = CURRENT


class CreditByAllQuery(CreditQuery):
    """What may be asked of reports of credit alone: filters of all its dimensions."""

    dimensions: ClassVar[Sequence[str]] = tuple(COLUMNS)

    kind: Annotated[Only, Field(examples=[["share"]])] = []
    depth: Annotated[Only, Field(examples=[["0", "1"]])] = []
    shared_to: Annotated[Only, Field(examples=[["whatsapp"]])] = []
    seen_from: Annotated[Only, Field(examples=[["facebook", "(none)"]])] = []
    not_kind: Annotated[Without, Field(alias="-kind")] = []
    not_depth: Annotated[Without, Field(alias="-depth")] = []
    not_shared_to: Annotated[Without, Field(alias="-shared_to")] = []
    not_seen_from: Annotated[Without, Field(alias="-seen_from")] = []


class CreditReport(Wire):
    """What is told with every answer that adds up credit. `policy` is the version that divides orders at the time of
    the report; older orders may have been divided by older versions."""

    policy: PolicyOut
    policy_name: str
    policy_version: int
    livemode: bool
    as_of: Timestamp


def by_policy(
    session: Session, query: CreditQuery, merchant_id: int, now: datetime, test_mode: bool
) -> tuple[Asked, dict[str, Any]]:
    """`query` understood, and the fields of `CreditReport`. Raises `Invalid`, or `PolicyComputing`."""
    asked = understood(session, query, merchant_id, now, test_mode)
    version = policy_book.for_report(session, merchant_id, query.policy, asked.as_of, now)
    told = {
        "policy": PolicyOut.of(version.policy),
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
        # Nobody knows yet what will be known.
        as_of=now if query.as_of is None else min(moment(query.as_of, zone, "as_of"), now),
        currency=query.currency,
        only=filters(query, "", query.dimensions),
        without=filters(query, "not_", query.dimensions),
    )


def grouping(said: str, dimensions: Collection[str]) -> tuple[str, ...]:
    """The dimensions that `group_by` names, by comma, each once. Raises `Invalid` for any other."""
    names = tuple(dict.fromkeys(name.strip() for name in said.split(",") if name.strip()))
    if not names or not set(names) <= set(dimensions):
        raise Invalid.field("group_by", f"must be any of {', '.join(dimensions)}")
    return names


class Formed(Protocol):
    """Says in which form the answer is wanted."""

    @property
    def format(self) -> Format: ...


def rows_only(
    query: Formed, columns: Sequence[str], rows: Iterable[Row], held: ExitStack | None = None
) -> Response | None:
    """The rows as CSV or NDJSON where one of them is asked for; None for JSON, which tells more than rows.

    They are read while they are sent; what is `held` for that is let go then. Raises `Unavailable` (streaming.py).
    """
    if query.format == "csv":
        return sent(formats.csv_pieces(columns, rows), "text/csv; charset=utf-8", held)
    if query.format == "ndjson":
        return sent(formats.ndjson_pieces(rows), "application/x-ndjson", held)
    return None


def with_rows(shown: BaseModel, rows: Sequence[Mapping[str, Any]], **more: object) -> Response:
    """JSON of `shown` with `rows` as its `data`: they may be many thousands, and are made of plain values already.
    So are `more` of its fields."""
    told = shown.model_dump(mode="json", by_alias=True)
    return Response(msgspec.json.encode({**told, **more, "data": rows}), media_type="application/json")


def filters(query: Body, prefix: str, names: Collection[str]) -> dict[str, list[str]]:
    """The values that are asked for by dimension; `prefix` is `not_` for those to leave out.

    Raises `Invalid` for more than a statement should carry.
    """
    found: dict[str, list[str]] = {}
    for name in names:
        given: list[str] = getattr(query, prefix + name)
        values = [part for value in given for part in value.split(",")]
        if len(values) > _MOST:
            raise Invalid.field(f"{'-' if prefix else ''}{name}", f"must be at most {_MOST} values")
        if values:
            found[name] = values
    return found
