"""The balance of an account: what payments brought, less what was given back, taken by banks, or passed on.

Payments count at once and whole: the simulated Stripe takes no fee of a payment and makes nobody wait.
"""

from app.demo.stripe.records.transfers import BalanceTransaction
from app.demo.stripe.world import World, new_id


def available(world: World, account: str | None, currency: str) -> int:
    """What an account could pass on now, in minor units. May be below zero."""
    charges = (
        charge.refundable
        for charge in world.charges.values()
        if charge.account == account and charge.currency == currency and charge.status == "succeeded"
    )
    moves = (
        move.amount - move.fee
        for move in world.balance_transactions.values()
        if move.account == account and move.currency == currency
    )
    return sum(charges) + sum(moves)


def currencies(world: World, account: str | None) -> list[str]:
    """Those in which an account has ever had anything, in the order of the alphabet."""
    paid = {charge.currency for charge in world.charges.values() if charge.account == account}
    moved = {move.currency for move in world.balance_transactions.values() if move.account == account}
    return sorted(paid | moved)


def move(
    world: World,
    account: str | None,
    amount: int,
    currency: str,
    *,
    kind: str,
    category: str,
    source: str,
    description: str,
    fee: int = 0,
) -> BalanceTransaction:
    """Money goes (below zero) or comes, other than by a payment."""
    made = BalanceTransaction(
        id=new_id("txn_1"),
        account=account,
        created=world.now(),
        amount=amount,
        fee=fee,
        currency=currency,
        kind=kind,
        category=category,
        source=source,
        description=description,
    )
    world.balance_transactions[made.id] = made
    return made
