"""Being forgotten, on one's own word. A public call, proved by the visitor's token alone."""

from fastapi import APIRouter, Request, Response

from app.kernel.http import limits
from app.kernel.http.work import UnitOfWork
from app.merchants.access import Shops, admit
from app.referrals.erasing import person_behind
from app.referrals.erasing_api import Erases, erase
from app.referrals.quick import VisitorHeader
from app.storefront.me.proof import proved

router = APIRouter(tags=["shopper"], max_body_size=limits.OF_PAGES)


@router.delete("/v1/me", status_code=204)
def erase_me(
    request: Request, work: UnitOfWork, shops: Shops, erasure: Erases, token: VisitorHeader = None
) -> Response:
    """Forget this browser, and all others that the merchant joined with it: their links close, their names and words
    go, and in their place stands an id that nobody holds, so that sums stay what they are. Cannot be undone: from now
    on the token proves nothing (401)."""
    merchant_id, visitor = proved(work, token)
    admit(request, shops.get(merchant_id))
    return erase(work, erasure, merchant_id, lambda session: person_behind(session, merchant_id, visitor))
