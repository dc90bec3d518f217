"""Stripe's own OpenAPI document, where it is at hand: what a request may contain and what an answer must.

The document is not part of Grapevine. Without it the double checks requests against `builtin.py` and its answers not
at all. `jsonschema` is a tool of development: it is imported only when an answer is checked.
"""

import json
import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final, cast

from app.demo.stripe.parameters.schema import Schema
from app.demo.stripe.parameters.values import JsonObject

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

ENVIRONMENT: Final = "GRAPEVINE_STRIPE_SPEC"
_USUAL_PLACE: Final = Path("var/stripe/spec3.json")
_REFERENCE: Final = "#/components/schemas/"
_FORM: Final = "application/x-www-form-urlencoded"
_MOST_COMPLAINTS: Final = 5


def find_document(path: Path | None = None) -> Path | None:
    """Where the document is: `path`, else GRAPEVINE_STRIPE_SPEC, else var/stripe/spec3.json. None where absent.

    Raises FileNotFoundError where a place was named and holds nothing: a check that was asked for is not skipped.
    """
    named = path or (Path(os.environ[ENVIRONMENT]) if os.environ.get(ENVIRONMENT) else None)
    if named is not None:
        if not named.is_file():
            raise FileNotFoundError(f"there is no OpenAPI document of Stripe at {named}")
        return named
    return _USUAL_PLACE if _USUAL_PLACE.is_file() else None


class StripeDocument:
    """The document, read once. Safe to share between doubles and threads."""

    def __init__(self, path: Path) -> None:
        whole = json.loads(path.read_bytes())
        self.api_version: str = whole["info"]["version"]
        self._paths: Mapping[str, Mapping[str, JsonObject]] = whole["paths"]
        self._schemas: Mapping[str, JsonObject] = whole["components"]["schemas"]
        self._strict: dict[str, object] | None = None
        self._validators: dict[str, Validator] = {}

    def request_schema(self, method: str, template: str) -> Schema:
        """What the parameters of an operation must be. KeyError if the document has no such operation."""
        operation = self._paths[template][method.lower()]
        if method == "POST":
            body = cast(Mapping[str, Mapping[str, Mapping[str, Schema]]], operation.get("requestBody", {}))
            return body["content"][_FORM]["schema"] if body else {"type": "object"}
        queries = [
            parameter
            for parameter in cast(list[Mapping[str, object]], operation.get("parameters", []))
            if parameter["in"] == "query"
        ]
        return {
            "type": "object",
            "properties": {str(query["name"]): query["schema"] for query in queries},
            "required": [str(query["name"]) for query in queries if query.get("required")],
        }

    def complaints(self, schema: str, value: JsonObject) -> list[str]:
        """What is wrong with an outgoing `value`: a schema's name such as `charge`. Empty if nothing."""
        validator = self._validators.get(schema) or self._validator(schema)
        found = validator.iter_errors(cast(Any, value))
        return [
            f"{schema}: {error.json_path}: {error.message[:300]}"
            for error, _ in zip(found, range(_MOST_COMPLAINTS), strict=False)
        ]

    def _validator(self, schema: str) -> "Validator":
        from jsonschema import Draft202012Validator

        if self._strict is None:
            self._strict = {name: _strictly(self._schemas[name]) for name in self._schemas}
        if schema not in self._schemas:
            raise KeyError(f"Stripe's document describes no {schema}")
        validator = Draft202012Validator({"$ref": f"#/$defs/{schema}", "$defs": self._strict})
        self._validators[schema] = validator
        return validator


def _strictly(node: object) -> object:
    """OpenAPI 3.0 as JSON Schema: `nullable` spelled out, and fields that are not described refused."""
    if isinstance(node, list):
        return [_strictly(item) for item in node]
    if not isinstance(node, dict):
        return node
    if "$ref" in node:
        return {"$ref": str(node["$ref"]).replace(_REFERENCE, "#/$defs/")}
    strict = dict(_kept(node))
    if "properties" in node:
        strict.setdefault("additionalProperties", False)
        strict["properties"] = {name: _strictly(inner) for name, inner in node["properties"].items()}
    return {"anyOf": [strict, {"type": "null"}]} if node.get("nullable") else strict


def _kept(node: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    for keyword, value in node.items():
        if keyword in ("type", "enum", "required", "maxLength"):
            yield keyword, value
        elif keyword in ("items", "anyOf", "additionalProperties"):
            yield keyword, _strictly(value)
