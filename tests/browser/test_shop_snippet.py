"""`/shop.js` on pages of other shops: the click id goes from where somebody landed into the cart, and nowhere else."""

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

import pytest
from playwright.sync_api import BrowserContext, Page
from starlette.responses import HTMLResponse, JSONResponse, Response
from starlette.types import Receive, Scope, Send

from tests.browser import foreign
from tests.browser.journeys import ON_ONE_DATABASE, NewPerson, wait_for
from tests.conftest import AppServer
from tests.net import free_port, serving
from tests.other_shops import OtherShop, attribute, shopify_order
from tests.shop import JSON, TestMerchant

pytestmark = ON_ONE_DATABASE

CLICK = "clk_" + "01k9xkq2v9" * 3
OTHER = "clk_" + "01k9xkq2va" * 3
SHOPIFY = '<script>window.Shopify = {"routes": {"root": "/de/"}}</script>'
CLASSIC = """
<form class="checkout woocommerce-checkout" action="/placed" method="post"><input name="billing_email">
<input type="hidden" name="wc_order_attribution_session_entry" value="{entry}"><button>Place order</button></form>
"""
BLOCKS = """
<script>
window.told = [];
const store = {{ {name}: (...said) => told.push(said) }};
window.wp = {{ data: {{ dispatch: (name) => (window.ready && name === "wc/store/checkout" ? store : undefined) }} }};
</script><button>Anything</button>
"""

OLDER = """() => {
  const kept = JSON.parse(localStorage["grapevine:arrival"]);
  localStorage["grapevine:arrival"] = JSON.stringify({ ...kept, at: Date.now() - 30 * 24 * 3600 * 1000 });
}"""
"""Lets thirty days go by."""


@dataclass
class FakeShop:
    """A shop that is not ours, with a cart as Shopify has one, and the snippet in each of its pages."""

    origin: str
    api: str
    policy: str = "default-src 'self'; script-src 'self' 'unsafe-inline' {api}"
    cart: JSON = field(default_factory=dict)
    written: list[JSON] = field(default_factory=list)
    asked: list[str] = field(default_factory=list)
    placed: list[str] = field(default_factory=list)
    body: str = ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] == "http":
            await (await self._answer(scope, receive))(scope, receive, send)

    async def _answer(self, scope: Scope, receive: Receive) -> Response:
        path = scope["path"]
        sent = (await receive()).get("body", b"")
        self.asked.append(path)
        if path == "/de/cart.js":
            return JSONResponse({"token": "c1", "attributes": self.cart})
        if path == "/de/cart/update.js":
            self.written.append(json.loads(sent))
            self.cart.update(self.written[-1]["attributes"])
            return JSONResponse({"token": "c1", "attributes": self.cart})
        if path == "/favicon.ico":
            return Response(status_code=204)
        if path == "/placed":
            self.placed.append(sent.decode())
        snippet = f'<script type="module" src="{self.api}/shop.js"></script>'
        page = (
            f'<!doctype html><html lang="en"><head><title>Shop</title>{snippet}</head><body>{self.body}</body></html>'
        )
        return HTMLResponse(page, headers={"Content-Security-Policy": self.policy.format(api=self.api)})


@pytest.fixture
def shop(app_server: AppServer) -> Iterator[FakeShop]:
    port = free_port()
    site = FakeShop(f"http://shop.localhost:{port}", app_server.url)
    with serving(site, port):
        yield site


@pytest.fixture
def visitor(person: NewPerson) -> Iterator[BrowserContext]:
    """Somebody whose browser has nothing to complain of, and no cookie afterwards."""
    context = person()
    heard = foreign.complaints(context)
    yield context
    assert [] == heard
    assert [] == context.cookies()


def land(context: BrowserContext, shop: FakeShop, click: str | None = CLICK) -> Page:
    """Open the shop where a link has led, and wait until the snippet has done what it does."""
    page = context.new_page()
    page.goto(f"{shop.origin}/products/mug?lang=de{f'&gv_click={click}' if click else ''}#look")
    page.wait_for_load_state("networkidle")
    return page


def field_of(page: Page, name: str) -> str | None:
    found = page.locator(f'input[name="{name}"]')
    return found.input_value() if found.count() else None


def test_the_click_is_taken_from_the_address_and_kept_for_thirty_days(shop: FakeShop, visitor: BrowserContext) -> None:
    shop.body = '<form><input name="gv_click"></form>'
    page = land(visitor, shop)
    assert f"{shop.origin}/products/mug?lang=de#look" == page.url
    assert CLICK == field_of(page, "gv_click")
    assert CLICK == field_of(land(visitor, shop, None), "gv_click")
    assert OTHER == field_of(land(visitor, shop, OTHER), "gv_click")
    page.evaluate(OLDER)
    assert "" == field_of(land(visitor, shop, None), "gv_click")


def test_shopifys_cart_is_told_once(shop: FakeShop, visitor: BrowserContext) -> None:
    shop.body = SHOPIFY
    land(visitor, shop)
    land(visitor, shop, None)
    assert [{"attributes": {"gv_click": CLICK}}] == shop.written
    shop.cart.clear()  # bought; the next cart is empty
    land(visitor, shop, None)
    assert 2 == len(shop.written)
    land(visitor, shop, OTHER)
    assert {"gv_click": OTHER} == shop.cart


@pytest.mark.parametrize("answer", ["500", "no json", "broken off"])
def test_a_cart_that_cannot_be_asked_does_no_harm(shop: FakeShop, person: NewPerson, answer: str) -> None:
    shop.body = SHOPIFY + '<input name="gv_click">'
    context = person()
    failures: list[str] = []
    context.on("weberror", lambda failure: failures.append(str(failure.error)))
    context.route(
        "**/cart.js",
        lambda route: (
            route.abort()
            if answer == "broken off"
            else route.fulfill(status=500 if answer == "500" else 200, body="<html>")
        ),
    )
    assert CLICK == field_of(land(context, shop), "gv_click")
    assert ([], []) == (failures, shop.written)


@pytest.mark.parametrize(
    ("entry", "told"),
    [
        ("http://shop.localhost/product/mug/?a=1", f"http://shop.localhost/product/mug/?a=1&gv_click={CLICK}"),
        (f"http://shop.localhost/?gv_click={OTHER}", f"http://shop.localhost/?gv_click={OTHER}"),
        ("", None),
        ("(none)", None),
        ("http://[", "http://["),
    ],
    ids=["an address", "one with a click", "empty", "none", "no address"],
)
def test_woocommerces_checkout_carries_the_click_in_two_fields(
    shop: FakeShop, visitor: BrowserContext, entry: str, told: str | None
) -> None:
    shop.body = CLASSIC.format(entry=entry)
    page = land(visitor, shop)
    assert CLICK == field_of(page, "gv_click")
    expected = told or f"{shop.origin}/?gv_click={CLICK}"
    assert expected == field_of(page, "wc_order_attribution_session_entry")
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url("**/placed")
    assert f"&gv_click={CLICK}" in shop.placed[0]


def test_a_checkout_that_is_put_up_later_carries_the_click_too(shop: FakeShop, visitor: BrowserContext) -> None:
    page = land(visitor, shop)
    page.evaluate("html => document.body.innerHTML = html", CLASSIC.format(entry=""))
    page.get_by_role("button", name="Place order").click()
    page.wait_for_url("**/placed")
    assert f"&gv_click={CLICK}" in shop.placed[0]
    assert 1 == shop.placed[0].count(f"&gv_click={CLICK}")


@pytest.mark.parametrize("name", ["setExtensionData", "__internalSetExtensionData"])
def test_the_checkout_of_blocks_is_told_once_when_it_is_there(
    shop: FakeShop, visitor: BrowserContext, name: str
) -> None:
    shop.body = BLOCKS.format(name=name)
    page = land(visitor, shop)
    assert [] == page.evaluate("told")
    page.evaluate("window.ready = true")
    for _ in range(3):
        page.get_by_role("button").click()
    assert [["grapevine", {"gv_click": CLICK}]] == page.evaluate("told")


def test_a_shop_whose_checkout_breaks_is_left_alone(shop: FakeShop, visitor: BrowserContext) -> None:
    shop.body = "<script>window.wp = { data: { dispatch() { throw new Error('no such store') } } }</script>"
    shop.body += '<input name="gv_click">'
    assert CLICK == field_of(land(visitor, shop), "gv_click")


@pytest.mark.parametrize("click", [None, "clk_short", "<img src=x>"])
def test_who_came_through_no_link_is_left_alone(shop: FakeShop, visitor: BrowserContext, click: str | None) -> None:
    shop.body = SHOPIFY + CLASSIC.format(entry="http://shop.localhost/") + BLOCKS.format(name="setExtensionData")
    page = land(visitor, shop, click)
    page.evaluate("window.ready = true")
    page.get_by_role("button", name="Anything").click()
    assert f"{shop.origin}/products/mug?lang=de#look" == page.url
    assert (None, "http://shop.localhost/", []) == (
        field_of(page, "gv_click"), field_of(page, "wc_order_attribution_session_entry"), page.evaluate("told"),
    )  # fmt: skip
    assert 0 == page.evaluate("localStorage.length")
    assert not [path for path in shop.asked if "cart" in path]


REFUSED = "Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('no', 'SecurityError') } })"


def test_where_storage_is_refused_the_click_is_carried_on_this_page(shop: FakeShop, visitor: BrowserContext) -> None:
    visitor.add_init_script(REFUSED)
    shop.body = SHOPIFY + '<input name="gv_click">'
    assert CLICK == field_of(land(visitor, shop), "gv_click")
    wait_for(lambda: shop.written)
    assert "" == field_of(land(visitor, shop, None), "gv_click")


def test_who_asks_not_to_be_followed_is_claimed_by_nobody_and_the_click_still_goes_with_the_purchase(
    shop: FakeShop, person: Callable[..., BrowserContext], app_server: AppServer
) -> None:
    context = person(extra_http_headers={"Sec-GPC": "1"})
    context.add_init_script("Object.defineProperty(navigator, 'globalPrivacyControl', { value: true })")
    asked: list[str] = []
    context.on("request", lambda call: asked.append(call.url) if call.url.startswith(app_server.url) else None)
    shop.body = SHOPIFY
    land(context, shop)
    assert {"gv_click": CLICK} == shop.cart
    assert all(url.endswith(".js") for url in asked)


def test_a_link_that_leads_to_the_shop_earns_the_sale_of_its_cart(
    shop: FakeShop, visitor: BrowserContext, merchant: TestMerchant
) -> None:
    shop.body = SHOPIFY
    product = merchant.product("Mug", url=f"{shop.origin}/products/mug")["id"]
    wall = merchant.wall(product, landing="merchant")["id"]
    ana = merchant.shopper()
    link = ana.share(product, wall=wall)
    page = visitor.new_page()
    page.goto(link["url"])
    page.wait_for_load_state("networkidle")
    assert f"{shop.origin}/products/mug" == page.url
    sold = OtherShop(merchant, "shopify")
    sold.tell("orders/paid", shopify_order(note_attributes=attribute(**shop.cart), processed_at="2026-03-02T12:00:00Z"))
    explained = merchant.explanation(sold.order()["id"])
    assert [(ana.id, 9000)] == [(line["sharer"], line["net"]) for line in explained["lines"]]
