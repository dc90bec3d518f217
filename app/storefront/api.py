"""The storefront in the OpenAPI page: what widgets ask for, and what belongs to no room (each room has its own api.py).

The fast lane (app/fastlane.py) answers the public paths before they come here; these endpoints hand the same
questions to the same handlers, so that either lane alone is complete.
"""

from datetime import date
from typing import Final

from fastapi import APIRouter, Response

from app.storefront.twin import Asked, Front, respond
from app.storefront.wire import GpcSupport, ProductWidget, SharingWidget, WallWidget

router = APIRouter(tags=["shopper"])

GPC_SINCE: Final = date(2026, 11, 22)


@router.get("/v1/walls/{wall_id}/widget", response_model=WallWidget)
async def wall_widget(wall_id: str, front: Front, ask: Asked) -> Response:
    """What a wall shows: all its cards, up to 1,000, in the visitor's language (`Accept-Language`, or the wall's own).

    Cacheable, with an ETag. A change is seen within a second.
    """
    return await respond(front.payloads.wall(ask, wall_id))


@router.get("/v1/products/{product_id}/widget", response_model=ProductWidget)
async def product_widget(product_id: str, front: Front, ask: Asked) -> Response:
    """The same for one product."""
    return await respond(front.payloads.product(ask, product_id))


@router.get("/v1/merchants/{merchant_id}/sharing", response_model=SharingWidget)
async def sharing_widget(merchant_id: str, front: Front, ask: Asked) -> Response:
    """What a share button for any page of a merchant's site needs: networks, words, and what sharers are told.

    Cacheable, with an ETag, like the payloads of walls.
    """
    return await respond(front.payloads.merchant(ask, merchant_id))


@router.get("/.well-known/gpc.json", response_model=GpcSupport)
def gpc_support() -> GpcSupport:
    """That this server honours Global Privacy Control wherever it is sent, and since when it does so in this way
    (https://w3c.github.io/gpc/#gpc-support-resource)."""
    return GpcSupport.model_validate({"gpc": True, "lastUpdate": GPC_SINCE})


@router.get("/favicon.ico", include_in_schema=False)
async def favicon(front: Front, ask: Asked) -> Response:
    """There is none."""
    return await respond(front.favicon(ask))


@router.get("/", include_in_schema=False)
async def home(front: Front, ask: Asked) -> Response:
    """What this server is."""
    return await respond(front.home(ask))
