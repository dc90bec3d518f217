"""The sale behind a paid session of Stripe's: what was kept of its checkout, else what its tags say.

Knows the session and the tables; writes nothing.
"""

import hashlib
from dataclasses import replace
from typing import Final

from sqlalchemy.orm import Session

from app.kernel.ids import is_of
from app.kernel.runtime import Runtime
from app.orders import buyers
from app.orders.buyer_hashes import mail_hash
from app.orders.checkout import asked, basket
from app.orders.models import Checkout
from app.orders.promotions import known as known_promotions
from app.orders.sales import Sale, SaleLine
from app.orders.stripe.messages import Message, SessionSaid
from app.orders.stripe.tags import Tags
from app.referrals import visits

_LONGEST: Final = 200
"""Characters that are kept of a click, of a coupon."""


def sale_of(
    session: Session,
    here: Runtime,
    merchant_id: int,
    message: Message,
    said: SessionSaid,
    checkout: Checkout | None,
    card_hash: str | None = None,
) -> Sale:
    """The sale of a paid session, dated when the buyer went to pay, by the clock that also dates touches: a debit may
    settle days later. Of its buyer it says what may be kept."""
    through = _through(checkout, said.tags, merchant_id)
    claimed = visits.visitor_of(session, merchant_id, through.click) if through.click is not None else None
    mail, card_hash = (None, None) if asked.may_not_be_known(checkout) else (said.email, card_hash)
    sale = Sale(
        external_id=said.id,
        source="stripe",
        fingerprint=hashlib.sha256(f"{said.id} {said.currency} {said.gross} {said.net}".encode()).hexdigest(),
        livemode=message.livemode,
        currency=said.currency,
        gross=said.gross,
        net=said.net,
        at=said.created if checkout is None else checkout.created_at,
        click_id=through.click,
        visitor_id=through.visitor or claimed,
        wall_id=through.wall,
        coupon=_coupon(session, merchant_id, said) or through.coupon,
        customer_hash=here.signer.customer_hash(merchant_id, mail) if mail else None,
        mail_hash=mail_hash(here.signer, merchant_id, mail),
        card_hash=card_hash,
        device=None if checkout is None else checkout.device,
        lines=() if checkout is None else tuple(_line(basket.Line(**item)) for item in checkout.items),
    )
    (kept,) = buyers.kept(session, here.signer, merchant_id, [sale])
    return kept


def _coupon(session: Session, merchant_id: int, said: SessionSaid) -> str | None:
    """The promotion code that the buyer used at Stripe, as people write it."""
    if said.promotion_code is None:
        return None
    code = known_promotions.code_of(session, merchant_id, said.promotion_code)
    return code[:_LONGEST] if code else None


def _through(checkout: Checkout | None, tags: Tags | None, merchant_id: int) -> Tags:
    """Through whom the buyer had come: what was kept of the checkout, else its tags as far as they can be true."""
    if checkout is not None:
        return Tags(
            merchant="",
            checkout=checkout.checkout_id,
            click=checkout.click_id,
            wall=checkout.wall_id,
            visitor=checkout.visitor_id,
            coupon=checkout.coupon,
        )
    tags = tags or Tags(merchant="", checkout="")
    return replace(
        tags,
        click=tags.click[:_LONGEST] if tags.click else None,
        wall=tags.wall if tags.wall and is_of(tags.wall, merchant_id, "wall") else None,
        visitor=tags.visitor if tags.visitor and is_of(tags.visitor, merchant_id, "vis") else None,
        coupon=tags.coupon[:_LONGEST] if tags.coupon else None,
    )


def _line(line: basket.Line) -> SaleLine:
    return SaleLine(line.product, line.variant, line.title, line.quantity, line.amount)
