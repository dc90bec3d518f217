"""Makes checkout sessions of checked parameters, by the rules that Stripe's document does not tell. Knows no HTTP.

What would change the amount or the course of a payment and is not simulated is refused, never ignored.
"""

import re
from collections.abc import Mapping
from typing import Final

from app.demo.stripe.currencies import check_charge
from app.demo.stripe.discounts import discount_asked, priced
from app.demo.stripe.errors import NotSimulated, StripeProblem, missing
from app.demo.stripe.parameters.asked import metadata, only, required
from app.demo.stripe.parameters.values import JsonObject, Params, names
from app.demo.stripe.records.payments import Session
from app.demo.stripe.session_lines import lines_asked, shipping_asked
from app.demo.stripe.shown.parts import shipping_of
from app.demo.stripe.urls import check_url
from app.demo.stripe.world import World, new_id

_SHORTEST: Final = 30 * 60
_LONGEST: Final = 24 * 60 * 60
_REFERENCE: Final = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_EMAIL: Final = re.compile(r"[^\s@<>\x00-\x1f]+@[^\s@<>.\x00-\x1f]+(\.[^\s@<>.\x00-\x1f]+)+")

_HANDLED: Final = names("""
    mode line_items metadata payment_intent_data client_reference_id success_url cancel_url expires_at
    currency customer_email payment_method_types shipping_address_collection shipping_options automatic_tax
    discounts ui_mode expand
    """)
_ECHOED: Final = names("""
    locale submit_type billing_address_collection phone_number_collection allow_promotion_codes
    customer_creation adaptive_pricing
    """)
_INTENT_FIELDS: Final = names("""
    description receipt_email setup_future_usage statement_descriptor statement_descriptor_suffix transfer_group
    """)


def open_session(world: World, params: Params, account: str | None) -> Session:
    """A new open session. StripeProblem names the parameter that Stripe would refuse."""
    only(params, _HANDLED | _ECHOED)
    _mode(params)
    lines = lines_asked(world, params, account)
    currency = lines[0].currency
    ways = shipping_asked(world, params, currency)
    discount = discount_asked(world, params, account)
    tax = world.tax_basis_points if params.sub("automatic_tax").flag("enabled") else None
    session = Session(
        id=new_id("cs_test_", 58),
        account=account,
        created=world.now(),
        expires_at=_expiry(world, params),
        currency=currency,
        lines=priced(lines, discount, tax),
        shipping_options=ways,
        shipping=ways[0] if ways else None,
        success_url=_url(params, "success_url") or required(params, "success_url"),
        cancel_url=_url(params, "cancel_url"),
        metadata=metadata(params),
        client_reference_id=_reference(params),
        customer_email=_email(params),
        intent_metadata=metadata(params.sub("payment_intent_data")),
        intent_fields=_intent_fields(params.sub("payment_intent_data")),
        intent_shipping=_intent_shipping(params.sub("payment_intent_data")),
        ships_to=params.sub("shipping_address_collection").texts("allowed_countries"),
        tax_basis_points=tax,
        discount=discount,
        echoed={name: params.raw(name) for name in params if name in _ECHOED},
        methods=params.texts("payment_method_types") or ("card", later_method(currency)),
    )
    check_charge(session.total, currency, "line_items")
    world.sessions[session.id] = session
    return session


def later_method(currency: str) -> str:
    """The payment method that settles later: a debit where the double knows one, else a bank transfer."""
    return "sepa_debit" if currency == "eur" else "customer_balance"


def _mode(params: Params) -> None:
    if params.text("mode") is None:
        raise missing("mode")
    if params.text("mode") != "payment":
        raise NotSimulated("a mode other than payment", "mode")
    if params.text("ui_mode") not in (None, "hosted_page"):
        raise NotSimulated("a page that is not hosted", "ui_mode")


def _expiry(world: World, params: Params) -> int:
    now = world.now()
    at = params.integer("expires_at")
    if at is None:
        return now + _LONGEST
    if at < now + _SHORTEST:
        raise StripeProblem(
            "The `expires_at` timestamp must be at least 30 minutes from Checkout Session creation.",
            param="expires_at",
        )
    if at > now + _LONGEST:
        raise StripeProblem(
            "The `expires_at` timestamp must be less than 24 hours from Checkout Session creation.",
            param="expires_at",
        )
    return at


def _url(params: Params, name: str) -> str | None:
    url = params.text(name)
    if url is not None:
        check_url(url, params.param(name))
    return url


def _reference(params: Params) -> str | None:
    reference = params.text("client_reference_id")
    if reference is not None and not _REFERENCE.fullmatch(reference):
        raise StripeProblem("Invalid client_reference_id", param="client_reference_id")
    return reference


def _email(params: Params) -> str | None:
    email = params.text("customer_email")
    if email is not None and not is_email(email):
        raise StripeProblem(f"Invalid email address: {email[:100]}", code="email_invalid", param="customer_email")
    return email


def is_email(text: str) -> bool:
    """Whether `text` could be an e-mail address; no more than a pay page needs."""
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def _intent_fields(params: Params) -> Mapping[str, str]:
    only(params, _INTENT_FIELDS | {"metadata", "capture_method", "shipping"})
    if params.text("capture_method") == "manual":
        raise NotSimulated("payments that are captured later", params.param("capture_method"))
    return {name: params.text(name) or "" for name in params if name in _INTENT_FIELDS}


def _intent_shipping(params: Params) -> JsonObject | None:
    return shipping_of(params.sub("shipping")) if "shipping" in params else None
