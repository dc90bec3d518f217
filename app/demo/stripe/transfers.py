"""Transfers to connected accounts, and what is taken back of them (Stripe Connect). Knows no HTTP.

A refund of a payment reverses no transfer, as at Stripe: who transfers, reverses.
"""

from app.demo.stripe.balance import available, move
from app.demo.stripe.currencies import check_amount, check_currency
from app.demo.stripe.errors import StripeProblem, missing
from app.demo.stripe.parameters.asked import changed_metadata, metadata, only, required
from app.demo.stripe.parameters.values import JsonObject, Params, names
from app.demo.stripe.records.payments import Charge
from app.demo.stripe.records.transfers import Account, Reversal, Transfer
from app.demo.stripe.world import World, find, new_id


def create_account(world: World, identifier: str | None = None, described: dict[str, str] | None = None) -> Account:
    """A connected account."""
    made = Account(identifier or new_id("acct_1", 16), world.now(), described or {})
    world.accounts[made.id] = made
    return made


def create_transfer(world: World, params: Params, account: str | None) -> Transfer:
    """`POST /v1/transfers`: no more than the balance, or than is left of the payment that it is tied to."""
    only(
        params,
        names("amount currency destination description source_transaction transfer_group metadata expand"),
    )
    amount, currency = _amount(params), check_currency(required(params, "currency"), "currency")
    check_amount(amount, currency, "amount")
    destination = required(params, "destination")
    if destination not in world.accounts:
        raise StripeProblem(f"No such destination: '{destination[:100]}'", code="resource_missing", param="destination")
    charge = _source(world, params, account, amount, currency)
    if charge is None and amount > available(world, account, currency):
        raise StripeProblem(
            "You have insufficient available funds in your Stripe account.", code="balance_insufficient"
        )
    identifier = new_id("tr_1")
    made = Transfer(
        id=identifier,
        account=account,
        created=world.now(),
        amount=amount,
        currency=currency,
        destination=destination,
        description=params.text("description"),
        source_transaction=charge.id if charge else None,
        transfer_group=params.text("transfer_group") or (f"group_{charge.payment_intent}" if charge else None),
        move=move(
            world,
            account,
            -amount,
            currency,
            kind="transfer",
            category="transfer",
            source=identifier,
            description=f"Transfer to {destination}",
        ),
        metadata=metadata(params),
    )
    world.transfers[made.id] = made
    world.emit("transfer.created", made)
    return made


def reverse(world: World, transfer: Transfer, params: Params) -> Reversal:
    """`POST /v1/transfers/{id}/reversals`: take back an amount, or all that is left."""
    only(params, names("amount description metadata expand"))
    left = transfer.amount - transfer.reversed
    if left == 0:
        raise StripeProblem(f"Transfer {transfer.id} has already been fully reversed.")
    amount = left if params.integer("amount") is None else _amount(params)
    check_amount(amount, transfer.currency, "amount")
    if amount > left:
        raise StripeProblem(
            f"Transfer reversal amount ({amount}) is greater than the unreversed amount ({left}).", param="amount"
        )
    before: JsonObject = {"amount_reversed": transfer.reversed, "reversed": False}
    identifier = new_id("trr_1")
    made = Reversal(
        id=identifier,
        account=transfer.account,
        created=world.now(),
        amount=amount,
        currency=transfer.currency,
        transfer=transfer.id,
        move=move(
            world,
            transfer.account,
            amount,
            transfer.currency,
            kind="transfer_refund",
            category="transfer_reversal",
            source=identifier,
            description=params.text("description") or f"Reversal of {transfer.id}",
        ),
        metadata=metadata(params),
    )
    transfer.reversals.append(made)
    world.reversals[made.id] = made
    world.emit("transfer.reversed", transfer, before)
    return made


def describe_transfer(world: World, transfer: Transfer, params: Params) -> Transfer:
    """`POST /v1/transfers/{id}`: its metadata and its description."""
    before: JsonObject = {}
    if "metadata" in params:
        before["metadata"] = dict(transfer.metadata)
        transfer.metadata = changed_metadata(transfer.metadata, params)
    if "description" in params:
        before["description"], transfer.description = transfer.description, params.text("description")
    if before:
        world.emit("transfer.updated", transfer, before)
    return transfer


def _amount(params: Params) -> int:
    amount = params.integer("amount")
    if amount is None:
        raise missing("amount")
    if amount < 1:
        raise StripeProblem("Invalid positive integer", code="parameter_invalid_integer", param="amount")
    return amount


def _source(world: World, params: Params, account: str | None, amount: int, currency: str) -> Charge | None:
    """The payment out of which a transfer is made, where one is named."""
    identifier = params.text("source_transaction")
    if identifier is None:
        return None
    charge = find(world.charges, identifier, account, param="source_transaction", noun="charge", status=400)
    taken = sum(one.amount - one.reversed for one in world.transfers.values() if one.source_transaction == charge.id)
    if charge.status == "failed" or charge.currency != currency:
        raise StripeProblem("This charge cannot be transferred from.", param="source_transaction")
    if amount > charge.amount - taken:
        raise StripeProblem(
            f"The amount is greater than what is left of the source charge ({charge.amount - taken}).", param="amount"
        )
    return charge
