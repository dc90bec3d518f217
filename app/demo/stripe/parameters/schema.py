"""Checks form fields against a schema of Stripe's OpenAPI document and gives them their types. Pure.

The document describes typed values, the wire carries text: so "12" becomes 12 where an integer is asked for, and is
refused with Stripe's error where it is none. What the schema does not name is refused (`parameter_unknown`).
"""

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Final, TypeAlias, cast

from app.demo.stripe.errors import StripeProblem, missing
from app.demo.stripe.parameters.values import FormValue, JsonObject

Schema: TypeAlias = Mapping[str, object]
_INTEGER: Final = re.compile(r"-?[0-9]{1,18}", re.ASCII)
_NUMBER: Final = re.compile(r"-?[0-9]{1,18}(\.[0-9]{1,18})?", re.ASCII)


def check(fields: Mapping[str, FormValue], schema: Schema) -> JsonObject:
    """The fields with their types. StripeProblem for the first that the schema refuses."""
    return _object(dict(fields), schema, "")


def _coerce(value: FormValue, schema: Schema, param: str) -> object:
    if branches := cast(list[Schema], schema.get("anyOf", [])):
        return _any_of(value, branches, param)
    kind = schema.get("type")
    if kind == "object":
        return _object(value, schema, param)
    if kind == "array":
        return _array(value, schema, param)
    if not isinstance(value, str):
        raise StripeProblem(f"Invalid {kind}: {param} must be a single value", param=param)
    if value == "":
        raise StripeProblem(
            f"You passed an empty string for '{param}'. We assume empty values are an attempt to unset a "
            f"parameter; however '{param}' cannot be unset. You should remove '{param}' from your request or "
            "supply a non-empty value.",
            code="parameter_invalid_empty",
            param=param,
        )
    if kind == "integer":
        return _integer(value, param)
    if kind == "number":
        return _number(value, param)
    if kind == "boolean":
        return _boolean(value, param)
    return _text(value, schema, param)


def _any_of(value: FormValue, branches: list[Schema], param: str) -> object:
    """The first branch that takes the value. An empty text unsets where a branch says so."""
    empties = [branch for branch in branches if branch.get("enum") == [""]]
    if value == "" and empties:
        return ""
    refusal: StripeProblem | None = None
    for branch in branches:
        try:
            return _coerce(value, branch, param)
        except StripeProblem as problem:
            refusal = refusal or problem
    raise refusal or StripeProblem(f"Invalid value for {param}", param=param)


def _object(value: FormValue, schema: Schema, param: str) -> JsonObject:
    if not isinstance(value, dict):
        raise StripeProblem("Invalid object", param=param)
    known = cast(Mapping[str, Schema], schema.get("properties", {}))
    extra = schema.get("additionalProperties")
    checked: JsonObject = {}
    for name, inner in value.items():
        full = f"{param}[{name}]" if param else name
        if name in known:
            checked[name] = _coerce(inner, known[name], full)
        elif isinstance(extra, Mapping):
            # An empty text unsets one key of a hash such as metadata.
            checked[name] = "" if inner == "" else _coerce(inner, extra, full)
        else:
            raise StripeProblem(f"Received unknown parameter: {full}", code="parameter_unknown", param=full)
    for name in cast(list[str], schema.get("required", [])):
        if name not in checked:
            raise missing(f"{param}[{name}]" if param else name)
    return checked


def _array(value: FormValue, schema: Schema, param: str) -> list[object]:
    if isinstance(value, dict):
        if sorted(value) != sorted(str(index) for index in range(len(value))):
            raise StripeProblem("Invalid array", param=param)
        value = [value[str(index)] for index in range(len(value))]
    if not isinstance(value, list):
        raise StripeProblem("Invalid array", param=param)
    items = cast(Schema, schema.get("items", {}))
    return [_coerce(item, items, f"{param}[{index}]") for index, item in enumerate(value)]


def _integer(value: str, param: str) -> int:
    if not _INTEGER.fullmatch(value):
        raise StripeProblem(f"Invalid integer: {value[:100]}", code="parameter_invalid_integer", param=param)
    return int(value)


def _number(value: str, param: str) -> Decimal:
    if not _NUMBER.fullmatch(value):
        raise StripeProblem(f"Invalid decimal: {value[:100]}", param=param)
    return Decimal(value)


def _boolean(value: str, param: str) -> bool:
    if value not in ("true", "false"):
        raise StripeProblem(f"Invalid boolean: {value[:100]}", param=param)
    return value == "true"


def _text(value: str, schema: Schema, param: str) -> str:
    allowed = cast(list[str], schema.get("enum", []))
    if allowed and value not in allowed:
        raise StripeProblem(f"Invalid {param}: must be one of {', '.join(allowed)}", param=param)
    longest = cast(int, schema.get("maxLength", 5000))
    if len(value) > longest:
        raise StripeProblem(f"Invalid string: {value[:20]}...; must be at most {longest} characters", param=param)
    if "\x00" in value:
        raise StripeProblem("Invalid string: it contains a NUL character", param=param)
    return value
