"""Means of payment: Stripe's test cards and bank accounts, and what each of them does. Knows no HTTP.

Source: Stripe's documentation, "Test payment methods". What is not listed is refused: nobody's card belongs here.
"""

import hashlib
from dataclasses import dataclass
from typing import Final

from app.demo.stripe.errors import NotSimulated, StripeProblem, missing
from app.demo.stripe.parameters.asked import metadata, only
from app.demo.stripe.parameters.values import JsonObject, Params, names
from app.demo.stripe.records.payments import Buyer, Card, PaymentMethod
from app.demo.stripe.world import World, find, new_id

_BRANDS: Final = ("visa", "mastercard", "amex", "discover")
_CARDS: Final = {
    "visa": ("visa", "4242", "pays"),
    "mastercard": ("mastercard", "4444", "pays"),
    "amex": ("amex", "8431", "pays"),
    "bypassPending": ("visa", "0077", "pays"),
    "chargeDeclined": ("visa", "0002", "declines"),
    "visa_chargeDeclined": ("visa", "0002", "declines"),
    "createDispute": ("visa", "0259", "disputes"),
    "createDisputeProductNotReceived": ("visa", "2685", "disputes_product_not_received"),
    "createDisputeInquiry": ("visa", "1976", "inquires"),
}
_ACCOUNTS: Final = {
    "AT611904300234573201": "pays",
    "DE89370400440532013000": "pays",
    "AT321904300235473204": "pays",
    "IT60X0542811101000000123456": "fails",
    "AT861904300235473202": "fails",
    "DE62370400440532013001": "fails",
}


@dataclass(frozen=True)
class _Means:
    card: Card | None
    outcome: str


def card_of(owner: str) -> Card:
    """The simulated card of a person: the same each time, another for another person.

    Stripe's fingerprint tells one card number from another, so two buyers must not share one here either.
    """
    digest = hashlib.sha256(owner.strip().lower().encode()).hexdigest()
    return Card(
        brand=_BRANDS[int(digest[0], 16) % len(_BRANDS)],
        last4=f"{int(digest[:8], 16) % 10_000:04}",
        fingerprint=digest[:16],
    )


def create_method(world: World, params: Params, account: str | None) -> PaymentMethod:
    """`POST /v1/payment_methods`: a test card by its token, or a test bank account by its IBAN."""
    only(params, names("type card sepa_debit billing_details metadata expand"))
    kind = params.text("type")
    if kind is None:
        raise missing("type")
    if kind == "card":
        only(params.sub("card"), names("token"))
        means = _card((params.sub("card").text("token") or "").removeprefix("tok_"), "card[token]")
    elif kind == "sepa_debit":
        means = _account((params.sub("sepa_debit").text("iban") or "").replace(" ", "").upper())
    else:
        raise NotSimulated("a payment method of this type", "type")
    return _keep(world, account, kind, means, _owner(params.sub("billing_details")), metadata(params))


def method_asked(world: World, identifier: str, account: str | None) -> PaymentMethod:
    """The payment method of this id, or a new one of a test card such as `pm_card_visa`."""
    if identifier.startswith("pm_card_"):
        means = _card(identifier.removeprefix("pm_card_"), "payment_method")
        return _keep(world, account, "card", means, Buyer(None, None, None), {})
    return find(world.payment_methods, identifier, account, param="payment_method", noun="PaymentMethod", status=400)


def _card(name: str, param: str) -> _Means:
    if name not in _CARDS:
        raise NotSimulated("this test card", param)
    brand, last4, outcome = _CARDS[name]
    return _Means(Card(brand, last4, hashlib.sha256(last4.encode()).hexdigest()[:16]), outcome)


def _account(iban: str) -> _Means:
    if iban not in _ACCOUNTS:
        raise StripeProblem("The simulated Stripe takes test IBANs only.", param="sepa_debit[iban]")
    return _Means(None, _ACCOUNTS[iban])


def _owner(details: Params) -> Buyer:
    where = details.sub("address")
    address: JsonObject | None = dict(details.mapping("address")) or None
    return Buyer(details.text("email") or None, details.text("name") or None, where.text("country"), address)


def _keep(
    world: World, account: str | None, kind: str, means: _Means, owner: Buyer, described: dict[str, str]
) -> PaymentMethod:
    made = PaymentMethod(
        id=new_id("pm_1"),
        account=account,
        created=world.now(),
        type=kind,
        card=means.card,
        outcome=means.outcome,
        owner=owner,
        metadata=described,
    )
    world.payment_methods[made.id] = made
    return made
