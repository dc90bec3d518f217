"""Hostile inputs (tests/data/hostile.json) and every place of the API that they can be put into, read from the OpenAPI
document. Knows no server."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, Final

from tests.shop import JSON

_DATA: Final = Path(__file__).parent / "data" / "hostile.json"
_HERE: Final = "@@here@@"
_DEEPEST: Final = 4


@dataclass(frozen=True)
class Hostile:
    """An input: as JSON, as it stands in a body; and as text, where it is one."""

    kind: str
    json: bytes
    text: str | None


def inputs() -> list[Hostile]:
    """All of them, always in the same order."""
    data = json.loads(_DATA.read_text("utf-8"))
    texts = [(kind, text) for kind, many in data["texts"].items() for text in many]
    texts += [("long", each["text"] * each["times"]) for each in data["long"]]
    found = [Hostile(kind, json.dumps(text).encode(), text) for kind, text in texts]
    found += [Hostile("json", raw.encode(), None) for raw in data["json"]]
    for each in data["deep"]:
        nested = each["open"] * each["times"] + each.get("inner", "") + each["close"] * each["times"]
        found.append(Hostile("deep", nested.encode(), None))
    return found


Pointer = tuple[str | int, ...]


@dataclass(frozen=True)
class Place:
    """Where an input can be put: a field of a body by its pointer, or a parameter by its name."""

    operation: str
    where: str
    pointer: Pointer

    @property
    def pointed(self) -> str:
        """As a refusal names it."""
        if self.where != "body":
            return str(self.pointer[0])
        return "".join("/" + str(part).replace("~", "~0").replace("/", "~1") for part in self.pointer)


def body_with(good: JSON, pointer: Pointer, hostile: Hostile) -> bytes:
    """A body that is right but for the input at `pointer`."""
    body = json.loads(json.dumps(good))
    here: Any = body
    for part, following in pairwise(pointer):
        empty: Any = [] if isinstance(following, int) else {}
        if isinstance(here, list):
            if not here:
                here.append(empty)
        elif not isinstance(here.get(part), type(empty)):
            here[part] = empty
        here = here[part]
    if isinstance(here, list) and not here:
        here.append(_HERE)
    else:
        here[pointer[-1]] = _HERE
    return json.dumps(body).encode().replace(json.dumps(_HERE).encode(), hostile.json)


def places(document: JSON) -> Iterator[Place]:
    """Every field of every body that is JSON, and every parameter of every path and query."""
    for path, methods in document["paths"].items():
        for method, about in methods.items():
            operation = f"{method.upper()} {path}"
            for parameter in about.get("parameters", ()):
                if parameter["in"] in ("path", "query"):
                    yield Place(operation, parameter["in"], (parameter["name"],))
            content = about.get("requestBody", {}).get("content", {})
            schema = content.get("application/json", {}).get("schema", {})
            for pointer in _fields(document, schema, ()):
                yield Place(operation, "body", pointer)


def _fields(document: JSON, schema: Mapping[str, Any], above: Pointer) -> Iterator[Pointer]:
    if "$ref" in schema:
        schema = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if above:
        yield above
    if len(above) >= _DEEPEST:
        return
    seen: set[Pointer] = set()
    forms = [schema, *schema.get("anyOf", ()), *schema.get("oneOf", ())]
    for form in forms[1:]:
        for pointer in _fields(document, form, above):
            if pointer != above and pointer not in seen:
                seen.add(pointer)
                yield pointer
    for name, field in schema.get("properties", {}).items():
        yield from _fields(document, field, (*above, name))
    if isinstance(items := schema.get("items"), dict) and above:
        yield from _fields(document, items, (*above, 0))
