"""Promotion codes of Stripe's that speak for a referral, by HTTP."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from fastapi import APIRouter, Path, Response
from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.kernel.http.pages import Page, Paging, newest_first
from app.kernel.http.wire import Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey, Shops
from app.merchants.audit import note
from app.orders.promotions import service as promotions
from app.orders.stripe.gateway import StripeGateway
from app.referrals import coupons
from app.referrals.coupons_api import CouponIn
from app.referrals.models import Coupon

CodePath = Annotated[
    Text,
    StringConstraints(strip_whitespace=True, max_length=200),
    Path(description="The code that buyers type in: letters without accents, digits, `-`.", examples=["ANA10"]),
]


class PromotionIn(CouponIn):
    """For whom the code speaks, and what it takes off. A code that works at Stripe already stays there as it is: give
    the `coupon` that it has."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"sharer": "customer-1042", "coupon": "TENTH-OFF", "max_redemptions": 100}]}
    )

    coupon: Annotated[Text, Field(min_length=1, max_length=200, description="The id of a coupon at Stripe.")]
    max_redemptions: Annotated[int, Field(ge=1, le=2**31 - 1, strict=True)] | None = None
    expires_at: Timestamp | None = None


class PromotionOut(Wire):
    """A promotion code: its id at Stripe, whether it worked there when Stripe last told of it, and for whom it
    speaks."""

    id: str
    code: str
    active: bool
    referral: str
    sharer: str | None
    since: Timestamp


router = APIRouter(prefix="/v1/promotion-codes", tags=["orders"])


@router.get("", response_model=Page[PromotionOut])
def list_promotion_codes(caller: SecretKey, query: Paging, work: UnitOfWork) -> Response:
    """The promotion codes that speak for somebody now, newest first."""
    speaking = promotions.speaking(caller.merchant_id, work.here.clock.now())
    return work.read(
        lambda session: newest_first(
            session, speaking, Coupon.coupon_id, query, lambda found: _shown(session, caller.merchant_id, found)
        )
    )


@router.put("/{code:path}", response_model=PromotionOut)
def put_promotion_code(
    code: CodePath, body: PromotionIn, caller: SecretKey, work: UnitOfWork, shops: Shops, gateway: StripeGateway
) -> Response:
    """Make a promotion code at Stripe that takes off what one of Stripe's coupons says, and let it speak for a
    referral: who pays with it gets the discount, and the order is credited to that referral alone. A code that works
    at Stripe already is taken over; where several merchants sell through one account of Stripe's, only one that names
    you (`gv_merchant` in its metadata). Saying it again changes nothing; what is refused changes nothing either.
    """
    body.must_name_one()
    if not promotions.is_possible(code):
        raise Invalid.field("code", "must be letters without accents, digits or `-`: Stripe takes no others")
    now = work.here.clock.now()
    if body.expires_at is not None and body.expires_at <= now:
        raise Invalid.field("/expires_at", "must be in the future")
    gateway.require()

    def speak(session: Session, at: datetime) -> Coupon:
        said = body.let_speak(session, work.here.events, caller.merchant_id, code, at)
        note(session, caller, "coupon.changed", said.said, {"referral": said.referral_id} if said.at == at else {})
        return said

    def put() -> PromotionOut:
        wish = promotions.Wish(code, body.coupon, body.max_redemptions, body.expires_at)
        said = promotions.put(work.here, gateway, shops.get(caller.merchant_id), wish, speak)
        with work.here.database.reading() as session:
            return _shown(session, caller.merchant_id, [said])[0]

    return work.outside(put, owner=caller.owner)


def _shown(session: Session, merchant_id: int, found: Sequence[Coupon]) -> list[PromotionOut]:
    sharers = coupons.sharers(session, merchant_id, (coupon.referral_id for coupon in found))
    behind = promotions.behind(session, merchant_id, [coupon.code for coupon in found])
    return [
        PromotionOut(
            id=behind[coupon.code].promotion_code_id,
            code=coupon.said,
            active=behind[coupon.code].active,
            referral=coupon.referral_id,
            sharer=sharers.get(coupon.referral_id),
            since=coupon.at,
        )
        for coupon in found
        if coupon.referral_id is not None
    ]
