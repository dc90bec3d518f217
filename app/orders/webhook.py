"""Applies Stripe's messages to checkouts, orders and refunds. Knows the session and the tables, not HTTP, not
Stripe's library.

Each message is kept once, by its id, in the transaction that applies it. Messages come in any order:

* What a checkout is, is the furthest state that was heard of (lifecycle.py).
* A refund is computed from all messages of its payment that are kept, so it does not matter which came first.
* A refund may come before the sale. It is kept then and waits (`applied_at` empty) until the sale is there.

**The race between a sale and its refund.** On PostgreSQL two transactions may each look before the other has
committed: the refund finds no sale and waits, the sale finds no refund waiting, and nobody ever puts the two
together. So both first lock the payment's row in `stripe_objects`. It is made at the first mention of the payment
by `insert_new`: of two who insert it at once, one waits for the other's commit, finds the row, and then holds its
lock alone. Whoever is second therefore begins to look only after the first has committed, and (READ COMMITTED: each
statement sees what is committed when it begins) sees all that it wrote: the refund sees the sale, or the sale sees
the waiting refund. SQLite has one writer at a time, which is the same with less ado.

Locks are taken in the order checkout, payment, order, so no two can wait for each other.
"""

import hashlib
import logging
from collections.abc import Collection

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.database import insert_new
from app.kernel.errors import NotFound
from app.kernel.ids import Malformed, is_of
from app.kernel.runtime import Runtime
from app.merchants import service as merchants
from app.orders import basket, lifecycle, service
from app.orders.models import Checkout, Order
from app.orders.stripe import messages
from app.orders.stripe.messages import Message, RefundSaid, SessionSaid
from app.orders.stripe.tags import Tags
from app.orders.stripe_models import StripeEvent, StripeObject
from app.referrals import visits

log = logging.getLogger(__name__)


class Ledger:
    """Writes what messages say, in one transaction."""

    def __init__(self, session: Session, here: Runtime) -> None:
        self._session = session
        self._here = here
        self._now = here.clock.now()

    def receive(self, message: Message, said: SessionSaid | None) -> None:
        """Keep the message and apply it; one that was kept before changes nothing. `said` is what it says of a
        checkout session, where it is about one."""
        if not self._keep(message):
            return
        if said is not None:
            self._checkout(message, said)
        elif messages.tells_of_refunds(message) and message.payment is not None:
            payment = self._payment(message.payment)
            if payment.order_id is None:
                return  # waits
            messages.refunds_of(message.type, message.subject)  # about our payment: what cannot be read is refused
            self._refunds(payment)
        self._session.get_one(StripeEvent, message.id).applied_at = self._now

    def _keep(self, message: Message) -> bool:
        return insert_new(
            self._session,
            StripeEvent,
            event_id=message.id,
            type=message.type,
            payment_intent=message.payment,
            body=message.kept(),
            created=message.created,
            received_at=self._now,
            applied_at=None,
        )

    def _checkout(self, message: Message, said: SessionSaid) -> None:
        place = self._whose(message, said)
        if place is None:
            return  # another integration's on the same account
        checkout = self._session.get(Checkout, place, with_for_update=True, populate_existing=True)
        payment = self._payment(said.payment) if said.payment is not None else None
        if payment is not None:
            payment.merchant_id, payment.checkout_id = place
        # An attempt that was asked for anew has an older session, which nobody saw: that it expired says nothing.
        if checkout is not None and (checkout.session_id == said.id or said.status == "paid"):
            checkout.status = lifecycle.furthest(checkout.status, said.status)
        if said.status != "paid":
            return
        order = self._order(message, said, place[0], checkout)
        if payment is not None:
            payment.order_id = order.order_id
            self._session.flush()
            self._refunds(payment)

    def _whose(self, message: Message, said: SessionSaid) -> tuple[int, str] | None:
        """Merchant and checkout of a session: by what was kept of it, else by its tags.

        Whoever sells through a connected account can write any tags there, so they are believed only for the
        merchant whose account it is.
        """
        known = self._session.get(StripeObject, said.id)
        if known is not None and known.merchant_id is not None and known.checkout_id is not None:
            return known.merchant_id, known.checkout_id
        if said.tags is None:
            return None
        try:
            merchant = merchants.by_public_id(self._session, said.tags.merchant)
        except (NotFound, Malformed):
            return None
        if merchant.stripe_account != message.account or not is_of(said.tags.checkout, merchant.merchant_id, "chk"):
            return None
        return merchant.merchant_id, said.tags.checkout

    def _payment(self, payment_intent: str) -> StripeObject:
        """The payment's row, locked: see above."""
        insert_new(self._session, StripeObject, object_id=payment_intent)
        return self._session.get_one(StripeObject, payment_intent, with_for_update=True, populate_existing=True)

    def _order(self, message: Message, said: SessionSaid, merchant_id: int, checkout: Checkout | None) -> Order:
        """The order of a paid session, written once."""
        standing = service.by_external_id(self._session, merchant_id, said.id)
        if standing is not None:
            return standing
        through = _through(checkout, said.tags, merchant_id)
        click = through.click
        claimed = visits.visitor_of(self._session, merchant_id, click) if click is not None else None
        sale = service.Sale(
            external_id=said.id,
            source="stripe",
            fingerprint=hashlib.sha256(f"{said.id} {said.currency} {said.gross} {said.net}".encode()).hexdigest(),
            livemode=message.livemode,
            currency=said.currency,
            gross=said.gross,
            net=said.net,
            # When the buyer went to pay, by the clock that also dates touches; a debit may settle days later.
            at=said.created if checkout is None else checkout.created_at,
            click_id=click,
            visitor_id=through.visitor or claimed,
            wall_id=through.wall,
            coupon=through.coupon,
            customer_hash=self._here.signer.customer_hash(merchant_id, said.email) if said.email else None,
            lines=() if checkout is None else tuple(_line(basket.Line(**item)) for item in checkout.items),
        )
        return service.record(self._session, self._here.events, merchant_id, sale, self._now)[0]

    def _refunds(self, payment: StripeObject) -> None:
        """Bring the order's refunds to what all kept messages of its payment say. The payment's row is locked."""
        assert payment.merchant_id is not None
        assert payment.order_id is not None
        query = select(StripeEvent).where(
            StripeEvent.payment_intent == payment.object_id, StripeEvent.type.in_(messages.REFUND_TYPES)
        )
        kept = self._session.scalars(query.order_by(StripeEvent.created, StripeEvent.event_id)).all()
        told: dict[str, list[RefundSaid]] = {}
        for row in kept:
            row.applied_at = row.applied_at or self._now
            for said in _readable(row):
                told.setdefault(said.id, []).append(said)
        order = service.get(self._session, payment.merchant_id, payment.order_id, lock=True)
        for said, *later in sorted(told.values(), key=lambda each: (each[0].created, each[0].id)):
            counts = lifecycle.refund_counts(each.status for each in (said, *later))
            self._refund(order, said, counts, told.keys())

    def _refund(self, order: Order, said: RefundSaid, counts: bool, ours: Collection[str]) -> None:
        """Take back what is not taken yet, give back what does not count. `ours` are this payment's refunds."""
        if said.currency != order.currency:
            log.error("refund %s is in %s, its order in %s: it is left out", said.id, said.currency, order.currency)
            return
        standing = next((refund for refund in order.refunds if refund.external_id == said.id), None)
        if standing is not None:
            if not counts and standing.dropped_at is None:
                service.give_back(
                    self._session, self._here.events, order.merchant_id, order.order_id, standing.refund_id, self._now
                )
            return
        if not counts:
            return
        before = [each for each in order.refunds if each.dropped_at is None and each.external_id in ours]
        amount = lifecycle.net_part(
            refunded=sum(each.paid_back for each in before) + said.paid_back,
            net=order.net,
            paid=order.gross,
            taken=sum(each.amount for each in before),
            left=order.net - order.refunded,
        )
        taking = service.TakingBack(said.id, "refund", amount, said.paid_back, said.created)
        service.take_back(self._session, self._here.events, order.merchant_id, order.order_id, taking, self._now)


def _readable(row: StripeEvent) -> list[RefundSaid]:
    """What a kept message says of refunds. One that waited and cannot be read must not hold back its sale."""
    try:
        return messages.refunds_of(row.type, row.body["data"]["object"])
    except messages.NotAnEvent as reason:
        log.error("message %s is left out: %s", row.event_id, reason)
        return []


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
    return Tags(
        merchant=tags.merchant,
        checkout=tags.checkout,
        click=tags.click[:200] if tags.click else None,
        wall=tags.wall if tags.wall and is_of(tags.wall, merchant_id, "wall") else None,
        visitor=tags.visitor if tags.visitor and is_of(tags.visitor, merchant_id, "vis") else None,
        coupon=tags.coupon[:200] if tags.coupon else None,
    )


def _line(line: basket.Line) -> service.LineData:
    return service.LineData(line.product, line.variant, line.title, line.quantity, line.amount)
