"""What a person says of being remembered, over HTTP: that they consent, or want out. Public calls from pages."""

from typing import Annotated, Final

from fastapi import APIRouter, Request, Response
from pydantic import Field
from sqlalchemy.orm import Session

from app.kernel.errors import Invalid, NotFound
from app.kernel.http import limits
from app.kernel.http.wire import Body, PublicId, Text, Timestamp, Wire
from app.kernel.http.work import Answer, UnitOfWork
from app.kernel.ids import Malformed, merchant_of, new_id
from app.merchants.access import Shops, admit
from app.merchants.directory import Directory, Shop
from app.privacy import consents, leaving, modes, signals, tokens
from app.privacy.modes import Said, Touchpoint
from app.referrals import names
from app.referrals.quick import TOKEN_HEADER, VisitorHeader
from app.storefront.me.proof import must_stand, proved

router = APIRouter(tags=["shopper"], max_body_size=limits.OF_PAGES)

_NEVER_KEPT: Final = {"Cache-Control": "no-store", "Vary": TOKEN_HEADER}
_OF: Final = (("wall", "wall"), ("product", "prod"), ("merchant", "mer"))


class ConsentIn(Body):
    """To which `version` of the page's words somebody agreed, and on whose page: one of wall, product and merchant."""

    wall: Annotated[PublicId, Field(examples=["wall_..."])] | None = None
    product: Annotated[PublicId, Field(examples=["prod_..."])] | None = None
    merchant: Annotated[PublicId, Field(examples=["mer_..."])] | None = None
    version: Annotated[
        Text,
        Field(
            min_length=1,
            max_length=100,
            examples=["2026-11-22"],
            description="Your own name for the words that were agreed to.",
        ),
    ]


class ConsentOut(Wire):
    """The receipt. `visitor` is a new token, where none was sent. All but `version` is null where nothing is kept: the
    browser says no, the person opted out, or the merchant keeps no visitors."""

    id: Annotated[str | None, Field(examples=["cns_..."])]
    version: str
    at: Timestamp | None
    visitor: str | None


class OptedOut(Wire):
    """Whether nothing is remembered of this visitor any more."""

    opted_out: Annotated[bool, Field(examples=[True])]


@router.post("/v1/consents", status_code=201, response_model=ConsentOut, responses={200: {"model": ConsentOut}})
def consent(
    body: ConsentIn, request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None
) -> Response:
    """Say that somebody agreed to be remembered: 201 with the receipt; 200 if this visitor agreed to this version
    before, and where nothing is kept. A merchant in mode `consented` remembers only whom a receipt stands for."""
    shop = _shop_of(body, shops)
    admit(request, shop)
    says_no = signals.says_no(request.headers)
    nothing = Answer(ConsentOut(id=None, version=body.version, at=None, visitor=None), 200, headers=_NEVER_KEPT)
    here = work.here

    def keep(session: Session) -> Answer:
        known = tokens.visitor_of(here.signer, visitor_token, shop.merchant_id)
        who = (shop.merchant_id, known or "")
        left = leaving.left(session, here.signer, [who]).get(who) if known else None
        known = None if left is not None and left.erased else known
        said = Said(says_no, left is not None and left.opted_out and known is not None)
        if not modes.remembers(Touchpoint.CONSENT, shop.privacy, said):
            return nothing
        now = here.clock.now()
        visitor = known or new_id("vis", shop.merchant_id, now)
        receipt, is_new = consents.give(session, shop.merchant_id, visitor, body.version, now)
        token = None if known else tokens.issue(here.signer, visitor)
        shown = ConsentOut(id=receipt.consent_id, version=receipt.version, at=receipt.at, visitor=token)
        return Answer(shown, 201 if is_new else 200, headers=_NEVER_KEPT)

    return work.write(keep)


@router.delete("/v1/consents/{consent_id}", status_code=204)
def withdraw_consent(
    consent_id: str, request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None
) -> Response:
    """Withdraw a consent: nothing more is remembered by it. Twice is once. Only its own visitor can; to others it does
    not exist."""
    shop = shops.get(merchant_of(consent_id, "cns"))
    admit(request, shop)
    here = work.here
    visitor = tokens.visitor_of(here.signer, visitor_token, shop.merchant_id)
    return work.write(
        lambda session: consents.withdraw(session, shop.merchant_id, consent_id, visitor, here.clock.now())
    )


@router.get("/v1/me/opt-out", response_model=OptedOut)
def is_opted_out(request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None) -> Response:
    """Whether this browser's visitor has opted out. 401 for a token that proves nothing."""
    merchant_id, visitor = proved(work, visitor_token)
    admit(request, shops.get(merchant_id))

    def look(session: Session) -> OptedOut:
        left = leaving.left(session, work.here.signer, [(merchant_id, visitor)])
        return OptedOut(opted_out=bool(left))

    return _unkept(work.read(look))


@router.post("/v1/me/opt-out", response_model=OptedOut)
def opt_out(request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None) -> Response:
    """Be remembered no more: from now on no visit, view, purchase or beacon is bound to this visitor, and their name is
    shown nowhere. What was liked and shared stays, for it was done on purpose; each can be taken back, and all of it
    erased. Twice is once."""
    merchant_id, visitor = proved(work, visitor_token)
    admit(request, shops.get(merchant_id))
    here = work.here

    def leave(session: Session) -> OptedOut:
        must_stand(session, here, merchant_id, visitor)
        now = here.clock.now()
        leaving.opt_out(session, here.signer, merchant_id, visitor, now)
        names.choose(session, merchant_id, visitor, None, now)
        return OptedOut(opted_out=True)

    answer = _unkept(work.write(leave))
    here.wakeups.ring("named", {merchant_id})
    return answer


@router.delete("/v1/me/opt-out", response_model=OptedOut)
def come_back(request: Request, work: UnitOfWork, shops: Shops, visitor_token: VisitorHeader = None) -> Response:
    """Be remembered again, from now on; what was not bound meanwhile stays unbound. The name stays away until it is
    said anew."""
    merchant_id, visitor = proved(work, visitor_token)
    admit(request, shops.get(merchant_id))

    def back(session: Session) -> OptedOut:
        leaving.come_back(session, work.here.signer, merchant_id, visitor)
        return OptedOut(opted_out=False)

    return _unkept(work.write(back))


def _shop_of(body: ConsentIn, shops: Directory) -> Shop:
    """On whose page it was. Raises `Invalid` for what names nobody or several, `NotFound`."""
    named = [(name, prefix, said) for name, prefix in _OF if (said := getattr(body, name)) is not None]
    if len(named) != 1:
        raise Invalid.field("/wall", "one of wall, product and merchant says on whose page it was")
    ((name, prefix, said),) = named
    try:
        shop = shops.get(merchant_of(said, prefix))
    except Malformed:
        raise Invalid.field(f"/{name}", f"is not a {prefix}_… id") from None
    if prefix == "mer" and shop.public_id != said:
        raise NotFound
    return shop


def _unkept(answer: Response) -> Response:
    answer.headers.update(_NEVER_KEPT)
    return answer
