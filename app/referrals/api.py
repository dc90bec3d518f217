"""Likes, shares and claims by HTTP: public calls from the pages where widgets stand."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.kernel.as_of import writing_now
from app.kernel.errors import Invalid, NotFound
from app.kernel.http import limits
from app.kernel.http.work import JSON, UnitOfWork, runtime_of
from app.kernel.ids import Malformed, merchant_of, new_id
from app.kernel.runtime import Runtime
from app.merchants.access import Shops, admit, directory_of
from app.merchants.directory import Directory, Shop
from app.merchants.origins import allows_page, normal_page, without_click
from app.networks.catalogue import ONSITE
from app.networks.intents import intent_url
from app.privacy import leaving, modes, signals, standing, tokens
from app.privacy.modes import Touchpoint
from app.privacy.sightings import Sighting, seen_by
from app.referrals import service, visits
from app.referrals.parents import Windows
from app.referrals.quick import QuickRoute, VisitorHeader
from app.referrals.wire import LONGEST_PAGE, ClaimOut, LikeIn, LikeOut, ShareIn, ShareOut


class _Visitor:
    """Who is acting: proved by a token, or new and given one. Where no visitors are kept (`modes.py`) everybody is new
    each time, and given none."""

    def __init__(self, here: Runtime, shop: Shop, token: str | None, *, kept: bool = True) -> None:
        known = tokens.visitor_of(here.signer, token, shop.merchant_id) if kept else None
        self._signer, self._kept = here.signer, kept
        self.is_new = known is None
        self.id = known or new_id("vis", shop.merchant_id, here.clock.now())

    def token_for(self, somebody: str | None = None) -> str | None:
        """The token to be answered with, if any; also where what was written is `somebody` else's (`Referred`)."""
        if not self._kept or (somebody in (None, self.id) and not self.is_new):
            return None
        return tokens.issue(self._signer, somebody or self.id)


router = APIRouter(tags=["shopper"], max_body_size=limits.OF_PAGES)


def _quick(path: str, endpoint: Callable[..., Awaitable[Response]], out: type[BaseModel]) -> None:
    """Have `endpoint` answer there: 201 for what is new, 200 for what stood already."""
    router.add_api_route(
        path,
        endpoint,
        methods=["POST"],
        status_code=201,
        response_model=out,
        responses={200: {"model": out}},
        route_class_override=QuickRoute,
    )


async def like(body: LikeIn, request: Request, visitor_token: VisitorHeader = None) -> Response:
    """Like a product: 201, or 200 if this visitor's like stood already. A like is a referral with its own link."""
    here = runtime_of(request)
    shop = await directory_of(request).find(_merchant_of(body.product, "/product", "prod"))
    admit(request, shop)
    visitor, now = _acting(Touchpoint.LIKE, request, here, shop, visitor_token), here.clock.now()
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
            at=now,
            is_first=visitor.is_new,
            seen=seen_by(request, shop.privacy, shop.merchant_id, now),
        )
    )
    answer = LikeOut(
        id=done.referral.referral_id,
        liked=True,
        likes=done.likes,
        code=done.referral.code,
        url=link(here, done.referral.code),
        visitor=visitor.token_for(done.visitor_id),
    )
    return Response(answer.model_dump_json(), 201 if done.is_new else 200, media_type=JSON)


_quick("/v1/likes", like, LikeOut)


@router.delete("/v1/likes/{like_id}", response_model=LikeOut)
async def take_like_back(
    like_id: str, request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None
) -> Response:
    """Take a like back; its link closes. Only its own visitor can; to others it does not exist."""
    shop = await shops.find(merchant_of(like_id, "ref"))
    admit(request, shop)
    return await run_in_threadpool(_take_back, work, shop, like_id, visitor_token)


async def share(body: ShareIn, request: Request, visitor_token: VisitorHeader = None) -> Response:
    """Share a product, a wall or a page on a network: 201, or 200 if this visitor's share of it there stood already.

    Each network has a code of its own, so that the link itself says where it was passed on. The parent, the
    referral through which this visitor had come, is found by the server.
    """
    here = runtime_of(request)
    shop = await _shop_of(body, directory_of(request))
    admit(request, shop)
    address = None if body.url is None else _page(shop, body.url)
    visitor, now = _acting(Touchpoint.SHARE, request, here, shop, visitor_token), here.clock.now()
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
            at=now,
            address=address,
            is_first=visitor.is_new,
            seen=seen_by(request, shop.privacy, shop.merchant_id, now),
        )
    )
    title = done.title if address is None else body.title or shop.name
    answer = _shared(here, done, body, title, visitor.token_for(done.visitor_id))
    return Response(answer.model_dump_json(), 201 if done.is_new else 200, media_type=JSON)


_quick("/v1/shares", share, ShareOut)


@router.post("/v1/visits/{click}/claim", response_model=ClaimOut)
async def claim_visit(
    click: str, request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None
) -> Response:
    """Say that a visit was this visitor's. The first claim within 30 minutes binds it; a later one, or another
    visitor's, gets a new visit of the same referral, so the answer's `click` is the one to keep.

    Under Global Privacy Control or Do Not Track, for who opted out, and where the merchant's mode lets nobody be bound
    (or asks for a consent that is not there) nothing is bound and `visitor` is null; the click id still travels with a
    purchase.
    """
    shop = await shops.find(merchant_of(click, "clk"))
    admit(request, shop)
    if not modes.might_remember(Touchpoint.CLAIM, shop.privacy, signals.says_no(request.headers)):
        return Response(ClaimOut(click=click, visitor=None, bound=False).model_dump_json(), media_type=JSON)
    seen = seen_by(request, shop.privacy, shop.merchant_id, work.here.clock.now())
    return await run_in_threadpool(_claim, work, shop, click, visitor_token, _windows(request), seen)


def _shared(here: Runtime, done: service.Referred, body: ShareIn, title: str, token: str | None) -> ShareOut:
    url = link(here, done.referral.code)
    # What somebody writes now goes along now, even if their share stands already, with other words or none.
    words = body.caption or done.referral.caption or title
    return ShareOut(
        id=done.referral.referral_id,
        code=done.referral.code,
        url=url,
        intent_url=intent_url(body.network, url, words, done.image, title),
        network=done.referral.network,
        parent=done.referral.parent_id,
        visitor=token,
    )


def _acting(touchpoint: Touchpoint, request: Request, here: Runtime, shop: Shop, token: str | None) -> _Visitor:
    """Who likes or shares: a deliberate act, whatever they said of being remembered."""
    kept = modes.might_remember(touchpoint, shop.privacy, signals.says_no(request.headers))
    return _Visitor(here, shop, token, kept=kept)


async def _shop_of(body: ShareIn, shops: Directory) -> Shop:
    """Whose product, wall or page is shared. Raises `Invalid` for what names none, or two things, or half of one."""
    if body.url is not None or body.merchant is not None:
        for name in ("product", "wall"):
            if getattr(body, name) is not None:
                raise Invalid.field(f"/{name}", "either a product or wall is shared, or a page by its url")
        if body.url is None:
            raise Invalid.field("/url", "the merchant's page is needed, or else a product or wall")
        shop = await shops.find(_merchant_of(body.merchant or "", "/merchant", "mer"))
        if shop.public_id != body.merchant:
            raise NotFound
        return shop
    subject, pointer, prefix = (body.product, "/product", "prod") if body.product else (body.wall, "/wall", "wall")
    if subject is None:
        raise Invalid.field("/product", "a product, a wall or both are needed")
    return await shops.find(_merchant_of(subject, pointer, prefix))


def _page(shop: Shop, url: str) -> str:
    """The page at `url`, as it is kept. Raises `Invalid` unless it is one of the merchant's own."""
    try:
        page = without_click(normal_page(url))
    except ValueError as reason:
        raise Invalid.field("/url", str(reason)) from None
    if len(page) > LONGEST_PAGE:
        raise Invalid.field("/url", f"must not take more than {LONGEST_PAGE} characters")
    if not allows_page(shop.allowed_origins, shop.return_urls, page):
        raise Invalid.field("/url", "is neither on the merchant's allowed_origins nor below one of their return_urls")
    return page


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

    answer = work.write(take_back)
    here.wakeups.ring("named", {shop.merchant_id})
    return answer


def _windows(request: Request) -> Windows:
    """The merchants' click windows, which the composition root hands in: policies are another domain's."""
    windows: Windows = request.app.state.click_windows
    return windows


def _claim(
    work: UnitOfWork, shop: Shop, click: str, token: str | None, windows: Windows, seen: Sighting | None
) -> Response:
    here = work.here
    proved = _Visitor(here, shop, token)

    def claim(session: Session) -> ClaimOut:
        gone = not proved.is_new and leaving.is_erased(session, here.signer, shop.merchant_id, proved.id)
        visitor = _Visitor(here, shop, None) if gone else proved
        about = (Touchpoint.CLAIM, shop.privacy, shop.merchant_id, visitor.id)
        if not standing.is_remembered(session, here.signer, *about):
            return ClaimOut(click=click, visitor=None, bound=False)
        now = writing_now(session, shop.merchant_id, here.clock)
        bound = visits.claim(session, here.events, shop.merchant_id, click, visitor.id, now, windows, seen)
        return ClaimOut(click=bound, visitor=visitor.token_for(), bound=True)

    return work.write(claim)


def _merchant_of(identifier: str, pointer: str, prefix: str) -> int:
    try:
        return merchant_of(identifier, prefix)
    except Malformed:
        raise Invalid.field(pointer, f"is not a {prefix}_… id") from None
