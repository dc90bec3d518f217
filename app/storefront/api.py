"""The storefront in the OpenAPI page, and its calls that are not hot.

The fast lane (app/fastlane.py) answers the public paths before they come here; these endpoints hand the same
questions to the same handlers, so that either lane alone is complete.
"""

from collections.abc import Awaitable
from html import escape
from typing import Annotated, Any

from fastapi import APIRouter, Depends, FastAPI, Query, Request, Response
from sqlalchemy.orm import Session

from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey
from app.orders.checkout.wire import FormRefused
from app.storefront.answers import Answer, Ask
from app.storefront.front import Storefront
from app.storefront.wire import EmbedCode, ProductWidget, WallWidget
from app.walls import service as walls

MOST_BONES = 12
"""For how many cards an embedded wall keeps room while it loads."""


def _front(request: Request) -> Storefront:
    found = request.app.state.storefront
    assert isinstance(found, Storefront)
    return found


def _ask(request: Request) -> Ask:
    return Ask.of(request.scope)


Front = Annotated[Storefront, Depends(_front)]
Asked = Annotated[Ask, Depends(_ask)]

Docs = dict[int | str, dict[str, Any]]


def _content(media_type: str, description: str) -> dict[str, Any]:
    return {"description": description, "content": {media_type: {"schema": {"type": "string"}}}}


_PAGE = _content("text/html", "A page")
_NO_PAGES: Docs = {
    404: _content("text/html", "A friendly page: there is no such thing"),
    503: _content("text/html", "A friendly page: ask again in a moment"),
}
_GONE: Docs = {410: _content("text/html", "A friendly page: it was taken back, or is no longer sold")}

router = APIRouter()


async def _respond(answering: Awaitable[Answer]) -> Response:
    return _response(await answering)


def _response(answer: Answer) -> Response:
    response = Response(answer.body, answer.status)
    response.raw_headers = list(answer.headers)
    return response


def install(app: FastAPI) -> None:
    """Answer what was refused to a person who sent a form with a page."""

    async def on_form_refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, FormRefused)
        return _response(_front(request).hosted.no(_ask(request), refusal, refusal.back))

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
        302: {"description": "To the product's own address, with `gv_click`, where that is where links land"},
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


@router.get("/v1/walls/{wall_id}/embed-code", response_model=EmbedCode, tags=["walls"])
def embed_code(wall_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """The snippets that put a wall into a page: `element` for a page, `link` for everywhere else."""
    own = work.here.settings.public_url

    def snippets(session: Session) -> EmbedCode:
        wall = walls.get(session, caller.merchant_id, wall_id)
        shown = max(1, min(MOST_BONES, len(walls.products(session, wall))))
        link = f"{own}/w/{wall.wall_id}"
        return EmbedCode(
            element=f'<script type="module" src="{own}/embed.js"></script>\n'
            f'<grapevine-wall wall="{wall.wall_id}" cards="{shown}">'
            f'<a href="{link}">{escape(wall.title)}</a></grapevine-wall>',
            link=link,
        )

    return work.read(snippets)
