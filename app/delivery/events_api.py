"""The feed of facts by HTTP: `GET /v1/events`. Decides nothing."""

import json
from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Query, Request, Response
from pydantic import Field

from app.delivery import facts
from app.delivery.facts import TYPES, Event, Read
from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import ExactReportKey

LONGEST_CURSOR = 2000
"""Characters: an id of another system has up to 200, each of four bytes."""

router = APIRouter(prefix="/v1/events", tags=["events"])

_EXAMPLE = {
    "id": "evt_01k9xkq2v900000001abcdefghjkmn",
    "type": "referral.created",
    "timestamp": "2026-11-22T09:30:00Z",
    "cursor": "512-x7r2k9m4tq0w",
    "data": {
        "id": "ref_01k9xkq2v900000001mnpqrstvwxyz",
        "kind": "share",
        "visitor": "vis_01k9xkq2v9000000010123456789ab",
        "network": "whatsapp",
        "product": "prod_01k9xkq2v900000001cdefghjkmnpq",
        "wall": None,
        "page": None,
        "parent": None,
        "code": "7hK2mPq9X",
        "caption": None,
        "at": "2026-11-22T09:30:00Z",
        "withdrawn_at": None,
    },
}


class EventsQuery(Body):
    """From where on, how much, and of what."""

    cursor: Annotated[
        Text | None,
        Field(
            max_length=LONGEST_CURSOR,
            description="`next_cursor` of the answer before, or the `cursor` of an event. Without one, everything is "
            "told from the beginning; `now` begins at what is yet to come.",
        ),
    ] = None
    limit: Annotated[int, Field(ge=1, le=1000, description="How many events at most.")] = 100
    types: Annotated[
        list[Text],
        Field(
            max_length=100,
            description=f"Only these, several by comma or by saying it again: {', '.join(TYPES)}. Default: all.",
            examples=[["order.attributed,order.refunded"]],
        ),
    ] = []
    format: Annotated[
        Literal["json", "ndjson"],
        Field(description="`ndjson`: an event on each line; where to go on stands in the header `Link`."),
    ] = "json"


class EventOut(Wire):
    """Something that was written. `id` is the same wherever and whenever it is told: what comes twice is known by it.
    `timestamp` is when it was learnt; `data.at` is when it happened. `data` is the fact as it stands now."""

    id: str
    type: str
    timestamp: Timestamp
    cursor: str
    data: dict[str, object]

    @classmethod
    def of(cls, event: Event) -> "EventOut":
        return cls(id=event.id, type=event.type, timestamp=event.at, cursor=event.cursor, data=event.data)


class EventsOut(Wire):
    """Events in order. Go on with `next_cursor`: at once where `has_more` says so, else later."""

    data: Annotated[list[EventOut], Field(examples=[[_EXAMPLE]])]
    next_cursor: str
    has_more: bool


@router.get("", response_model=EventsOut)
def list_events(
    query: Annotated[EventsQuery, Query()], caller: ExactReportKey, work: UnitOfWork, request: Request
) -> Response:
    """All facts, in the order in which they were written: likes, shares, visits, who is whom, coupons, orders, what
    takes them back, credit, imports. Complete: whatever was answered with 2xx comes, a second later at most, and
    nothing is ever inserted before what has been told. Keep `next_cursor` together with what you did with the events,
    and ask again with it; an event may come twice, under the same `id`. How to keep a warehouse in step:
    docs/events.md.

    From the beginning (no `cursor`) it tells what there is, kind by kind, and then goes on with what came since.
    410 `cursor_gone`: the database was put back to an earlier state; begin anew.
    """
    types = _types(query.types)
    with work.here.database.reading() as session:
        if query.cursor == "now":
            found = Read((), facts.end(session, caller.merchant_id), more=False)
        else:
            found = facts.read(session, caller.merchant_id, query.cursor or "", query.limit, types)
    data = [EventOut.of(event) for event in found.events]
    if query.format == "json":
        answer = EventsOut(data=data, next_cursor=found.cursor, has_more=found.more)
        return Response(answer.model_dump_json(), media_type="application/json")
    lines = "".join(json.dumps(event.model_dump(mode="json"), ensure_ascii=False) + "\n" for event in data)
    url = request.url.include_query_params(cursor=found.cursor)
    link = {"Link": f'<{url.path}?{url.query}>; rel="next"'}
    return Response(lines, media_type="application/x-ndjson", headers=link)


def _types(said: Sequence[str]) -> frozenset[str]:
    """Those that are asked for; none: all. Raises `Invalid` for what is no type, naming all that are."""
    asked = {name.strip() for each in said for name in each.split(",") if name.strip()}
    if unknown := sorted(asked - {*TYPES}):
        raise Invalid.field("types", f"{', '.join(unknown)[:200]}: must be of {', '.join(TYPES)}")
    return frozenset(asked)
