"""Values as they travel: nested form fields on the way in, JSON on the way out. Pure."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import TypeAlias

JsonObject: TypeAlias = dict[str, object]
FormValue: TypeAlias = "str | list[FormValue] | dict[str, FormValue]"


def names(text: str) -> frozenset[str]:
    """The words of `text`: a set of names without its quotation marks."""
    return frozenset(text.split())


class Params:
    """The checked parameters of a request, read by type. What was not sent reads as None or empty.

    The schema has already vouched for the types; a wrong type here is a bug of the double (TypeError).
    """

    def __init__(self, values: Mapping[str, object], path: str = "") -> None:
        self._values = values
        self._path = path

    def __contains__(self, name: str) -> bool:
        return name in self._values

    def __iter__(self) -> Iterator[str]:
        return iter(self._values)

    def param(self, name: str) -> str:
        """The full name as Stripe's errors give it: `line_items[0][quantity]`."""
        return f"{self._path}[{name}]" if self._path else name

    def raw(self, name: str) -> object:
        return self._values.get(name)

    def text(self, name: str) -> str | None:
        value = self._values.get(name)
        if value is None or isinstance(value, str):
            return value
        raise TypeError(f"{self.param(name)} is not text")

    def integer(self, name: str) -> int | None:
        value = self._values.get(name)
        if value is None or (isinstance(value, int) and not isinstance(value, bool)):
            return value
        raise TypeError(f"{self.param(name)} is not an integer")

    def number(self, name: str) -> Decimal | None:
        value = self._values.get(name)
        if value is None or isinstance(value, Decimal):
            return value
        raise TypeError(f"{self.param(name)} is not a number")

    def flag(self, name: str) -> bool:
        return self._values.get(name) is True

    def texts(self, name: str) -> tuple[str, ...]:
        value = self._values.get(name)
        return tuple(str(item) for item in value) if isinstance(value, list) else ()

    def sub(self, name: str) -> "Params":
        value = self._values.get(name)
        return Params(value if isinstance(value, dict) else {}, self.param(name))

    def items(self, name: str) -> "list[Params]":
        value = self._values.get(name)
        if not isinstance(value, list):
            return []
        path = self.param(name)
        return [Params(item, f"{path}[{index}]") for index, item in enumerate(value) if isinstance(item, dict)]

    def mapping(self, name: str) -> dict[str, str]:
        value = self._values.get(name)
        return {str(key): str(item) for key, item in value.items()} if isinstance(value, dict) else {}
