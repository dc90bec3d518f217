"""What the API's page says, out of the OpenAPI document (3.1). Pure: knows no framework, no template, no route."""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

JSON = Mapping[str, Any]
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "minLength": "{} characters at least",
    "maxLength": "{} characters at most",
    "minItems": "{} at least",
    "maxItems": "{} at most",
}


class Kind(NamedTuple):
    """Of what kind a value is, in words; `names` are the schemas that are named in them."""

    words: str
    names: tuple[str, ...] = ()


class Field(NamedTuple):
    """A field of a body, or a parameter; `place` says where a parameter stands."""

    name: str
    place: str | None
    kind: Kind
    is_required: bool
    about: str
    example: str | None


class Body(NamedTuple):
    """What is sent, or answered with a status."""

    status: str | None
    about: str
    media: tuple[tuple[str, Kind], ...]


class Call(NamedTuple):
    """A method of a path. `about` has a paragraph each."""

    id: str
    method: str
    path: str
    summary: str
    about: Sequence[str]
    needs_key: bool
    parameters: Sequence[Field]
    body: Body | None
    answers: Sequence[Body]


class Group(NamedTuple):
    """Calls that belong together."""

    name: str
    about: str
    calls: Sequence[Call]


class Schema(NamedTuple):
    """A shape that calls name."""

    name: str
    about: Sequence[str]
    kind: Kind | None
    fields: Sequence[Field]
    example: str | None


def groups(document: JSON) -> list[Group]:
    """The calls by their first tag, in the order in which the document describes the tags; those without one last."""
    about = {tag["name"]: str(tag.get("description", "")) for tag in document.get("tags", ())}
    found: dict[str, list[Call]] = {name: [] for name in about}
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            tags = operation.get("tags") or ["other"]
            found.setdefault(tags[0], []).append(_call(path, method, operation))
    return [Group(name, about.get(name, ""), calls) for name, calls in found.items() if calls]


def schemas(document: JSON) -> list[Schema]:
    """The shapes, by name."""
    return [_schema(name, each) for name, each in sorted(document["components"]["schemas"].items())]


def _call(path: str, method: str, operation: JSON) -> Call:
    sent = operation.get("requestBody")
    return Call(
        id=operation["operationId"],
        method=method.upper(),
        path=path,
        summary=_sentence(operation),
        about=_paragraphs(operation),
        needs_key=bool(operation.get("security")),
        parameters=[_parameter(each) for each in operation.get("parameters", ())],
        body=None if sent is None else Body(None, "", _media(sent)),
        answers=[
            Body(status, each.get("description", ""), _media(each)) for status, each in operation["responses"].items()
        ],
    )


def _sentence(operation: JSON) -> str:
    """The beginning of what is said of it."""
    first, _, _ = str(operation.get("description") or operation.get("summary", "")).replace("\n", " ").partition(". ")
    return first.partition(": ")[0].rstrip(".")


def _paragraphs(of: JSON) -> list[str]:
    return [" ".join(part.split()) for part in str(of.get("description", "")).split("\n\n") if part.strip()]


def _parameter(parameter: JSON) -> Field:
    schema = parameter.get("schema", {})
    return Field(
        name=parameter["name"],
        place=parameter["in"],
        kind=kind_of(schema),
        is_required=bool(parameter.get("required")),
        about=str(parameter.get("description") or schema.get("description", "")),
        example=_example(schema),
    )


def _schema(name: str, schema: JSON) -> Schema:
    required = schema.get("required", ())
    fields = [
        Field(field, None, kind_of(each), field in required, " ".join(_paragraphs(each)), _example(each))
        for field, each in schema.get("properties", {}).items()
    ]
    whole = _example(schema, indent=2)
    return Schema(name, _paragraphs(schema), None if fields else kind_of(schema), fields, whole)


def _media(of: JSON) -> tuple[tuple[str, Kind], ...]:
    return tuple((media, kind_of(each.get("schema", {}))) for media, each in of.get("content", {}).items())


def _example(schema: JSON, indent: int | None = None) -> str | None:
    examples = schema.get("examples")
    return json.dumps(examples[0], ensure_ascii=False, indent=indent) if examples else None


def kind_of(schema: JSON) -> Kind:
    """In words: `list of Money`, `integer (≥ 0)`, `one of "a", "b"`."""
    words, names = list[str](), list[str]()
    for word in _words(schema):
        words.append(word.words)
        names += word.names
    return Kind(" or ".join(dict.fromkeys(words)) or "anything", tuple(dict.fromkeys(names)))


def _words(schema: JSON) -> Iterator[Kind]:
    if "$ref" in schema:
        name = str(schema["$ref"]).rpartition("/")[2]
        yield Kind(name, (name,))
    elif "enum" in schema or "const" in schema:
        yield Kind(", ".join(json.dumps(each) for each in schema.get("enum", [schema.get("const")])))
    elif many := schema.get("anyOf") or schema.get("oneOf") or schema.get("allOf"):
        for each in many:
            yield from _words(each)
    else:
        kinds = schema.get("type", [])
        for kind in [kinds] if isinstance(kinds, str) else kinds:
            yield _plain(kind, schema)


def _plain(kind: str, schema: JSON) -> Kind:
    bounds = ", ".join(words.format(schema[name]) for name, words in _BOUNDS.items() if name in schema)
    if kind == "array":
        inner = kind_of(schema.get("items", {}))
        return Kind(f"list of {inner.words}" + (f" ({bounds})" if bounds else ""), inner.names)
    if kind == "object" and isinstance(schema.get("additionalProperties"), dict):
        inner = kind_of(schema["additionalProperties"])
        return Kind(f"object of {inner.words}", inner.names)
    return Kind(f"{schema.get('format', kind)} ({bounds})" if bounds else str(schema.get("format", kind)))
