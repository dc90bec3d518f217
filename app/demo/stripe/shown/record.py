"""The double's records as Stripe shows them, API version 2026-08-26.dahlia. Pure."""

from collections.abc import Mapping, Sequence
from typing import Final

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.catalog import Price, Product
from app.demo.stripe.records.offers import Coupon, PromotionCode
from app.demo.stripe.records.payments import Charge, Event, PaymentIntent, PaymentMethod, Record, Refund, Session
from app.demo.stripe.records.transfers import Account, BalanceTransaction, Dispute, Reversal, Transfer
from app.demo.stripe.shown.catalog import price, product
from app.demo.stripe.shown.dispute import balance_transaction, dispute
from app.demo.stripe.shown.offer import coupon, promotion_code
from app.demo.stripe.shown.payment import charge, payment_intent, payment_method, refund
from app.demo.stripe.shown.session import session
from app.demo.stripe.shown.transfer import account, reversal, transfer

API_VERSION: Final = "2026-08-26.dahlia"


def shown(record: Record, now: int, base_url: str = "", endpoints: int = 0) -> JsonObject:
    """The object as Stripe sends it at `now`. The pay page is at `base_url`; `endpoints` hear an event."""
    match record:
        case Session():
            return session(record, base_url)
        case PaymentIntent():
            return payment_intent(record)
        case PaymentMethod():
            return payment_method(record)
        case Charge():
            return charge(record)
        case Refund():
            return refund(record)
        case Product():
            return product(record)
        case Price():
            return price(record)
        case Coupon():
            return coupon(record, now)
        case PromotionCode():
            return promotion_code(record, now)
        case Account():
            return account(record)
        case Transfer():
            return transfer(record)
        case Reversal():
            return reversal(record)
        case Dispute():
            return dispute(record)
        case BalanceTransaction():
            return balance_transaction(record)
        case Event():
            return event(record, endpoints)


def event(it: Event, endpoints: int) -> JsonObject:
    data: JsonObject = {"object": it.object}
    if it.previous is not None:
        data["previous_attributes"] = it.previous
    fields: JsonObject = {
        "id": it.id,
        "object": "event",
        "api_version": API_VERSION,
        "created": it.created,
        "data": data,
        "livemode": False,
        "pending_webhooks": endpoints,
        "request": {"id": it.request_id, "idempotency_key": it.idempotency_key},
        "type": it.type,
    }
    if it.account is not None:
        fields["account"] = it.account
    return fields


def listing(items: Sequence[JsonObject], url: str, *, has_more: bool = False) -> JsonObject:
    """Stripe's list object."""
    return {"object": "list", "data": list(items), "has_more": has_more, "url": url}


def balance(amounts: Mapping[str, int]) -> JsonObject:
    """A balance by currency, all of it available: the simulated Stripe makes nobody wait."""
    pending = _funds(dict.fromkeys(amounts, 0))
    return {"object": "balance", "available": _funds(amounts), "pending": pending, "livemode": False}


def _funds(amounts: Mapping[str, int]) -> list[JsonObject]:
    return [
        {"amount": amount, "currency": currency, "source_types": {"card": amount}}
        for currency, amount in amounts.items()
    ]
