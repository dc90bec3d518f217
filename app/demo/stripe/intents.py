"""Payment intents that a shop makes by itself, without Checkout: made, paid by a test card, cancelled.

Knows no HTTP.
"""

from typing import Final

from app.demo.stripe.charging import attempt, decline, succeed
from app.demo.stripe.currencies import check_amount, check_charge, check_currency
from app.demo.stripe.disputes import open_dispute
from app.demo.stripe.errors import NotSimulated, StripeProblem, missing
from app.demo.stripe.methods import method_asked
from app.demo.stripe.parameters.asked import metadata, only
from app.demo.stripe.parameters.values import Params, names
from app.demo.stripe.records.payments import Charge, PaymentIntent, PaymentMethod
from app.demo.stripe.shown.parts import shipping_of
from app.demo.stripe.world import World, new_id

_FIELDS: Final = names("description receipt_email statement_descriptor statement_descriptor_suffix transfer_group")
_ASKED: Final = names("amount currency payment_method_types payment_method confirm metadata shipping expand")


def create_intent(world: World, params: Params, account: str | None) -> PaymentIntent:
    """`POST /v1/payment_intents`, paid at once where it says `confirm`."""
    only(params, _FIELDS | _ASKED)
    if params.texts("payment_method_types") not in ((), ("card",)):
        raise NotSimulated("payment intents without Checkout that are not paid by card", "payment_method_types")
    amount, currency = params.integer("amount"), check_currency(params.text("currency") or "", "currency")
    if amount is None:
        raise missing("amount")
    check_amount(amount, currency, "amount")
    check_charge(amount, currency, "amount")
    if amount == 0:
        raise StripeProblem("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    intent = PaymentIntent(
        id=new_id("pi_3"),
        account=account,
        created=world.now(),
        amount=amount,
        currency=currency,
        metadata=metadata(params),
        fields={name: params.text(name) or "" for name in params if name in _FIELDS},
        methods=("card",),
        shipping=shipping_of(params.sub("shipping")) if "shipping" in params else None,
    )
    method = params.text("payment_method")
    chosen = method_asked(world, method, account) if method else None
    world.payment_intents[intent.id] = intent
    world.emit("payment_intent.created", intent)
    if chosen is not None:
        intent.status, intent.payment_method = "requires_confirmation", chosen.id
    if params.flag("confirm"):
        _pay(world, intent, chosen)
    return intent


def confirm_intent(world: World, intent: PaymentIntent, params: Params) -> PaymentIntent:
    """`POST /v1/payment_intents/{id}/confirm`."""
    only(params, names("payment_method return_url expand"))
    if intent.status not in ("requires_payment_method", "requires_confirmation"):
        raise _unexpected(intent, "confirm")
    method = params.text("payment_method") or intent.payment_method
    _pay(world, intent, method_asked(world, method, intent.account) if method else None)
    return intent


def cancel_intent(world: World, intent: PaymentIntent, params: Params) -> PaymentIntent:
    """`POST /v1/payment_intents/{id}/cancel`."""
    if any(session.payment_intent == intent.id for session in world.sessions.values()):
        raise StripeProblem("You cannot cancel a PaymentIntent of a Checkout Session: expire the session instead.")
    if intent.status not in ("requires_payment_method", "requires_confirmation"):
        raise _unexpected(intent, "cancel")
    intent.status, intent.canceled_at = "canceled", world.now()
    intent.cancellation_reason = params.text("cancellation_reason")
    world.emit("payment_intent.canceled", intent)
    return intent


def after_payment(world: World, charge: Charge, method: PaymentMethod) -> None:
    """What some test cards do once they have paid."""
    if method.outcome == "inquires":
        open_dispute(world, charge, inquiry=True)
    elif method.outcome.startswith("disputes"):
        open_dispute(world, charge, reason=method.outcome.partition("_")[2] or "fraudulent")


def _pay(world: World, intent: PaymentIntent, method: PaymentMethod | None) -> None:
    if method is None:
        raise StripeProblem(
            "You cannot confirm this PaymentIntent because it's missing a payment method.",
            code="payment_intent_unexpected_state",
        )
    if method.card is None:
        raise NotSimulated("payment intents without Checkout that are not paid by card", "payment_method")
    charge = attempt(world, intent, method.owner, status="pending", card=method.card, payment_method=method.id)
    if method.outcome == "declines":
        decline(world, intent, charge)
        raise StripeProblem(
            "Your card was declined.",
            status=402,
            kind="card_error",
            code="card_declined",
            decline_code="generic_decline",
            charge=charge.id,
        )
    succeed(world, intent, charge)
    after_payment(world, charge, method)


def _unexpected(intent: PaymentIntent, act: str) -> StripeProblem:
    return StripeProblem(
        f"You cannot {act} this PaymentIntent because it has a status of {intent.status}.",
        code="payment_intent_unexpected_state",
    )
