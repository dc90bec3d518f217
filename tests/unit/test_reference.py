"""What the API's page makes of the document."""

from typing import Any

import pytest

from app.storefront.reference.answers import said
from app.storefront.reference.document import Kind, groups, kind_of


@pytest.mark.parametrize(
    ("schema", "words", "names"),
    [
        ({"type": "string"}, "string", ()),
        ({"type": "integer", "minimum": 0, "maximum": 9}, "integer (≥ 0, ≤ 9)", ()),
        ({"type": "string", "format": "date-time"}, "date-time", ()),
        ({"$ref": "#/components/schemas/Money"}, "Money", ("Money",)),
        ({"type": "array", "items": {"$ref": "#/x/Money"}, "maxItems": 3}, "list of Money (3 at most)", ("Money",)),
        ({"anyOf": [{"$ref": "#/x/Money"}, {"type": "null"}]}, "Money or null", ("Money",)),
        ({"enum": ["grid", "list"]}, '"grid", "list"', ()),
        ({"const": "open"}, '"open"', ()),
        ({"type": ["string", "null"]}, "string or null", ()),
        ({"type": "object", "additionalProperties": {"type": "integer"}}, "object of integer", ()),
        ({}, "anything", ()),
    ],
)
def test_a_kind_is_said_in_words(schema: dict[str, Any], words: str, names: tuple[str, ...]) -> None:
    assert Kind(words, names) == kind_of(schema)


def test_code_stands_between_backticks_and_nothing_is_markup() -> None:
    assert "a &lt;b&gt; <code>c &amp; d</code> e" == said("a <b> `c & d` e")


def test_calls_stand_under_their_first_tag_in_the_order_of_the_tags() -> None:
    def call(name: str, *tags: str) -> dict[str, Any]:
        return {"operationId": name, "tags": list(tags), "description": f"{name}: it. More.", "responses": {}}

    document = {
        "tags": [{"name": "b", "description": "B."}, {"name": "a"}, {"name": "nobody"}],
        "paths": {"/1": {"get": call("one", "a", "b"), "post": call("two", "b")}, "/2": {"get": call("three")}},
    }
    told = [
        (group.name, group.about, [(each.summary, each.method) for each in group.calls]) for group in groups(document)
    ]
    assert [
        ("b", "B.", [("two", "POST")]),
        ("a", "", [("one", "GET")]),
        ("other", "", [("three", "GET")]),
    ] == told
