"""`GET /oembed` over HTTP, in both lanes."""

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from app.storefront.oembed.api import OEmbedOut
from tests.shop import BROWSER, JSON, TestMerchant, ok
from tests.wordpress import embedded


def asked(merchant: TestMerchant, url: str, **more: Any) -> httpx.Response:
    return merchant.public.get("/oembed", params={"url": url, **more})


def told(merchant: TestMerchant, url: str, **more: Any) -> JSON:
    answer = asked(merchant, url, **more)
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["content-type"] == "application/json"
    return OEmbedOut.model_validate(ok(answer, 200)).model_dump(exclude_none=True)


def test_a_product_a_wall_and_a_link_can_be_embedded(merchant: TestMerchant) -> None:
    mug = merchant.product("Mug <b>")
    wall = merchant.wall(mug["id"], title="Best of")
    share = merchant.shopper().share(mug["id"], wall=wall["id"], name="Ana", caption="Look!")
    of_wall = merchant.shopper().share(wall=wall["id"])
    base = merchant.base
    expected = {
        f"/p/{mug['id']}": (f"products/{mug['id']}", "Mug <b>", None, 480),
        f"/p/{mug['id']}?wall={wall['id']}": (f"products/{mug['id']}?wall={wall['id']}", "Mug <b>", None, 480),
        f"/w/{wall['id']}": (f"walls/{wall['id']}", "Best of", None, 640),
        f"/r/{share['code']}": (f"r/{share['code']}", "Mug <b>", "Ana", 480),
        f"/r/{of_wall['code']}": (f"r/{of_wall['code']}", "Best of", None, 640),
    }
    for path, (frame, title, author, width) in expected.items():
        said = told(merchant, base + path)
        assert (title, author, width) == (said["title"], said.get("author_name"), said["width"])
        assert f'<iframe src="{base}/embed/{frame}"' in said["html"]
        assert f'<a href="{base}{path}">' in said["html"]
        assert ("Vine & Thread", base, "rich", "1.0") == tuple(
            said[name] for name in ("provider_name", "provider_url", "type", "version")
        )
        assert (1200, 630) == (said["thumbnail_width"], said["thumbnail_height"])
        assert said["thumbnail_url"].startswith(f"{base}/cards/")
        assert embedded(said["html"]) is not None
        assert 200 == merchant.public.get(f"/embed/{frame}").status_code
    assert "<blockquote>Look! <a" in told(merchant, f"{base}/r/{share['code']}")["html"]


def test_a_page_of_the_merchants_own_can_be_embedded_by_its_link(merchant: TestMerchant) -> None:
    ok(merchant.http.patch("/v1/merchant", json={"allowed_origins": ["https://shop.example"]}))
    body = {"merchant": merchant.id, "url": "https://shop.example/a-story", "network": "email"}
    share = ok(merchant.public.post("/v1/shares", json=body), 201)
    said = told(merchant, f"{merchant.base}/r/{share['code']}")
    assert "a story · shop.example" == said["title"]
    assert "thumbnail_url" not in said


def test_pages_lead_to_their_description_and_it_leads_back(merchant: TestMerchant) -> None:
    mug = merchant.product("Mug")
    wall = merchant.wall(mug["id"])
    share = merchant.shopper().share(mug["id"])
    for path in (f"/p/{mug['id']}", f"/w/{wall['id']}", f"/r/{share['code']}"):
        page = merchant.public.get(path, headers={"User-Agent": "Iframely/1.3.1"}).text
        (link,) = re.findall(r"<link[^>]*application/json\+oembed[^>]*>", page)
        href = re.search(r'href="([^"]+)"', link)
        assert href is not None
        said = ok(merchant.public.get(href[1].replace("&amp;", "&")), 200)
        assert f'<a href="{merchant.base}{path}">' in said["html"]


@pytest.mark.parametrize("written", ["twice", "slash", "query", "case", "https", "limits"])
def test_an_address_may_be_written_in_other_ways(merchant: TestMerchant, written: str) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    plain = f"{merchant.base}/r/{share['code']}"
    ways = {
        "twice": quote(plain, safe=""),
        "slash": f"{plain}/",
        "query": f"{plain}?fbclid=1&utm_source=x",
        "case": plain.replace("http://", "HTTP://"),
        "https": plain.replace("http://", "https://"),
        "limits": plain,
    }
    limits = {"maxwidth": "300", "maxheight": "x"} if written == "limits" else {}
    said = told(merchant, ways[written], **limits)
    assert f'<a href="{plain}">' in said["html"]
    assert (300 if limits else 480) == said["width"]


@pytest.mark.parametrize(
    ("query", "status", "code"),
    [
        ("", 400, "bad_request"),
        ("?url=", 400, "bad_request"),
        ("?url=https://elsewhere.example/p/1", 404, "not_found"),
        ("?url={own}/p/prod_unknown", 404, "not_found"),
        ("?url={own}/w/prod_01kjpzv28000000001bv176jg4ttk4", 404, "not_found"),
        ("?url={own}/r/123456789", 404, "not_found"),
        ("?url={own}/r/%00", 404, "not_found"),
        ("?url={own}/p/x&format=xml", 501, "format_not_supported"),
        ("?url={own}/p/x&format=yaml", 501, "format_not_supported"),
        ("?" + "url=x&" * 200, 400, "bad_request"),
    ],
)
def test_a_no_is_a_problem_that_any_page_may_read(merchant: TestMerchant, query: str, status: int, code: str) -> None:
    answer = merchant.public.get("/oembed" + query.replace("{own}", merchant.base))
    assert (status, code) == (answer.status_code, answer.json()["code"])
    assert "application/problem+json" == answer.headers["content-type"]
    assert "*" == answer.headers["access-control-allow-origin"]
    assert "no-store" == answer.headers["cache-control"]


def test_what_was_taken_back_cannot_be_embedded(merchant: TestMerchant, until_seen: Callable[[], None]) -> None:
    mug, fan = merchant.product(), merchant.shopper()
    wall = merchant.wall(mug["id"])
    like = fan.like(mug["id"])
    pages = {f"/r/{like['code']}": 410, f"/p/{mug['id']}": 404, f"/w/{wall['id']}": 404}
    for path in pages:
        told(merchant, merchant.base + path)
    ok(fan.http.delete(f"/v1/likes/{like['id']}", headers=fan.headers))
    ok(merchant.http.delete(f"/v1/products/{mug['id']}"))
    ok(merchant.http.delete(f"/v1/walls/{wall['id']}"))
    until_seen()
    for path, status in pages.items():
        assert status == asked(merchant, merchant.base + path).status_code, path


def test_asking_is_no_visit_of_anybodys(merchant: TestMerchant) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    for agent in (BROWSER, "Mastodon/4.3.0 (http.rb/5.2.0; +https://piaille.fr/)"):
        url = f"{merchant.base}/r/{share['code']}"
        ok(merchant.public.get("/oembed", params={"url": url}, headers={"User-Agent": agent}), 200)
    merchant.clock.move(minutes=1)
    assert 0 == ok(merchant.http.get("/v1/reports/spread"))["totals"]["visits"]
    assert 0 == ok(merchant.http.get("/v1/reports/machines"))["totals"]["visits"]


def test_the_language_of_the_picture_is_the_readers_unless_the_wall_has_one(merchant: TestMerchant) -> None:
    mug = merchant.product()
    french = merchant.wall(mug["id"], locale="fr")
    url = f"{merchant.base}/p/{mug['id']}"
    spoken = merchant.public.get("/oembed", params={"url": url}, headers={"Accept-Language": "fr"})
    assert "Accept-Language" in spoken.headers["vary"]
    assert "lang=fr" in spoken.json()["thumbnail_url"]
    assert "lang=en" in told(merchant, url)["thumbnail_url"]
    assert "lang=fr" in told(merchant, f"{url}?wall={french['id']}")["thumbnail_url"]
