"""`/w/{wall}/feed.json` and `/feed.xml` over HTTP."""

import asyncio
import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import feedparser
import httpx
import pytest

from app import main, resources
from app.merchants.directory import Directory
from app.storefront.feeds.document import MOST_ITEMS
from app.storefront.front import Storefront
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok
from tests.soak import SOAK


def of_json(merchant: TestMerchant, wall: JSON) -> JSON:
    answer = merchant.public.get(f"/w/{wall['id']}/feed.json")
    assert answer.headers["content-type"] == "application/feed+json"
    return dict(ok(answer, 200))


def atom(merchant: TestMerchant, wall: JSON) -> Any:
    answer = merchant.public.get(f"/w/{wall['id']}/feed.xml")
    assert (200, "application/atom+xml; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    read = feedparser.parse(answer.content)
    assert not read.bozo
    return read


def test_both_feeds_carry_the_newest_first_whatever_the_order_on_the_wall(merchant: TestMerchant) -> None:
    mug = merchant.product("Mug", images=["https://cdn.example/mug.jpg"], tags=["tea"])
    wall = merchant.wall(mug["id"], title="Best of", locale="fr")
    merchant.clock.move(days=1)
    hat = merchant.product("Hat", 2500, description="Keeps warm.")
    ok(merchant.http.patch(f"/v1/walls/{wall['id']}", json={"products": [mug["id"], hat["id"]]}))
    feed, read = of_json(merchant, wall), atom(merchant, wall)
    assert ["Hat", "Mug"] == [item["title"] for item in feed["items"]] == [entry.title for entry in read.entries]
    newest = feed["items"][0]
    assert (f"{merchant.base}/p/{hat['id']}", f"{merchant.base}/p/{hat['id']}?wall={wall['id']}") == (
        newest["id"],
        newest["url"],
    )
    assert "25,00 €" in newest["content_html"].replace("\u202f", " ").replace("\xa0", " ")
    assert ("2026-03-03T10:00:00Z", "2026-03-03T10:00:00Z") == (newest["date_published"], newest["date_modified"])
    assert "2026-03-02T10:00:00Z" == feed["items"][1]["date_published"]
    assert "https://cdn.example/mug.jpg" == feed["items"][1]["image"]
    assert ("fr", "Best of", ["tea"]) == (feed["language"], feed["title"], feed["items"][1]["tags"])
    assert [item["id"] for item in feed["items"]] == [entry.id for entry in read.entries]
    assert "2026-03-03T10:00:00Z" == read.feed.updated


def test_an_item_keeps_its_id_and_says_when_it_was_changed(
    merchant: TestMerchant, until_seen: Callable[[], None]
) -> None:
    mug = merchant.product("Mug")
    wall = merchant.wall(mug["id"])
    before = of_json(merchant, wall)["items"][0]
    merchant.clock.move(hours=2)
    ok(merchant.http.patch(f"/v1/products/{mug['id']}", json={"title": "Big mug"}))
    until_seen()
    after = of_json(merchant, wall)["items"][0]
    assert (before["id"], before["date_published"]) == (after["id"], after["date_published"])
    assert ("Big mug", "2026-03-02T12:00:00Z") == (after["title"], after["date_modified"])


def test_an_item_came_no_earlier_than_its_wall(merchant: TestMerchant) -> None:
    mug = merchant.product()
    merchant.clock.move(days=3)
    wall = merchant.wall(mug["id"])
    assert "2026-03-05T10:00:00Z" == of_json(merchant, wall)["items"][0]["date_published"]


def test_who_has_it_already_is_told_so_and_likes_change_nothing(
    merchant: TestMerchant, until_seen: Callable[[], None]
) -> None:
    mug = merchant.product()
    wall = merchant.wall(mug["id"])["id"]
    first = {path: merchant.public.get(path) for path in (f"/w/{wall}/feed.json", f"/w/{wall}/feed.xml")}

    def again(path: str) -> httpx.Response:
        return merchant.public.get(path, headers={"If-None-Match": first[path].headers["etag"]})

    for path, answer in first.items():
        assert "*" == answer.headers["access-control-allow-origin"]
        assert f'<{merchant.base}{path}>; rel="self"' == answer.headers["link"]
    merchant.shopper().like(mug["id"])
    until_seen()
    assert {(304, b"")} == {(answer.status_code, answer.content) for answer in map(again, first)}
    ok(merchant.http.patch(f"/v1/products/{mug['id']}", json={"title": "New"}))
    until_seen()
    assert {200} == {answer.status_code for answer in map(again, first)}


@pytest.mark.soak
def test_a_wall_of_a_thousand_has_the_newest_hundred_in_its_feeds(merchant: TestMerchant) -> None:
    cards = range(1000 if SOAK else MOST_ITEMS + 10)
    many = "Handle,Title,Variant Price\n" + "".join(f"p{n},Product {n},1.00\n" for n in cards)
    files = {"file": ("all.csv", many.encode(), "text/csv")}
    merchant.finished(ok(merchant.http.post("/v1/imports", data={"format": "shopify_csv"}, files=files)))
    merchant.clock.move(minutes=1)
    newest = merchant.product("Newest")
    wall = ok(merchant.http.post("/v1/walls", json={"title": "All", "products": {"limit": 1000}}), 201)
    items = of_json(merchant, wall)["items"]
    assert (MOST_ITEMS, f"{merchant.base}/p/{newest['id']}") == (len(items), items[0]["id"])
    assert [item["id"] for item in items] == [entry.id for entry in atom(merchant, wall).entries]


def test_an_empty_wall_and_hostile_words_make_whole_feeds(merchant: TestMerchant) -> None:
    assert [] == of_json(merchant, merchant.wall())["items"]
    assert [] == atom(merchant, merchant.wall()).entries
    hostile = "<script>alert(1)</script>]]>\x0b\x1b & \u202e"
    mug = merchant.product(f"Mug {hostile}", description=hostile)
    wall = merchant.wall(mug["id"], title=f"Wall {hostile}")
    (item,), (entry,) = of_json(merchant, wall)["items"], atom(merchant, wall).entries
    assert "&lt;script&gt;" in item["content_html"]
    assert "<script" not in item["content_html"]
    assert item["title"].startswith("Mug <script>alert(1)</script>]]> &")
    assert item["id"] == entry.id


@pytest.mark.parametrize("name", ["wall_x", "wall_01kjpzv28000000001bv176jg4ttk4", "%00", "prod_1"])
def test_where_there_is_no_wall_there_is_no_feed(merchant: TestMerchant, name: str) -> None:
    for form in ("json", "xml"):
        answer = merchant.public.get(f"/w/{name}/feed.{form}")
        assert (404, "application/problem+json") == (answer.status_code, answer.headers["content-type"])


def test_a_wall_that_was_closed_has_no_feed_any_more(merchant: TestMerchant, until_seen: Callable[[], None]) -> None:
    wall = merchant.wall()
    of_json(merchant, wall)
    ok(merchant.http.delete(f"/v1/walls/{wall['id']}"))
    until_seen()
    assert 404 == merchant.public.get(f"/w/{wall['id']}/feed.json").status_code


def test_the_page_of_a_wall_leads_to_its_feeds(merchant: TestMerchant) -> None:
    wall = merchant.wall(title="Tea & more")
    page = merchant.public.get(f"/w/{wall['id']}").text
    links = re.findall(r"<link[^>]*(?:feed\+json|atom\+xml)[^>]*>", page)
    assert {f"{merchant.base}/w/{wall['id']}/feed.{form}" for form in ("json", "xml")} == {
        re.findall(r'href="([^"]+)"', link)[0] for link in links
    }


@contextmanager
def other_lane(app_server: AppServer, **settings: str) -> Iterator[Callable[[list[str]], list[httpx.Response]]]:
    """The application without the fast lane before it, and perhaps other settings: asks for all paths."""
    here = main.assemble(app_server.settings.model_copy(update=settings), app_server.clock)
    front = Storefront(here, resources.WIDGETS)
    transport = httpx.ASGITransport(main.api(here, Directory(here.database), front))

    async def ask_all(paths: list[str]) -> list[httpx.Response]:
        async with httpx.AsyncClient(transport=transport, base_url=app_server.url) as client:
            return [await client.get(path) for path in paths]

    yield lambda paths: asyncio.run(ask_all(paths))
    front.close()
    here.database.close()


def test_both_lanes_say_the_same(merchant: TestMerchant, app_server: AppServer) -> None:
    mug = merchant.product()
    wall = merchant.wall(mug["id"])
    about = f"/oembed?url={merchant.base}/p/{mug['id']}"
    paths = [f"/w/{wall['id']}/feed.json", f"/w/{wall['id']}/feed.xml", "/w/wall_x/feed.xml", about]
    paths += [f"{about}&maxwidth=300", f"{about}&format=xml", "/oembed", "/oembed?url=https://elsewhere.example/"]
    with other_lane(app_server) as ask:
        for path, answer in zip(paths, ask(paths), strict=True):
            fast = merchant.public.get(path)
            assert (fast.status_code, fast.json() if "xml" not in path else fast.text) == (
                answer.status_code,
                answer.json() if "xml" not in path else answer.text,
            ), path
            for name in ("content-type", "etag", "access-control-allow-origin"):
                assert fast.headers.get(name, "").split("-")[0] == answer.headers.get(name, "").split("-")[0], path


def test_a_hub_is_named_where_the_operator_has_one(merchant: TestMerchant, app_server: AppServer) -> None:
    path, hub = f"/w/{merchant.wall()['id']}/feed", "https://hub.example/?a=1&b=2"
    with other_lane(app_server, websub_hub=hub) as ask:
        of_json, of_atom = ask([f"{path}.json", f"{path}.xml"])
    assert [{"type": "WebSub", "url": hub}] == of_json.json()["hubs"]
    assert hub in [link.href for link in feedparser.parse(of_atom.content).feed.links if link.rel == "hub"]
    assert f'<{merchant.base}{path}.xml>; rel="self", <{hub}>; rel="hub"' == of_atom.headers["link"]
