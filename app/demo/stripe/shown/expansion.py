"""`expand[]`: ids in an answer give way to the objects they name. Knows no HTTP server."""

from typing import Final, cast

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.parameters.values import JsonObject, names
from app.demo.stripe.shown.catalog import line_item, shipping_rate
from app.demo.stripe.shown.record import listing
from app.demo.stripe.shown.session import breakdown, line_discounts
from app.demo.stripe.world import World

_DEEPEST: Final = 4
_EXPANDABLE: Final = {
    "checkout.session": names("payment_intent line_items"),
    "payment_intent": names("latest_charge"),
    "charge": names("payment_intent refunds"),
    "refund": names("charge payment_intent"),
    "dispute": names("charge payment_intent"),
    "balance_transaction": names("source"),
    "transfer": names("balance_transaction destination source_transaction"),
    "transfer_reversal": names("balance_transaction transfer"),
    "item": names("price discounts"),
    "price": names("product"),
}
_PARTS: Final = {  # hashes and lists of hashes in which something can be expanded
    ("checkout.session", "discounts"): names("coupon promotion_code"),
    ("checkout.session", "total_details"): names("breakdown"),
    ("checkout.session", "shipping_cost"): names("shipping_rate"),
    ("checkout.session", "shipping_options"): names("shipping_rate"),
    ("promotion_code", "promotion"): names("coupon"),
}


def expand(world: World, answer: JsonObject, paths: tuple[str, ...]) -> JsonObject:
    """`answer` with the objects that `paths` name, such as `payment_intent.latest_charge` or `data.charge`."""
    for path in paths:
        steps = path.split(".")
        if len(steps) > _DEEPEST:
            raise StripeProblem(
                f"You cannot expand more than {_DEEPEST} levels of a property. Property: {path[:100]}",
                param="expand",
            )
        _expand(world, answer, steps, path)
    return answer


def line_items(world: World, session_id: str) -> JsonObject:
    """The first ten lines of a session, as `line_items` shows them."""
    items = [line_item(line) for line in world.sessions[session_id].lines]
    url = f"/v1/checkout/sessions/{session_id}/line_items"
    return listing(items[:10], url, has_more=len(items) > 10)


def _expand(world: World, answer: JsonObject, steps: list[str], path: str) -> None:
    head, *rest = steps
    if answer.get("object") == "list":
        if head != "data":
            raise _cannot(path)
        for item in cast(list[JsonObject], answer["data"]):
            if rest:
                _expand(world, item, rest, path)
        return
    kind = str(answer.get("object"))
    if (within := _PARTS.get((kind, head))) is not None:
        if not rest or rest[0] not in within:
            raise _cannot(path)
        whole = cast(JsonObject | list[JsonObject] | None, answer[head])
        for part in whole if isinstance(whole, list) else [whole] if whole else []:
            _replace(world, answer, part, rest, path)
    elif head in _EXPANDABLE.get(kind, ()):
        _replace(world, answer, answer, steps, path)
    else:
        raise _cannot(path)


def _replace(world: World, owner: JsonObject, part: JsonObject, steps: list[str], path: str) -> None:
    """Put the object in the place of its id, and go on in it."""
    name, *rest = steps
    found = _object(world, str(owner["id"]), part, name)
    if found is not None:
        part[name] = found
        if rest and isinstance(found, dict):
            _expand(world, found, rest, path)


def _object(world: World, owner: str, part: JsonObject, name: str) -> JsonObject | list[JsonObject] | None:
    value = part.get(name)
    if isinstance(value, dict):
        return value  # another path has expanded it already, or it is always whole
    if name == "line_items":
        return line_items(world, owner)
    if name == "breakdown":
        return breakdown(world.sessions[owner])
    if name == "discounts":
        sessions = world.sessions.values()
        return next(line_discounts(it, line) for it in sessions for line in it.lines if line.id == owner)
    if name == "refunds":
        refunds = [world.show(one) for one in reversed(world.refunds.values()) if one.charge == owner]
        return listing(refunds[:10], f"/v1/charges/{owner}/refunds", has_more=len(refunds) > 10)
    if not isinstance(value, str):
        return None
    if name == "shipping_rate":
        ways = world.sessions[owner].shipping_options
        return shipping_rate(next(way for way in ways if way.rate_id == value))
    return world.show(world.record(value))


def _cannot(path: str) -> StripeProblem:
    return StripeProblem(f"This property cannot be expanded ({path[:100]}).", param="expand")
