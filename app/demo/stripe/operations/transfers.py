"""The API's operations on connected accounts, transfers and reversals."""

from typing import Final

from app.demo.stripe.errors import no_such
from app.demo.stripe.operations.call import Call, Operations
from app.demo.stripe.operations.paging import of_account, page
from app.demo.stripe.parameters.asked import metadata, only
from app.demo.stripe.parameters.values import JsonObject, names
from app.demo.stripe.records.transfers import Transfer
from app.demo.stripe.transfers import create_account, create_transfer, describe_transfer, reverse
from app.demo.stripe.world import World, find


def post_account(world: World, call: Call) -> JsonObject:
    only(call.params, names("type country email metadata expand"))
    return world.show(create_account(world, described=metadata(call.params)))


def get_account(world: World, call: Call) -> JsonObject:
    return world.show(find(world.accounts, call.ids["account"], call.account, param="account", noun="account"))


def post_transfer(world: World, call: Call) -> JsonObject:
    return world.show(create_transfer(world, call.params, call.account))


def get_transfer(world: World, call: Call) -> JsonObject:
    return world.show(_transfer(world, call))


def update_transfer(world: World, call: Call) -> JsonObject:
    return world.show(describe_transfer(world, _transfer(world, call), call.params))


def list_transfers(world: World, call: Call) -> JsonObject:
    destination, group = call.params.text("destination"), call.params.text("transfer_group")
    wanted = [
        transfer
        for transfer in of_account(world.transfers.values(), call.account)
        if destination in (None, transfer.destination) and group in (None, transfer.transfer_group)
    ]
    return page(world, wanted, call.params, "/v1/transfers")


def post_reversal(world: World, call: Call) -> JsonObject:
    return world.show(reverse(world, _transfer(world, call), call.params))


def list_reversals(world: World, call: Call) -> JsonObject:
    transfer = _transfer(world, call)
    return page(world, transfer.reversals, call.params, f"/v1/transfers/{transfer.id}/reversals")


def get_reversal(world: World, call: Call) -> JsonObject:
    for reversal in _transfer(world, call).reversals:
        if reversal.id == call.ids["id"]:
            return world.show(reversal)
    raise no_such("transfer reversal", call.ids["id"][:100], "id")


def _transfer(world: World, call: Call) -> Transfer:
    identifier = call.ids.get("transfer") or call.ids["id"]
    return find(world.transfers, identifier, call.account, param="transfer", noun="transfer")


TRANSFER_OPERATIONS: Final[Operations] = {
    ("POST", "/v1/accounts"): post_account,
    ("GET", "/v1/accounts/{account}"): get_account,
    ("POST", "/v1/transfers"): post_transfer,
    ("GET", "/v1/transfers"): list_transfers,
    ("GET", "/v1/transfers/{transfer}"): get_transfer,
    ("POST", "/v1/transfers/{transfer}"): update_transfer,
    ("POST", "/v1/transfers/{id}/reversals"): post_reversal,
    ("GET", "/v1/transfers/{id}/reversals"): list_reversals,
    ("GET", "/v1/transfers/{transfer}/reversals/{id}"): get_reversal,
}
