"""Connected accounts, transfers and their reversals as Stripe shows them. Pure."""

from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.transfers import Account, Reversal, Transfer


def transfer(it: Transfer) -> JsonObject:
    reversals = [reversal(one) for one in reversed(it.reversals)]
    return {
        "id": it.id,
        "object": "transfer",
        "amount": it.amount,
        "amount_reversed": it.reversed,
        "balance_transaction": it.move.id,
        "created": it.created,
        "currency": it.currency,
        "description": it.description,
        "destination": it.destination,
        "livemode": False,
        "metadata": dict(it.metadata),
        "reversals": {
            "object": "list",
            "data": reversals[:10],
            "has_more": len(reversals) > 10,
            "url": f"/v1/transfers/{it.id}/reversals",
        },
        "reversed": it.reversed == it.amount,
        "source_transaction": it.source_transaction,
        "source_type": "card",
        "transfer_group": it.transfer_group,
    }


def reversal(it: Reversal) -> JsonObject:
    return {
        "id": it.id,
        "object": "transfer_reversal",
        "amount": it.amount,
        "balance_transaction": it.move.id,
        "created": it.created,
        "currency": it.currency,
        "destination_payment_refund": None,
        "metadata": dict(it.metadata),
        "source_refund": None,
        "transfer": it.transfer,
    }


def account(it: Account) -> JsonObject:
    """An account that can charge: the simulated Stripe asks nobody who he is."""
    return {
        "id": it.id,
        "object": "account",
        "capabilities": {"card_payments": "active", "transfers": "active"},
        "charges_enabled": True,
        "country": "US",
        "created": it.created,
        "default_currency": "usd",
        "details_submitted": True,
        "email": None,
        "metadata": dict(it.metadata),
        "payouts_enabled": True,
        "type": "standard",
    }
