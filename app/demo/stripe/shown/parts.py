"""Parts that several of Stripe's objects share. Pure."""

from app.demo.stripe.parameters.values import JsonObject, Params
from app.demo.stripe.records.payments import Buyer


def nulls(names: str) -> JsonObject:
    """Fields that are there and empty."""
    return dict.fromkeys(names.split())


def address(buyer: Buyer) -> JsonObject:
    """Where the simulated buyer lives: nowhere, unless an address or a country was asked for."""
    if buyer.address is not None:
        return {**nulls("city country line1 line2 postal_code state"), **buyer.address}
    if buyer.country is None:
        return nulls("city country line1 line2 postal_code state")
    return {
        "city": "Simulation",
        "country": buyer.country,
        "line1": "1 Simulated Street",
        "line2": None,
        "postal_code": "00000",
        "state": None,
    }


def billing_details(buyer: Buyer) -> JsonObject:
    return {"address": address(buyer), "email": buyer.email, "name": buyer.name, "phone": None, "tax_id": None}


def shipping_to(buyer: Buyer) -> JsonObject:
    """Where a payment's goods go, as the buyer said."""
    return {**nulls("carrier phone tracking_number"), "address": address(buyer), "name": buyer.name or ""}


def shipping_of(params: Params) -> JsonObject:
    """Where a payment's goods go, as the shop said."""
    given = {name: params.text(name) for name in ("carrier", "name", "phone", "tracking_number")}
    where: JsonObject = {**nulls("city country line1 line2 postal_code state"), **params.mapping("address")}
    return {**given, "address": where}
