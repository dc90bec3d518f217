"""The fields of Stripe's objects, each checked as it is read. Pure.

An object comes by webhook, signed, and still may be of a version of Stripe's API that nobody has seen: what is not as
expected is an error with a name, not a guess.
"""

import re
from collections.abc import Mapping
from datetime import UTC, datetime

from app.kernel.json_objects import JsonObject
from app.kernel.money import is_currency

ID = re.compile(r"[A-Za-z0-9_]{1,200}", re.ASCII)


class NotAnEvent(ValueError):
    """JSON that is no event of Stripe's; the message says what is missing."""


def matching(shape: re.Pattern[str], holder: JsonObject, name: str) -> str:
    """Text of this shape. Raises `NotAnEvent`."""
    value = holder.get(name)
    if not isinstance(value, str) or shape.fullmatch(value) is None:
        raise NotAnEvent(f"its {name} is missing or malformed")
    return value


def reference(holder: JsonObject, name: str) -> str | None:
    """The id of another object, which may be there whole."""
    value = holder.get(name)
    value = value.get("id") if isinstance(value, Mapping) else value
    return value if isinstance(value, str) and ID.fullmatch(value) else None


def amount(holder: JsonObject, name: str) -> int:
    """Stripe's units; 0 where there is nothing. Raises `NotAnEvent`."""
    value = holder.get(name)
    if value is None:
        return 0
    if type(value) is not int or not 0 <= value < 2**53:
        raise NotAnEvent(f"its {name} is not an amount")
    return value


def created(holder: JsonObject) -> datetime:
    """When the object was made. Raises `NotAnEvent`."""
    value = holder.get("created")
    if type(value) is not int or not 0 <= value < 2**37:
        raise NotAnEvent("its created is not a time")
    return datetime.fromtimestamp(value, UTC)


def currency(holder: JsonObject) -> str:
    """ISO 4217, lower case. Raises `NotAnEvent`."""
    value = holder.get("currency")
    if not isinstance(value, str) or not is_currency(value.lower()):
        raise NotAnEvent("its currency is unknown")
    return value.lower()
