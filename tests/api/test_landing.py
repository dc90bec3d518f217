"""Where a link lands: on our page or at the merchant's own address, by wall and merchant, and what it brings along."""

from typing import Any
from urllib.parse import parse_qsl, urlsplit

import httpx
import pytest
from sqlalchemy import update

from app.catalog.models import Product
from app.kernel.database import Database
from app.kernel.ids import merchant_of
from tests.conftest import AppServer
from tests.shop import BROWSER, TestMerchant, ok

SHOP = "https://shop.example/mug"


def follow(merchant: TestMerchant, code: str, query: str = "", **headers: str) -> httpx.Response:
    return merchant.public.get(f"/r/{code}{query}", headers={"User-Agent": BROWSER, **headers})


def settings(merchant: TestMerchant, **changes: Any) -> None:
    ok(merchant.http.patch("/v1/merchant", json=changes))


def tags(led: httpx.Response) -> dict[str, str]:
    """The parameters that the merchant's address was given, but the click."""
    assert led.status_code == 302
    query = dict(parse_qsl(urlsplit(led.headers["location"]).query))
    assert query.pop("gv_click").startswith("clk_")
    return query


@pytest.mark.parametrize("merchants", ["page", "merchant"])
def test_a_link_lands_where_the_wall_says_else_where_the_merchant_does(merchant: TestMerchant, merchants: str) -> None:
    settings(merchant, landing=merchants)
    ana, mug = merchant.shopper(), merchant.product(url=SHOP)
    for walls, lands in ((None, merchants), ("page", "page"), ("merchant", "merchant")):
        wall = merchant.wall(mug["id"], **({"landing": walls} if walls else {}))["id"]
        led = follow(merchant, ana.share(mug["id"], wall=wall)["code"])
        assert {"page": 200, "merchant": 302}[lands] == led.status_code, walls
        of_the_wall = follow(merchant, ana.share(wall=wall)["code"])
        assert 200 == of_the_wall.status_code  # a wall has no other page than ours
    assert {"page": 200, "merchant": 302}[merchants] == follow(merchant, ana.share(mug["id"])["code"]).status_code


def test_a_withdrawn_wall_says_nothing_any_more(merchant: TestMerchant) -> None:
    mug = merchant.product(url=SHOP)
    wall = merchant.wall(mug["id"], landing="merchant")["id"]
    code = merchant.shopper().share(mug["id"], wall=wall)["code"]
    ok(merchant.http.delete(f"/v1/walls/{wall}"))
    assert 200 == follow(merchant, code).status_code


def share_of(merchant: TestMerchant, database: Database, address: str | None) -> str:
    """The code of a share of a product whose address no call would take, as an old import may have left it."""
    mug = merchant.product()["id"]
    with database.transaction() as session:
        mine = (Product.merchant_id == merchant_of(mug), Product.product_id == mug)
        session.execute(update(Product).where(*mine).values(url=address))
    settings(merchant, landing="merchant", sharing={"utm": True})
    return str(merchant.shopper().share(mug)["code"])


@pytest.mark.parametrize(
    "address",
    [
        None,
        "",
        "javascript:alert(1)",
        "data:text/html,<script>alert(1)</script>",
        "//evil.example/mug",
        "/mug",
        "https://",
        "https://shop.example:port/",
        "ftp://shop.example/mug",
        "mailto:ana@shop.example",
        "https://shop example/mug",
    ],
)
def test_without_a_web_address_a_product_is_shown_here(
    merchant: TestMerchant, app_server: AppServer, address: str | None
) -> None:
    assert 200 == follow(merchant, share_of(merchant, app_server.database, address)).status_code


@pytest.mark.parametrize(
    ("address", "target"),
    [
        ("https://shop.example/a\r\nSet-Cookie: a=b", "https://shop.example/aSet-Cookie:%20a=b?utm_source"),
        ("https://shop.example/é?q=ü\n#ß", "https://shop.example/%C3%A9?q=%C3%BC&utm_source"),
        ('https://shop.example/"><script>', "https://shop.example/%22%3E%3Cscript%3E?utm_source"),
    ],
)
def test_an_address_can_add_no_header(merchant: TestMerchant, app_server: AppServer, address: str, target: str) -> None:
    led = follow(merchant, share_of(merchant, app_server.database, address))
    assert "set-cookie" not in led.headers
    assert led.headers["location"].startswith(target)


def test_the_merchants_statistics_are_told_the_network_where_they_want_to_know(merchant: TestMerchant) -> None:
    settings(merchant, landing="merchant")
    ana, mug = merchant.shopper(), merchant.product(url=f"{SHOP}?size=m#photos")
    assert {"size": "m"} == tags(follow(merchant, ana.share(mug["id"], network="email")["code"]))
    settings(merchant, sharing={"utm": True})
    by_mail = ana.share(mug["id"], network="sms")["code"]
    assert {"size": "m", "utm_source": "sms", "utm_medium": "sms", "utm_campaign": "grapevine"} == tags(
        follow(merchant, by_mail)
    )
    location = follow(merchant, by_mail).headers["location"]
    assert location.startswith(f"{SHOP}?size=m&utm_source=sms&")
    assert location.endswith("#photos")
    seen = tags(follow(merchant, by_mail, Referer="https://www.reddit.com/"))
    assert ("reddit", "social") == (seen["utm_source"], seen["utm_medium"])
    assert "onsite" == tags(follow(merchant, merchant.shopper().like(mug["id"])["code"]))["utm_source"]


def test_utm_of_the_merchants_own_is_not_touched(merchant: TestMerchant) -> None:
    settings(merchant, landing="merchant", sharing={"utm": True})
    mug = merchant.product(url=f"{SHOP}?utm_source=catalogue")
    assert {"utm_source": "catalogue"} == tags(follow(merchant, merchant.shopper().share(mug["id"])["code"]))


def test_a_page_of_ours_gets_no_utm(merchant: TestMerchant) -> None:
    settings(merchant, sharing={"utm": True})
    page = follow(merchant, merchant.shopper().share(merchant.product()["id"])["code"])
    assert (200, False) == (page.status_code, "utm_source" in page.text)


def test_a_page_of_the_merchants_own_gets_utm_too(merchant: TestMerchant) -> None:
    settings(merchant, allowed_origins=["https://shop.example"], sharing={"utm": True})
    body = {"merchant": merchant.id, "url": "https://shop.example/story", "network": "telegram"}
    share = ok(merchant.public.post("/v1/shares", json=body), 201)
    assert "telegram" == tags(follow(merchant, share["code"]))["utm_source"]


def test_what_was_declared_and_what_was_seen_both_reach_the_reports(merchant: TestMerchant) -> None:
    mug = merchant.product()
    share = merchant.shopper().share(mug["id"], network="whatsapp")
    arrivals: list[tuple[str, dict[str, str]]] = [
        ("", {}),
        ("", {"Referer": "https://t.co/abc"}),
        ("?utm_source=newsletter", {}),
        ("?fbclid=1", {}),
    ]
    for query, headers in arrivals:
        buyer = merchant.shopper()
        page = follow(merchant, share["code"], query, **headers)
        merchant.order(100, click_id=buyer.claim("clk_" + page.text.split("clk_", 1)[1][:30]))
    merchant.clock.move(minutes=1)
    told = merchant.report("shared_to,seen_from,network")["data"]
    assert {
        ("whatsapp", "(none)", "whatsapp", 200),  # a bare fbclid adds nothing to one of Meta's
        ("whatsapp", "x", "x", 100),
        ("whatsapp", "email", "email", 100),
    } == {(row["shared_to"], row["seen_from"], row["network"], row["net"]) for row in told}
