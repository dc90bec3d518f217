"""The fields of other shops' messages, each checked as it is read. Pure.

A message is signed and may still be of a version of the shop's that nobody has seen, or changed by a plug-in of it:
what is not as expected is a sentence, not a guess.
"""

import json
import re
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime

from app.kernel.clock import to_micros
from app.kernel.json_objects import JsonObject, objects
from app.kernel.money import LARGEST_AMOUNT, exponent, is_currency
from app.orders.connectors.said import Hint, NotAnOrder
from app.referrals.clicks import click_in, code_in

MOST_LINES = 500
"""Lines that are kept of an order; as many as `POST /v1/orders` takes. The amounts are those of all."""

_DECIMAL = re.compile(r"(-?)([0-9]{1,18})(?:\.([0-9]{1,20}))?", re.ASCII)
_ID = re.compile(r"[0-9]{1,30}", re.ASCII)
_LONGEST_SEARCHED = 4000
_MOST_HINTS = 5
_EARLIEST, _LATEST = datetime(1970, 1, 1, tzinfo=UTC), datetime(9999, 1, 1, tzinfo=UTC)


def parse(body: bytes) -> JsonObject:
    """The object in a message; its decimals stay the text that they were. Raises `NotAnOrder`."""
    try:
        found = json.loads(body, parse_float=str, parse_constant=str)
    except (ValueError, RecursionError):
        raise NotAnOrder("The body is not JSON.") from None
    if not isinstance(found, dict):
        raise NotAnOrder("The body is not one object of JSON.")
    return found


def text(holder: object, name: str, longest: int = _LONGEST_SEARCHED) -> str:
    """Text that a database can hold, cut at `longest`; empty where there is none."""
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value.replace("\0", "").encode("utf-8", "ignore").decode()[:longest] if isinstance(value, str) else ""


def identity(holder: JsonObject, name: str) -> str:
    """An id, which shops write as a number or as text. Raises `NotAnOrder`."""
    value = holder.get(name)
    said = str(value) if type(value) is int else value
    if not isinstance(said, str) or _ID.fullmatch(said) is None:
        raise NotAnOrder(f"Its {name} is missing or no number.")
    return said


def reference(holder: JsonObject, name: str) -> str | None:
    """The id of something else, if it is named: some systems say 0 or null for nothing."""
    value = holder.get(name)
    return str(value) if type(value) is int and value > 0 else None


def currency(holder: JsonObject, name: str = "currency") -> str:
    """ISO 4217, lower case. Raises `NotAnOrder`."""
    value = holder.get(name)
    if not isinstance(value, str) or not is_currency(value.lower()):
        raise NotAnOrder(f"Its {name} is missing or unknown.")
    return value.lower()


def amount(holder: object, name: str, unit: str) -> int:
    """Minor units of a decimal text; 0 where there is none. Raises `NotAnOrder`.

    A shop may keep more decimals than its currency has: half a minor unit rounds up, away from zero. Never a float.
    """
    value = holder.get(name) if isinstance(holder, Mapping) else None
    if value is None or value == "":
        return 0
    said = str(value) if type(value) is int else value
    match = _DECIMAL.fullmatch(said) if isinstance(said, str) else None
    if match is None:
        raise NotAnOrder(f"Its {name} is not an amount.")
    sign, units, fraction = match[1], match[2], match[3] or ""
    decimals = exponent(unit)
    minor = int(units + fraction[:decimals].ljust(decimals, "0")) + (fraction[decimals : decimals + 1] >= "5")
    if minor > LARGEST_AMOUNT:
        raise NotAnOrder(f"Its {name} is larger than any amount that is taken here.")
    return -minor if sign else minor


def moment(holder: JsonObject, *names: str) -> int:
    """The first of these times that is said, in microseconds; one without an offset is in UTC. Raises `NotAnOrder`."""
    found = next((at for name in names if (at := instant(holder.get(name))) is not None), None)
    if found is None:
        raise NotAnOrder(f"Its {names[0]} is missing or no time.")
    return found


def instant(value: object) -> int | None:
    """A time (ISO 8601), in microseconds; one without an offset is in UTC. None for what is no time."""
    if not isinstance(value, str) or not value:
        return None
    try:
        said = datetime.fromisoformat(value)
    except ValueError:
        return None
    at = said if said.tzinfo is not None else said.replace(tzinfo=UTC)
    return to_micros(at) if _EARLIEST <= at < _LATEST else None


def hints(places: Iterable[str]) -> tuple[Hint, ...]:
    """The click ids and link codes in these texts, in their order; each once."""
    found: dict[Hint, None] = {}
    for place in (place[:_LONGEST_SEARCHED] for place in places):
        click = click_in(place)
        if click is not None:
            found[Hint("click", click)] = None
        elif code := code_in(place):
            found[Hint("code", code)] = None
    return tuple(found)[:_MOST_HINTS]


def attributes(pairs: object, key: str, names: Iterable[str]) -> list[str]:
    """The values of those pairs (`{key: name, "value": ...}`) that are called so, in the order of `names`."""
    said = objects(pairs)
    return [text(pair, "value") for name in names for pair in said if pair.get(key) == name]


def share(whole: int, part: int, of: int) -> int:
    """`whole` x `part` / `of`, half a minor unit rounded up; all of it where the part is all."""
    return whole if part >= of else (2 * whole * part + of) // (2 * of)
