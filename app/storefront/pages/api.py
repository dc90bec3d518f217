"""Hosted pages in the OpenAPI page; the fast lane answers them before they come here (storefront/api.py)."""

from typing import Annotated

from fastapi import APIRouter, FastAPI, Query, Request, Response

from app.orders.checkout.wire import FormRefused
from app.storefront.pages.choices import way_back
from app.storefront.twin import NO_PAGES, PAGE, Asked, Front, ask_of, front_of, respond, response

router = APIRouter(tags=["shopper"])


def install(app: FastAPI) -> None:
    """Answer what was refused to a person who sent a form with a page."""

    async def on_form_refused(request: Request, refusal: Exception) -> Response:
        assert isinstance(refusal, FormRefused)
        front = front_of(request)
        back = way_back(refusal.back, front.hosted.own, await request.body())
        return response(front.hosted.no(ask_of(request), refusal, back))

    app.add_exception_handler(FormRefused, on_form_refused)


@router.get("/w/{wall_id}", response_class=Response, responses={200: PAGE, **NO_PAGES})
async def wall_page(wall_id: str, front: Front, ask: Asked) -> Response:
    """A wall as a page of its own, complete without JavaScript."""
    return await respond(front.hosted.wall(ask, wall_id))


@router.get("/p/{product_id}", response_class=Response, responses={200: PAGE, **NO_PAGES})
async def product_page(
    product_id: str,
    front: Front,
    ask: Asked,
    _wall: Annotated[str | None, Query(alias="wall", description="The wall on which it was met.")] = None,
) -> Response:
    """A product as a page of its own, complete without JavaScript. With `wall`, likes and sales count there."""
    return await respond(front.hosted.product(ask, product_id))


@router.get("/thanks/{checkout_id}", response_class=Response, responses={200: PAGE, **NO_PAGES})
async def thanks_page(checkout_id: str, front: Front, ask: Asked) -> Response:
    """Where a buyer comes back to, unless the checkout named another address."""
    return await respond(front.hosted.thanks(ask, checkout_id))
