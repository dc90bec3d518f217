"""`expand[]`: ids in an answer give way to the objects they name. Knows no HTTP server."""

from typing import Final, cast

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.show import listing
from app.demo.stripe.show_session import line_item, product
from app.demo.stripe.values import JsonObject
from app.demo.stripe.world import World

_DEEPEST: Final = 4
_EXPANDABLE: Final = {
    "checkout.session": {"payment_intent", "line_items"},
    "payment_intent": {"latest_charge"},
    "charge": {"payment_intent", "refunds"},
    "refund": {"charge", "payment_intent"},
    "item": {"price"},
    "price": {"product"},
    "event": set[str](),
    "balance": set[str](),
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
    if head not in _EXPANDABLE.get(str(answer.get("object")), ()):
        raise _cannot(path)
    found = _object(world, answer, head)
    if found is not None:
        answer[head] = found
        if rest:
            _expand(world, found, rest, path)


def _object(world: World, answer: JsonObject, name: str) -> JsonObject | None:
    value, owner = answer.get(name), str(answer["id"])
    if isinstance(value, dict):
        return value  # another path has expanded it already, or it is always whole
    if name == "line_items":
        return line_items(world, owner)
    if name == "refunds":
        refunds = [world.show(one) for one in reversed(world.refunds.values()) if one.charge == owner]
        return listing(refunds[:10], f"/v1/charges/{owner}/refunds", has_more=len(refunds) > 10)
    if not isinstance(value, str):
        return None
    if name == "product":
        lines = (line for session in world.sessions.values() for line in session.lines)
        return product(next(line for line in lines if line.product_id == value))
    if name == "payment_intent":
        return world.show(world.payment_intents[value])
    return world.show(world.charges[value])


def _cannot(path: str) -> StripeProblem:
    return StripeProblem(f"This property cannot be expanded ({path[:100]}).", param="expand")
