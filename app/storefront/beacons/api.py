"""Beacons in the OpenAPI page; the fast lane answers them before they come here (storefront/api.py)."""

from typing import Any, Final

from fastapi import APIRouter, Request, Response

from app.kernel.http.wire import Wire
from app.storefront.beacons.reading import MOST, BeaconIn
from app.storefront.twin import Asked, Front, respond


class BeaconsOut(Wire):
    """How many were kept, and how many could not be: of an unknown type, of things that are not there."""

    kept: int
    refused: int


_EXAMPLE: Final = [
    {"type": "wall_view", "wall": "wall_01jq2y"},
    {"type": "card_view", "wall": "wall_01jq2y", "product": "prod_01jq2z", "at": "2026-11-22T09:30:00Z"},
]
_LIST: Final[dict[str, Any]] = {
    "schema": {"type": "array", "maxItems": MOST, "items": BeaconIn.model_json_schema()},
    "example": _EXAMPLE,
}
_BODY: Final = {"requestBody": {"required": True, "content": {"application/json": _LIST, "text/plain": _LIST}}}

router = APIRouter(tags=["shopper"])


@router.post("/v1/beacons", status_code=202, response_model=BeaconsOut, openapi_extra=_BODY)
async def report_beacons(request: Request, front: Front, ask: Asked) -> Response:
    """Report what was seen and opened: a JSON array of up to 100, as `application/json` or `text/plain` (which a page
    may send to another origin without asking first). One that is impossible is counted as refused, and does not lose
    the others; nor does what is of a sixth merchant.

    Under Global Privacy Control or Do Not Track, and where the merchant keeps no visitors, it is counted without
    visitor and click. Machines count for nothing. A `card_view` with a `code` and a proven visitor is a touch of type
    `view`, once an hour.
    """
    return await respond(front.beacons.answer(ask, request.receive))
