"""An attempt to pay a payment intent: the charge that it makes, and how it ends. Knows no session and no HTTP.

Who calls this holds the world's lock.
"""

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.payments import Buyer, Card, Charge, PaymentIntent
from app.demo.stripe.world import World, new_id


def attempt(
    world: World,
    intent: PaymentIntent,
    buyer: Buyer,
    *,
    status: str,
    card: Card | None = None,
    later_method: str | None = None,
    payment_method: str | None = None,
) -> Charge:
    """A charge of the whole intent: by card, or by a method that settles later."""
    charge = Charge(
        id=new_id("ch_3" if card else "py_3"),
        account=intent.account,
        created=world.now(),
        amount=intent.amount,
        currency=intent.currency,
        metadata=dict(intent.metadata),  # Stripe copies it once, when the charge is made
        payment_intent=intent.id,
        payment_method=payment_method or new_id("pm_1"),
        buyer=buyer,
        card=card,
        later_method=later_method,
        status=status,
        shipping=intent.shipping,
    )
    world.charges[charge.id] = charge
    intent.latest_charge = charge.id
    return charge


def await_money(world: World, intent: PaymentIntent, charge: Charge) -> None:
    """The payment is on its way."""
    intent.status, intent.payment_method = "processing", charge.payment_method
    world.emit("charge.pending", charge)
    world.emit("payment_intent.processing", intent)


def succeed(world: World, intent: PaymentIntent, charge: Charge) -> None:
    """The money is there."""
    charge.status = "succeeded"
    intent.status, intent.payment_method, intent.failure = "succeeded", charge.payment_method, None
    world.emit("charge.succeeded", charge)
    world.emit("payment_intent.succeeded", intent)


def fail(world: World, intent: PaymentIntent, charge: Charge, code: str, message: str) -> None:
    """The money does not come; the intent can be paid in another way."""
    charge.status, charge.failure_code = "failed", code
    intent.status, intent.payment_method = "requires_payment_method", None
    failure: JsonObject = {
        "charge": charge.id,
        "code": code,
        "message": message,
        "type": "card_error" if charge.card else "invalid_request_error",
    }
    intent.failure = failure
    world.emit("charge.failed", charge)
    world.emit("payment_intent.payment_failed", intent)


def decline(world: World, intent: PaymentIntent, charge: Charge) -> None:
    """The card's bank says no."""
    fail(world, intent, charge, "card_declined", "Your card was declined.")
