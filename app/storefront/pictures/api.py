"""Pictures of link cards in the OpenAPI page; the fast lane answers them before they come here (storefront/api.py)."""

from typing import Annotated

from fastapi import APIRouter, Path, Query, Response

from app.storefront.twin import Asked, Front, respond

router = APIRouter(tags=["shopper"])


@router.get(
    "/cards/{public_id}.png",
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
    return await respond(front.pictures.answer(ask, public_id))
