"""Payment intents, charges and refunds as Stripe shows them. Pure. `refunds` of a charge appear only when expanded."""

from collections.abc import Mapping

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.payments import Charge, PaymentIntent, PaymentMethod, Refund
from app.demo.stripe.shown.parts import billing_details, nulls


def payment_intent(it: PaymentIntent) -> JsonObject:
    return {
        "id": it.id,
        "object": "payment_intent",
        **nulls(
            "application application_fee_amount automatic_payment_methods customer customer_account "
            "excluded_payment_method_types next_action on_behalf_of payment_method_configuration_details processing "
            "review transfer_data"
        ),
        **_intent_fields(it.fields),
        "amount": it.amount,
        "amount_capturable": 0,
        "amount_received": it.amount if it.status == "succeeded" else 0,
        "canceled_at": it.canceled_at,
        "cancellation_reason": it.cancellation_reason,
        "capture_method": "automatic_async",
        "client_secret": f"{it.id}_secret_simulated",
        "confirmation_method": "automatic",
        "created": it.created,
        "currency": it.currency,
        "last_payment_error": it.failure,
        "latest_charge": it.latest_charge,
        "livemode": False,
        "metadata": dict(it.metadata),
        "payment_method": it.payment_method,
        "payment_method_options": {},
        "payment_method_types": list(it.methods),
        "shipping": it.shipping,
        "status": it.status,
    }


def _intent_fields(fields: Mapping[str, str]) -> JsonObject:
    names = (
        "description receipt_email setup_future_usage statement_descriptor statement_descriptor_suffix transfer_group"
    )
    return {name: fields.get(name) for name in names.split()}


def charge(it: Charge) -> JsonObject:
    failed = it.status == "failed"
    return {
        "id": it.id,
        "object": "charge",
        **nulls(
            "application application_fee application_fee_amount balance_transaction customer description "
            "failure_balance_transaction on_behalf_of receipt_email receipt_number review source_transfer "
            "statement_descriptor statement_descriptor_suffix transfer_data transfer_group"
        ),
        "amount": it.amount,
        "amount_captured": 0 if failed else it.amount,
        "amount_refunded": it.amount_refunded,
        "billing_details": billing_details(it.buyer),
        "calculated_statement_descriptor": "SIMULATION",
        "captured": not failed,
        "created": it.created,
        "currency": it.currency,
        "disputed": it.disputed,
        "failure_code": it.failure_code,
        "failure_message": "The simulated payment failed." if failed else None,
        "fraud_details": {},
        "livemode": False,
        "metadata": dict(it.metadata),
        "outcome": _outcome(it),
        "paid": it.status == "succeeded",
        "payment_intent": it.payment_intent,
        "payment_method": it.payment_method,
        "payment_method_details": _method_details(it),
        "radar_options": {},
        "receipt_url": None,
        "refunded": it.refunded,
        "shipping": it.shipping,
        "status": it.status,
    }


def _outcome(it: Charge) -> JsonObject:
    declined = it.failure_code == "card_declined"
    return {
        "advice_code": None,
        "network_advice_code": None,
        "network_decline_code": None,
        "network_status": "declined_by_network" if declined else "approved_by_network",
        "reason": "generic_decline" if declined else None,
        "risk_level": "normal",
        "risk_score": 1,
        "seller_message": "Simulated: no money moved.",
        "type": "issuer_declined" if declined else "authorized",
    }


def _method_details(it: Charge) -> JsonObject:
    if it.card is None:
        method = it.later_method or "customer_balance"
        return {"type": method, method: {}}
    return {
        "type": "card",
        "card": {
            "amount_authorized": it.amount if it.status == "succeeded" else None,
            "authorization_code": None,
            "brand": it.card.brand,
            "checks": {
                "address_line1_check": None,
                "address_postal_code_check": None,
                "cvc_check": "pass",
            },
            "country": "US",
            "exp_month": 12,
            "exp_year": 2040,
            "fingerprint": it.card.fingerprint,
            "funding": "credit",
            "installments": None,
            "last4": it.card.last4,
            "mandate": None,
            "network": it.card.brand,
            "network_token": {"used": False},
            "network_transaction_id": None,
            "regulated_status": "unregulated",
            "three_d_secure": None,
            "wallet": None,
        },
    }


def payment_method(it: PaymentMethod) -> JsonObject:
    details: JsonObject = nulls("bank_code branch_code country fingerprint generated_from last4")
    if it.card is not None:
        details = {
            **nulls("generated_from wallet"),
            "brand": it.card.brand,
            "checks": nulls("address_line1_check address_postal_code_check cvc_check"),
            "country": "US",
            "display_brand": it.card.brand,
            "exp_month": 12,
            "exp_year": 2040,
            "fingerprint": it.card.fingerprint,
            "funding": "credit",
            "last4": it.card.last4,
            "networks": {"available": [it.card.brand], "preferred": None},
            "regulated_status": "unregulated",
            "three_d_secure_usage": {"supported": True},
        }
    return {
        "id": it.id,
        "object": "payment_method",
        it.type: details,
        "allow_redisplay": "unspecified",
        "billing_details": billing_details(it.owner),
        "created": it.created,
        "customer": None,
        "customer_account": None,
        "livemode": False,
        "metadata": dict(it.metadata),
        "type": it.type,
    }


def refund(it: Refund) -> JsonObject:
    fields: JsonObject = {
        "id": it.id,
        "object": "refund",
        "amount": it.amount,
        "balance_transaction": None,
        "charge": it.charge,
        "created": it.created,
        "currency": it.currency,
        "destination_details": {"type": "card", "card": {"type": "refund"}}
        if it.by_card
        else {"type": "eu_bank_transfer", "eu_bank_transfer": {"reference": None, "reference_status": None}},
        "metadata": dict(it.metadata),
        "payment_intent": it.payment_intent,
        "reason": it.reason,
        "receipt_number": None,
        "source_transfer_reversal": None,
        "status": it.status,
        "transfer_reversal": None,
    }
    if it.failure_reason:
        fields["failure_reason"] = it.failure_reason
    if it.status == "pending":
        fields["pending_reason"] = "processing"
    return fields
