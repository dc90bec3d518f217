"""The report page over HTTP: what is shown of whom, and to whom."""

import re
from collections.abc import Callable
from urllib.parse import quote

import httpx
import pytest

from tests.api.report_page.looking import Sold, euros, figures, page, read, sell, sign_in
from tests.shop import TestMerchant, ok

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")
"""What the page asks is asked of both databases elsewhere."""

NewMerchant = Callable[..., TestMerchant]
HOSTILE = '<script>alert("x")</script>&\'=1+1'


def test_people_their_trees_and_orders_are_shown_as_the_api_tells_them(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    (row,) = read(sold.merchant, "/v1/sharers")["data"]
    people = page(browser, "/reports/sharers")
    assert euros(row["net"]) in people
    assert f"/reports/sharers/{row['sharer']}" in people
    assert euros(12_000) == figures(page(browser, f"/reports/sharers/{row['sharer']}"))["Net credit"]

    tree = page(browser, f"/reports/trees/{sold.shared['id']}")
    shown = figures(tree)
    assert (euros(12_000), euros(0)) == (shown["With all passed on"], shown["Through their links"])
    assert ("1", "1", "2") == (shown["Passed on from there"], shown["Generations below"], shown["People"])
    assert "Ana" in tree
    assert "Half of those" not in tree, "it was passed on at once"
    assert "WhatsApp" in tree
    only = page(browser, f"/reports/trees/{sold.passed_on['id']}")
    assert "0" == figures(only)["Passed on from there"]
    assert "Ana" not in only

    orders = page(browser, "/reports/orders?network=x")
    assert sold.order["external_id"] in orders
    assert f"Net {euros(12_000)}, orders: 1" in orders
    assert 1 == len(re.findall(r'<th scope="row">', orders)), "the other order was not of this network"
    order = page(browser, f"/reports/orders/{sold.order['id']}")
    said = sold.merchant.explanation(sold.order["id"])
    assert [euros(12_300), euros(300), euros(12_000)] == list(figures(order).values())
    assert said["journey"][0]["explanation"]["en"] in order
    assert said["policy_explanation"]["en"] in order


def test_an_explanation_says_who_passed_it_on_and_how_far_up(sold: Sold, browser: httpx.Client) -> None:
    upline = {"upline": {"mode": "geometric", "max_depth": 2}}
    ok(sold.merchant.http.put("/v1/policy", json=upline, params={"from": "beginning"}))
    sign_in(browser, sold.merchant.report_key)
    (touch,) = sold.merchant.explanation(sold.order["id"])["journey"]
    near, far = touch["chain"]["places"]
    shown = page(browser, f"/reports/orders/{sold.order['id']}")
    for place, name in ((near, f"…\u2060{near['sharer'][-6:]}"), (far, "Ana")):
        link = f'<a href="/reports/sharers/{place["sharer"]}"><bdi>'
        (ladder,) = re.findall('<ol class="report-ladder".*?</ol>', shown, re.S)
        (rung,) = (each for each in ladder.split("<li>") if link in each)
        assert name in rung
        assert (name == "Ana") is ('"report-badge">level 1<' in rung)
        assert place["explanation"]["en"].partition(place["sharer"])[2] in rung
    assert touch["chain"]["explanation"]["en"] in shown
    assert f'<strong>Visit through a share</strong> · <a href="/reports/sharers/{touch["sharer"]}">' in shown
    assert "Ana had passed it on before: level 1." in shown
    assert far["sharer"] not in re.sub(r'"[^"]*"', "", shown), "who gave a name is called by it"


def test_a_name_is_said_with_orders_until_it_is_taken_back(merchant: TestMerchant, browser: httpx.Client) -> None:
    ana = merchant.shopper()
    shared = ana.share(merchant.product("Mug")["id"], name="Ana")
    order = merchant.order(click_id=merchant.shopper().follow(shared["code"]))
    merchant.clock.move(seconds=1)
    sign_in(browser, merchant.report_key)
    explanation = f"/reports/orders/{order['id']}"
    assert ["Ana" in page(browser, path) for path in ("/reports/orders", explanation)] == [True, True]
    ok(merchant.public.patch("/v1/me", json={"name": None}, headers=ana.headers))
    merchant.clock.move(seconds=1)
    assert ["Ana" in page(browser, path) for path in ("/reports/orders", explanation)] == [False, False]
    assert "report-ladder" in page(browser, explanation)


def test_how_soon_a_word_was_passed_on_is_said_from_a_minute_on(merchant: TestMerchant, browser: httpx.Client) -> None:
    mug = merchant.product("Mug")["id"]
    shared, bo = merchant.shopper().share(mug), merchant.shopper()
    bo.follow(shared["code"])
    merchant.clock.move(seconds=120)
    bo.share(mug, "x", via=bo.click)
    merchant.clock.move(seconds=1)
    sign_in(browser, merchant.report_key)
    assert "Half of those who passed it on did so within 2 minutes." in page(browser, f"/reports/trees/{shared['id']}")


def test_what_is_anothers_is_as_what_is_not_there(new_merchant: NewMerchant, browser: httpx.Client) -> None:
    mine, theirs = sell(new_merchant()), sell(new_merchant())
    sharer = read(theirs.merchant, "/v1/sharers")["data"][0]["sharer"]
    sign_in(browser, mine.merchant.report_key)
    for path, nothing in (
        (f"/reports/orders/{theirs.order['id']}", "/reports/orders/ord_nothing"),
        (f"/reports/trees/{theirs.shared['id']}", "/reports/trees/ref_nothing"),
        (f"/reports/sharers/{sharer}", "/reports/sharers/nobody"),
    ):
        assert page(browser, path, 404) == page(browser, nothing, 404)
    assert "Nothing was sold" in page(browser, f"/reports/orders?sharer={sharer}")
    assert "We cannot find" in page(browser, "/reports/sharers/", 404)


def test_hostile_names_are_text(new_merchant: NewMerchant, browser: httpx.Client) -> None:
    sold = sell(new_merchant(name=HOSTILE[:60]), HOSTILE, HOSTILE[:60])
    ok(sold.merchant.http.put(f"/v1/identities/{sold.bo.id}", json={"person": HOSTILE}))
    sign_in(browser, sold.merchant.report_key)
    person = f"/reports/sharers/{quote(HOSTILE, safe='')}"
    for path in ("/reports", "/reports/sharers", f"/reports/trees/{sold.shared['id']}", person):
        answer = browser.get(path)
        assert 200 == answer.status_code, path
        assert "<script>alert" not in answer.text
        assert "&lt;script&gt;" in answer.text


def test_a_key_without_small_groups_sees_sums_and_no_people(sold: Sold, browser: httpx.Client) -> None:
    key = ok(sold.merchant.http.post("/v1/keys", json={"kind": "report", "suppressed": True}), 201)["key"]
    sign_in(browser, key)
    shown = page(browser)
    assert "Net sales" in shown
    assert "Top people" not in shown
    assert 'href="/reports/orders' not in shown
    for path in (
        "/reports/sharers",
        "/reports/orders",
        f"/reports/orders/{sold.order['id']}",
        f"/reports/trees/{sold.shared['id']}",
    ):
        assert "no small groups" in page(browser, path, 403)
