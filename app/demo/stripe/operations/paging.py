"""Stripe's lists: newest first, in pages that begin after or before an id. Knows no HTTP server."""

from collections.abc import Callable, Iterable, Mapping
from typing import Final, TypeVar

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.parameters.values import JsonObject, Params
from app.demo.stripe.records.payments import Record
from app.demo.stripe.shown.record import listing
from app.demo.stripe.world import World

R = TypeVar("R", bound=Record)
_COMPARED: Final[Mapping[str, Callable[[int, int], bool]]] = {
    "gt": lambda value, bound: value > bound,
    "gte": lambda value, bound: value >= bound,
    "lt": lambda value, bound: value < bound,
    "lte": lambda value, bound: value <= bound,
}


def of_account(records: Iterable[R], account: str | None) -> Iterable[R]:
    """Those of one account: nobody sees another's."""
    return (record for record in records if record.account == account)


def refuse_filters(params: Params, *names: str) -> None:
    """A list that did not filter would answer too much: refused instead."""
    for name in names:
        if name in params:
            raise StripeProblem(f"The simulated Stripe does not filter by {name}", param=name)


def page(world: World, records: Iterable[Record], params: Params, url: str) -> JsonObject:
    """Of records in order of creation, newest first. Only what is on the page is shown, so a long list costs that."""
    wanted = [record for record in records if _created(record.created, params)]
    part, more = _window([record.id for record in reversed(wanted)], params)
    by_id = {record.id: record for record in wanted}
    return listing([world.show(by_id[identifier]) for identifier in part], url, has_more=more)


def slice_of(items: list[JsonObject], params: Params, url: str) -> JsonObject:
    """Of items as they are shown, in their order."""
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
