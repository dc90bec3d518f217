"""What a sharer is told of their own word, and what they want to be called, over HTTP."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx
import pytest

from app.storefront.me.api import AT_ONCE
from tests.conftest import AppServer
from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.threads import together

HEADER = "Grapevine-Visitor"
Seen = Callable[[], None]
GUIDE = Path(__file__).parents[2] / "docs" / "sharers.md"
FEW = {"count": None, "and_few": True}


def told(count: int, and_few: bool = False) -> JSON:
    return {"count": count, "and_few": and_few}


def me(shopper: Shopper, **headers: str) -> JSON:
    return dict(ok(shopper.http.get("/v1/me", headers=shopper.headers | headers)))


def named(shopper: Shopper, name: str | None) -> Any:
    return ok(shopper.http.patch("/v1/me", json={"name": name}, headers=shopper.headers))


def friends(merchant: TestMerchant, code: str, number: int) -> list[Shopper]:
    """So many others who follow the link."""
    come = [merchant.shopper() for _ in range(number)]
    for friend in come:
        friend.follow(code)
    return come


def buys(merchant: TestMerchant, friend: Shopper, net: int = 1000, **fields: Any) -> JSON:
    return merchant.order(net, click_id=friend.click, **fields)


def test_a_sharer_who_has_done_nothing_much_is_told_so(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    wall = merchant.wall(product, title="Kitchen")
    liked = ana.like(product, wall=wall["id"])
    shared = ana.share(product, network="mastodon", caption="Look", name="Ana")
    seen = me(ana)
    assert (ana.id, merchant.id, 5) == (seen["visitor"], seen["merchant"]["id"], seen["small_group"])
    assert ("Ana", told(0), {"orders": told(0), "net": []}) == (seen["name"], seen["visits"], seen["sales"])
    assert ({"rewarded": False, "terms": None}, 0) == (seen["thanks"], seen["more"])
    share, like = seen["referrals"]
    mug = {"id": product, "title": "Mug"}
    assert {
        "id": shared["id"],
        "kind": "share",
        "network": "mastodon",
        "url": shared["url"],
        "product": mug,
        "wall": None,
        "page": None,
        "caption": "Look",
        "name": "Ana",
        "at": share["at"],
        "visits": told(0),
    } == share
    assert (liked["id"], "like", mug, {"id": wall["id"], "title": "Kitchen"}, None) == (
        *(like[name] for name in ("id", "kind", "product", "wall", "name")),
    )


def test_visits_of_fewer_than_five_people_are_a_few(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    code = ana.share(product)["code"]
    come = friends(merchant, code, 4)
    for _ in range(3):  # the same people, again and again
        come[0].follow(code)
    assert (FEW, FEW) == (me(ana)["visits"], me(ana)["referrals"][0]["visits"])
    friends(merchant, code, 1)
    assert (told(8), told(8)) == (me(ana)["visits"], me(ana)["referrals"][0]["visits"])


def test_the_total_of_visits_does_not_give_a_link_away(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    codes = {network: ana.share(product, network=network)["code"] for network in ("x", "email", "sms", "copy")}
    for network, number in {"x": 7, "email": 6, "sms": 1}.items():
        friends(merchant, codes[network], number)
    seen = me(ana)
    by_network = {each["network"]: each["visits"] for each in seen["referrals"]}
    # By SMS one came: were fourteen, seven and six told, everybody could tell.
    assert (told(14), told(7), FEW, FEW, told(0)) == (
        seen["visits"],
        *(by_network[network] for network in ("x", "email", "sms", "copy")),
    )


def test_ones_own_visits_are_not_counted(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    merchant.http.patch("/v1/merchant", json={"small_group": 0})
    code = ana.share(product)["code"]
    ana.follow(code)
    assert told(0) == me(ana)["visits"]
    friends(merchant, code, 1)
    assert told(1) == me(ana)["visits"]


def test_sales_are_told_by_whole_groups_of_buyers(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    code = ana.share(product)["code"]
    come = friends(merchant, code, 6)
    for friend in come[:4]:
        order = buys(merchant, friend)
    assert {"orders": FEW, "net": []} == me(ana)["sales"]
    buys(merchant, come[0], 500)  # again the same person
    assert {"orders": FEW, "net": []} == me(ana)["sales"]
    buys(merchant, come[4], 3000)
    whole = {"orders": told(6), "net": [{"currency": "eur", "orders": 6, "net": 7500}]}
    assert whole == me(ana)["sales"]
    buys(merchant, come[5], 9900)  # whoever looks again learns that somebody bought, and not for how much
    assert {**whole, "orders": told(6, and_few=True)} == me(ana)["sales"]
    merchant.refund(order["id"], 1000)
    assert 6500 == me(ana)["sales"]["net"][0]["net"]


def test_a_currency_with_few_buyers_is_not_even_named(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    merchant.http.patch("/v1/merchant", json={"small_group": 2})
    come = friends(merchant, ana.share(product)["code"], 3)
    buys(merchant, come[0]), buys(merchant, come[1]), buys(merchant, come[2], currency="chf")
    expected = {"orders": told(2, and_few=True), "net": [{"currency": "eur", "orders": 2, "net": 2000}]}
    assert expected == me(ana)["sales"]


def test_orders_of_whom_nobody_knows_stand_for_people(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    merchant.http.patch("/v1/merchant", json={"small_group": 2})
    ok(merchant.http.put("/v1/coupons/ANA", json={"referral": ana.share(product)["id"]}))
    for customer in ("bo@example.com", "bo@example.com"):
        merchant.order(1000, coupon="ana", customer=customer)
    assert {"orders": FEW, "net": []} == me(ana)["sales"]
    merchant.order(1000, coupon="ana")
    assert told(3) == me(ana)["sales"]["orders"]


def test_a_merchant_may_tell_every_number(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    merchant.http.patch("/v1/merchant", json={"small_group": 1})
    [friend] = friends(merchant, ana.share(product)["code"], 1)
    buys(merchant, friend)
    seen = me(ana)
    assert (told(1), told(1), 1000) == (seen["visits"], seen["sales"]["orders"], seen["sales"]["net"][0]["net"])


def test_nothing_of_a_buyer_is_told(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    merchant.http.patch("/v1/merchant", json={"small_group": 0})
    [friend] = friends(merchant, ana.share(product)["code"], 1)
    order = buys(merchant, friend, customer="bo@example.com")
    text = ana.http.get("/v1/me", headers=ana.headers).text
    assert not any(each in text for each in (friend.id, str(friend.click), order["id"], order["external_id"], "bo@"))


def test_a_like_that_was_taken_back_is_not_listed_and_its_visits_still_count(
    merchant: TestMerchant, product: str, ana: Shopper
) -> None:
    liked = ana.like(product)
    friends(merchant, liked["code"], 5)
    ok(ana.http.delete(f"/v1/likes/{liked['id']}", headers=ana.headers))
    assert ([], told(5)) == (me(ana)["referrals"], me(ana)["visits"])


def test_what_is_no_longer_there_has_no_title(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    ana.share(product)
    ok(merchant.http.delete(f"/v1/products/{product}"))
    assert {"id": product, "title": None} == me(ana)["referrals"][0]["product"]


def test_the_terms_of_thanks_are_told(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    sharing = {"rewarded": True, "terms": "https://shop.example/terms"}
    ok(merchant.http.patch("/v1/merchant", json={"sharing": sharing}))
    ana.share(product)
    assert sharing == me(ana)["thanks"]


def test_the_guide_shows_what_is_answered(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    ok(merchant.http.patch("/v1/merchant", json={"small_group": 1}))
    [friend] = friends(merchant, ana.share(product)["code"], 1)
    buys(merchant, friend)
    told_of = json.loads(GUIDE.read_text("utf-8").split("```json\n")[1].split("```")[0])
    assert shape(told_of) == shape(me(ana))


def shape(value: Any) -> Any:
    """The names of fields, without what they hold; of what may be none, nothing."""
    if isinstance(value, dict):
        return {name: None if name in ("product", "wall") else shape(each) for name, each in value.items()}
    return [shape(each) for each in value[:1]] if isinstance(value, list) else None


@pytest.mark.parametrize("token", [None, "", "vt_", "nonsense", "vt_vis_01jd9k3s7qmx2tbn4w5yzc8ehg.forged"])
def test_who_proves_nothing_is_told_nothing(merchant: TestMerchant, token: str | None) -> None:
    headers = {} if token is None else {HEADER: token}
    for answer in (
        merchant.public.get("/v1/me", headers=headers),
        merchant.public.patch("/v1/me", json={"name": "Eve"}, headers=headers),
    ):
        assert (401, "unauthorized") == (answer.status_code, answer.json()["code"])


def test_a_forged_token_of_a_real_visitor_proves_nothing(ana: Shopper, product: str) -> None:
    ana.share(product)
    assert 401 == ana.http.get("/v1/me", headers={HEADER: f"vt_{ana.id}.AAAAAAAAAAAAAAAAAAAAAA"}).status_code


def test_nobody_keeps_the_answer(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    ana.share(product)
    for answer in (
        ana.http.get("/v1/me", headers=ana.headers),
        ana.http.patch("/v1/me", json={"name": "Ana"}, headers=ana.headers),
    ):
        assert "no-store" == answer.headers["Cache-Control"]


def test_when_others_are_asking_one_is_asked_to_come_back(ana: Shopper, product: str) -> None:
    ana.share(product)
    with AT_ONCE, AT_ONCE:
        answer = ana.http.get("/v1/me", headers=ana.headers)
        assert (503, "unavailable") == (answer.status_code, answer.json()["code"])
        assert int(answer.headers["Retry-After"]) > 0
    assert ana.id == me(ana)["visitor"]


def test_only_listed_origins_may_ask(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    ok(merchant.http.patch("/v1/merchant", json={"allowed_origins": ["https://blog.example"]}))
    ana.share(product)
    listed = ana.http.get("/v1/me", headers=ana.headers | {"Origin": "https://blog.example"})
    assert (200, "https://blog.example") == (listed.status_code, listed.headers["Access-Control-Allow-Origin"])
    other = ana.http.get("/v1/me", headers=ana.headers | {"Origin": "https://evil.example"})
    assert (403, "origin_not_allowed") == (other.status_code, other.json()["code"])
    asked = {"Origin": "https://blog.example", "Access-Control-Request-Method": "PATCH"}
    assert "PATCH" in ana.http.request("OPTIONS", "/v1/me", headers=asked).headers["Access-Control-Allow-Methods"]
    # The merchant's own settings, whose path begins alike, are nobody's but the key's.
    settings = merchant.http.get("/v1/merchant", headers={"Origin": "https://blog.example"})
    assert "Access-Control-Allow-Origin" not in settings.headers


# What a sharer wants to be called.


def everywhere(merchant: TestMerchant, http: httpx.Client, shared: JSON, sharer: str) -> dict[str, bool | None]:
    """Whether "Ana" stands on the page of the link, in its frame, in its description, and in reports."""
    url = f"/r/{shared['code']}"
    embed = ok(http.get("/oembed", params={"url": shared["url"]}))
    report = {"Authorization": f"Bearer {merchant.report_key}"}
    one = ok(http.get(f"/v1/sharers/{sharer}", headers=report))
    tree = ok(http.get(f"/v1/sharers/{sharer}/tree", headers=report))
    return {
        "page": "Ana" in http.get(url).text,
        "frame": "Ana" in http.get(f"/embed{url}").text,
        "oembed": "Ana" in str(embed),
        "sharer": one["name"] == "Ana",
        "tree": tree["name"] == "Ana" and tree["data"][0]["name"] == "Ana",
    }


def test_who_takes_their_name_away_is_named_nowhere_from_the_next_request_on(
    merchant: TestMerchant, product: str, ana: Shopper, http: httpx.Client
) -> None:
    shared = ana.share(product, name="Ana")
    assert all(everywhere(merchant, http, shared, ana.id).values())
    assert {"name": None} == named(ana, None)
    assert not any(everywhere(merchant, http, shared, ana.id).values())
    assert None is me(ana)["name"]
    assert {"name": "Ana"} == named(ana, " Ana ")
    assert all(everywhere(merchant, http, shared, ana.id).values())


def test_a_name_that_is_chosen_stands_on_what_was_shared_without_one(
    merchant: TestMerchant, product: str, ana: Shopper
) -> None:
    ana.share(product)
    assert None is me(ana)["name"]
    named(ana, "Ana")
    ana.like(product)
    assert ("Ana", ["Ana", "Ana"]) == (me(ana)["name"], [each["name"] for each in me(ana)["referrals"]])


def test_a_later_share_with_a_name_is_a_new_word_on_it(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    ana.share(product, name="Ana", network="x")
    named(ana, None)
    merchant.clock.move(seconds=1)
    ana.share(product, name="Ana of the Vine", network="email")
    ana.share(product, network="sms")
    names = {each["network"]: each["name"] for each in me(ana)["referrals"]}
    assert {"x": None, "email": "Ana of the Vine", "sms": None} == names
    assert "Ana of the Vine" == me(ana)["name"]


def test_who_shared_nothing_may_choose_a_name_before(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    taken = ana.like(product)
    ok(ana.http.delete(f"/v1/likes/{taken['id']}", headers=ana.headers))
    named(ana, "Ana")
    assert ("Ana", []) == (me(ana)["name"], me(ana)["referrals"])


def test_names_that_are_chosen_at_the_same_moment_are_all_taken(ana: Shopper, product: str) -> None:
    ana.share(product)
    said = together(*(lambda name=name: named(ana, name) for name in ("Ana", "Anna", "Hannah")))
    assert {"Ana", "Anna", "Hannah"} == {each["name"] for each in said}
    assert me(ana)["name"] in {"Ana", "Anna", "Hannah"}


@pytest.mark.parametrize("body", [{}, {"name": "x" * 81}, {"name": "a\x00b"}, {"name": 1}, {"name": "Ana", "to": "x"}])
def test_a_name_that_is_none_is_refused(ana: Shopper, product: str, body: JSON) -> None:
    ana.share(product)
    assert 422 == ana.http.patch("/v1/me", json=body, headers=ana.headers).status_code


@pytest.mark.parametrize("name", ["", "   "])
def test_a_blank_name_is_none(ana: Shopper, product: str, name: str) -> None:
    ana.share(product, name="Ana")
    assert {"name": None} == named(ana, name)
    assert None is me(ana)["name"]


def test_a_name_is_text_wherever_it_is_shown(
    merchant: TestMerchant, product: str, ana: Shopper, http: httpx.Client, until_seen: Seen
) -> None:
    shared = ana.share(product)
    named(ana, "<script>alert(1)</script>")
    until_seen()
    page = http.get(f"/r/{shared['code']}").text
    assert "&lt;script&gt;alert(1)" in page
    assert "<script>alert(1)" not in page


# The page.


def test_the_page_says_nothing_of_anybody(app_server: AppServer, http: httpx.Client) -> None:
    page = http.get("/me")
    assert (200, "text/html; charset=utf-8") == (page.status_code, page.headers["Content-Type"])
    assert "vis_" not in page.text
    assert 'content="noindex"' in page.text
    assert "What your word did" in page.text
    assert "recommandation" in http.get("/me", headers={"Accept-Language": "fr"}).text
    assert 404 == http.get("/me/other").status_code


def test_hosted_pages_lead_to_it(merchant: TestMerchant, product: str, http: httpx.Client) -> None:
    assert 'href="/me"' in http.get(f"/p/{product}").text
