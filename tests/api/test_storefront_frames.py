"""The iframe forms over HTTP: whose pages may show them, where they lead, and that nothing else is in them."""

import re
import time
from collections.abc import Callable

import httpx
import pytest

from tests.clock import A_SECOND
from tests.conftest import AppServer
from tests.heads import ParsedPage
from tests.shop import JSON, TestMerchant, ok

HOSTILE = "</script><script>alert('x')</script>\"'&<!-- שלום {{ 7*7 }}"


@pytest.fixture
def shared(merchant: TestMerchant) -> JSON:
    """A product on a wall that somebody passed on, and the addresses of its three frames."""
    mug = merchant.product("Mug", 1999, images=["https://x.example/mug.jpg"], description="Holds tea.")
    wall = merchant.wall(mug["id"], title="Best of")
    share = merchant.shopper().share(mug["id"], caption="Look!", name="Ana")
    return {
        "mug": mug["id"],
        "wall": wall["id"],
        "code": share["code"],
        "frames": [f"/embed/walls/{wall['id']}", f"/embed/products/{mug['id']}", f"/embed/r/{share['code']}"],
    }


def ancestors(answer: httpx.Response) -> str:
    return answer.headers["content-security-policy"].rpartition("frame-ancestors ")[2]


def test_the_merchants_list_says_who_may_frame(new_merchant: Callable[..., TestMerchant], http: httpx.Client) -> None:
    for listed, said in ((["https://blog.example"], "'self' https://blog.example"), (["*"], "*"), ([], "'self'")):
        merchant = new_merchant(allowed_origins=listed)
        mug = merchant.product()["id"]
        code = merchant.shopper().share(mug)["code"]
        for path in (f"/embed/walls/{merchant.wall(mug)['id']}", f"/embed/products/{mug}", f"/embed/r/{code}"):
            answer = http.get(path)
            assert (answer.status_code, ancestors(answer)) == (200, said)
            assert "x-frame-options" not in answer.headers
            assert "set-cookie" not in answer.headers


def test_whatever_is_pressed_leads_to_a_page_of_ours_at_the_top(
    http: httpx.Client, app_server: AppServer, shared: JSON
) -> None:
    own = app_server.url
    product = f"{own}/p/{shared['mug']}"
    led = [
        {f"{own}/w/{shared['wall']}", f"{product}?wall={shared['wall']}"},
        {product},
        {f"{own}/r/{shared['code']}"},
    ]
    for path, addresses in zip(shared["frames"], led, strict=True):
        page = ParsedPage(http.get(path).text)
        links = page.all("a")
        assert {link["href"] for link in links} == addresses
        assert {(link["target"], link["rel"]) for link in links} == {("_top", "noopener")}
        assert page.all("a", class_="buy")[0].text == "Buy"
        assert page.all("form") == page.all("main") == page.links("stylesheet") == []
        (section,) = page.all("section")
        assert section["aria-label"] in ("Best of", "Mug")


def test_a_frame_is_for_no_search_engine_and_stands_for_its_page(
    http: httpx.Client, app_server: AppServer, shared: JSON
) -> None:
    own = app_server.url
    stands_for = [f"{own}/w/{shared['wall']}", f"{own}/p/{shared['mug']}", f"{own}/r/{shared['code']}"]
    for path, address in zip(shared["frames"], stands_for, strict=True):
        page = ParsedPage(http.get(path).text)
        assert page.metas()["robots"] == "noindex"
        assert page.canonical() == address


def test_a_frame_of_a_link_tells_whose_words_they_are_and_counts_nothing(
    merchant: TestMerchant, http: httpx.Client, shared: JSON
) -> None:
    page = ParsedPage(http.get(f"/embed/r/{shared['code']}").text)
    assert page.one("p", class_="by").text == "Ana passed this on to you"
    assert page.one("blockquote").text == "Look!"
    assert "clk_" not in http.get(f"/embed/r/{shared['code']}", params={"gv_click": "clk_x"}).text
    assert page.one("body").attributes == {"data-code": shared["code"]}


def test_the_page_that_embeds_chooses_how_it_looks(merchant: TestMerchant, http: httpx.Client) -> None:
    products = [merchant.product(f"No. {number}")["id"] for number in range(4)]
    wall = merchant.wall(*products, title="Best of", theme={"scheme": "dark", "accent": "#0b6e4f"})
    path = f"/embed/walls/{wall['id']}"
    plain = ParsedPage(http.get(path).text)
    assert (plain.one("html").get("data-scheme"), len(plain.all("li"))) == ("dark", 4)
    assert "".join(plain.one("style").said).endswith(":root{--accent:#0b6e4f}")
    assert [link.text for link in plain.all("a") if link.text.startswith("See all")] == []

    asked = {"layout": "list", "theme": "auto", "lang": "fr-CA", "cards": "2"}
    chosen = ParsedPage(http.get(path, params=asked, headers={"Accept-Language": "en"}).text)
    assert "list" in chosen.one("section")["class"].split()
    assert "data-scheme" not in chosen.one("html").attributes
    assert (chosen.one("html")["lang"], len(chosen.all("li"))) == ("fr", 2)
    assert [link.text for link in chosen.all("a")][-1] == "Tout voir : Best of"
    alone = ParsedPage(http.get(path, params={"layout": "single"}).text)
    assert len(alone.all("li")) == 1


def test_a_product_is_met_on_its_wall(merchant: TestMerchant, http: httpx.Client, shared: JSON) -> None:
    page = ParsedPage(http.get(f"/embed/products/{shared['mug']}", params={"wall": shared["wall"]}).text)
    assert page.one("body")["data-wall"] == shared["wall"]
    assert all(link["href"].endswith(f"?wall={shared['wall']}") for link in page.all("a"))


def test_what_is_sold_out_or_has_no_price_leads_to_its_page_and_sells_nothing(
    merchant: TestMerchant, http: httpx.Client
) -> None:
    gone = merchant.product("Gone", variants=[{"price": {"amount": 5, "currency": "eur"}, "stock": 0}])
    for product in (gone, merchant.product("Shown", None)):
        page = ParsedPage(http.get(f"/embed/products/{product['id']}").text)
        assert page.one("a", class_="off").text == "Have a look"


def test_hostile_words_stay_words(new_merchant: Callable[..., TestMerchant], http: httpx.Client) -> None:
    seller = new_merchant(name=HOSTILE)
    product = seller.product(HOSTILE, description=HOSTILE * 20)
    share = seller.shopper().share(product["id"], caption=HOSTILE)
    wall = seller.wall(product["id"], title=HOSTILE)
    for path in (f"/embed/walls/{wall['id']}", f"/embed/products/{product['id']}", f"/embed/r/{share['code']}"):
        answer = http.get(path)
        page = ParsedPage(answer.text)
        assert len(page.all("script")) == 1
        assert page.one("h1").text == " ".join(HOSTILE.split())
        assert re.search(r"<[^>]*\s(style|on\w+)=|javascript:", answer.text) is None


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("walls/wall_x", 404),
        ("walls/%00", 404),
        ("products/wall_x", 404),
        ("products/" + "p" * 5000, 404),
        ("r/none", 404),
        ("r/" + "x" * 9, 404),
    ],
)
def test_what_is_not_there_says_so_in_the_frame(http: httpx.Client, path: str, status: int) -> None:
    answer = http.get(f"/embed/{path}")
    page = ParsedPage(answer.text)
    assert (answer.status_code, page.one("p").text) == (status, "This is no longer here")
    assert (ancestors(answer), answer.headers["cache-control"]) == ("*", "no-store")


def test_what_was_taken_back_is_gone_from_the_frame_within_a_second(
    merchant: TestMerchant, http: httpx.Client, shared: JSON
) -> None:
    link = f"/embed/r/{shared['code']}"
    assert http.get(link).status_code == 200
    ok(merchant.http.delete(f"/v1/products/{shared['mug']}"))
    time.sleep(A_SECOND)
    assert http.get(link).status_code == 410
    assert http.get(f"/embed/products/{shared['mug']}").status_code == 404


def test_a_frame_that_is_known_is_not_sent_again(http: httpx.Client, shared: JSON) -> None:
    for path in shared["frames"]:
        first = http.get(path)
        assert "public" in first.headers["cache-control"]
        assert "Accept-Language" in first.headers["vary"]
        again = http.get(path, headers={"If-None-Match": first.headers["etag"]})
        assert (again.status_code, ancestors(again)) == (304, ancestors(first))
        assert (
            http.get(path, params={"theme": "dark"}, headers={"If-None-Match": first.headers["etag"]}).status_code
            == 200
        )


def test_other_paths_below_are_none_of_ours(http: httpx.Client) -> None:
    for path in ("/embed", "/embed/", "/embed/walls", "/embed/other/x", "/embed/walls/x/y"):
        assert http.get(path).status_code == 404
    assert {"/embed/walls/{wall_id}", "/embed/products/{product_id}", "/embed/r/{code}"} < set(
        http.get("/openapi.json").json()["paths"]
    )
