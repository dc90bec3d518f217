"""The storefront in the OpenAPI page, and its calls that are not hot.

The fast lane (app/fastlane.py) answers the public paths before they come here; these endpoints hand the same
questions to the same handlers, so that either lane alone is complete.
"""

from typing import Annotated

from fastapi import APIRouter, FastAPI, Path, Query, Request, Response

from app.orders.checkout.wire import FormRefused
from app.storefront.pages.choices import way_back
from app.storefront.twin import GONE as _GONE
from app.storefront.twin import NO_PAGES as _NO_PAGES
from app.storefront.twin import PAGE as _PAGE
from app.storefront.twin import Asked, Front, ask_of, front_of
from app.storefront.twin import content as _content
from app.storefront.twin import respond as _respond
from app.storefront.twin import response as _response
from app.storefront.wire import ProductWidget, SharingWidget, WallWidget

router = APIRouter()


def install(app: FastAPI) -> None:
    """Answer what was refused to a person who sent a form with a page."""

    async def on_form_refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, FormRefused)
        front = front_of(request)
        back = way_back(refusal.back, front.hosted.own, await request.body())
        return _response(front.hosted.no(ask_of(request), refusal, back))

    app.add_exception_handler(FormRefused, on_form_refused)


@router.get("/v1/walls/{wall_id}/widget", response_model=WallWidget, tags=["shopper"])
async def wall_widget(wall_id: str, front: Front, ask: Asked) -> Response:
    """What a wall shows: all its cards, up to 1,000, in the visitor's language (`Accept-Language`, or the wall's own).

    Cacheable, with an ETag. A change is seen within a second.
    """
    return await _respond(front.payloads.wall(ask, wall_id))


@router.get("/v1/products/{product_id}/widget", response_model=ProductWidget, tags=["shopper"])
async def product_widget(product_id: str, front: Front, ask: Asked) -> Response:
    """The same for one product."""
    return await _respond(front.payloads.product(ask, product_id))


@router.get("/v1/merchants/{merchant_id}/sharing", response_model=SharingWidget, tags=["shopper"])
async def sharing_widget(merchant_id: str, front: Front, ask: Asked) -> Response:
    """What a share button for any page of a merchant's site needs: networks, words, and what sharers are told.

    Cacheable, with an ETag, like the payloads of walls.
    """
    return await _respond(front.payloads.merchant(ask, merchant_id))


@router.get(
    "/r/{code}.svg",
    tags=["shopper"],
    response_class=Response,
    responses={200: _content("image/svg+xml", "The QR code")},
)
async def referral_qr(code: str, front: Front, ask: Asked) -> Response:
    """The QR code of a referral's link."""
    return await _respond(front.links.qr(ask, code))


@router.get(
    "/r/{code}",
    tags=["shopper"],
    response_class=Response,
    responses={
        200: _PAGE,
        302: {"description": "With `gv_click`: to the page that was passed on, or to the product's own address"},
        **_NO_PAGES,
        **_GONE,
    },
)
async def follow_link(code: str, front: Front, ask: Asked) -> Response:
    """Follow a referral's link. A person makes a visit, whose click id the page carries on; crawlers and link
    previews get the card, and nothing is counted. `HEAD` and `Range` are no visits; a prefetch is told to come again.
    """
    return await _respond(front.links.follow(ask, code))


@router.get("/w/{wall_id}", tags=["shopper"], response_class=Response, responses={200: _PAGE, **_NO_PAGES})
async def wall_page(wall_id: str, front: Front, ask: Asked) -> Response:
    """A wall as a page of its own, complete without JavaScript."""
    return await _respond(front.hosted.wall(ask, wall_id))


@router.get("/p/{product_id}", tags=["shopper"], response_class=Response, responses={200: _PAGE, **_NO_PAGES})
async def product_page(
    product_id: str,
    front: Front,
    ask: Asked,
    _wall: Annotated[str | None, Query(alias="wall", description="The wall on which it was met.")] = None,
) -> Response:
    """A product as a page of its own, complete without JavaScript. With `wall`, likes and sales count there."""
    return await _respond(front.hosted.product(ask, product_id))


@router.get(
    "/cards/{public_id}.png",
    tags=["shopper"],
    response_class=Response,
    responses={
        200: {
            "description": "The picture, 1200 x 630, below 300 KB",
            "content": {"image/png": {"schema": {"type": "string", "format": "binary"}}},
        },
        304: {"description": "It is the one that `If-None-Match` names"},
    },
)
async def card_picture(
    front: Front,
    ask: Asked,
    public_id: Annotated[str, Path(description="Of a product or a wall.")],
    _version: Annotated[
        str | None, Query(alias="v", description="The digest in the address that pages name; then it is immutable.")
    ] = None,
    _language: Annotated[
        str | None, Query(alias="lang", description="Of its words and prices.", examples=["fr"])
    ] = None,
    _wall: Annotated[str | None, Query(alias="wall", description="The wall whose colours a product's has.")] = None,
) -> Response:
    """The picture that previews of a link show (`og:image`): a product's or wall's pictures, title, price and shop."""
    return await _respond(front.pictures.answer(ask, public_id))


@router.get("/thanks/{checkout_id}", tags=["shopper"], response_class=Response, responses={200: _PAGE, **_NO_PAGES})
async def thanks_page(checkout_id: str, front: Front, ask: Asked) -> Response:
    """Where a buyer comes back to, unless the checkout named another address."""
    return await _respond(front.hosted.thanks(ask, checkout_id))


@router.get(
    "/embed.js",
    tags=["shopper"],
    response_class=Response,
    responses={200: _content("text/javascript", "A module that registers the elements")},
)
async def loader(front: Front, ask: Asked) -> Response:
    """The widget's loader: short-lived; the code behind it has immutable, hashed names."""
    return _response(front.assets.loader(ask, "embed.js"))


@router.get(
    "/shop.js",
    tags=["shopper"],
    response_class=Response,
    responses={200: _content("text/javascript", "A module that carries the click id into a shop's cart")},
)
async def shop_loader(front: Front, ask: Asked) -> Response:
    """What a shop of another system puts into its pages (docs/connect-shopify.md, docs/connect-woocommerce.md)."""
    return _response(front.assets.loader(ask, "shop.js"))


@router.get("/assets/{version}/{name:path}", include_in_schema=False)
async def asset(version: str, name: str, front: Front, ask: Asked) -> Response:
    """A file of the widget."""
    return _response(front.assets.file(ask, version, name))


@router.get("/favicon.ico", include_in_schema=False)
async def favicon(front: Front, ask: Asked) -> Response:
    """There is none."""
    return await _respond(front.favicon(ask))


@router.get("/", include_in_schema=False)
async def home(front: Front, ask: Asked) -> Response:
    """What this server is."""
    return await _respond(front.home(ask))
