"""What happens to an open session: it is paid at once, paid by a method that settles later, declined, or expires.

Each function holds the world's lock for the whole change, keeps the order of events that Stripe keeps, and refuses
what the session's state does not allow. Knows no HTTP.
"""

import hashlib
from typing import Final

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.records import Buyer, Card, Charge, PaymentIntent, Session, Settlement
from app.demo.stripe.world import World, new_id

_BRANDS: Final = ("visa", "mastercard", "amex", "discover")


def card_of(owner: str) -> Card:
    """The simulated card of a person: the same each time, another for another person.

    Stripe's fingerprint tells one card number from another, so two buyers must not share one here either.
    """
    digest = hashlib.sha256(owner.strip().lower().encode()).hexdigest()
    return Card(
        brand=_BRANDS[int(digest[0], 16) % len(_BRANDS)],
        last4=f"{int(digest[:8], 16) % 10_000:04}",
        fingerprint=digest[:16],
    )


def pay(world: World, session: Session, email: str) -> None:
    """The buyer pays by card, and the money is there. A total of 0 completes without a payment."""
    with world.lock:
        _still_open(world, session)
        session.paid_by = _buyer(session, email)
        if session.total == 0:
            session.payment_status = "no_payment_required"
        else:
            intent = _intent(world, session)
            charge = _charge(world, session, intent, session.paid_by, card_of(email), status="succeeded")
            _succeed(world, intent, charge)
            session.payment_status = "paid"
        session.status = "complete"
        world.emit("checkout.session.completed", session)


def pay_later(world: World, session: Session, email: str, settles: Settlement | None = None) -> None:
    """The buyer pays by a method that settles later: complete, but unpaid. `settles` says when it does by itself."""
    with world.lock:
        _still_open(world, session)
        if session.total == 0 or session.methods == ("card",):
            raise StripeProblem("This session cannot be paid by a method that settles later.")
        session.paid_by = _buyer(session, email)
        intent = _intent(world, session)
        charge = _charge(world, session, intent, session.paid_by, None, status="pending")
        intent.status, intent.payment_method = "processing", charge.payment_method
        world.emit("charge.pending", charge)
        world.emit("payment_intent.processing", intent)
        session.status, session.settles = "complete", settles
        world.emit("checkout.session.completed", session)


def settle(world: World, session: Session, *, succeeded: bool) -> None:
    """The payment that was to settle later arrives, or fails for good."""
    with world.lock:
        intent = world.payment_intents.get(session.payment_intent or "")
        if intent is None or intent.status != "processing" or intent.latest_charge is None:
            raise StripeProblem("This session has no payment that is still to settle.")
        charge = world.charges[intent.latest_charge]
        session.settles = None
        if succeeded:
            charge.status = "succeeded"
            _succeed(world, intent, charge)
            session.payment_status = "paid"
            world.emit("checkout.session.async_payment_succeeded", session)
        else:
            _fail(
                world, intent, charge, "payment_intent_payment_attempt_failed", "The simulated payment did not arrive."
            )
            world.emit("checkout.session.async_payment_failed", session)


def decline(world: World, session: Session, email: str) -> None:
    """The buyer's card is refused; the session stays open."""
    with world.lock:
        _still_open(world, session)
        if session.total == 0:
            raise StripeProblem("There is nothing to pay in this session.")
        intent = _intent(world, session)
        charge = _charge(world, session, intent, _buyer(session, email), card_of(email), status="failed")
        _fail(world, intent, charge, "card_declined", "Your card was declined.")


def expire(world: World, session: Session) -> None:
    """Nobody can pay this session any more."""
    with world.lock:
        if session.status != "open":
            raise StripeProblem(
                'Only Checkout Sessions with a status in ["open"] can be expired. This Checkout Session has a '
                f"status of {session.status}.",
                param="session",
            )
        session.status = "expired"
        if intent := world.payment_intents.get(session.payment_intent or ""):
            intent.status, intent.canceled_at = "canceled", world.now()
            world.emit("payment_intent.canceled", intent)
        world.emit("checkout.session.expired", session)


def sweep(world: World) -> None:
    """Let happen what is due by the clock: sessions expire, payments settle."""
    with world.lock:
        now = world.now()
        for session in list(world.sessions.values()):
            if session.status == "open" and session.expires_at <= now:
                expire(world, session)
            elif session.settles and session.settles.at <= now:
                settle(world, session, succeeded=session.settles.succeeds)


def _still_open(world: World, session: Session) -> None:
    if session.status == "open" and session.expires_at <= world.now():
        expire(world, session)
    if session.status != "open":
        raise StripeProblem(f"This Checkout Session is {session.status}: it cannot be paid.")


def _buyer(session: Session, email: str) -> Buyer:
    country = session.ships_to[0] if session.ships_to else None
    return Buyer(session.customer_email or email, email.partition("@")[0], country)


def _intent(world: World, session: Session) -> PaymentIntent:
    """The session's payment intent: Stripe makes it at the first attempt to pay."""
    if session.payment_intent is not None:
        return world.payment_intents[session.payment_intent]
    intent = PaymentIntent(
        id=new_id("pi_3"),
        account=session.account,
        created=world.now(),
        amount=session.total,
        currency=session.currency,
        metadata=dict(session.intent_metadata),
        fields=session.intent_fields,
        methods=session.methods,
    )
    world.payment_intents[intent.id] = intent
    session.payment_intent = intent.id
    world.emit("payment_intent.created", intent)
    return intent


def _charge(
    world: World, session: Session, intent: PaymentIntent, buyer: Buyer, card: Card | None, *, status: str
) -> Charge:
    charge = Charge(
        id=new_id("ch_3" if card else "py_3"),
        account=session.account,
        created=world.now(),
        amount=intent.amount,
        currency=intent.currency,
        metadata=dict(intent.metadata),  # Stripe copies it once, when the charge is made
        payment_intent=intent.id,
        payment_method=new_id("pm_1"),
        buyer=buyer,
        card=card,
        later_method=None if card else next(method for method in session.methods if method != "card"),
        status=status,
        ships=bool(session.ships_to),
    )
    world.charges[charge.id] = charge
    intent.latest_charge = charge.id
    intent.ships_to = buyer if session.ships_to else None
    return charge


def _succeed(world: World, intent: PaymentIntent, charge: Charge) -> None:
    intent.status, intent.payment_method, intent.failure = "succeeded", charge.payment_method, None
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)


def _fail(world: World, intent: PaymentIntent, charge: Charge, code: str, message: str) -> None:
    charge.status, charge.failure_code = "failed", code
    intent.status, intent.payment_method = "requires_payment_method", None
    intent.failure = {
        "charge": charge.id,
        "code": code,
        "message": message,
        "type": "card_error" if charge.card else "invalid_request_error",
    }
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)
