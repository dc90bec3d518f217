"""Disputes and balance transactions as Stripe shows them. Pure."""

from typing import Final

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.transfers import BalanceTransaction, Dispute
from app.demo.stripe.shown.parts import nulls

_EVIDENCE: Final = (
    "access_activity_log billing_address cancellation_policy cancellation_policy_disclosure cancellation_rebuttal "
    "customer_communication customer_email_address customer_name customer_purchase_ip customer_signature "
    "duplicate_charge_documentation duplicate_charge_explanation duplicate_charge_id product_description receipt "
    "refund_policy refund_policy_disclosure refund_refusal_explanation service_date service_documentation "
    "shipping_address shipping_carrier shipping_date shipping_documentation shipping_tracking_number "
    "uncategorized_file uncategorized_text"
)


def dispute(it: Dispute) -> JsonObject:
    return {
        "id": it.id,
        "object": "dispute",
        "amount": it.amount,
        "balance_transactions": [balance_transaction(move) for move in it.moves],
        "charge": it.charge,
        "created": it.created,
        "currency": it.currency,
        "enhanced_eligibility_types": [],
        "evidence": {**nulls(_EVIDENCE), **it.evidence, "enhanced_evidence": {}},
        "evidence_details": {
            "due_by": None if it.closed else it.due_by,
            "enhanced_eligibility": {},
            "has_evidence": bool(it.evidence),
            "past_due": False,
            "submission_count": it.submissions,
        },
        "is_charge_refundable": it.inquiry and not it.closed,
        "livemode": False,
        "metadata": dict(it.metadata),
        "payment_intent": it.payment_intent,
        "payment_method_details": {
            "type": "card",
            "card": {
                "brand": it.brand,
                "case_type": "inquiry" if it.inquiry else "chargeback",
                "network": it.brand,
                "network_reason_code": "10.4" if it.reason == "fraudulent" else None,
            },
        },
        "reason": it.reason,
        "status": it.status,
    }


def balance_transaction(it: BalanceTransaction) -> JsonObject:
    fee: JsonObject = {
        "amount": it.fee,
        "application": None,
        "currency": it.currency,
        "description": "Dispute fee",
        "type": "stripe_fee",
    }
    return {
        "id": it.id,
        "object": "balance_transaction",
        "amount": it.amount,
        "available_on": it.created,
        "balance_type": "payments",
        "created": it.created,
        "currency": it.currency,
        "description": it.description,
        "exchange_rate": None,
        "fee": it.fee,
        "fee_details": [fee] if it.fee else [],
        "net": it.amount - it.fee,
        "reporting_category": it.category,
        "source": it.source,
        "status": "available",
        "type": it.kind,
    }
