"""The operations of Stripe's API that are simulated: checked parameters in, the answer's object out. Knows no HTTP
server; the caller holds the world's lock."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final, TypeAlias, TypeVar

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.expansion import expand
from app.demo.stripe.payments import expire
from app.demo.stripe.records import Event, Record, Refund, Session
from app.demo.stripe.refunds import describe, refund_as_asked
from app.demo.stripe.sessions import open_session
from app.demo.stripe.show import balance, listing
from app.demo.stripe.show_session import line_item
from app.demo.stripe.values import JsonObject, Params
from app.demo.stripe.world import World, find

R = TypeVar("R", Session, Refund, Event)
_EVENTS_KEPT: Final = 30 * 24 * 60 * 60
_COMPARED: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


@dataclass(frozen=True)
class Call:
    """A request that was let in: its parameters have their types, `ids` come from its path."""

    params: Params
    ids: Mapping[str, str]
    account: str | None


Operation: TypeAlias = Callable[[World, Call], JsonObject]


def create_session(world: World, call: Call) -> JsonObject:
    return world.show(open_session(world, call.params, call.account))


def get_session(world: World, call: Call) -> JsonObject:
    return world.show(_session(world, call))


def list_sessions(world: World, call: Call) -> JsonObject:
    intent, status = call.params.text("payment_intent"), call.params.text("status")
    _refuse_filters(call.params, "customer", "customer_account", "customer_details", "payment_link", "subscription")
    wanted = [
        session
        for session in _of_account(world.sessions.values(), call)
        if (intent is None or session.payment_intent == intent) and (status is None or session.status == status)
    ]
    return _page(world, wanted, call.params, "/v1/checkout/sessions")


def list_lines(world: World, call: Call) -> JsonObject:
    session = _session(world, call)
    items = [line_item(line) for line in session.lines]
    return _slice(items, call.params, f"/v1/checkout/sessions/{session.id}/line_items")


def expire_session(world: World, call: Call) -> JsonObject:
    session = _session(world, call)
    expire(world, session)
    return world.show(session)


def get_payment_intent(world: World, call: Call) -> JsonObject:
    return world.show(
        find(world.payment_intents, call.ids["intent"], call.account, param="intent", noun="payment_intent")
    )


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
        for refund in _of_account(world.refunds.values(), call)
        if intent in (None, refund.payment_intent) and charge in (None, refund.charge)
    ]
    return _page(world, wanted, call.params, "/v1/refunds")


def get_event(world: World, call: Call) -> JsonObject:
    return world.show(find(world.events, call.ids["id"], call.account, param="id", noun="event"))


def list_events(world: World, call: Call) -> JsonObject:
    """Events of the last 30 days; `type` may end in `.*`."""
    _refuse_filters(call.params, "delivery_success")
    kinds = call.params.texts("types") or tuple(filter(None, [call.params.text("type")]))
    oldest = world.now() - _EVENTS_KEPT
    wanted = [
        event
        for event in _of_account(world.events.values(), call)
        if event.created > oldest and (not kinds or any(_is_kind(event, kind) for kind in kinds))
    ]
    return _page(world, wanted, call.params, "/v1/events")


def get_balance(_world: World, _call: Call) -> JsonObject:
    """A ping: the simulated balance is empty."""
    return balance()


def _is_kind(event: Event, kind: str) -> bool:
    return event.type.startswith(kind[:-1]) if kind.endswith(".*") else event.type == kind


def _session(world: World, call: Call) -> Session:
    return find(world.sessions, call.ids["session"], call.account, param="session", noun="checkout.session")


def _refund(world: World, call: Call) -> Refund:
    return find(world.refunds, call.ids["refund"], call.account, param="id", noun="refund")


def _of_account(records: Iterable[R], call: Call) -> Iterable[R]:
    return (record for record in records if record.account == call.account)


def _refuse_filters(params: Params, *names: str) -> None:
    for name in names:
        if name in params:
            raise StripeProblem(f"The simulated Stripe does not filter by {name}", param=name)


def _page(world: World, records: Iterable[Record], params: Params, url: str) -> JsonObject:
    """Newest first. Only what is on the page is shown, so a long list costs what it shows."""
    wanted = [record for record in records if _created(record.created, params)]
    part, more = _window([record.id for record in reversed(wanted)], params)
    by_id = {record.id: record for record in wanted}
    return listing([world.show(by_id[identifier]) for identifier in part], url, has_more=more)


def _slice(items: list[JsonObject], params: Params, url: str) -> JsonObject:
    part, more = _window([str(item["id"]) for item in items], params)
    return listing([item for item in items if item["id"] in part], url, has_more=more)


def _created(at: int, params: Params) -> bool:
    bound = params.raw("created")
    if isinstance(bound, int):
        return at == bound
    bounds = params.sub("created")
    return all(_COMPARED[name](at, bounds.integer(name) or 0) for name in bounds)


def _window(ids: list[str], params: Params) -> tuple[list[str], bool]:
    limit = params.integer("limit")
    limit = 10 if limit is None else limit
    if not 1 <= limit <= 100:
        raise StripeProblem("Limit must be between 1 and 100.", code="parameter_invalid_integer", param="limit")
    after, before = params.text("starting_after"), params.text("ending_before")
    if after and before:
        raise StripeProblem(
            "You may only specify one of these parameters: starting_after, ending_before.",
            code="parameters_exclusive",
        )
    if after:
        rest = ids[_position(ids, after, "starting_after") + 1 :]
        return rest[:limit], len(rest) > limit
    if before:
        rest = ids[: _position(ids, before, "ending_before")]
        return rest[-limit:], len(rest) > limit
    return ids[:limit], len(ids) > limit


def _position(ids: list[str], identifier: str, param: str) -> int:
    try:
        return ids.index(identifier)
    except ValueError:
        raise StripeProblem(f"No such object: '{identifier[:100]}'", code="resource_missing", param=param) from None


def perform(world: World, operation: Operation, call: Call) -> JsonObject:
    """Do it, and expand what was asked to be expanded."""
    return expand(world, operation(world, call), call.params.texts("expand"))


OPERATIONS: Final[Mapping[tuple[str, str], Operation]] = {
    ("POST", "/v1/checkout/sessions"): create_session,
    ("GET", "/v1/checkout/sessions"): list_sessions,
    ("GET", "/v1/checkout/sessions/{session}"): get_session,
    ("GET", "/v1/checkout/sessions/{session}/line_items"): list_lines,
    ("POST", "/v1/checkout/sessions/{session}/expire"): expire_session,
    ("GET", "/v1/payment_intents/{intent}"): get_payment_intent,
    ("GET", "/v1/charges/{charge}"): get_charge,
    ("POST", "/v1/refunds"): create_refund,
    ("GET", "/v1/refunds"): list_refunds,
    ("GET", "/v1/refunds/{refund}"): get_refund,
    ("POST", "/v1/refunds/{refund}"): update_refund,
    ("GET", "/v1/events"): list_events,
    ("GET", "/v1/events/{id}"): get_event,
    ("GET", "/v1/balance"): get_balance,
}
