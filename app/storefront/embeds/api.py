"""The iframe forms in the OpenAPI page; the fast lane answers them before they come here (storefront/api.py)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response

from app.storefront.embeds.frames import STEPS, USUAL
from app.storefront.twin import GONE, NO_PAGES, TOO_MANY, Asked, Front, content, respond
from app.walls.looks import Layout, Scheme

router = APIRouter(prefix="/embed", tags=["shopper"])

_STEPS = ", ".join(map(str, STEPS))
_FRAME = content("text/html", "A page for an iframe; the merchant's list says who may frame it")

Theme = Annotated[
    Scheme | None,
    Query(description="Instead of the wall's own: `auto` follows the reader's system.", examples=["dark"]),
]
Language = Annotated[
    str | None, Query(description="Instead of the reader's: BCP 47, where it is spoken here.", examples=["fr"])
]


@router.get("/walls/{wall_id}", response_class=Response, responses={200: _FRAME, **NO_PAGES})
async def wall_frame(
    wall_id: str,
    front: Front,
    ask: Asked,
    _layout: Annotated[
        Layout | None,
        Query(alias="layout", description="Instead of the wall's own.", examples=["list"]),
    ] = None,
    _theme: Annotated[Theme, Query(alias="theme")] = None,
    _lang: Annotated[Language, Query(alias="lang")] = None,
    _cards: Annotated[
        int, Query(alias="cards", description=f"How many: {_STEPS}, or the next below.", examples=[6])
    ] = USUAL,
) -> Response:
    """A wall for an iframe: it works in a sandbox and without scripts, and its links open hosted pages at the top.

    It tells its height by `postMessage`: `{"type": "grapevine:height", "height": 640}`, and in WordPress's own way.
    """
    return await respond(front.embeds.wall(ask, wall_id))


@router.get("/products/{product_id}", response_class=Response, responses={200: _FRAME, **NO_PAGES})
async def product_frame(
    product_id: str,
    front: Front,
    ask: Asked,
    _theme: Annotated[Theme, Query(alias="theme")] = None,
    _lang: Annotated[Language, Query(alias="lang")] = None,
    _wall: Annotated[str | None, Query(alias="wall", description="The wall on which it was met.")] = None,
) -> Response:
    """One product for an iframe."""
    return await respond(front.embeds.product(ask, product_id))


@router.get("/r/{code}", response_class=Response, responses={200: _FRAME, **NO_PAGES, **GONE, **TOO_MANY})
async def referral_frame(
    code: str,
    front: Front,
    ask: Asked,
    _theme: Annotated[Theme, Query(alias="theme")] = None,
    _lang: Annotated[Language, Query(alias="lang")] = None,
) -> Response:
    """What somebody passed on, for an iframe. Seeing it is no visit; its links are the referral's own."""
    return await respond(front.embeds.referral(ask, code))
