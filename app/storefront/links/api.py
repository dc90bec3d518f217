"""Referral links in the OpenAPI page; the fast lane answers them before they come here (storefront/api.py)."""

from fastapi import APIRouter, Response

from app.storefront.twin import GONE, NO_PAGES, PAGE, TOO_MANY, Asked, Front, content, respond

router = APIRouter(tags=["shopper"])


@router.get(
    "/r/{code}.svg",
    response_class=Response,
    responses={200: content("image/svg+xml", "The QR code")},
)
async def referral_qr(code: str, front: Front, ask: Asked) -> Response:
    """The QR code of a referral's link."""
    return await respond(front.links.qr(ask, code))


@router.get(
    "/r/{code}",
    response_class=Response,
    responses={
        200: PAGE,
        302: {"description": "With `gv_click`: to the page that was passed on, or to the product's own address"},
        **NO_PAGES,
        **GONE,
        **TOO_MANY,
    },
)
async def follow_link(code: str, front: Front, ask: Asked) -> Response:
    """Follow a referral's link. A person makes a visit, whose click id the page carries on; crawlers and link
    previews get the card, and no visit is counted; so does a page that has browsers ask for the link unseen, as a
    picture or a frame (`Sec-Fetch-Dest`). `HEAD` and `Range` are no visits; a prefetch is told to come again.
    """
    return await respond(front.links.follow(ask, code))
