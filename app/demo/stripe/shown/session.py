"""Checkout sessions and what their totals are made of, as Stripe shows them. Pure.

Fields that Stripe's document calls nullable are shown as null where the double has nothing to say; fields that appear
only when expanded (`line_items`) are left out here.
"""

from typing import Final

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.catalog import Line
from app.demo.stripe.records.payments import Session
from app.demo.stripe.shown.offer import applied, discount_amount
from app.demo.stripe.shown.parts import address, nulls

_SESSION_NULLS: Final = (
    "after_expiration client_secret collected_information consent consent_collection currency_conversion customer "
    "customer_account integration_identifier invoice origin_context payment_link "
    "payment_method_configuration_details permissions recovered_from saved_payment_method_options setup_intent "
    "shipping_address_collection shipping_cost subscription wallet_options managed_payments invoice_creation"
)


def session(it: Session, base_url: str) -> JsonObject:
    return {
        "id": it.id,
        "object": "checkout.session",
        **nulls(_SESSION_NULLS),
        **_session_options(it),
        "amount_subtotal": it.subtotal,
        "amount_total": it.total,
        "cancel_url": it.cancel_url,
        "client_reference_id": it.client_reference_id,
        "created": it.created,
        "currency": it.currency,
        "customer_email": it.customer_email,
        "expires_at": it.expires_at,
        "livemode": False,
        "metadata": dict(it.metadata),
        "mode": "payment",
        "payment_intent": it.payment_intent,
        "payment_method_types": list(it.methods),
        "payment_status": it.payment_status,
        "status": it.status,
        "success_url": it.success_url,
        "ui_mode": "hosted_page",
        "url": f"{base_url}/pay/{it.id}" if it.status == "open" else None,
        **_session_totals(it),
        **_session_customer(it),
    }


def _session_options(it: Session) -> JsonObject:
    """What was asked for and is shown again, else Stripe's defaults."""
    taxed = it.tax_basis_points is not None
    options: JsonObject = {
        "adaptive_pricing": {"enabled": False},
        "allow_promotion_codes": None,
        "automatic_tax": {
            "enabled": taxed,
            "liability": {"type": "self"} if taxed else None,
            "provider": "stripe" if taxed else None,
            "status": "complete" if taxed else None,
        },
        "billing_address_collection": None,
        "custom_fields": [],
        "custom_text": nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "customer_creation": "if_required",
        "discounts": [applied(it.discount)] if it.discount else [],
        "locale": None,
        "payment_method_collection": "if_required",
        "payment_method_options": {},
        "phone_number_collection": {"enabled": False},
        "submit_type": None,
    }
    return {**options, **it.echoed}


def _session_totals(it: Session) -> JsonObject:
    charged = it.shipping.amount if it.shipping else 0
    totals: JsonObject = {
        "total_details": {"amount_discount": it.discounted, "amount_shipping": charged, "amount_tax": it.tax},
        "shipping_options": [],
    }
    if it.shipping:
        totals["shipping_options"] = [
            {"shipping_amount": way.amount, "shipping_rate": way.rate_id} for way in it.shipping_options
        ]
        totals["shipping_cost"] = {
            "amount_subtotal": charged,
            "amount_tax": 0,
            "amount_total": charged,
            "shipping_rate": it.shipping.rate_id,
        }
    return totals


def _session_customer(it: Session) -> JsonObject:
    fields: JsonObject = {"customer_details": None}
    if it.ships_to:
        fields["shipping_address_collection"] = {"allowed_countries": list(it.ships_to)}
    buyer = it.paid_by
    if buyer is None:
        if it.customer_email:
            fields["customer_details"] = _customer(it.customer_email, None, None)
        return fields
    fields["customer_details"] = _customer(buyer.email, buyer.name, address(buyer))
    fields["collected_information"] = {
        "business_name": None,
        "individual_name": None,
        "shipping_details": {"address": address(buyer), "name": buyer.name} if it.ships_to else None,
    }
    return fields


def _customer(email: str | None, name: str | None, where: JsonObject | None) -> JsonObject:
    return {
        "address": where,
        "business_name": None,
        "email": email,
        "individual_name": None,
        "name": name,
        "phone": None,
        "tax_exempt": "none",
        "tax_ids": [],
    }


def breakdown(it: Session) -> JsonObject:
    """Which discount and which tax made the totals: `total_details.breakdown`, where it is expanded."""
    return {
        "discounts": [discount_amount(it.discounted, it.discount, it.id)] if it.discount else [],
        "taxes": [] if it.tax_basis_points is None else [_tax(it, it.tax_basis_points)],
    }


def _tax(it: Session, basis_points: int) -> JsonObject:
    inclusive = any(line.inclusive for line in it.lines)
    rate: JsonObject = {
        "id": "txr_simulated",
        "object": "tax_rate",
        **nulls("country description flat_amount jurisdiction jurisdiction_level state tax_type"),
        "active": True,
        "created": it.created,
        "display_name": "Tax",
        "effective_percentage": basis_points / 100,
        "inclusive": inclusive,
        "livemode": False,
        "metadata": {},
        "percentage": basis_points / 100,
        "rate_type": "percentage",
    }
    taxable = it.subtotal - it.discounted
    return {"amount": it.tax, "rate": rate, "taxability_reason": "standard_rated", "taxable_amount": taxable}


def line_discounts(it: Session, line: Line) -> list[JsonObject]:
    """What the discount took of one line, where it is expanded."""
    return [discount_amount(line.discount, it.discount, it.id)] if it.discount else []
