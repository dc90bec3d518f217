"""Applies Stripe's messages to checkouts, orders, refunds, disputes and promotion codes. Knows the session and the
tables, not HTTP, not Stripe's library.

Each message is kept once, by its id, in the transaction that applies it. Messages come in any order:

* What a checkout is, is the furthest state that was heard of (lifecycle.py).
* What is taken back is computed from all messages of its payment that are kept (taken_back.py), so it does not matter
  which came first.
* A refund or dispute may come before the sale. It is kept then and waits (`applied_at` empty) until the sale is there.
  So does the charge that tells by which card it was paid (cards.py).

**The race between a sale and its refund.** On PostgreSQL two transactions may each look before the other has
committed: the refund finds no sale and waits, the sale finds no refund waiting, and nobody ever puts the two
together. So both first lock the payment's row in `stripe_objects`. It is made at the first mention of the payment
by `insert_new`: of two who insert it at once, one waits for the other's commit, finds the row, and then holds its
lock alone. Whoever is second therefore begins to look only after the first has committed, and (READ COMMITTED: each
statement sees what is committed when it begins) sees all that it wrote: the refund sees the sale, or the sale sees
the waiting refund. SQLite has one writer at a time, which is the same with less ado.

Locks are taken in the order checkout, payment, promotion code, the merchant's facts (app/referrals/turns.py), order,
variants (those in the order of their ids), so no two can wait for each other.
"""

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.kernel import json_objects
from app.kernel.as_of import writing_now
from app.kernel.database import insert_new
from app.kernel.errors import InProgress
from app.kernel.ids import is_of, merchant_of
from app.kernel.runtime import Runtime
from app.merchants import accounts
from app.orders import lifecycle, service
from app.orders.checkout import asked, ending
from app.orders.models import Checkout
from app.orders.promotions import known as known_promotions
from app.orders.stripe import messages
from app.orders.stripe.gateway import Gateway
from app.orders.stripe.messages import CardSaid, Message, SessionSaid
from app.orders.stripe.problems import CheckoutRefused, CheckoutUnavailable
from app.orders.stripe.promotion import Promotion
from app.orders.stripe_models import StripeEvent, StripeObject
from app.orders.webhooks import cards, paid_sessions, taken_back

log = logging.getLogger(__name__)

WEBHOOK: Final = "webhook"
_INSISTS: Final = timedelta(hours=1)
"""How long after its event a sale waits until Stripe can say which code was used."""


@dataclass(frozen=True)
class Applied:
    """What a message did. One that is not `new` was kept before. `merchant_id`: whose books it is about, where that
    is known; `changed`: whether they say something else now."""

    new: bool
    merchant_id: int | None = None
    order_id: str | None = None
    object_id: str | None = None
    changed: bool = False


class Bookkeeper:
    """Writes what messages say, in one transaction. `promotion` is what Stripe says of the promotion code in the
    message (`ask_for_promotion`)."""

    def __init__(self, session: Session, here: Runtime, promotion: Promotion | None = None) -> None:
        self._session = session
        self._here = here
        self._promotion = promotion
        self._now = here.clock.now()

    def receive(self, message: Message, said: SessionSaid | None, via: str = WEBHOOK) -> Applied:
        """Keep the message, with the way by which it came, and apply it; one that was kept before changes nothing.
        `said` is what it says of a checkout session, where it is about one. Raises `NotAnEvent`."""
        if not self._keep(message, via):
            return Applied(new=False)
        if said is not None:
            return self._checkout(message, said)
        card = messages.card_of(message)
        if card is not None:
            return self._card(message, card)
        if messages.tells_of_takings(message) and message.payment is not None:
            return self._taking(message, message.payment)
        promotion = messages.promotion_of(message)
        return Applied(new=True) if promotion is None else self._promotion_code(message, promotion)

    def lacks_promotion(self, message: Message, said: SessionSaid) -> bool:
        """Whether a sale can only be written when Stripe was asked which code its buyer used."""
        if said.status != "paid" or said.promotion_code is None:
            return False
        place = self._whose(message, said)
        if place is None or service.by_external_id(self._session, place[0], said.id) is not None:
            return False
        return known_promotions.code_of(self._session, place[0], said.promotion_code) is None

    def _keep(self, message: Message, via: str) -> bool:
        return insert_new(
            self._session,
            StripeEvent,
            event_id=message.id,
            type=message.type,
            payment_intent=message.payment,
            body=message.kept(),
            via=via,
            created=message.created,
            received_at=self._now,
            applied_at=self._now,
        )

    def _checkout(self, message: Message, said: SessionSaid) -> Applied:
        place = self._whose(message, said)
        if place is None:
            return Applied(new=True)  # another integration's on the same account
        checkout = self._session.get(Checkout, place, with_for_update=True, populate_existing=True)
        payment = self._payment(said.payment) if said.payment is not None else None
        if payment is not None:
            payment.merchant_id, payment.checkout_id = place
        goes_on = checkout is not None and self._go_on(checkout, said)
        order_id, is_booked = None, False
        if said.status == "paid":
            order_id, is_booked = self._order(message, said, place[0], checkout, payment)
        if checkout is not None:
            ending.tell_stock(self._session, checkout, self._now)  # after the order: so go the locks
        return Applied(True, place[0], order_id, said.id, goes_on or is_booked)

    def _go_on(self, checkout: Checkout, said: SessionSaid) -> bool:
        """Bring the checkout to its furthest state; whether it went on. An attempt that was asked for anew has an
        older session, which nobody saw: that it expired says nothing."""
        before = checkout.status
        if checkout.session_id == said.id or said.status == "paid":
            checkout.status = lifecycle.furthest(before, said.status)
        return checkout.status != before

    def _whose(self, message: Message, said: SessionSaid) -> tuple[int, str] | None:
        """Merchant and checkout of a session: by what was kept of it, else by its tags.

        Whoever sells through a connected account can write any tags there, so they are believed only for the
        merchant whose account it is, or was when the checkout was kept that they name. Also for one who has left.
        """
        known = self._session.get(StripeObject, said.id)
        if known is not None and known.merchant_id is not None and known.checkout_id is not None:
            return known.merchant_id, known.checkout_id
        if said.tags is None:
            return None
        merchant = accounts.holder(self._session, said.tags.merchant)
        if merchant is None or not is_of(said.tags.checkout, merchant.merchant_id, "chk"):
            return None
        place = (merchant.merchant_id, said.tags.checkout)
        if merchant.stripe_account == message.account:
            return place
        checkout = self._session.get(Checkout, place)
        was_theirs = checkout is not None and asked.account_of(checkout, merchant.stripe_account) == message.account
        return place if was_theirs else None

    def _payment(self, payment_intent: str) -> StripeObject:
        """The payment's row, locked: see above."""
        insert_new(self._session, StripeObject, object_id=payment_intent)
        return self._session.get_one(StripeObject, payment_intent, with_for_update=True, populate_existing=True)

    def _order(
        self,
        message: Message,
        said: SessionSaid,
        merchant_id: int,
        checkout: Checkout | None,
        payment: StripeObject | None,
    ) -> tuple[str, bool]:
        """The order of a paid session, written once, with what is taken back of it; whether anything was new."""
        self._now = writing_now(self._session, merchant_id, self._here.clock)
        if self._promotion is not None:
            known_promotions.keep(self._session, merchant_id, self._promotion, self._now)
        card = cards.hash_of(self._session, self._here, merchant_id, said, payment, self._now)
        order = service.by_external_id(self._session, merchant_id, said.id)
        is_new = order is None
        if order is None:
            sale = paid_sessions.sale_of(self._session, self._here, merchant_id, message, said, checkout, card)
            order, is_new = service.record_with_coupon(self._session, self._here.events, merchant_id, sale, self._now)
        if payment is None:
            return order.order_id, is_new
        payment.order_id = order.order_id
        self._session.flush()
        is_settled = taken_back.settle(self._session, self._here.events, payment, self._now)
        return order.order_id, is_new or is_settled

    def _card(self, message: Message, said: CardSaid) -> Applied:
        """Which card has paid: kept with the order, or with the message until its sale is there. Neither changes what
        the books say."""
        payment = self._payment(said.payment)
        if payment.order_id is None:
            cards.wait(self._session, self._here, message, said)
        else:
            self._now = writing_now(self._session, merchant_of(payment.order_id, "ord"), self._here.clock)
            cards.learn(self._session, self._here, payment, said.fingerprint)
        return Applied(True, payment.merchant_id, payment.order_id, json_objects.text(message.subject, "id"))

    def _taking(self, message: Message, payment_intent: str) -> Applied:
        """A refund or dispute: settled with all that is known of its payment, or kept until its sale is there."""
        payment = self._payment(payment_intent)
        object_id = json_objects.text(message.subject, "id")
        if payment.order_id is None:
            waits = update(StripeEvent).where(StripeEvent.event_id == message.id)
            self._session.execute(waits.values(applied_at=None))
            return Applied(True, payment.merchant_id, None, object_id)
        messages.takings_of(message.type, message.subject)  # about our payment: what cannot be read is refused
        self._now = writing_now(self._session, merchant_of(payment.order_id, "ord"), self._here.clock)
        changed = taken_back.settle(self._session, self._here.events, payment, self._now)
        return Applied(True, payment.merchant_id, payment.order_id, object_id, changed)

    def _promotion_code(self, message: Message, promotion: Promotion) -> Applied:
        """A promotion code is known for the merchant whose it is. Any other is asked for when a buyer has used it."""
        merchant = known_promotions.owner(self._session, promotion, message.account)
        if merchant is None:
            return Applied(new=True, object_id=promotion.id)
        known_promotions.keep(self._session, merchant.merchant_id, promotion, messages.moment_of(message))
        return Applied(True, merchant.merchant_id, None, promotion.id)


def ask_for_promotion(here: Runtime, gateway: Gateway, message: Message, said: SessionSaid | None) -> Promotion | None:
    """What Stripe says of the promotion code of a sale that is not written yet, for the `Bookkeeper`. Outside of any
    transaction.

    Raises `CheckoutUnavailable`, `InProgress`: the message must come again. Not for long: no sale is lost for the name
    of its coupon.
    """
    if said is None or said.promotion_code is None or not gateway.has_key:
        return None
    with here.database.reading() as session:
        lacking = Bookkeeper(session, here).lacks_promotion(message, said)
    if not lacking:
        return None
    try:
        return gateway.promotion_code_by_id(said.promotion_code, message.account)
    except CheckoutRefused:
        return None
    except (CheckoutUnavailable, InProgress):
        if here.clock.now() - message.created < _INSISTS:
            raise
        log.exception("nobody can say which code %s is: sale %s is written without it", said.promotion_code, said.id)
        return None
