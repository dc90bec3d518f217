"""The operations of the API: of checked parameters, an answer. Who calls `perform` holds the world's lock."""

from typing import Final

from app.demo.stripe.balance import available, currencies
from app.demo.stripe.operations.call import Call, Operation, Operations
from app.demo.stripe.operations.catalog import CATALOG_OPERATIONS
from app.demo.stripe.operations.disputes import DISPUTE_OPERATIONS
from app.demo.stripe.operations.offers import OFFER_OPERATIONS
from app.demo.stripe.operations.paging import of_account, page, refuse_filters, slice_of
from app.demo.stripe.operations.payments import PAYMENT_OPERATIONS, UNDOCUMENTED_OPERATIONS
from app.demo.stripe.operations.transfers import TRANSFER_OPERATIONS
from app.demo.stripe.parameters.values import JsonObject
from app.demo.stripe.payments import expire
from app.demo.stripe.records.payments import Event, Refund, Session
from app.demo.stripe.refunds import describe, refund_as_asked
from app.demo.stripe.sessions import open_session
from app.demo.stripe.shown.catalog import line_item
from app.demo.stripe.shown.expansion import expand
from app.demo.stripe.shown.record import balance
from app.demo.stripe.world import World, find

_EVENTS_KEPT: Final = 30 * 24 * 60 * 60


def create_session(world: World, call: Call) -> JsonObject:
    return world.show(open_session(world, call.params, call.account))


def get_session(world: World, call: Call) -> JsonObject:
    return world.show(_session(world, call))


def list_sessions(world: World, call: Call) -> JsonObject:
    intent, status = call.params.text("payment_intent"), call.params.text("status")
    refuse_filters(call.params, "customer", "customer_account", "customer_details", "payment_link", "subscription")
    wanted = [
        session
        for session in of_account(world.sessions.values(), call.account)
        if (intent is None or session.payment_intent == intent) and (status is None or session.status == status)
    ]
    return page(world, wanted, call.params, "/v1/checkout/sessions")


def list_lines(world: World, call: Call) -> JsonObject:
    session = _session(world, call)
    items = [line_item(line) for line in session.lines]
    return slice_of(items, call.params, f"/v1/checkout/sessions/{session.id}/line_items")


def expire_session(world: World, call: Call) -> JsonObject:
    session = _session(world, call)
    expire(world, session)
    return world.show(session)


def get_charge(world: World, call: Call) -> JsonObject:
    return world.show(find(world.charges, call.ids["charge"], call.account, param="id", noun="charge"))


def create_refund(world: World, call: Call) -> JsonObject:
    return world.show(refund_as_asked(world, call.params, call.account))


def get_refund(world: World, call: Call) -> JsonObject:
    return world.show(_refund(world, call))


def update_refund(world: World, call: Call) -> JsonObject:
    return world.show(describe(world, _refund(world, call), call.params))


def list_refunds(world: World, call: Call) -> JsonObject:
    intent, charge = call.params.text("payment_intent"), call.params.text("charge")
    wanted = [
        refund
        for refund in of_account(world.refunds.values(), call.account)
        if intent in (None, refund.payment_intent) and charge in (None, refund.charge)
    ]
    return page(world, wanted, call.params, "/v1/refunds")


def get_event(world: World, call: Call) -> JsonObject:
    return world.show(find(world.events, call.ids["id"], call.account, param="id", noun="event"))


def list_events(world: World, call: Call) -> JsonObject:
    """Events of the last 30 days; `type` may end in `.*`."""
    refuse_filters(call.params, "delivery_success")
    kinds = call.params.texts("types") or tuple(filter(None, [call.params.text("type")]))
    oldest = world.now() - _EVENTS_KEPT
    wanted = [
        event
        for event in of_account(world.events.values(), call.account)
        if event.created > oldest and (not kinds or any(_is_kind(event, kind) for kind in kinds))
    ]
    return page(world, wanted, call.params, "/v1/events")


def get_balance(world: World, call: Call) -> JsonObject:
    """What an account could pass on. One that never had anything has nothing, in dollars."""
    held = currencies(world, call.account) or ["usd"]
    return balance({currency: available(world, call.account, currency) for currency in held})


def _is_kind(event: Event, kind: str) -> bool:
    return event.type.startswith(kind[:-1]) if kind.endswith(".*") else event.type == kind


def _session(world: World, call: Call) -> Session:
    return find(world.sessions, call.ids["session"], call.account, param="session", noun="checkout.session")


def _refund(world: World, call: Call) -> Refund:
    return find(world.refunds, call.ids["refund"], call.account, param="id", noun="refund")


def perform(world: World, operation: Operation, call: Call) -> JsonObject:
    """Do it, and expand what was asked to be expanded."""
    return expand(world, operation(world, call), call.params.texts("expand"))


OPERATIONS: Final[Operations] = {
    ("POST", "/v1/checkout/sessions"): create_session,
    ("GET", "/v1/checkout/sessions"): list_sessions,
    ("GET", "/v1/checkout/sessions/{session}"): get_session,
    ("GET", "/v1/checkout/sessions/{session}/line_items"): list_lines,
    ("POST", "/v1/checkout/sessions/{session}/expire"): expire_session,
    ("GET", "/v1/charges/{charge}"): get_charge,
    ("POST", "/v1/refunds"): create_refund,
    ("GET", "/v1/refunds"): list_refunds,
    ("GET", "/v1/refunds/{refund}"): get_refund,
    ("POST", "/v1/refunds/{refund}"): update_refund,
    ("GET", "/v1/events"): list_events,
    ("GET", "/v1/events/{id}"): get_event,
    ("GET", "/v1/balance"): get_balance,
    **CATALOG_OPERATIONS,
    **OFFER_OPERATIONS,
    **PAYMENT_OPERATIONS,
    **UNDOCUMENTED_OPERATIONS,
    **DISPUTE_OPERATIONS,
    **TRANSFER_OPERATIONS,
}
