"""The stream of a wall in the OpenAPI page: the twin of what the fast lane answers (hub.py)."""

from typing import Annotated

from fastapi import APIRouter, Header, Query, Response
from starlette.types import Receive, Scope, Send

from app.storefront.answers import Answer, Stream
from app.storefront.twin import Asked, Front, response

_EVENTS = {
    "description": "Events without end",
    "content": {
        "text/event-stream": {
            "schema": {"type": "string"},
            "examples": {
                "likes": {"value": 'id: 41-x7r2k9m4tq0w\nevent: likes\ndata: {"likes":{"prod_01jq2z":3}}\n\n'},
                "share": {
                    "value": 'id: 42-8d1vn5h3zy6c\nevent: share\ndata: {"product":"prod_01jq2","wall":"wall_01jq2"}\n\n'
                },
                "cards": {
                    "value": 'id: 43-p0g4s7b2e9jf\nevent: cards\ndata: {"added":["prod_01jq30"],"removed":[]}\n\n'
                },
            },
        }
    },
}

router = APIRouter()


class _Streaming(Response):
    """Hands the line to a stream."""

    def __init__(self, stream: Stream) -> None:
        super().__init__()
        self._stream = stream

    async def __call__(self, _: Scope, receive: Receive, send: Send) -> None:
        await self._stream.run(receive, send)


@router.get("/v1/walls/{wall_id}/live", tags=["shopper"], response_class=Response, responses={200: _EVENTS})
async def wall_live(
    wall_id: str,
    front: Front,
    ask: Asked,
    _after: Annotated[
        str | None, Query(alias="after", description="The same, for who cannot send `Last-Event-ID`.")
    ] = None,
    _last: Annotated[
        str | None, Header(alias="Last-Event-ID", description="The `id` of the event that was heard last.")
    ] = None,
) -> Response:
    """What happens on a wall, as Server-Sent Events, seen within two seconds.

    `likes` tells counts as they are now. The first event tells all that are not 0, says so (`all`), and tells which
    products are `shown`. `share` tells that something was passed on; `cards` what came to the wall and what left it.

    Each has an `id`: who was cut off and names it hears just what has changed since. Where the cards may have changed
    meanwhile, `cards` names all that are shown, and says so (`all`). After two days, all likes are told anew. A comment
    every 20 seconds keeps the line open. 503 with `Retry-After` when too many follow at once.
    """
    answer = await front.live.live(ask, wall_id)
    return response(answer) if isinstance(answer, Answer) else _Streaming(answer)
