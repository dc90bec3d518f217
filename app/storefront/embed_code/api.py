"""The code that puts a wall into a page: as JSON for who has the key, and as a page on which to look and choose."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey
from app.storefront.embed_code.snippets import Design, Shown, Snippet, SnippetChoice, snippets
from app.storefront.twin import NO_PAGES, PAGE, Asked, Front, respond
from app.storefront.wire import EmbedCode, Pasted
from app.walls import looks
from app.walls import service as walls

router = APIRouter()

Layout = Annotated[looks.Layout | None, Query(description="Instead of the wall's own.", examples=["list"])]
Theme = Annotated[
    looks.Scheme | None,
    Query(description="Instead of the wall's own: `auto` follows the visitor's system.", examples=["dark"]),
]


@router.get("/v1/walls/{wall_id}/embed-code", response_model=EmbedCode, tags=["walls"])
def embed_code(
    wall_id: str,
    caller: SecretKey,
    work: UnitOfWork,
    front: Front,
    ask: Asked,
    layout: Layout = None,
    theme: Theme = None,
) -> Response:
    """What to paste to put a wall into a page, for each kind of page; the steps are in the caller's language
    (`Accept-Language`). `/w/{wall}/embed` shows the same to look at and to choose from."""
    words = front.words[front.hosted.language(ask)]

    def answer(session: Session) -> EmbedCode:
        wall = walls.get(session, caller.merchant_id, wall_id)
        shown = Shown(wall.wall_id, wall.title, wall.layout, walls.count(session, wall))
        return _wire(snippets(front.server, shown, SnippetChoice(layout, theme), words))

    return work.read(answer)


@router.get("/w/{wall_id}/embed", tags=["shopper"], response_class=Response, responses={200: PAGE, **NO_PAGES})
async def embed_page(
    wall_id: str,
    front: Front,
    ask: Asked,
    _layout: Annotated[Layout, Query(alias="layout")] = None,
    _theme: Annotated[Theme, Query(alias="theme")] = None,
    _as: Annotated[Design, Query(alias="as", description="Which kind of page it is for.")] = "element",
) -> Response:
    """A page for merchants: the wall as it will be, the choices, and what to paste. It needs no key."""
    return await respond(front.embed_page.answer(ask, wall_id))


def _wire(made: dict[Design, Snippet]) -> EmbedCode:
    def pasted(design: Design) -> Pasted:
        return Pasted(code=made[design].code, steps=list(made[design].steps))

    return EmbedCode(
        element=made["element"].code,
        link=made["link"].code,
        element_pinned=made["element_pinned"].code,
        iframe=made["iframe"].code,
        wordpress=pasted("wordpress"),
        shopify=pasted("shopify"),
        ghost=pasted("ghost"),
        notion=pasted("notion"),
    )
