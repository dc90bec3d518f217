"""The widget's code in the OpenAPI page; the fast lane answers it before it comes here (storefront/api.py)."""

from fastapi import APIRouter, Response

from app.storefront.twin import Asked, Front, content, response

router = APIRouter(tags=["shopper"])


@router.get(
    "/embed.js",
    response_class=Response,
    responses={200: content("text/javascript", "A module that registers the elements")},
)
async def loader(front: Front, ask: Asked) -> Response:
    """The widget's loader: short-lived; the code behind it has immutable, hashed names."""
    return response(front.assets.loader(ask, "embed.js"))


@router.get(
    "/shop.js",
    response_class=Response,
    responses={200: content("text/javascript", "A module that carries the click id into a shop's cart")},
)
async def shop_loader(front: Front, ask: Asked) -> Response:
    """What a shop of another system puts into its pages (docs/connect-shopify.md, docs/connect-woocommerce.md)."""
    return response(front.assets.loader(ask, "shop.js"))


@router.get("/assets/{version}/{name:path}", include_in_schema=False)
async def asset(version: str, name: str, front: Front, ask: Asked) -> Response:
    """A file of the widget."""
    return response(front.assets.file(ask, version, name))
