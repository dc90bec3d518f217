"""The API's operations on disputes and on the balance."""

from typing import Final

from app.demo.stripe.disputes import answer, close
from app.demo.stripe.errors import NotSimulated
from app.demo.stripe.operations.call import Call, Operations
from app.demo.stripe.operations.paging import of_account, page, refuse_filters
from app.demo.stripe.parameters.asked import changed_metadata
from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.records.transfers import Dispute
from app.demo.stripe.world import World, find


def get_dispute(world: World, call: Call) -> JsonObject:
    return world.show(_dispute(world, call))


def list_disputes(world: World, call: Call) -> JsonObject:
    intent, charge = call.params.text("payment_intent"), call.params.text("charge")
    wanted = [
        dispute
        for dispute in of_account(world.disputes.values(), call.account)
        if intent in (None, dispute.payment_intent) and charge in (None, dispute.charge)
    ]
    return page(world, wanted, call.params, "/v1/disputes")


def update_dispute(world: World, call: Call) -> JsonObject:
    """Evidence is submitted to the bank at once, unless `submit` says no."""
    dispute, params = _dispute(world, call), call.params
    if "enhanced_evidence" in params.sub("evidence"):
        raise NotSimulated("enhanced evidence", "evidence[enhanced_evidence]")
    submit = "submit" not in params or params.flag("submit")
    dispute.metadata = changed_metadata(dispute.metadata, params)
    answer(world, dispute, params.mapping("evidence"), submit=submit)
    return world.show(dispute)


def close_dispute(world: World, call: Call) -> JsonObject:
    """The merchant gives up: lost."""
    dispute = _dispute(world, call)
    close(world, dispute, won=False)
    return world.show(dispute)


def get_balance_transaction(world: World, call: Call) -> JsonObject:
    return world.show(
        find(world.balance_transactions, call.ids["id"], call.account, param="id", noun="balance transaction")
    )


def list_balance_transactions(world: World, call: Call) -> JsonObject:
    refuse_filters(call.params, "payout")
    filters = {name: call.params.text(name) for name in ("source", "currency", "type")}
    wanted = [
        one
        for one in of_account(world.balance_transactions.values(), call.account)
        if filters["source"] in (None, one.source)
        and filters["currency"] in (None, one.currency)
        and filters["type"] in (None, one.kind)
    ]
    return page(world, wanted, call.params, "/v1/balance_transactions")


def _dispute(world: World, call: Call) -> Dispute:
    return find(world.disputes, call.ids["dispute"], call.account, param="dispute", noun="dispute")


DISPUTE_OPERATIONS: Final[Operations] = {
    ("GET", "/v1/disputes"): list_disputes,
    ("GET", "/v1/disputes/{dispute}"): get_dispute,
    ("POST", "/v1/disputes/{dispute}"): update_dispute,
    ("POST", "/v1/disputes/{dispute}/close"): close_dispute,
    ("GET", "/v1/balance_transactions"): list_balance_transactions,
    ("GET", "/v1/balance_transactions/{id}"): get_balance_transaction,
}
