"""Refunds: what is given back of a charge, at once or later, and what comes back because it could not be given.

Each function holds the world's lock for the whole change. Knows no HTTP.
"""

from app.demo.stripe.currencies import check_amount, formatted
from app.demo.stripe.disputes import settle_by_refund, standing
from app.demo.stripe.errors import NotSimulated, StripeProblem, missing
from app.demo.stripe.parameters.asked import changed_metadata, metadata
from app.demo.stripe.parameters.values import JsonObject, Params
from app.demo.stripe.records.payments import Charge, Refund
from app.demo.stripe.world import World, find, new_id


def refund_as_asked(world: World, params: Params, account: str | None) -> Refund:
    """`POST /v1/refunds`: of a charge or of a payment intent's charge, all that is left unless an amount is given."""
    for name in params:
        if name not in ("payment_intent", "charge", "amount", "reason", "metadata", "expand"):
            raise NotSimulated(f"the parameter {name}", name)
    charge = _charge_asked(world, params, account)
    return refund(world, charge, params.integer("amount"), params.text("reason"), metadata(params))


def refund(
    world: World,
    charge: Charge,
    amount: int | None = None,
    reason: str | None = None,
    metadata: dict[str, str] | None = None,
    *,
    pending: bool = False,
) -> Refund:
    """Give back `amount` minor units, or what is left. `pending`: it stays under way until it is completed."""
    with world.lock:
        if standing(world, charge):
            raise StripeProblem(
                f"Charge {charge.id} has been charged back; cannot issue a refund.", code="charge_disputed"
            )
        given = _refundable(charge, amount)
        made = Refund(
            id=new_id("re_3" if charge.card else "pyr_1"),
            account=charge.account,
            created=world.now(),
            amount=given,
            currency=charge.currency,
            charge=charge.id,
            payment_intent=charge.payment_intent,
            reason=reason,
            status="pending" if pending else "succeeded",
            by_card=charge.card is not None,
            metadata=dict(metadata or {}),
        )
        world.refunds[made.id] = made
        before = _refunded(charge)
        charge.amount_refunded += given
        world.emit("refund.created", made)
        world.emit("charge.refunded", charge, before)
        settle_by_refund(world, charge)
        return made


def complete(world: World, refund: Refund) -> None:
    """A pending refund arrives."""
    with world.lock:
        if refund.status != "pending":
            raise StripeProblem(f"This refund is {refund.status}, not pending.")
        refund.status = "succeeded"
        _tell(world, refund, {"status": "pending"})


def fail(world: World, refund: Refund) -> None:
    """A refund could not be given: the charge counts it no more. A succeeded refund may still fail."""
    with world.lock:
        if refund.status not in ("pending", "succeeded"):
            raise StripeProblem(f"This refund is {refund.status}: it cannot fail any more.")
        before, refund.status = refund.status, "failed"
        refund.failure_reason = "expired_or_canceled_card"
        charge = world.charges[refund.charge]
        was = _refunded(charge)
        charge.amount_refunded -= refund.amount
        _tell(world, refund, {"status": before})
        world.emit("refund.failed", refund)
        world.emit("charge.updated", charge, was)


def describe(world: World, refund: Refund, params: Params) -> Refund:
    """`POST /v1/refunds/{id}`: change its metadata. An empty value takes its key away, an empty hash all."""
    with world.lock:
        before = dict(refund.metadata)
        refund.metadata = changed_metadata(before, params)
        if refund.metadata != before:
            _tell(world, refund, {"metadata": before})
        return refund


def _tell(world: World, refund: Refund, before: JsonObject) -> None:
    """Of a card's refund Stripe sends the old event besides the new one."""
    if refund.by_card:
        world.emit("charge.refund.updated", refund, before)
    world.emit("refund.updated", refund, before)


def _refunded(charge: Charge) -> JsonObject:
    return {"amount_refunded": charge.amount_refunded, "refunded": charge.refunded}


def _charge_asked(world: World, params: Params, account: str | None) -> Charge:
    charge_id, intent_id = params.text("charge"), params.text("payment_intent")
    if charge_id is None and intent_id is None:
        raise missing("payment_intent")
    if intent_id is not None:
        intent = find(world.payment_intents, intent_id, account, param="payment_intent", noun="payment_intent")
        if intent.status != "succeeded" or intent.latest_charge is None:
            raise StripeProblem(
                f"This PaymentIntent ({intent.id}) does not have a successful charge to refund.",
                param="payment_intent",
            )
        if charge_id not in (None, intent.latest_charge):
            raise StripeProblem("The charge does not belong to the payment_intent.", param="charge")
        charge_id = intent.latest_charge
    charge = find(world.charges, charge_id or "", account, param="charge", noun="charge")
    if charge.status != "succeeded":
        raise StripeProblem(f"Charge {charge.id} has not succeeded: it cannot be refunded.", param="charge")
    return charge


def _refundable(charge: Charge, amount: int | None) -> int:
    if charge.refundable == 0:
        raise StripeProblem(
            f"Charge {charge.id} has already been refunded.", code="charge_already_refunded", param=None
        )
    if amount is None:
        return charge.refundable
    check_amount(amount, charge.currency, "amount")
    if amount == 0:
        raise StripeProblem("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    if amount > charge.refundable:
        left = formatted(charge.refundable, charge.currency)
        raise StripeProblem(
            f"Refund amount ({formatted(amount, charge.currency)}) is greater than unrefunded amount on charge "
            f"({left})",
            param="amount",
        )
    return amount
