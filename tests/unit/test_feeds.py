"""The feeds of a wall in both forms, as readers of feeds understand them."""

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree

import feedparser
import jsonschema
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.storefront.feeds.document import Feed, Item, as_atom, as_json, content_of, discovery

OWN = "https://wall.example"
MARCH, MAY = datetime(2026, 3, 2, 10, 0, tzinfo=UTC), datetime(2026, 5, 4, 12, 30, 0, 250_000, tzinfo=UTC)
MUG = Item(
    id=f"{OWN}/p/prod_1",
    url=f"{OWN}/p/prod_1?wall=wall_1",
    title="Mug",
    description="Holds tea.\n\nAnd coffee,\nif it must.",
    price="19,99 €",
    images=("https://cdn.example/mug.jpg?a=1&b=2", "https://cdn.example/back.jpg"),
    tags=("kitchen", "tea"),
    published=MARCH,
    updated=MAY,
)
BARE = Item(f"{OWN}/p/prod_2", f"{OWN}/p/prod_2", "Hat", "", None, (), (), MARCH, MARCH)
WALL = Feed("Best of", f"{OWN}/w/wall_1", "Vine & Thread", "fr", MAY, (MUG, BARE))
HOSTILE = "<script>alert(1)</script> & \"'\x00\x0b\x1b\ufffe\ud800\u202e]]> {{ 7*7 }} &lt;"

TIME = {"type": "string", "pattern": r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}(\.\d+)?Z$"}
ADDRESS = {"type": "string", "pattern": "^https?://"}
NAMED = {"type": "string", "minLength": 1}
JSON_FEED = {  # jsonfeed.org/version/1.1, as far as we speak it
    "type": "object",
    "required": ["version", "title", "items"],
    "additionalProperties": False,
    "properties": {
        "version": {"const": "https://jsonfeed.org/version/1.1"},
        "title": NAMED,
        "home_page_url": ADDRESS,
        "feed_url": ADDRESS,
        "language": NAMED,
        "authors": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["name"]}},
        "hubs": {"type": "array", "minItems": 1, "items": {"type": "object", "required": ["type", "url"]}},
        "items": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["id", "content_html", "date_published"],
                "additionalProperties": False,
                "properties": {
                    "id": NAMED,
                    "url": ADDRESS,
                    "title": NAMED,
                    "content_html": NAMED,
                    "image": ADDRESS,
                    "date_published": TIME,
                    "date_modified": TIME,
                    "tags": {"type": "array", "minItems": 1, "items": {"type": "string"}},
                    "language": NAMED,
                },
            },
        },
    },
}


def parsed(feed: Feed) -> Any:
    """The Atom feed as a reader has it."""
    read = feedparser.parse(as_atom(feed), sanitize_html=False, resolve_relative_uris=False)
    assert not read.bozo, read.get("bozo_exception")
    assert "atom10" == read.version
    return read


def checked(feed: Feed) -> dict[str, Any]:
    """The JSON feed, which is a valid one."""
    document: dict[str, Any] = json.loads(json.dumps(as_json(feed)))
    jsonschema.validate(document, JSON_FEED)
    return document


def test_both_forms_tell_the_same_items() -> None:
    atom, of_json = parsed(WALL), checked(WALL)
    told = [(each.id, each.link, each.title, each.published, each.updated) for each in atom.entries]
    assert told == [
        (each["id"], each["url"], each["title"], each["date_published"], each["date_modified"])
        for each in of_json["items"]
    ]
    assert [each.content[0].value for each in atom.entries] == [each["content_html"] for each in of_json["items"]]
    assert (f"{OWN}/p/prod_1", f"{OWN}/p/prod_1?wall=wall_1", "Mug") == told[0][:3]
    assert ("2026-03-02T10:00:00Z", "2026-05-04T12:30:00.250000Z") == told[0][3:]
    assert ["kitchen", "tea"] == [tag.term for tag in atom.entries[0].tags] == of_json["items"][0]["tags"]
    assert "https://cdn.example/mug.jpg?a=1&b=2" == of_json["items"][0]["image"]


def test_both_say_of_which_wall_they_are_and_in_which_language() -> None:
    atom, of_json = parsed(WALL).feed, checked(WALL)
    assert ("Best of", f"{OWN}/w/wall_1", "fr", "Vine & Thread") == (atom.title, atom.link, atom.language, atom.author)
    assert (atom.id, atom.updated) == (f"{OWN}/w/wall_1", "2026-05-04T12:30:00.250000Z")
    assert {"self": f"{OWN}/w/wall_1/feed.xml", "alternate": f"{OWN}/w/wall_1"} == {
        link.rel: link.href for link in atom.links
    }
    assert ("Best of", f"{OWN}/w/wall_1", f"{OWN}/w/wall_1/feed.json", "fr") == tuple(
        of_json[name] for name in ("title", "home_page_url", "feed_url", "language")
    )


def test_a_hub_is_named_in_both_where_there_is_one() -> None:
    hub = "https://hub.example/?a=1&b=2"
    assert [{"type": "WebSub", "url": hub}] == checked(replace(WALL, hub=hub))["hubs"]
    assert hub in [link.href for link in parsed(replace(WALL, hub=hub)).feed.links if link.rel == "hub"]
    assert "hubs" not in checked(WALL)
    assert "hub" not in {link.rel for link in parsed(WALL).feed.links}


def test_the_content_is_html_of_picture_price_and_paragraphs() -> None:
    assert (
        '<p><img src="https://cdn.example/mug.jpg?a=1&amp;b=2" alt="Mug"></p>\n<p><strong>19,99 €</strong></p>\n'
        "<p>Holds tea.</p>\n<p>And coffee,<br>if it must.</p>"
    ) == content_of(MUG)
    assert "<p>Hat</p>" == content_of(BARE)


def test_a_wall_without_anything_is_an_empty_feed() -> None:
    empty = replace(WALL, items=())
    assert [] == parsed(empty).entries == checked(empty)["items"]


@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_line_ends_are_all_alike(line_end: str) -> None:
    described = replace(BARE, description=f"One.{line_end}{line_end}Two,{line_end}three.")
    assert "<p>One.</p>\n<p>Two,<br>three.</p>" == content_of(described)


def test_hostile_words_stay_words_in_both() -> None:
    hostile = replace(MUG, title=HOSTILE, description=HOSTILE, price=HOSTILE, tags=(HOSTILE,))
    wall = replace(WALL, title=HOSTILE, shop=HOSTILE, items=(hostile,))
    document, raw = checked(wall), as_atom(wall).decode()
    assert "<script" not in raw
    assert "<script" not in document["items"][0]["content_html"]
    (entry,) = ElementTree.fromstring(raw).iter("{http://www.w3.org/2005/Atom}entry")
    title = entry.findtext("{http://www.w3.org/2005/Atom}title")
    assert title == document["items"][0]["title"]
    assert (title or "").startswith("<script>alert(1)</script> & \"'")
    assert "&lt;script&gt;" in document["items"][0]["content_html"]


def test_a_title_of_nothing_that_can_be_shown_is_no_broken_feed() -> None:
    assert f"{OWN}/w/wall_1" == checked(replace(WALL, title="\x00\x1b"))["title"]
    assert parsed(replace(WALL, title="\x00", items=(replace(BARE, title="\x01"),))).entries[0].id == BARE.id


@settings(max_examples=50, deadline=None)
@given(st.text(max_size=80), st.text(max_size=200))
def test_whatever_is_written_both_are_whole_and_agree(title: str, description: str) -> None:
    wall = replace(WALL, title=title, items=(replace(MUG, title=title, description=description),))
    document, root = checked(wall), ElementTree.fromstring(as_atom(wall))
    content = root.findtext("{http://www.w3.org/2005/Atom}entry/{http://www.w3.org/2005/Atom}content")
    assert content == document["items"][0]["content_html"]


def test_the_page_of_a_wall_leads_to_both() -> None:
    links = discovery(OWN, "wall_1", "Best of")
    assert {
        "application/feed+json": f"{OWN}/w/wall_1/feed.json",
        "application/atom+xml": f"{OWN}/w/wall_1/feed.xml",
    } == {link["type"]: link["href"] for link in links}
    assert {("alternate", "Best of")} == {(link["rel"], link["title"]) for link in links}
