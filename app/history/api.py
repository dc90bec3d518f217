"""Moving in by HTTP: a stream of lines, in memory that does not grow with their number."""

import sys
from typing import Any

from fastapi import APIRouter, Request, Response
from pydantic import Field
from starlette.concurrency import run_in_threadpool
from starlette.requests import ClientDisconnect

from app.history.batches import Batches
from app.history.lines import Code
from app.history.service import MOST_REFUSED, Moving, Tally
from app.kernel.http.problems import UnsupportedMediaType
from app.kernel.http.wire import Wire
from app.kernel.http.work import JSON, Here
from app.merchants.access import SecretKey

router = APIRouter(tags=["history"])

NO_LIMIT = sys.maxsize
"""Bytes of a whole body: only lines have a limit."""


class RefusedOut(Wire):
    """A line that was not taken; `field` where it is one field's fault. All other lines stand."""

    line: int = Field(description="The first is 1; blank lines count.")
    code: Code
    detail: str
    field: str | None = None


class HistoryOut(Wire):
    """What became of the lines that were not blank."""

    accepted: int
    unchanged: int = Field(description="They were known already.")
    refused: list[RefusedOut] = Field(description=f"The first {MOST_REFUSED:,}.")
    refused_count: int

    @classmethod
    def of(cls, tally: Tally) -> "HistoryOut":
        return cls(
            accepted=tally.accepted,
            unchanged=tally.unchanged,
            refused=[RefusedOut.model_validate(line) for line in tally.refused],
            refused_count=tally.refused_count,
        )


_EXAMPLE = """\
{"kind": "referral", "id": "s1", "type": "share", "visitor": "v1", "network": "whatsapp", "parent": null, "product": null, "wall": null, "at": "2025-01-01T00:00:00Z"}
{"kind": "touch", "id": "t1", "visitor": "v2", "type": "click", "network": null, "referral": "s1", "at": "2025-01-02T00:00:00Z"}
{"kind": "identity", "visitor": "v2", "person": "p7", "at": "2025-01-02T00:00:00Z"}
{"kind": "coupon", "code": "ANA10", "referral": "s1", "at": "2025-01-01T00:00:00Z"}
{"kind": "order", "id": "o1", "visitor": "v2", "currency": "eur", "net": 10000, "coupon": null, "at": "2025-01-03T00:00:00Z"}
{"kind": "refund", "id": "r1", "order": "o1", "amount": 1000, "reason": "refund", "at": "2025-01-04T00:00:00Z", "received_at": "2025-01-04T00:00:00Z"}
"""  # noqa: E501  # a line is a line
_BODY: dict[str, Any] = {
    "requestBody": {
        "required": False,  # nothing to bring is nothing wrong
        "description": "One JSON object a line, of at most 64 KiB, in any order (attribution.md, Wire forms).",
        "content": {"application/x-ndjson": {"schema": {"type": "string"}, "example": _EXAMPLE}},
    }
}


@router.post("/v1/history", response_model=HistoryOut, max_body_size=NO_LIMIT, openapi_extra=_BODY)
async def bring_history(request: Request, caller: SecretKey, here: Here) -> Response:
    """Move in from another system: past facts, as many as there are, each with its verdict.

    What was accepted is visible when this answers. The same lines again change nothing, so a stream that broke off
    is sent again from its beginning. A line that is refused does not lose the others.
    """
    _must_be_lines(request)
    moving = Moving(here.database, here.clock, here.outbox, caller.merchant_id, livemode=not here.settings.test_mode)
    batches = Batches()
    try:
        async for piece in request.stream():
            for batch in batches.feed(piece):
                await run_in_threadpool(moving.take, batch)
    except ClientDisconnect:
        await run_in_threadpool(moving.leave)
        return Response(status_code=400)  # to nobody
    for batch in batches.end():
        await run_in_threadpool(moving.take, batch)
    tally = await run_in_threadpool(moving.finish)
    return Response(HistoryOut.of(tally).model_dump_json(exclude_none=True), media_type=JSON)


def _must_be_lines(request: Request) -> None:
    """Raises `UnsupportedMediaType` for what cannot be lines; many programs give another type to what is."""
    if request.headers.get("content-type", "").lower().startswith("multipart/"):
        raise UnsupportedMediaType("Send the lines themselves, as application/x-ndjson.")
    if request.headers.get("content-encoding", "identity").lower() != "identity":
        raise UnsupportedMediaType("Send the lines as they are: no Content-Encoding is understood here.")
