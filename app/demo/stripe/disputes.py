"""Disputes: a bank takes a payment back, or only asks; the merchant answers; it is won or lost.

Each function holds the world's lock for the whole change and keeps the order of events that Stripe keeps. Knows
no HTTP.
"""

from typing import Final

from app.demo.stripe.balance import move
from app.demo.stripe.currencies import check_amount
from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.parameters.values import JsonObject, names
from app.demo.stripe.records.payments import Charge
from app.demo.stripe.records.transfers import Dispute
from app.demo.stripe.world import World, new_id

_FEE: Final = 1_500  # what Stripe takes for a dispute: 15.00, kept when it is won
_TIME_TO_ANSWER: Final = 7 * 24 * 60 * 60
_REASONS: Final = names("""
    bank_cannot_process check_returned credit_not_processed customer_initiated debit_not_authorized duplicate
    fraudulent general incorrect_account_details insufficient_funds noncompliant product_not_received
    product_unacceptable subscription_canceled unrecognized
    """)


def open_dispute(
    world: World, charge: Charge, amount: int | None = None, *, reason: str = "fraudulent", inquiry: bool = False
) -> Dispute:
    """The buyer's bank disputes `amount` minor units of a charge, or what is left of it; an inquiry takes no money."""
    with world.lock:
        _disputable(world, charge, amount, reason)
        dispute = Dispute(
            id=new_id("du_1"),
            account=charge.account,
            created=world.now(),
            amount=charge.refundable if amount is None else amount,
            currency=charge.currency,
            charge=charge.id,
            payment_intent=charge.payment_intent,
            brand=charge.card.brand if charge.card else "visa",
            reason=reason,
            inquiry=inquiry,
            status="warning_needs_response" if inquiry else "needs_response",
            due_by=world.now() + _TIME_TO_ANSWER,
        )
        world.disputes[dispute.id] = dispute
        charge.disputed = True
        if not inquiry:
            _move(world, dispute, -dispute.amount, _FEE, "dispute", "Chargeback withdrawal")
        world.emit("charge.dispute.created", dispute)
        if not inquiry:
            world.emit("charge.dispute.funds_withdrawn", dispute)
        return dispute


def escalate(world: World, dispute: Dispute) -> None:
    """An inquiry becomes a dispute, and the bank takes the money."""
    with world.lock:
        if dispute.closed or not dispute.inquiry:
            raise StripeProblem(f"This dispute is {dispute.status}: it is no open inquiry.")
        before, dispute.status = dispute.status, "needs_response"
        dispute.inquiry = False
        _move(world, dispute, -dispute.amount, _FEE, "dispute", "Chargeback withdrawal")
        world.emit("charge.dispute.updated", dispute, {"status": before, "balance_transactions": []})
        world.emit("charge.dispute.funds_withdrawn", dispute)


def answer(world: World, dispute: Dispute, evidence: dict[str, str], *, submit: bool) -> None:
    """The merchant's evidence; submitted, it is the bank's turn.

    As in Stripe's test mode, `uncategorized_text` of "winning_evidence" or "losing_evidence" ends it at once.
    """
    with world.lock:
        _still_open(dispute)
        known = {key: dispute.evidence.get(key) for key in evidence}
        before: JsonObject = {"status": dispute.status, "evidence": known}
        dispute.evidence = {**dispute.evidence, **evidence}
        if submit and dispute.evidence:
            dispute.submissions += 1
            dispute.status = "warning_under_review" if dispute.inquiry else "under_review"
        world.emit("charge.dispute.updated", dispute, before)
        text = dispute.evidence.get("uncategorized_text")
        if submit and text in ("winning_evidence", "losing_evidence"):
            close(world, dispute, won=text == "winning_evidence")


def close(world: World, dispute: Dispute, *, won: bool) -> None:
    """The bank decides: won, the money comes back, but not the fee. A closed inquiry moves nothing."""
    with world.lock:
        _still_open(dispute)
        before: JsonObject = {"status": dispute.status}
        dispute.status = "warning_closed" if dispute.inquiry else "won" if won else "lost"
        if dispute.status == "won":
            before["balance_transactions"] = []
            _move(world, dispute, dispute.amount, 0, "dispute_reversal", "Chargeback reversal")
        world.emit("charge.dispute.closed", dispute, before)
        if dispute.status == "won":
            world.emit("charge.dispute.funds_reinstated", dispute)


def settle_by_refund(world: World, charge: Charge) -> None:
    """An inquiry about a charge that was given back whole is over."""
    for dispute in world.disputes.values():
        if dispute.charge == charge.id and dispute.inquiry and not dispute.closed and charge.refunded:
            close(world, dispute, won=False)


def standing(world: World, charge: Charge) -> Dispute | None:
    """The dispute for which a charge cannot be refunded: its money is with the bank, or lost to it."""
    disputes = (dispute for dispute in world.disputes.values() if dispute.charge == charge.id)
    return next((dispute for dispute in disputes if dispute.withdrawn), None)


def _disputable(world: World, charge: Charge, amount: int | None, reason: str) -> None:
    if charge.status != "succeeded":
        raise StripeProblem(f"Charge {charge.id} has not succeeded: it cannot be disputed.")
    if any(one.charge == charge.id and (one.withdrawn or not one.closed) for one in world.disputes.values()):
        raise StripeProblem(f"Charge {charge.id} is disputed already.")
    if reason not in _REASONS:
        raise StripeProblem(f"Invalid reason: {reason}", param="reason")
    if amount is None and charge.refundable == 0:
        raise StripeProblem(f"Charge {charge.id} has been refunded: nothing is left to dispute.")
    if amount is not None:
        check_amount(amount, charge.currency, "amount")
        if amount == 0:
            raise StripeProblem("Invalid positive integer", code="parameter_invalid_integer", param="amount")


def _still_open(dispute: Dispute) -> None:
    if dispute.closed:
        raise StripeProblem("This dispute is already closed", code="dispute_already_closed")


def _move(world: World, dispute: Dispute, amount: int, fee: int, category: str, what: str) -> None:
    """Money goes to the bank, or comes back."""
    dispute.moves.append(
        move(
            world,
            dispute.account,
            amount,
            dispute.currency,
            kind="adjustment",
            category=category,
            source=dispute.id,
            description=f"{what} for {dispute.charge}",
            fee=fee,
        )
    )
