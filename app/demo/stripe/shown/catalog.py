"""Products, prices, lines and ways of shipping as Stripe shows them. Pure."""

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.catalog import Line, Price, Product, Shipping
from app.demo.stripe.shown.parts import nulls


def product(it: Product) -> JsonObject:
    return {
        "id": it.id,
        "object": "product",
        **nulls("default_price package_dimensions shippable statement_descriptor tax_code unit_label url"),
        "active": it.active,
        "created": it.created,
        "description": it.description,
        "images": list(it.images),
        "livemode": False,
        "marketing_features": [],
        "metadata": dict(it.metadata),
        "name": it.name,
        "updated": it.created,
    }


def price(it: Price) -> JsonObject:
    return {
        "id": it.id,
        "object": "price",
        **nulls("custom_unit_amount lookup_key nickname recurring tiers_mode transform_quantity"),
        "active": it.active,
        "billing_scheme": "per_unit",
        "created": it.created,
        "currency": it.currency,
        "livemode": False,
        "metadata": dict(it.metadata),
        "product": it.product.id,
        "tax_behavior": it.tax_behavior,
        "type": "one_time",
        "unit_amount": it.unit_amount,
        "unit_amount_decimal": str(it.unit_amount),
    }


def line_item(line: Line) -> JsonObject:
    """A line of a session (`object: item`)."""
    return {
        "id": line.id,
        "object": "item",
        "amount_discount": line.discount,
        "amount_subtotal": line.subtotal,
        "amount_tax": line.tax,
        "amount_total": line.total,
        "currency": line.currency,
        "description": line.product.name,
        "metadata": dict(line.metadata),
        "price": price(line.price),
        "quantity": line.quantity,
    }


def shipping_rate(it: Shipping) -> JsonObject:
    """A way of shipping that was made for one session."""
    return {
        "id": it.rate_id,
        "object": "shipping_rate",
        "active": False,
        "created": it.created,
        "delivery_estimate": it.estimate,
        "display_name": it.name,
        "fixed_amount": {"amount": it.amount, "currency": it.currency},
        "livemode": False,
        "metadata": dict(it.metadata),
        "tax_behavior": it.tax_behavior,
        "tax_code": None,
        "type": "fixed_amount",
    }
