"""What the API's document says beyond its routes: how a refusal looks, what an optional field means, where an
Idempotency-Key counts. Knows no domain."""

from collections.abc import Iterator
from threading import Lock
from typing import Any

from fastapi import FastAPI

from app.kernel.http.problems import MEDIA_TYPE

_PROBLEM = {
    "type": "object",
    "description": "Why it was refused (RFC 9457). `code` is stable; `errors` names fields, where there are any.",
    "required": ["type", "title", "status", "code", "detail"],
    "properties": {
        "type": {"type": "string", "examples": ["urn:grapevine:problem:invalid_request"]},
        "title": {"type": "string"},
        "status": {"type": "integer", "examples": [422]},
        "code": {"type": "string", "examples": ["invalid_request"]},
        "detail": {"type": ["string", "null"]},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "detail"],
                "properties": {
                    "pointer": {"type": "string", "examples": ["/lines/0/amount"]},
                    "detail": {"type": "string"},
                },
            },
        },
    },
}


def problem(description: str) -> dict[str, Any]:
    """How a refusal stands in the document."""
    return {"description": description, "content": {MEDIA_TYPE: {"schema": {"$ref": "#/components/schemas/Problem"}}}}


_REFUSED = problem("Refused. 409, 429 and 503 say in `Retry-After` when to ask again.")
_KEY = "idempotency-key"
_ONCE = ("post", "put")
_FASTAPIS_OWN = ("HTTPValidationError", "ValidationError")


def install(app: FastAPI) -> None:
    """Complete the document of `app` whenever it is asked for. It is made each time, and not kept: it takes tenths of a
    second and megabytes, so whoever shows it keeps what is shown."""
    plain, one_at_a_time = app.openapi, Lock()

    def openapi() -> dict[str, Any]:
        with one_at_a_time:
            document = plain()
            app.openapi_schema = None
        _complete(document)
        return document

    app.openapi = openapi  # type: ignore[method-assign]


def _complete(document: dict[str, Any]) -> None:
    schemas = document["components"]["schemas"]
    for name in _FASTAPIS_OWN:
        schemas.pop(name, None)
    schemas["Problem"] = _PROBLEM
    for path in document["paths"].values():
        for method, operation in path.items():
            if operation["responses"].get("422", {}).get("description") == "Validation Error":
                del operation["responses"]["422"]
            _tell_forms(operation)
            if not _is_page(operation):
                operation["responses"].setdefault("default", _REFUSED)
            if method not in _ONCE and "parameters" in operation:
                operation["parameters"] = [each for each in operation["parameters"] if each["name"] != _KEY]
    for schema in _schemas(document):
        _lift(schema)


_FORMS = {"csv": "text/csv", "ndjson": "application/x-ndjson"}


def _tell_forms(operation: dict[str, Any]) -> None:
    """In which other forms an answer comes, where its `format` is chosen."""
    choices: dict[str, Any] = next((each for each in operation.get("parameters", []) if each["name"] == "format"), {})
    for name in _FORMS.keys() & set(choices.get("schema", {}).get("enum", ())):
        operation["responses"]["200"]["content"][_FORMS[name]] = {"schema": {"type": "string"}}


def _is_page(operation: dict[str, Any]) -> bool:
    """Whether people read the answer: they are told of a refusal by a page."""
    return any("text/html" in answer.get("content", {}) for answer in operation["responses"].values())


def _lift(schema: dict[str, Any]) -> None:
    """What is said of a field that may be null stands in one of its two forms, where no page shows it: say it of the
    field."""
    forms = schema.get("anyOf")
    if isinstance(forms, list) and len(forms) == 2 and {"type": "null"} in forms:
        said = next(form for form in forms if form != {"type": "null"})
        for name in ("description", "examples"):
            if name in said and name not in schema:
                schema[name] = said.pop(name)


def _schemas(node: object) -> Iterator[dict[str, Any]]:
    if isinstance(node, dict):
        yield node
        for each in list(node.values()):
            yield from _schemas(each)
    elif isinstance(node, list):
        for each in node:
            yield from _schemas(each)
