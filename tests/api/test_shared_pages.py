"""Shares of any page of the merchant's own site: whose pages may be shared, where their links lead, and whose word they
are, in every place where referrals are told of."""

import re
from collections.abc import Callable

import httpx
import pytest

from app.kernel.ids import merchant_of
from app.networks.catalogue import SHAREABLE
from tests.clock import TestClock
from tests.conftest import ADMIN_TOKEN, AppServer
from tests.shop import BROWSER, JSON, Shopper, TestMerchant, ok
from tests.threads import together

NewMerchant = Callable[..., TestMerchant]

SITE = "https://journal.example"
PAGE = f"{SITE}/mornings/slow"
CLICK = re.compile(r"clk_[0-9a-z]{30}")


@pytest.fixture
def merchant(new_merchant: NewMerchant) -> TestMerchant:
    made = new_merchant(allowed_origins=[SITE, "*"])
    ok(made.http.patch("/v1/merchant", json={"return_urls": ["https://shop.example/de/"]}))
    return made


def pass_on(merchant: TestMerchant, sharer: Shopper, url: str = PAGE, network: str = "x", **fields: str) -> JSON:
    return sharer.share(None, network, merchant=merchant.id, url=url, **fields)


def refusal(merchant: TestMerchant, body: JSON) -> tuple[int, list[str]]:
    answer = merchant.public.post("/v1/shares", json={"network": "x", **body})
    return answer.status_code, [error["pointer"] for error in answer.json().get("errors", [])]


def follow(merchant: TestMerchant, code: str, **headers: str) -> httpx.Response:
    return merchant.public.get(f"/r/{code}", headers={"User-Agent": BROWSER, **headers})


@pytest.mark.parametrize(
    ("url", "kept"),
    [
        (PAGE, PAGE),
        (SITE.upper().replace("HTTPS", "https"), f"{SITE}/"),
        (f" {PAGE}?a=1&gv_click=clk_old&b=2#here ", f"{PAGE}?a=1&b=2#here"),
        (f"{SITE}/é?q=ü", f"{SITE}/%C3%A9?q=%C3%BC"),
        ("https://shop.example/de/kissen?x", "https://shop.example/de/kissen?x"),
    ],
)
def test_a_link_to_a_page_of_the_merchants_leads_there_with_a_click(
    merchant: TestMerchant, url: str, kept: str
) -> None:
    share = pass_on(merchant, merchant.shopper(), url)
    led = follow(merchant, share["code"])
    (click,) = CLICK.findall(led.headers["location"])
    bare, _, fragment = kept.partition("#")
    expected = f"{bare}{'&' if '?' in bare else '?'}gv_click={click}" + (f"#{fragment}" if fragment else "")
    assert (302, expected) == (led.status_code, led.headers["location"])
    assert "no-store" == led.headers["cache-control"]
    assert click != CLICK.findall(follow(merchant, share["code"]).headers["location"])[0]


@pytest.mark.parametrize(
    "url",
    [
        "https://elsewhere.example/",  # only `*` would match
        "http://journal.example/",
        "https://journal.example:8443/",
        "https://journal.example.evil.example/",
        "https://user@journal.example/",
        "https://shop.example/",
        "https://shop.example/de/../fr/",
        "https://shop.example/deutsch",
        "javascript:alert(1)",
        "//journal.example/",
        "/mornings",
        "https://journal.example\\@evil.example/",
        "https://[broken",
        "https://journal.example:99999/",
        "not an address",
        "",
        f"{SITE}/{'é' * 2000}",
        f"{SITE}/{'a' * 3000}",
    ],
)
def test_a_page_that_is_not_the_merchants_cannot_be_shared(merchant: TestMerchant, url: str) -> None:
    assert (422, ["/url"]) == refusal(merchant, {"merchant": merchant.id, "url": url})


def test_what_is_shared_is_either_a_product_or_wall_or_a_page(merchant: TestMerchant) -> None:
    mug = merchant.product()["id"]
    wall = merchant.wall(mug)["id"]
    page = {"merchant": merchant.id, "url": PAGE}
    assert (422, ["/product"]) == refusal(merchant, {**page, "product": mug})
    assert (422, ["/wall"]) == refusal(merchant, {**page, "wall": wall})
    assert (422, ["/merchant"]) == refusal(merchant, {"url": PAGE})
    assert (422, ["/merchant"]) == refusal(merchant, {**page, "merchant": mug})
    assert (422, ["/url"]) == refusal(merchant, {"merchant": merchant.id})
    assert (422, ["/url"]) == refusal(merchant, {**page, "url": f"{PAGE}\x00"})
    assert (422, ["/network"]) == refusal(merchant, {**page, "network": "onsite"})


def test_a_merchant_who_is_not_there_has_no_pages(merchant: TestMerchant) -> None:
    # Another one's chance in the same number: the id is known only whole.
    forged = merchant.id[:-1] + ("0" if merchant.id[-1] != "0" else "1")
    assert merchant_of(forged, "mer") == merchant_of(merchant.id, "mer")
    page = {"merchant": forged, "url": PAGE}
    assert (404, []) == refusal(merchant, page)


def test_a_page_of_a_stranger_may_not_share(merchant: TestMerchant, new_merchant: NewMerchant) -> None:
    strict = new_merchant(allowed_origins=[SITE])
    body = {"merchant": strict.id, "url": PAGE, "network": "x"}
    answers = [
        strict.public.post("/v1/shares", json=body, headers={"Origin": origin})
        for origin in (SITE, "https://stranger.example")
    ]
    assert [201, 403] == [answer.status_code for answer in answers]
    assert SITE == answers[0].headers["access-control-allow-origin"]


def test_the_same_share_of_a_page_again_is_the_one_that_stands(merchant: TestMerchant) -> None:
    ana = merchant.shopper()
    first = pass_on(merchant, ana)
    again = [pass_on(merchant, ana, url) for url in (PAGE, f"{PAGE}?gv_click=clk_1")]
    assert [first["id"]] * 2 == [share["id"] for share in again]
    others = [
        pass_on(merchant, ana, f"{PAGE}/"),
        pass_on(merchant, ana, f"{PAGE}?page=2"),
        pass_on(merchant, ana, network="whatsapp"),
        pass_on(merchant, merchant.shopper()),
    ]
    assert 5 == len({first["code"], *(share["code"] for share in others)})
    at_once = together(*[lambda: pass_on(merchant, ana, network="email")] * 8)
    assert 1 == len({share["id"] for share in at_once})


def test_the_networks_form_begins_with_what_the_person_wrote_else_with_the_title(merchant: TestMerchant) -> None:
    ana = merchant.shopper()
    texts = [
        pass_on(merchant, ana, f"{PAGE}/{number}", "whatsapp", **fields)["intent_url"].partition("text=")[2]
        for number, fields in enumerate(({"title": "Slow mornings", "caption": "Look"}, {"title": "Slow mornings"}, {}))
    ]
    assert ["Look%20", "Slow%20mornings%20", "Vine%20%26%20Thread%20"] == [text.partition("http")[0] for text in texts]
    later = pass_on(merchant, ana, f"{PAGE}/1", "whatsapp", caption="On second thoughts")["intent_url"]
    assert "text=On%20second%20thoughts%20" in later  # the share stood already, without words
    mail = pass_on(merchant, ana, PAGE, "email", title="Slow\r\nBcc: everybody@example.com")["intent_url"]
    assert mail.startswith("mailto:?subject=Slow%20Bcc%3A%20everybody%40example.com&body=")


def test_a_page_that_is_no_longer_the_merchants_is_gone_for_people_and_machines(
    merchant: TestMerchant, until_seen: Callable[[], None]
) -> None:
    share = pass_on(merchant, merchant.shopper())
    assert 302 == follow(merchant, share["code"]).status_code
    ok(merchant.http.patch("/v1/merchant", json={"allowed_origins": ["*"]}))
    until_seen()
    for agent in (BROWSER, "Twitterbot/1.0"):
        gone = follow(merchant, share["code"], **{"User-Agent": agent})
        assert (410, "This is no longer here" in gone.text) == (gone.status_code, True)
    assert 410 == merchant.public.get(f"/r/{share['code']}.svg").status_code
    ok(merchant.http.patch("/v1/merchant", json={"allowed_origins": [SITE]}))
    until_seen()
    assert 302 == follow(merchant, share["code"]).status_code


def test_the_pages_of_a_merchant_who_left_are_gone(merchant: TestMerchant) -> None:
    share = pass_on(merchant, merchant.shopper())
    operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    assert 204 == merchant.public.delete(f"/v1/merchants/{merchant.id}", headers=operator).status_code
    assert 410 == follow(merchant, share["code"]).status_code
    assert 404 == merchant.public.get(f"/v1/merchants/{merchant.id}/sharing").status_code


def test_a_machine_gets_a_card_in_words_where_the_page_cannot_be_read(
    merchant: TestMerchant, app_server: AppServer
) -> None:
    share = pass_on(merchant, merchant.shopper(), caption="So <calm>")
    own = f"{app_server.url}/r/{share['code']}"
    card = follow(merchant, share["code"], **{"User-Agent": "Twitterbot/1.0"})
    assert 200 == card.status_code
    assert f'<link rel="canonical" href="{own}">' in card.text
    assert '<meta property="og:title" content="Vine &amp; Thread">' in card.text
    assert '<meta property="og:description" content="So &lt;calm&gt;">' in card.text
    assert "clk_" not in card.text
    silent = pass_on(merchant, merchant.shopper())
    words = follow(merchant, silent["code"], **{"User-Agent": "Twitterbot/1.0"}).text
    assert '<meta property="og:description" content="slow · journal.example">' in words
    assert f'href="{PAGE}"' in words


def test_a_link_to_a_page_is_also_a_picture_and_looking_ahead_leads_nowhere(merchant: TestMerchant) -> None:
    share = pass_on(merchant, merchant.shopper(), network="qr")
    assert "image/svg+xml" == merchant.public.get(f"/r/{share['code']}.svg").headers["content-type"]
    assert 200 == merchant.public.head(f"/r/{share['code']}").status_code
    ahead = follow(merchant, share["code"], **{"Sec-Purpose": "prefetch"})
    assert (503, b"") == (ahead.status_code, ahead.content)


# Whose word it is.


def test_who_came_by_a_page_shares_as_the_child_of_whoever_passed_it_on(merchant: TestMerchant) -> None:
    mug = merchant.product()["id"]
    ana, bo, cy = merchant.shopper(), merchant.shopper(), merchant.shopper()
    page, other = pass_on(merchant, ana), pass_on(merchant, ana, f"{SITE}/other")
    product = cy.share(mug)
    for code in (page["code"], other["code"], product["code"]):
        bo.follow(code)
    # The latest visit of what is shared, else of the merchant.
    assert page["id"] == pass_on(merchant, bo)["parent"]
    assert product["id"] == pass_on(merchant, bo, f"{SITE}/third")["parent"]
    assert product["id"] == bo.share(mug)["parent"]


def test_via_helps_who_has_no_visit_yet(merchant: TestMerchant) -> None:
    share = pass_on(merchant, merchant.shopper())
    click = merchant.shopper().follow(share["code"], claim=False)
    assert share["id"] == pass_on(merchant, merchant.shopper(), via=click)["parent"]
    assert share["id"] == pass_on(merchant, merchant.shopper(), via=share["code"])["parent"]


def test_a_sale_through_a_page_is_told_by_every_report(merchant: TestMerchant, clock: TestClock) -> None:
    ana, bo, cy = merchant.shopper(), merchant.shopper(), merchant.shopper()
    anas = pass_on(merchant, ana, name="Ana")
    bo.follow(anas["code"])
    clock.move(hours=1)
    bos = pass_on(merchant, bo, network="whatsapp")
    click = cy.follow(bos["code"])
    clock.move(hours=1)
    order = merchant.order(net=4000, click_id=click)
    clock.move(seconds=1)

    (line,) = [line for line in merchant.explanation(order["id"])["lines"] if line["net"]]
    assert (bos["id"], "whatsapp", bo.id, 4000) == (line["referral"], line["network"], line["sharer"], line["net"])
    (row,) = merchant.report("network,product,wall,sharer,kind")["data"]
    assert ("whatsapp", "(none)", "(none)", bo.id, "share", 4000) == tuple(
        row[name] for name in ("network", "product", "wall", "sharer", "kind", "net")
    )
    sharers = {row["sharer"]: (row["name"], row["net"]) for row in ok(merchant.http.get("/v1/sharers"))["data"]}
    assert {bo.id: (None, 4000)} == sharers
    assert "Ana" == ok(merchant.http.get(f"/v1/sharers/{ana.id}"))["name"]
    tree = ok(merchant.http.get(f"/v1/sharers/{ana.id}/tree"))
    assert [(anas["id"], None, None, 0, {"eur": 4000}), (bos["id"], None, None, 1, {"eur": 4000})] == [
        (node["referral"], node["product"], node["wall"], node["level"], node["subtree_net"]) for node in tree["data"]
    ]
    spread = ok(merchant.http.get("/v1/reports/spread"))
    assert spread["data"]


# What a share button is told.


def test_a_share_button_is_told_the_networks_in_the_merchants_order(
    merchant: TestMerchant, until_seen: Callable[[], None]
) -> None:
    address = f"/v1/merchants/{merchant.id}/sharing"
    told = merchant.public.get(address)
    body = ok(told)
    assert {"merchant", "networks", "sharing", "words"} == set(body)
    assert (merchant.id, {"rewarded": False, "terms": None}) == (body["merchant"], body["sharing"])
    assert list(SHAREABLE) == [network["id"] for network in body["networks"]]
    assert not [word for word in body["words"] if word.startswith(("page_", "embed_"))]
    again = merchant.public.get(address, headers={"If-None-Match": told.headers["etag"], "Accept-Encoding": "identity"})
    assert (304, b"") == (again.status_code, again.content)
    assert "Partager" in str(ok(merchant.public.get(address, headers={"Accept-Language": "fr"}))["words"])

    sharing = {"networks": ["mastodon", "copy"], "rewarded": True, "terms": f"{SITE}/terms"}
    ok(merchant.http.patch("/v1/merchant", json={"sharing": sharing}))
    until_seen()
    body = ok(merchant.public.get(address))
    assert ["mastodon", "copy"] == [network["id"] for network in body["networks"]]
    assert {"rewarded": True, "terms": f"{SITE}/terms"} == body["sharing"]


def test_only_listed_pages_may_read_what_a_share_button_is_told(new_merchant: NewMerchant) -> None:
    merchant = new_merchant(allowed_origins=[SITE])
    address = f"/v1/merchants/{merchant.id}/sharing"
    allowed = [
        merchant.public.get(address, headers={"Origin": origin}).headers.get("access-control-allow-origin")
        for origin in (SITE, "null", "https://stranger.example")
    ]
    assert [SITE, "null", None] == allowed
    assert 404 == merchant.public.get("/v1/merchants/mer_nobody/sharing").status_code
    assert 404 == merchant.public.get(f"/v1/merchants/{merchant.id}0/sharing").status_code
