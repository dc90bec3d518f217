"""What a sharer is told of their own word, and their page. A public call, proved by the visitor's token alone."""

from typing import Final

from fastapi import APIRouter, Request, Response
from sqlalchemy.orm import Session

from app.kernel.http import limits
from app.kernel.http.few import Few
from app.kernel.http.work import JSON, UnitOfWork
from app.merchants import service as merchants
from app.merchants.access import Shops, admit
from app.referrals import names
from app.referrals.quick import TOKEN_HEADER, VisitorHeader
from app.reports import word
from app.storefront.me.proof import must_stand, proved
from app.storefront.me.wire import MeIn, MeOut, NameOut, RewardsOut, ShopOut
from app.storefront.twin import PAGE, Asked, Front, respond

router = APIRouter(tags=["shopper"], max_body_size=limits.OF_PAGES)

AT_ONCE: Final = Few(2, "Others are asking just now; ask again in a moment.")
"""Visits stand in the order of time, so whoever asks for those of one link goes through all of its time: anybody may
ask, and shall not keep every thread busy with it."""
_NEVER_KEPT: Final = {"Cache-Control": "no-store", "Vary": TOKEN_HEADER}


@router.get("/me", response_class=Response, responses={200: PAGE})
async def me_page(front: Front, ask: Asked) -> Response:
    """What one's word did, as a page. Its script finds the token in the page's own storage, or in the fragment of the
    address (`/me#vt_…`), which no server ever gets."""
    return await respond(front.me.answer(ask))


@router.get("/v1/me", response_model=MeOut)
def get_me(request: Request, work: UnitOfWork, shops: Shops, token: VisitorHeader = None) -> Response:
    """What this browser's likes and shares did: visits, sales, thanks. Of fewer people than the merchant's
    `small_group` no number is told, and who came or bought never is. 401 for a token that proves nothing."""
    merchant_id, visitor = proved(work, token)
    admit(request, shops.get(merchant_id))
    here = work.here
    with AT_ONCE, here.reports.view(here.clock.now(), merchant_id) as (session, now):
        merchant = merchants.get(session, merchant_id)
        fewest, sharing = merchant.fewest_told, merchant.sharing_settings
        told = word.of_visitor(
            session, merchant_id, visitor, fewest=fewest, livemode=not here.settings.test_mode, now=now
        )
        answer = MeOut.of(
            told,
            here.settings.public_url,
            visitor,
            ShopOut(id=merchant.public_id, name=merchant.name),
            RewardsOut(rewarded=sharing.rewarded, terms=sharing.terms),
            fewest,
        )
    return Response(answer.model_dump_json(), media_type=JSON, headers=_NEVER_KEPT)


@router.patch("/v1/me", response_model=NameOut)
def change_me(body: MeIn, request: Request, work: UnitOfWork, shops: Shops, token: VisitorHeader = None) -> Response:
    """Say what to be called from now on, on all that was ever liked or shared with this browser; null: no name
    anywhere. A later share with a name is a new word on it."""
    merchant_id, visitor = proved(work, token)
    admit(request, shops.get(merchant_id))

    def change(session: Session) -> NameOut:
        must_stand(session, work.here, merchant_id, visitor)
        name = body.name or None
        names.choose(session, merchant_id, visitor, name, work.here.clock.now())
        return NameOut(name=name)

    answer = work.write(change)
    work.here.wakeups.ring("named", {merchant_id})
    answer.headers.update(_NEVER_KEPT)
    return answer
