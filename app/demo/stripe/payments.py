"""What happens to an open session: it is paid at once, paid by a method that settles later, declined, or expires.

Each function holds the world's lock for the whole change, keeps the order of events that Stripe keeps, and refuses
what the session's state does not allow. Knows no HTTP.
"""

from app.demo.stripe.charging import attempt, await_money, fail, succeed
from app.demo.stripe.charging import decline as refuse_card
from app.demo.stripe.coupons import redeem
from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.methods import card_of
from app.demo.stripe.records.payments import Buyer, Card, PaymentIntent, Session, Settlement
from app.demo.stripe.shown.parts import shipping_to
from app.demo.stripe.world import World, new_id


def pay(world: World, session: Session, email: str, card: Card | None = None) -> None:
    """The buyer pays by card, his own one or another, and the money is there. A total of 0 needs no payment."""
    with world.lock:
        _still_open(world, session)
        session.paid_by = _buyer(session, email)
        if session.total == 0:
            session.payment_status = "no_payment_required"
        else:
            intent = _intent(world, session, session.paid_by)
            charge = attempt(world, intent, session.paid_by, status="pending", card=card or card_of(email))
            succeed(world, intent, charge)
            session.payment_status = "paid"
        _complete(world, session)


def pay_later(world: World, session: Session, email: str, settles: Settlement | None = None) -> None:
    """The buyer pays by a method that settles later: complete, but unpaid. `settles` says when it does by itself."""
    with world.lock:
        _still_open(world, session)
        if session.total == 0 or session.methods == ("card",):
            raise StripeProblem("This session cannot be paid by a method that settles later.")
        session.paid_by = _buyer(session, email)
        intent = _intent(world, session, session.paid_by)
        method = next(method for method in session.methods if method != "card")
        charge = attempt(world, intent, session.paid_by, status="pending", later_method=method)
        await_money(world, intent, charge)
        session.settles = settles
        _complete(world, session)


def settle(world: World, session: Session, *, succeeded: bool) -> None:
    """The payment that was to settle later arrives, or fails for good."""
    with world.lock:
        intent = world.payment_intents.get(session.payment_intent or "")
        if intent is None or intent.status != "processing" or intent.latest_charge is None:
            raise StripeProblem("This session has no payment that is still to settle.")
        charge = world.charges[intent.latest_charge]
        session.settles = None
        if succeeded:
            succeed(world, intent, charge)
            session.payment_status = "paid"
            world.emit("checkout.session.async_payment_succeeded", session)
        else:
            fail(
                world, intent, charge, "payment_intent_payment_attempt_failed", "The simulated payment did not arrive."
            )
            world.emit("checkout.session.async_payment_failed", session)


def decline(world: World, session: Session, email: str, card: Card | None = None) -> None:
    """The buyer's card is refused; the session stays open."""
    with world.lock:
        _still_open(world, session)
        if session.total == 0:
            raise StripeProblem("There is nothing to pay in this session.")
        buyer = _buyer(session, email)
        intent = _intent(world, session, buyer)
        refuse_card(world, intent, attempt(world, intent, buyer, status="failed", card=card or card_of(email)))


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
            intent.cancellation_reason = "automatic"
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


def _complete(world: World, session: Session) -> None:
    session.status = "complete"
    world.emit("checkout.session.completed", session)
    if session.discount:
        redeem(world, session.discount)


def _still_open(world: World, session: Session) -> None:
    if session.status == "open" and session.expires_at <= world.now():
        expire(world, session)
    if session.status != "open":
        raise StripeProblem(f"This Checkout Session is {session.status}: it cannot be paid.")


def _buyer(session: Session, email: str) -> Buyer:
    country = session.ships_to[0] if session.ships_to else None
    return Buyer(session.customer_email or email, email.partition("@")[0], country)


def _intent(world: World, session: Session, buyer: Buyer) -> PaymentIntent:
    """The session's payment intent: Stripe makes it at the first attempt to pay. Where to ship is known by then."""
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
        shipping=shipping_to(buyer) if session.ships_to else session.intent_shipping,
    )
    world.payment_intents[intent.id] = intent
    session.payment_intent = intent.id
    world.emit("payment_intent.created", intent)
    return intent
