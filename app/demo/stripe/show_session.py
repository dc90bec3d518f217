"""Checkout sessions, their lines and ad-hoc prices, as Stripe shows them. Pure.

Fields that Stripe's document calls nullable are shown as null where the double has nothing to say; fields that appear
only when expanded (`line_items`) are left out here.
"""

from typing import Final

from app.demo.stripe.records import Line, Session
from app.demo.stripe.show_parts import address, nulls
from app.demo.stripe.values import JsonObject

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
    options: JsonObject = {
        "adaptive_pricing": {"enabled": False},
        "allow_promotion_codes": None,
        "automatic_tax": {
            "enabled": it.taxed,
            "liability": {"type": "self"} if it.taxed else None,
            "provider": "stripe" if it.taxed else None,
            "status": "complete" if it.taxed else None,
        },
        "billing_address_collection": None,
        "custom_fields": [],
        "custom_text": nulls("after_submit shipping_address submit terms_of_service_acceptance"),
        "customer_creation": "if_required",
        "discounts": [],
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
        "total_details": {"amount_discount": 0, "amount_shipping": charged, "amount_tax": it.tax},
        "shipping_options": [],
    }
    if it.shipping:
        rate = it.shipping.rate_id
        totals["shipping_options"] = [{"shipping_amount": charged, "shipping_rate": rate}]
        totals["shipping_cost"] = {
            "amount_subtotal": charged,
            "amount_tax": 0,
            "amount_total": charged,
            "shipping_rate": rate,
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


def _customer(email: str, name: str | None, where: JsonObject | None) -> JsonObject:
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


def line_item(line: Line) -> JsonObject:
    """A line of a session (`object: item`), with its ad-hoc price."""
    return {
        "id": line.id,
        "object": "item",
        "amount_discount": 0,
        "amount_subtotal": line.subtotal,
        "amount_tax": line.tax,
        "amount_total": line.subtotal + line.tax,
        "currency": line.currency,
        "description": line.name,
        "metadata": dict(line.metadata),
        "price": _price(line),
        "quantity": line.quantity,
    }


def _price(line: Line) -> JsonObject:
    return {
        "id": line.price_id,
        "object": "price",
        "active": False,  # as with every price that was made for one session
        "billing_scheme": "per_unit",
        "created": line.created,
        "currency": line.currency,
        "custom_unit_amount": None,
        "livemode": False,
        "lookup_key": None,
        "metadata": {},
        "nickname": None,
        "product": line.product_id,
        "recurring": None,
        "tax_behavior": "unspecified",
        "tiers_mode": None,
        "transform_quantity": None,
        "type": "one_time",
        "unit_amount": line.unit_amount,
        "unit_amount_decimal": str(line.unit_amount),
    }


def product(line: Line) -> JsonObject:
    """The ad-hoc product of a line."""
    return {
        "id": line.product_id,
        "object": "product",
        "active": False,
        "created": line.created,
        "default_price": None,
        "description": line.description,
        "images": list(line.images),
        "livemode": False,
        "marketing_features": [],
        "metadata": dict(line.product_metadata),
        "name": line.name,
        "package_dimensions": None,
        "shippable": None,
        "statement_descriptor": None,
        "tax_code": None,
        "unit_label": None,
        "updated": line.created,
        "url": None,
    }
