"""The feeds of walls in the OpenAPI page; the fast lane answers them before they come here (storefront/api.py)."""

from fastapi import APIRouter, Response

from app.kernel.http.openapi import problem
from app.storefront.feeds.document import ATOM_TYPE, JSON_TYPE
from app.storefront.twin import Asked, Front, content, respond

router = APIRouter(prefix="/w", tags=["shopper"])

_NO_WALL = problem("There is no such wall")
_JSON = {"description": "JSON Feed 1.1", "content": {JSON_TYPE: {"schema": {"type": "object"}}}}


@router.get(
    "/{wall_id}/feed.json",
    response_class=Response,
    responses={200: _JSON, 404: _NO_WALL},
)
async def json_feed(wall_id: str, front: Front, ask: Asked) -> Response:
    """The newest products of a wall, a hundred at most, as JSON Feed. With an ETag; the ids of its items stay, and are
    the same as in the Atom feed."""
    return await respond(front.feeds.answer(ask, wall_id, "json"))


@router.get(
    "/{wall_id}/feed.xml",
    response_class=Response,
    responses={200: content(ATOM_TYPE, "Atom"), 404: _NO_WALL},
)
async def atom_feed(wall_id: str, front: Front, ask: Asked) -> Response:
    """The same as Atom."""
    return await respond(front.feeds.answer(ask, wall_id, "xml"))
