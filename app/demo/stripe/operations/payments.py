"""The API's operations on payments outside of Checkout's own page: payment intents, payment methods, and the
undocumented `payment_pages` by which Stripe's command line pays a session."""

from typing import Final

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.intents import after_payment, cancel_intent, confirm_intent, create_intent
from app.demo.stripe.methods import create_method
from app.demo.stripe.operations.call import Call, Operations
from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.payments import decline, pay, pay_later
from app.demo.stripe.records.payments import PaymentIntent, PaymentMethod, Session, Settlement
from app.demo.stripe.world import World, find


def post_intent(world: World, call: Call) -> JsonObject:
    return world.show(create_intent(world, call.params, call.account))


def get_intent(world: World, call: Call) -> JsonObject:
    return world.show(_intent(world, call))


def confirm(world: World, call: Call) -> JsonObject:
    return world.show(confirm_intent(world, _intent(world, call), call.params))


def cancel(world: World, call: Call) -> JsonObject:
    return world.show(cancel_intent(world, _intent(world, call), call.params))


def post_method(world: World, call: Call) -> JsonObject:
    return world.show(create_method(world, call.params, call.account))


def get_method(world: World, call: Call) -> JsonObject:
    return world.show(
        find(world.payment_methods, call.ids["payment_method"], call.account, param="id", noun="PaymentMethod")
    )


def get_page(world: World, call: Call) -> JsonObject:
    """What the pay page knows of a session. Its shape at Stripe is not public: here it is the session."""
    return world.show(_session(world, call))


def confirm_page(world: World, call: Call) -> JsonObject:
    """The buyer pays with a payment method. `expected_amount` is what he was shown."""
    session = _session(world, call)
    method = find(
        world.payment_methods,
        call.params.text("payment_method") or "",
        call.account,
        param="payment_method",
        noun="PaymentMethod",
        status=400,
    )
    if call.params.integer("expected_amount") != session.total:
        raise StripeProblem(
            "The amount that you expected is not that of the Checkout Session.",
            code="checkout_amount_mismatch",
            param="expected_amount",
        )
    if method.type not in session.methods:
        raise StripeProblem("This Checkout Session does not take this payment method.", param="payment_method")
    _pay(world, session, method)
    return world.show(session)


def _pay(world: World, session: Session, method: PaymentMethod) -> None:
    email = method.owner.email or "buyer@example.com"
    if method.card is None:
        settles = Settlement(world.now() + world.settles_after, succeeds=method.outcome == "pays")
        pay_later(world, session, email, settles)
    elif method.outcome == "declines":
        decline(world, session, email, method.card)
        raise StripeProblem("Your card was declined.", status=402, kind="card_error", code="card_declined")
    else:
        pay(world, session, email, method.card)
        intent = world.payment_intents.get(session.payment_intent or "")
        if intent is not None:
            after_payment(world, world.charges[intent.latest_charge or ""], method)


def _intent(world: World, call: Call) -> PaymentIntent:
    return find(world.payment_intents, call.ids["intent"], call.account, param="intent", noun="payment_intent")


def _session(world: World, call: Call) -> Session:
    return find(world.sessions, call.ids["session"], call.account, param="session", noun="checkout.session")


PAYMENT_OPERATIONS: Final[Operations] = {
    ("POST", "/v1/payment_intents"): post_intent,
    ("GET", "/v1/payment_intents/{intent}"): get_intent,
    ("POST", "/v1/payment_intents/{intent}/confirm"): confirm,
    ("POST", "/v1/payment_intents/{intent}/cancel"): cancel,
    ("POST", "/v1/payment_methods"): post_method,
    ("GET", "/v1/payment_methods/{payment_method}"): get_method,
}
UNDOCUMENTED_OPERATIONS: Final[Operations] = {
    ("GET", "/v1/payment_pages/{session}"): get_page,
    ("POST", "/v1/payment_pages/{session}/confirm"): confirm_page,
}
