"""Form encoding with nested brackets, as Stripe's libraries send it. Pure.

`line_items[0][price_data][currency]=eur&expand[]=payment_intent` becomes nested dicts and lists. Indexed lists stay
dicts of digits here: only the schema knows whether `0` is a position or a name (metadata may have such a name).
"""

import re
from typing import Final
from urllib.parse import parse_qsl

from app.demo.stripe.errors import StripeProblem
from app.demo.stripe.parameters.values import FormValue

_MOST_FIELDS: Final = 5_000
_DEEPEST: Final = 12
_NAME: Final = re.compile(r"[^\[\]]+(?:\[[^\[\]]*\])*")
_KEY: Final = re.compile(r"\[([^\[\]]*)\]")


def decode(encoded: str) -> dict[str, FormValue]:
    """The nested fields of an urlencoded body or query. StripeProblem where it cannot be read as one."""
    try:
        pairs = parse_qsl(
            encoded, keep_blank_values=True, errors="strict", max_num_fields=_MOST_FIELDS, encoding="utf-8"
        )
    except ValueError as error:
        raise StripeProblem(f"Invalid request: {error}") from None
    fields: dict[str, FormValue] = {}
    for name, value in pairs:
        _put(fields, name, _keys(name), value)
    return fields


def _keys(name: str) -> list[str]:
    if not _NAME.fullmatch(name):
        raise StripeProblem(f"Invalid parameter name: {name[:100]}", param=name[:100])
    first, _, rest = name.partition("[")
    keys = [first, *_KEY.findall("[" + rest if rest else "")]
    if len(keys) > _DEEPEST:
        raise StripeProblem("Invalid request: parameters are nested too deeply", param=first)
    return keys


def _put(fields: dict[str, FormValue], name: str, keys: list[str], value: str) -> None:
    here: dict[str, FormValue] = fields
    for position, key in enumerate(keys[:-1]):
        wants_list = keys[position + 1] == ""
        inner = here.setdefault(key, [] if wants_list else {})
        if wants_list and isinstance(inner, list):
            _append(inner, name, keys[position + 2 :], value)
            return
        if wants_list or not isinstance(inner, dict):
            raise StripeProblem(f"Invalid request: {name[:100]} is given in two shapes", param=keys[0])
        here = inner
    if isinstance(here.get(keys[-1], ""), dict | list):
        raise StripeProblem(f"Invalid request: {name[:100]} is given in two shapes", param=keys[0])
    here[keys[-1]] = value


def _append(items: list[FormValue], name: str, keys: list[str], value: str) -> None:
    """`[]` opens a new item, unless the last one is a hash that lacks this key (as Rack reads it)."""
    if not keys:
        items.append(value)
        return
    last = items[-1] if items else None
    if not isinstance(last, dict) or _has(last, keys):
        last = {}
        items.append(last)
    _put(last, name, keys, value)


def _has(fields: FormValue, keys: list[str]) -> bool:
    for key in keys:
        if not isinstance(fields, dict) or key not in fields:
            return False
        fields = fields[key]
    return True
