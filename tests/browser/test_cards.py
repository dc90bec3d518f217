"""What networks and readers make of our links: three readers of cards (npm), a reader of feeds (PyPI), each picture."""

import io
from collections.abc import Iterator
from typing import Any

import feedparser
import httpx
import pytest
from PIL import Image

from app import main
from tests.browser.journeys import ON_ONE_DATABASE
from tests.browser.places import ABOUT_THE_CUP, CAPTION, CUP, Places
from tests.clock import TestClock
from tests.conftest import NewDatabase, merchant_at, settings_for
from tests.net import free_port, serving
from tests.shop import JSON, ok
from tests.web import tools

pytestmark = ON_ONE_DATABASE

CARDS = {
    "wall": ("On the grid", f"{CUP}, Bowl, A thing with a rather long name, number 0"),
    "product": (CUP, ABOUT_THE_CUP.replace("\n", " ")),
    "link": (CUP, CAPTION),
}
"""Title and (the beginning of the) description of the card of each page."""


@pytest.fixture(scope="module")
def seen(places: Places) -> JSON:
    """What each of the readers makes of each page."""
    addresses = {name: places.of(name) for name in CARDS}
    read = tools.node("read_cards.mjs", *addresses.values())
    return {name: read[address] for name, address in addresses.items()}


@pytest.mark.parametrize("name", CARDS)
def test_all_readers_see_the_same_title_description_and_picture(places: Places, seen: JSON, name: str) -> None:
    title, description = CARDS[name]
    graph, meta, unfurled = (seen[name][reader] for reader in ("openGraphScraper", "metascraper", "unfurl"))
    assert [title] * 4 == [graph["ogTitle"], graph["twitterTitle"], meta["title"], unfurled["open_graph"]["title"]]
    told = [graph["ogDescription"], graph["twitterDescription"], meta["description"], unfurled["description"]]
    assert [True] * 4 == [each.startswith(description) for each in told], told
    assert [places.of(name)] * 2 == [graph["ogUrl"], unfurled["canonical_url"]]

    drawn = unfurled["open_graph"]["images"][0]
    assert {drawn["url"]} == {graph["ogImage"][0]["url"], graph["twitterImage"][0]["url"], meta["image"]}
    assert ("image/png", 1200, 630) == (drawn["type"], drawn["width"], drawn["height"])
    assert graph["twitterCard"] == "summary_large_image"
    assert title in drawn["alt"]


@pytest.mark.parametrize("name", CARDS)
def test_the_picture_of_a_card_is_there_and_has_the_size_that_is_told(seen: JSON, name: str) -> None:
    answer = httpx.get(seen[name]["metascraper"]["image"])
    assert (200, "image/png") == (answer.status_code, answer.headers["content-type"])
    assert len(answer.content) < 300 * 1024
    with Image.open(io.BytesIO(answer.content)) as picture:
        assert ("PNG", (1200, 630)) == (picture.format, picture.size)


@pytest.mark.parametrize("name", CARDS)
def test_a_consumer_of_oembed_finds_a_frame_that_it_may_show(places: Places, seen: JSON, name: str) -> None:
    title, _ = CARDS[name]
    embed = seen[name]["unfurl"]["oEmbed"]
    assert ("rich", title) == (embed["type"], embed["title"])
    frame = places.of({"wall": "framed wall", "product": "framed product", "link": "framed link"}[name])
    assert frame in embed["html"]
    assert "</iframe>" in embed["html"]
    assert httpx.get(frame).status_code == 200
    assert embed["width"] > 0
    assert embed["height"] > 0
    assert httpx.get(embed["thumbnails"][0]["url"]).headers["content-type"] == "image/png"


def test_the_icon_that_readers_ask_for_is_no_error(places: Places, seen: JSON) -> None:
    for name in CARDS:
        icon = seen[name]["unfurl"].get("favicon") or f"{places.api}/favicon.ico"
        assert httpx.get(icon).is_success


@pytest.fixture(scope="module")
def secure(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[str, str]]:
    """A server that is known as https://grapevine.example, and where it is reached."""
    port, known = free_port(), "https://grapevine.example"
    settings = settings_for(new_database("secure"), tmp_path_factory.mktemp("secure"), public_url=known)
    with serving(main.application(settings, TestClock()), port):
        yield f"http://127.0.0.1:{port}", known


def test_networks_that_show_players_get_the_frame(secure: tuple[str, str]) -> None:
    there, known = secure
    merchant = merchant_at(there, TestClock(), allowed_origins=["*"])
    product = merchant.product(CUP)["id"]
    wall = merchant.wall(product)["id"]
    merchant.close()
    read = tools.node("read_cards.mjs", "--no-oembed", f"{there}/p/{product}", f"{there}/w/{wall}")
    players = {address: one["openGraphScraper"]["twitterPlayer"][0] for address, one in read.items()}
    frames = [f"{known}/embed/products/{product}", f"{known}/embed/walls/{wall}"]
    assert frames == [player["url"] for player in players.values()]
    for frame, player in zip(frames, players.values(), strict=True):
        assert int(player["width"]) > 0
        assert int(player["height"]) > 0
        shown = httpx.get(frame.replace(known, there))
        assert (200, "frame-ancestors *") == (shown.status_code, _ancestors(shown))


def _ancestors(answer: httpx.Response) -> str:
    policy = answer.headers["content-security-policy"].split("; ")
    return next(part for part in policy if part.startswith("frame-ancestors"))


def _entries(address: str) -> list[tuple[Any, ...]]:
    """Id, address and title of each entry of an Atom feed, as feedparser reads it."""
    feed = feedparser.parse(httpx.get(address).content)
    assert not feed.bozo, feed.get("bozo_exception")
    assert feed.version == "atom10"
    return [(entry.id, entry.link, entry.title) for entry in feed.entries]


def test_both_feeds_of_a_wall_tell_the_same(places: Places) -> None:
    told = ok(httpx.get(f"{places.of('wall')}/feed.json"))
    assert told["version"] == "https://jsonfeed.org/version/1.1"
    items = [(item["id"], item["url"], item["title"]) for item in told["items"]]
    assert items == _entries(f"{places.of('wall')}/feed.xml")
    assert CUP in {title for _, _, title in items}
    linked = {link["href"] for link in ok_links(places)}
    assert {f"{places.of('wall')}/feed.json", f"{places.of('wall')}/feed.xml"} <= linked


def ok_links(places: Places) -> list[JSON]:
    """The links in the head of the wall's page, as a reader of feeds finds them."""
    found = feedparser.parse(httpx.get(places.of("wall")).content)
    return list(found.feed.get("links", []))
