"""By which card a sale was paid: Stripe tells it with the charge, in a message that comes before that of its sale or
after it.

What is kept of it is a hash, keyed for its merchant. One that comes first waits with its message, and is taken out of
it as soon as the sale is there. Knows the session and the tables. Whoever calls this holds the payment's row, so of a
sale and its charge that come at the same moment the second sees the first (app/orders/webhooks/bookkeeper.py).
"""

from datetime import datetime
from typing import Final

from sqlalchemy import select, update
from sqlalchemy.orm import Session

from app.kernel.json_objects import mapping
from app.kernel.runtime import Runtime
from app.merchants import accounts
from app.orders import buyers
from app.orders.buyer_hashes import card_hash
from app.orders.checkout import asked
from app.orders.models import Checkout
from app.orders.stripe.messages import CHARGED, CardSaid, Message, SessionSaid
from app.orders.stripe_models import StripeEvent, StripeObject

_CARD: Final = "card"
"""Where a message that waits has the hash, with the number of the merchant for whom it is keyed."""


def wait(session: Session, here: Runtime, message: Message, said: CardSaid) -> None:
    """Keep with the message (which is kept already) what will be said of its sale.

    Anybody who sells through Stripe may write any tags: so it is kept for whom they name, and is worth nothing where
    the sale turns out to be another merchant's.
    """
    merchant = accounts.holder(session, said.tags.merchant)
    if merchant is None or not buyers.might_be_kept(session, merchant.merchant_id):
        return
    hashed = card_hash(here.signer, merchant.merchant_id, said.fingerprint)
    body = {**message.kept(), _CARD: {"merchant": merchant.merchant_id, "hash": hashed}}
    kept = update(StripeEvent).where(StripeEvent.event_id == message.id)
    session.execute(kept.values(body=body, applied_at=None))


def hash_of(
    session: Session, here: Runtime, merchant_id: int, said: SessionSaid, payment: StripeObject | None, now: datetime
) -> str | None:
    """The hash of the card that paid this session, as far as it was told; nothing of it waits any longer."""
    waiting = None if payment is None else _taken(session, payment.object_id, merchant_id, now)
    return card_hash(here.signer, merchant_id, said.card) or waiting


def learn(session: Session, here: Runtime, payment: StripeObject, fingerprint: str) -> None:
    """Keep the card that paid an order which is there already, where its buyer may be known."""
    assert payment.merchant_id is not None
    assert payment.order_id is not None
    checkout = session.get(Checkout, (payment.merchant_id, payment.checkout_id)) if payment.checkout_id else None
    if not asked.may_not_be_known(checkout):
        hashed = card_hash(here.signer, payment.merchant_id, fingerprint)
        buyers.learn(session, here.signer, here.events, payment.merchant_id, payment.order_id, card_hash=hashed)


def _taken(session: Session, payment: str, merchant_id: int, now: datetime) -> str | None:
    of_payment = (StripeEvent.payment_intent == payment, StripeEvent.type == CHARGED, StripeEvent.applied_at.is_(None))
    found: str | None = None
    for row in session.scalars(select(StripeEvent).where(*of_payment)):
        card = mapping(row.body, _CARD)
        if card.get("merchant") == merchant_id:
            found = str(card["hash"])
        row.body = {name: value for name, value in row.body.items() if name != _CARD}
        row.applied_at = now
    return found
