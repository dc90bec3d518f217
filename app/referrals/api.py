"""Likes, shares and claims by HTTP: public calls from the pages where widgets stand."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.kernel.errors import Invalid
from app.kernel.http.wire import Body, PublicId, Text, Wire
from app.kernel.http.work import Here, UnitOfWork
from app.kernel.ids import Malformed, merchant_of, new_id
from app.kernel.runtime import Runtime
from app.merchants.access import Shops, admit
from app.merchants.directory import Shop
from app.networks.catalogue import ONSITE, SHAREABLE
from app.networks.intents import intent_url
from app.privacy import signals, tokens
from app.referrals import service, visits
from app.referrals.parents import Windows

VisitorHeader = Annotated[
    str | None,
    Header(
        alias="Grapevine-Visitor", max_length=200, description="The visitor's token, `vt_…`, where the page has one."
    ),
]


Via = Annotated[Text, Field(max_length=64, description="The click id or code by which the page was reached.")]
PersonName = Annotated[Text, Field(max_length=80, description="Shown with the share; only if the person wrote it.")]


def _shareable(network: str) -> str:
    if network not in SHAREABLE:
        raise PydanticCustomError("unknown_network", f"must be one of {', '.join(SHAREABLE)}")
    return network


class LikeIn(Body):
    """A like of a product, on a wall or by itself."""

    product: PublicId
    wall: PublicId | None = None
    via: Via | None = None


class ShareIn(Body):
    """A share of a product, a wall, or a product on a wall."""

    product: PublicId | None = None
    wall: PublicId | None = None
    network: Annotated[str, Field(max_length=32, examples=["whatsapp"]), AfterValidator(_shareable)]
    via: Via | None = None
    caption: Annotated[Text, Field(max_length=500, description="The person's own words.")] | None = None
    name: PersonName | None = None


class LikeOut(Wire):
    """The like that stands. `visitor` is a new token, where none was sent."""

    id: str
    liked: bool
    likes: int
    code: str
    url: str
    visitor: str | None


class ShareOut(Wire):
    """The share that stands, its link, and the network's own address to pass it on (null where there is none)."""

    id: str
    code: str
    url: str
    intent_url: str | None
    network: str
    parent: str | None
    visitor: str | None


class ClaimOut(Wire):
    """The click id that belongs to this visitor. `visitor` is a new token, where none was sent."""

    click: str
    visitor: str | None


class _Visitor:
    """Who is acting: proved by a token, or new and given one."""

    def __init__(self, here: Runtime, shop: Shop, token: str | None) -> None:
        known = tokens.visitor_of(here.signer, token, shop.merchant_id)
        self.id = known or new_id("vis", shop.merchant_id, here.clock.now())
        self.new_token = None if known else tokens.issue(here.signer, self.id)


router = APIRouter(tags=["shopper"])


@router.post("/v1/likes", status_code=201, response_model=LikeOut, responses={200: {"model": LikeOut}})
async def like(
    body: LikeIn, request: Request, response: Response, here: Here, shops: Shops, visitor_token: VisitorHeader = None
) -> LikeOut:
    """Like a product: 201, or 200 if this visitor's like stood already. A like is a referral with its own link."""
    shop = await shops.find(_merchant_of(body.product, "/product", "prod"))
    admit(request, shop)
    visitor = _Visitor(here, shop, visitor_token)
    done = await here.recorder.record(
        service.NewReferral(
            merchant_id=shop.merchant_id,
            kind="like",
            visitor_id=visitor.id,
            product_id=body.product,
            wall_id=body.wall,
            network=ONSITE,
            via=body.via,
            caption=None,
            name=None,
            at=here.clock.now(),
        )
    )
    response.status_code = 201 if done.is_new else 200
    return LikeOut(
        id=done.referral.referral_id,
        liked=True,
        likes=done.likes,
        code=done.referral.code,
        url=link(here, done.referral.code),
        visitor=visitor.new_token,
    )


@router.delete("/v1/likes/{like_id}", response_model=LikeOut)
async def take_like_back(
    like_id: str, request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None
) -> Response:
    """Take a like back; its link closes. Only its own visitor can; to others it does not exist."""
    shop = await shops.find(merchant_of(like_id, "ref"))
    admit(request, shop)
    return await run_in_threadpool(_take_back, work, shop, like_id, visitor_token)


@router.post("/v1/shares", status_code=201, response_model=ShareOut, responses={200: {"model": ShareOut}})
async def share(
    body: ShareIn, request: Request, response: Response, here: Here, shops: Shops, visitor_token: VisitorHeader = None
) -> ShareOut:
    """Share a product or wall on a network: 201, or 200 if this visitor's share of it there stood already.

    Each network has a code of its own, so that the link itself says where it was passed on. The parent, the
    referral through which this visitor had come, is found by the server.
    """
    subject, pointer, prefix = (body.product, "/product", "prod") if body.product else (body.wall, "/wall", "wall")
    if subject is None:
        raise Invalid.field("/product", "a product, a wall or both are needed")
    shop = await shops.find(_merchant_of(subject, pointer, prefix))
    admit(request, shop)
    visitor = _Visitor(here, shop, visitor_token)
    done = await here.recorder.record(
        service.NewReferral(
            merchant_id=shop.merchant_id,
            kind="share",
            visitor_id=visitor.id,
            product_id=body.product,
            wall_id=body.wall,
            network=body.network,
            via=body.via,
            caption=body.caption or None,
            name=body.name or None,
            at=here.clock.now(),
        )
    )
    response.status_code = 201 if done.is_new else 200
    url = link(here, done.referral.code)
    words = done.referral.caption or done.title
    return ShareOut(
        id=done.referral.referral_id,
        code=done.referral.code,
        url=url,
        intent_url=intent_url(body.network, url, words, done.image, done.title),
        network=done.referral.network,
        parent=done.referral.parent_id,
        visitor=visitor.new_token,
    )


@router.post("/v1/visits/{click}/claim", response_model=ClaimOut)
async def claim_visit(
    click: str, request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None
) -> Response:
    """Say that a visit was this visitor's. The first claim within 30 minutes binds it; a later one, or another
    visitor's, gets a new visit of the same referral, so the answer's `click` is the one to keep.

    Under Global Privacy Control or Do Not Track nothing is bound; the click id still travels with a purchase.
    """
    shop = await shops.find(merchant_of(click, "clk"))
    admit(request, shop)
    if signals.says_no(request.headers) or shop.privacy == "none":
        return Response(ClaimOut(click=click, visitor=None).model_dump_json(), media_type="application/json")
    return await run_in_threadpool(_claim, work, shop, click, visitor_token, _windows(request))


def link(here: Runtime, code: str) -> str:
    """The address of a referral's link."""
    return f"{here.settings.public_url}/r/{code}"


def _take_back(work: UnitOfWork, shop: Shop, like_id: str, token: str | None) -> Response:
    here = work.here
    visitor = tokens.visitor_of(here.signer, token, shop.merchant_id)

    def take_back(session: Session) -> LikeOut:
        like = service.take_back(session, shop.merchant_id, like_id, visitor, here.clock.now())
        session.flush()
        likes = service.count_likes(session, shop.merchant_id, [like.product_id or ""])
        assert like.code is not None, "who has a token here made the like here"
        return LikeOut(
            id=like.referral_id,
            liked=False,
            likes=likes[like.product_id or ""],
            code=like.code,
            url=link(here, like.code),
            visitor=None,
        )

    return work.write(take_back)


def _windows(request: Request) -> Windows:
    """The merchants' click windows, which the composition root hands in: policies are another domain's."""
    windows: Windows = request.app.state.click_windows
    return windows


def _claim(work: UnitOfWork, shop: Shop, click: str, token: str | None, windows: Windows) -> Response:
    visitor = _Visitor(work.here, shop, token)

    def claim(session: Session) -> ClaimOut:
        here = work.here
        bound = visits.claim(session, here.events, shop.merchant_id, click, visitor.id, here.clock.now(), windows)
        return ClaimOut(click=bound, visitor=visitor.new_token)

    return work.write(claim)


def _merchant_of(identifier: str, pointer: str, prefix: str) -> int:
    try:
        return merchant_of(identifier, prefix)
    except Malformed:
        raise Invalid.field(pointer, f"is not a {prefix}_… id") from None
