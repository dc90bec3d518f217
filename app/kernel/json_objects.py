"""Reading JSON that others sent: what is not there, or not of the kind that is looked for, is nothing. Pure."""

from collections.abc import Mapping
from typing import TypeAlias

JsonObject: TypeAlias = Mapping[str, object]


def text(holder: object, name: str) -> str | None:
    """Text that is not empty."""
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value if isinstance(value, str) and value else None


def mapping(holder: object, name: str) -> JsonObject:
    """The object in an object; an empty one where there is none."""
    value = holder.get(name) if isinstance(holder, Mapping) else None
    return value if isinstance(value, Mapping) else {}


def objects(value: object) -> list[JsonObject]:
    """The objects in a list; what is none is left out."""
    return [each for each in value if isinstance(each, Mapping)] if isinstance(value, list) else []
