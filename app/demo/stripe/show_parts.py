"""Parts that several of Stripe's objects share. Pure."""

from app.demo.stripe.records import Buyer
from app.demo.stripe.values import JsonObject


def nulls(names: str) -> JsonObject:
    """Fields that are there and empty."""
    return dict.fromkeys(names.split())


def address(buyer: Buyer) -> JsonObject:
    """Where the simulated buyer lives: nowhere, unless a country was asked for."""
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
