"""Building blocks of the smaller list of parameters (`builtin`). Pure data."""

from typing import Final

from app.demo.stripe.parameters.schema import Schema

TEXT: Final = {"type": "string"}
INTEGER: Final = {"type": "integer"}
FLAG: Final = {"type": "boolean"}
TEXTS: Final = {"type": "array", "items": TEXT}
METADATA: Final = {"type": "object", "additionalProperties": TEXT}
UNSETTABLE_METADATA: Final = {"anyOf": [METADATA, {"type": "string", "enum": [""]}]}


def hash_of(required: str = "", /, **properties: object) -> Schema:
    return {"type": "object", "properties": properties, "required": required.split()}


def one_of(*values: str) -> Schema:
    return {"type": "string", "enum": list(values)}


def list_of(item: object) -> Schema:
    return {"type": "array", "items": item}


BEHAVIOURS: Final = one_of("exclusive", "inclusive", "unspecified")
CREATED: Final = {"anyOf": [hash_of(gt=INTEGER, gte=INTEGER, lt=INTEGER, lte=INTEGER), INTEGER]}
PAGE: Final[dict[str, object]] = {
    "created": CREATED,
    "ending_before": TEXT,
    "starting_after": TEXT,
    "limit": INTEGER,
    "expand": TEXTS,
}
