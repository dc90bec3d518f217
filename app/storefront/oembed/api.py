"""oEmbed in the OpenAPI page; the fast lane answers it before it comes here (storefront/api.py)."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from pydantic import Field

from app.kernel.http.openapi import problem
from app.kernel.http.wire import Wire
from app.storefront.twin import Asked, Front, respond

router = APIRouter(tags=["shopper"])


class OEmbedOut(Wire):
    """oEmbed 1.0, type `rich`: a blockquote with a link, and a frame. What is not known is left out."""

    version: str
    type: str
    title: str
    author_name: Annotated[str | None, Field(description="Who passed it on, where they gave a name.")] = None
    provider_name: str
    provider_url: str
    cache_age: int
    width: int
    height: int
    html: str
    thumbnail_url: str | None = None
    thumbnail_width: int | None = None
    thumbnail_height: int | None = None


@router.get(
    "/oembed",
    response_model=OEmbedOut,
    responses={
        400: problem("Without an address"),
        404: problem("No page of ours, or there is no such thing"),
        410: problem("It was taken back, or is no longer sold"),
        501: problem("XML is not spoken here"),
    },
)
async def oembed(
    front: Front,
    ask: Asked,
    _url: Annotated[
        str | None,
        Query(
            alias="url",
            description="An address of ours under `/r/`, `/p/` or `/w/`.",
            examples=["http://localhost:8000/r/k3vQ9xTbZ"],
        ),
    ] = None,
    _maxwidth: Annotated[str | None, Query(alias="maxwidth", description="CSS pixels.", examples=["600"])] = None,
    _maxheight: Annotated[str | None, Query(alias="maxheight", description="CSS pixels.", examples=["400"])] = None,
    _format: Annotated[str | None, Query(alias="format", description="`json`.", examples=["json"])] = None,
) -> Response:
    """How to embed a page of ours (oembed.com). Pages of any origin may ask, and asking is never a visit."""
    return await respond(front.oembed.answer(ask))
