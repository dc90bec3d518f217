"""What heads of hosted pages say to networks, readers of cards and search engines, over HTTP."""

from itertools import pairwise

import httpx
import pytest

from tests.conftest import AppServer
from tests.heads import ParsedPage
from tests.shop import BROWSER, JSON, TestMerchant, ok


def read(http: httpx.Client, path: str, **headers: str) -> ParsedPage:
    answer = http.get(path, headers=headers)
    assert answer.status_code == 200
    return ParsedPage(answer.text)


def hat(merchant: TestMerchant, **fields: object) -> JSON:
    given: JSON = {
        "description": "Keeps warm.\nAnd dry.",
        "brand": "Felt & Co",
        "images": ["https://x.example/hat.jpg", "https://x.example/side.jpg"],
        "variants": [
            {"title": "S", "sku": "H-S", "price": {"amount": 2500, "currency": "eur"}, "stock": 0},
            {
                "title": "M",
                "price": {"amount": 2600, "currency": "eur"},
                "compare_at": {"amount": 3000, "currency": "eur"},
            },
        ],
    }
    return dict(merchant.product("Hat", **given | fields))


def test_a_products_card_is_complete(merchant: TestMerchant, http: httpx.Client, app_server: AppServer) -> None:
    product = hat(merchant)
    page = read(http, f"/p/{product['id']}?utm_source=x")
    address, said = f"{app_server.url}/p/{product['id']}", page.metas()

    assert page.canonical() == address
    picture = said.pop("og:image")
    assert picture.startswith(f"{app_server.url}/cards/{product['id']}.png?")
    assert said.pop("twitter:image") == picture
    assert said == {
        "viewport": "width=device-width, initial-scale=1",
        "color-scheme": "light dark",
        "description": "Keeps warm. And dry.",
        "og:type": "product",
        "og:url": address,
        "og:title": "Hat",
        "og:site_name": "Vine & Thread",
        "og:locale": "en_US",
        "og:description": "Keeps warm. And dry.",
        "og:image:type": "image/png",
        "og:image:width": "1200",
        "og:image:height": "630",
        "og:image:alt": "Hat · €26.00",
        "product:retailer_item_id": product["id"],
        "product:brand": "Felt & Co",
        "product:price:amount": "26.00",
        "product:price:currency": "EUR",
        "product:availability": "in stock",
        "product:original_price:amount": "30.00",
        "product:original_price:currency": "EUR",
        "product:sale_price:amount": "26.00",
        "product:sale_price:currency": "EUR",
        "twitter:card": "summary_large_image",
        "twitter:title": "Hat",
        "twitter:description": "Keeps warm. And dry.",
        "twitter:image:alt": "Hat · €26.00",
        "twitter:label1": "Price",
        "twitter:data1": "€26.00",
        "twitter:label2": "Availability",
        "twitter:data2": "In stock",
    }
    assert page.one("title").text == "Hat · Vine & Thread"


def test_a_product_says_to_search_engines_what_is_known_and_nothing_else(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    product = hat(merchant)
    address = f"{app_server.url}/p/{product['id']}"
    seller = {"@type": "Organization", "name": "Vine & Thread"}
    offer = {"@type": "Offer", "url": address, "priceCurrency": "EUR", "seller": seller}

    assert read(http, f"/p/{product['id']}").json_ld() == {
        "@context": "https://schema.org",
        "@type": "Product",
        "@id": address,
        "name": "Hat",
        "url": address,
        "productID": product["id"],
        "description": "Keeps warm.\nAnd dry.",
        "image": ["https://x.example/hat.jpg", "https://x.example/side.jpg"],
        "brand": {"@type": "Brand", "name": "Felt & Co"},
        "offers": [
            {**offer, "name": "S", "sku": "H-S", "price": "25.00", "availability": "https://schema.org/OutOfStock"},
            {**offer, "name": "M", "price": "26.00", "availability": "https://schema.org/InStock"},
        ],
    }


def test_what_is_sold_out_or_has_no_price_says_so(merchant: TestMerchant, http: httpx.Client) -> None:
    gone = merchant.product("Gone", variants=[{"price": {"amount": 5, "currency": "eur"}, "stock": 0}])
    shown = merchant.product("Shown", None)

    assert read(http, f"/p/{gone['id']}").metas()["product:availability"] == "out of stock"
    page = read(http, f"/p/{shown['id']}")
    assert not [name for name in page.metas() if name.startswith(("product:price", "product:avail", "twitter:data"))]
    assert "offers" not in page.json_ld()
    assert page.all("form") == []
    assert page.one("span", class_="off").text == "Not for sale here"


def test_a_wall_tells_of_its_feeds_and_its_embed(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    product = hat(merchant)
    wall = merchant.wall(product["id"], title="Best of", locale="fr-CH")
    address = f"{app_server.url}/w/{wall['id']}"
    page = read(http, f"/w/{wall['id']}")
    said = page.metas()

    assert (page.canonical(), said["og:url"], said["og:type"]) == (address, address, "website")
    assert (said["og:title"], said["og:description"], said["og:locale"]) == ("Best of", "Hat", "fr_CH")
    assert (said["og:image:alt"], said["twitter:card"]) == ("Best of", "summary_large_image")
    kinds = {node["type"]: node["href"] for node in page.links("alternate")}
    assert kinds["application/feed+json"] == f"{address}/feed.json"
    assert kinds["application/atom+xml"] == f"{address}/feed.xml"
    assert kinds["application/json+oembed"].startswith(f"{app_server.url}/oembed?url=http")
    assert page.json_ld() == {
        "@context": "https://schema.org",
        "@type": "ItemList",
        "name": "Best of",
        "url": address,
        "itemListElement": [
            {
                "@type": "ListItem",
                "position": 1,
                "name": "Hat",
                "url": f"{app_server.url}/p/{product['id']}?wall={wall['id']}",
            }
        ],
    }


@pytest.mark.parametrize("of", ["product", "wall", "both"])
def test_a_shared_link_is_a_card_of_its_own(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer, of: str
) -> None:
    product = hat(merchant)
    wall = merchant.wall(product["id"], title="Best of")
    target = {"product": product["id"], "wall": wall["id"]}
    given = target if of == "both" else {of: target[of]}
    share = ok(httpx.post(f"{app_server.url}/v1/shares", json={"network": "x", "caption": "Look!", **given}))
    address = f"{app_server.url}/r/{share['code']}"

    for agent in (BROWSER, "Twitterbot/1.0"):
        page = read(http, f"/r/{share['code']}", **{"User-Agent": agent})
        said = page.metas()
        assert (page.canonical(), said["og:url"]) == (address, address)
        assert (said["og:description"], said["robots"]) == ("Look!", "noindex")
        assert said["og:title"] == ("Best of" if of == "wall" else "Hat")
        (embed,) = page.links("alternate")
        assert share["code"] in httpx.URL(embed["href"]).params["url"]
        assert page.one("blockquote").text == "Look!"


def test_a_page_without_an_address_has_no_card(http: httpx.Client) -> None:
    page = ParsedPage(http.get("/p/none").text)
    said = page.metas()
    assert said["robots"] == "noindex"
    assert not [name for name in said if name.startswith(("og:", "twitter:"))]
    assert page.links("canonical") == []


def test_headings_follow_each_other_on_every_page(merchant: TestMerchant, http: httpx.Client) -> None:
    products = [merchant.product(f"No. {number}")["id"] for number in range(3)]
    for layout in ("grid", "list", "carousel", "single"):
        wall = merchant.wall(*products, title="Best of", layout=layout)
        for path in (f"/w/{wall['id']}", f"/p/{products[0]}?wall={wall['id']}"):
            page = read(http, path)
            levels = [int(node.tag[1]) for node in page.nodes if node.tag in ("h1", "h2", "h3", "h4")]
            assert levels[0] == 1
            assert levels.count(1) == 1
            assert all(after <= before + 1 for before, after in pairwise(levels))
            assert len(page.all("main")) == 1


def test_a_theme_is_let_into_the_page_by_its_hash_alone(merchant: TestMerchant, http: httpx.Client) -> None:
    mug = merchant.product()["id"]
    plain = http.get(f"/w/{merchant.wall(mug)['id']}")
    assert "style-src" not in plain.headers["content-security-policy"]
    themed = merchant.wall(mug, theme={"accent": "#0b6e4f", "radius": 4, "scheme": "dark"})
    answer = http.get(f"/w/{themed['id']}")
    page = ParsedPage(answer.text)
    assert "".join(page.one("style").said) == ":root{--accent:#0b6e4f;--round:4px}"
    assert "; style-src 'self' 'sha256-" in answer.headers["content-security-policy"]
    assert page.one("html")["data-scheme"] == "dark"
    assert page.metas()["color-scheme"] == "dark"
