"""Hosted pages over HTTP: complete for crawlers and without JavaScript, safe whatever merchants wrote."""

import html
import json
import re
from collections.abc import Callable

import httpx
import pytest

from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok
from tests.till import Till


def widget(http: httpx.Client, wall: JSON) -> JSON:
    return dict(ok(http.get(f"/v1/walls/{wall['id']}/widget"), 200))


def variants(*prices: int, sku: str | None = None) -> list[JSON]:
    return [{"title": f"No. {price}", "sku": sku, "price": {"amount": price, "currency": "eur"}} for price in prices]


def json_ld(page: httpx.Response) -> JSON:
    found = re.search(r'<script type="application/ld\+json">(.*?)</script>', page.text, re.DOTALL)
    assert found is not None
    return dict(json.loads(found[1]))


def test_a_product_page_is_complete_for_a_crawler(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    hat = merchant.product(
        "Hat",
        description="Keeps warm.",
        brand="Felt & Co",
        images=["https://x.example/hat.jpg"],
        url="https://shop.example/hat?size=m",
        variants=variants(3000, 2500),
    )
    page = http.get(f"/p/{hat['id']}?utm_source=x", headers={"User-Agent": "Googlebot/2.1"})
    address = f"{app_server.url}/p/{hat['id']}"
    for said in (
        f'<link rel="canonical" href="{address}">',
        f'<meta property="og:url" content="{address}">',
        '<meta property="og:title" content="Hat">',
        f'<meta property="og:image" content="{app_server.url}/cards/{hat["id"]}.png?',
        '<meta name="twitter:card" content="summary_large_image">',
        '<meta name="description" content="Keeps warm.">',
        '<meta property="product:price:amount" content="25.00">',
        "€25.00",
        'href="https://shop.example/hat?size=m"',
        'action="/v1/checkouts"',
    ):
        assert said in page.text
    product = json_ld(page)
    assert (product["@type"], product["name"], product["brand"]["name"]) == ("Product", "Hat", "Felt & Co")
    assert [(offer["price"], offer["priceCurrency"]) for offer in product["offers"]] == [
        ("30.00", "EUR"),
        ("25.00", "EUR"),
    ]
    assert product["offers"][0]["availability"] == "https://schema.org/InStock"


def test_a_wall_page_lists_its_products_and_leads_to_them(
    merchant: TestMerchant, http: httpx.Client, app_server: AppServer
) -> None:
    hat = merchant.product("Hat")
    wall = merchant.wall(hat["id"], title="Best of")
    page = http.get(f"/w/{wall['id']}")
    assert '<h1 dir="auto">Best of</h1>' in page.text
    assert f"{app_server.url}/p/{hat['id']}?wall={wall['id']}" in html.unescape(page.text)
    assert json_ld(page)["itemListElement"][0]["name"] == "Hat"
    product_page = http.get(f"/p/{hat['id']}?wall={wall['id']}")
    assert f'name="wall" value="{wall["id"]}"' in product_page.text
    assert f'<link rel="canonical" href="{app_server.url}/p/{hat["id"]}">' in product_page.text


def test_another_merchants_wall_means_nothing_to_a_product_page(
    new_merchant: Callable[..., TestMerchant], http: httpx.Client
) -> None:
    hat, foreign = new_merchant().product("Hat"), new_merchant().wall(title="Not yours")
    for wall in (foreign["id"], "nonsense", '"><script>'):
        page = http.get(f"/p/{hat['id']}", params={"wall": wall})
        assert page.status_code == 200
        assert 'name="wall"' not in page.text
        assert "Not yours" not in page.text


@pytest.mark.parametrize(
    ("currency", "amount", "english", "french"),
    [("eur", 1999, "€19.99", "19,99 €"), ("jpy", 1999, "¥1,999", "1 999 JPY"), ("kwd", 1999, "KWD 1.999", "1,999 KWD")],
)
def test_prices_are_written_as_the_language_does(
    new_merchant: Callable[..., TestMerchant],
    http: httpx.Client,
    currency: str,
    amount: int,
    english: str,
    french: str,
) -> None:
    path = f"/p/{new_merchant(currency=currency).product('Mug', amount)['id']}"
    spaces = re.compile(r"[\u00a0\u202f]")
    assert english in spaces.sub(" ", http.get(path, headers={"Accept-Language": "en-GB"}).text)
    page = http.get(path, headers={"Accept-Language": "fr-FR,fr;q=0.9"})
    assert french in spaces.sub(" ", page.text)
    assert '<html lang="fr"' in page.text


HOSTILE = "</script><script>alert('x')</script>\"'&<!-- \u2028 \u202e שלום 👩‍👩‍👧‍👦 {{ 7*7 }}"


def test_hostile_words_stay_words(new_merchant: Callable[..., TestMerchant], http: httpx.Client) -> None:
    seller = new_merchant(name=HOSTILE[:150])
    product = seller.product(HOSTILE, description=HOSTILE * 20, brand=HOSTILE, variants=variants(1, 2, sku=HOSTILE))
    wall = seller.wall(product["id"], title=HOSTILE)
    for path in (f"/w/{wall['id']}", f"/p/{product['id']}"):
        page = http.get(path).text
        assert "<script>alert" not in page
        (heading,) = re.findall(r"<h1.*?</h1>", page, re.DOTALL)
        assert product["title"] in html.unescape(heading)
        assert len(re.findall(r"<script", page)) == 2  # the loader and the data block
    assert json_ld(http.get(f"/p/{product['id']}"))["name"] == product["title"]
    assert widget(http, wall)["cards"][0]["title"] == product["title"]


def test_every_page_of_ours_is_locked_down(merchant: TestMerchant, http: httpx.Client) -> None:
    product = merchant.product()
    for path in ("/", f"/w/{merchant.wall()['id']}", f"/p/{product['id']}", "/p/none", "/r/none", "/thanks/none"):
        page = http.get(path)
        policy = page.headers["content-security-policy"]
        for rule in ("default-src 'self'", "frame-ancestors 'none'", "base-uri 'none'", "object-src 'none'"):
            assert rule in policy
        assert "form-action 'self' https://checkout.stripe.com" in policy
        assert page.headers["x-content-type-options"] == "nosniff"
        assert page.headers["referrer-policy"] == "strict-origin-when-cross-origin"
        assert re.search(r"<style|\sstyle=|\son\w+=|javascript:", page.text) is None


def test_a_click_in_the_address_reaches_the_buy_form_and_nobody_else(
    new_merchant: Callable[..., TestMerchant], http: httpx.Client
) -> None:
    merchant = new_merchant()
    product = merchant.product()
    share = merchant.shopper().share(product["id"])
    click = merchant.shopper().follow(share["code"], claim=False)
    for path in (f"/p/{product['id']}", f"/w/{merchant.wall(product['id'])['id']}"):
        mine = http.get(path, params={"gv_click": click})
        assert f'name="click" value="{click}"' in mine.text
        assert f'click="{click}"' in mine.text
        assert mine.headers["cache-control"] == "no-store"
        assert "clk_" not in http.get(path).text
    foreign = new_merchant().product()
    for address, wrong in ((foreign["id"], click), (product["id"], 'clk_"><script>'), (product["id"], "clk_x")):
        assert "clk_" not in http.get(f"/p/{address}", params={"gv_click": wrong}).text


def test_a_page_that_is_known_is_not_sent_again(merchant: TestMerchant, http: httpx.Client) -> None:
    path = f"/p/{merchant.product()['id']}"
    tag = http.get(path).headers["etag"]
    assert http.get(path, headers={"If-None-Match": tag}).status_code == 304
    assert http.get(path, headers={"If-None-Match": tag, "Accept-Language": "fr"}).status_code == 200


def test_the_server_says_friendly_what_it_is(http: httpx.Client) -> None:
    page = http.get("/")
    assert (page.status_code, "Grapevine" in page.text) == (200, True)
    assert http.get("/favicon.ico").status_code == 204


# Buying without JavaScript


def test_who_has_bought_is_thanked_and_may_pass_it_on(till: Till, seller: TestMerchant) -> None:
    mug, hat = seller.product("Mug"), seller.product("Hat")
    wall = seller.wall(mug["id"], title="Best of")
    opened = till.checkout(mug["variants"][0]["id"], wall=wall["id"])
    page = httpx.get(f"{till.url}/thanks/{opened['id']}")
    assert page.status_code == 200
    assert "Mug" in page.text
    assert hat["id"] not in page.text
    assert f'href="{till.url}/w/{wall["id"]}"' in page.text
    assert page.headers["cache-control"] == "no-store"
    ok(seller.http.delete(f"/v1/products/{mug['id']}"))
    assert httpx.get(f"{till.url}/thanks/{opened['id']}").status_code == 200


def test_an_unknown_checkout_is_a_friendly_page(till: Till, seller: TestMerchant) -> None:
    opened = till.checkout(seller.product()["variants"][0]["id"])
    for wrong in ("chk_x", seller.id, opened["id"][:-1] + ("1" if opened["id"].endswith("0") else "0"), "%00"):
        page = httpx.get(f"{till.url}/thanks/{wrong}")
        assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")


def test_a_form_may_be_led_on_to_the_till(till: Till, seller: TestMerchant) -> None:
    page = httpx.get(f"{till.url}/p/{seller.product()['id']}")
    tills = f"form-action 'self' https://checkout.stripe.com {till.stripe_url}"
    assert tills in page.headers["content-security-policy"]
    fields = dict(re.findall(r'<input type="hidden" name="(\w+)" value="([^"]*)">', page.text))
    led = httpx.post(f"{till.url}/v1/checkouts", data=fields)
    assert (led.status_code, led.headers["location"].startswith(till.stripe_url)) == (303, True)


def test_a_form_that_is_refused_is_answered_with_a_page(till: Till, seller: TestMerchant) -> None:
    product = seller.product()
    here = f"{till.url}/p/{product['id']}"
    ok(seller.http.delete(f"/v1/products/{product['id']}"))
    form = {"variant": product["variants"][0]["id"], "quantity": "1"}
    chosen = f"{here}?variant={form['variant']}"
    for back, led in ((here, chosen), ("https://shop.example/mug", "https://shop.example/mug"), ("javascript:a", None)):
        page = httpx.post(f"{till.url}/v1/checkouts", data=form, headers={"Referer": back})
        assert (page.status_code, page.headers["content-type"]) == (422, "text/html; charset=utf-8")
        assert re.findall(r'<a class="buy wide" href="(.*?)"', page.text) == ([] if led is None else [led])
        assert "frame-ancestors 'none'" in page.headers["content-security-policy"]
