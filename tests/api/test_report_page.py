"""The report page over HTTP: who gets in, what is shown of whom, and that its figures are the API's."""

import re
from collections.abc import Callable, Iterator
from html import unescape
from typing import NamedTuple
from urllib.parse import quote

import httpx
import pytest

from app.kernel.prices import written
from tests.clock import TestClock
from tests.conftest import AppServer
from tests.shop import JSON, Shopper, TestMerchant, ok

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")
"""What the page asks is asked of both databases elsewhere."""

NewMerchant = Callable[..., TestMerchant]
HOSTILE = '<script>alert("x")</script>&\'=1+1'
HOUR = 3600
DAYS = {"from": "2026-02-01", "to": "2026-03-03"}
"""The last thirty days, the present one included, which is what the page shows by itself."""


class Sold(NamedTuple):
    """A shop in which something was sold through somebody's word."""

    merchant: TestMerchant
    product: JSON
    shared: JSON
    passed_on: JSON
    order: JSON
    bo: Shopper


def sell(merchant: TestMerchant, title: str = "Mug", name: str = "Ana") -> Sold:
    product = merchant.product(title)
    shared = merchant.shopper().share(product["id"], "whatsapp", name=name)
    bo = merchant.shopper()
    bo.follow(shared["code"])
    passed_on = bo.share(product["id"], "x", via=bo.click)
    buyer = merchant.shopper()
    merchant.clock.move(seconds=60)
    click = buyer.follow(passed_on["code"])
    order = merchant.order(12_300, click_id=click)
    merchant.order(5_000)
    merchant.refund(order["id"], 300)
    return Sold(merchant, product, shared, passed_on, order, bo)


@pytest.fixture
def sold(merchant: TestMerchant) -> Sold:
    return sell(merchant)


@pytest.fixture
def browser(app_server: AppServer) -> Iterator[httpx.Client]:
    """Somebody's browser, which follows where it is sent."""
    headers = {"Origin": app_server.url, "Accept-Language": "en"}
    with httpx.Client(base_url=app_server.url, headers=headers, follow_redirects=True, timeout=30) as client:
        yield client


def sign_in(browser: httpx.Client, key: str, **fields: str) -> httpx.Response:
    return browser.post("/reports/session", data={"key": key, **fields})


def page(browser: httpx.Client, path: str = "/reports", status: int = 200) -> str:
    answer = browser.get(path)
    assert status == answer.status_code, answer.text
    return unescape(answer.text)


def figures(text: str) -> dict[str, str]:
    """What stands on the tiles."""
    found = re.findall(r'<dt>([^<]*)</dt>\s*<dd><span class="report-figure">([^<]*)</span>', text)
    return dict(found)


def euros(minor: int) -> str:
    return written(minor, "eur", "en")


def read(merchant: TestMerchant, path: str, **query: str) -> JSON:
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    return dict(ok(merchant.public.get(path, params=DAYS | query, headers=headers)))


def test_a_report_key_opens_the_page_and_its_figures_are_those_of_the_api(sold: Sold, browser: httpx.Client) -> None:
    assert 'name="key"' in page(browser)
    shown = unescape(sign_in(browser, f" {sold.merchant.report_key} ").text)
    (total,) = read(sold.merchant, "/v1/reports/attribution")["totals"]
    assert (17_000, 2) == (total["net"], total["orders"])
    tiles = figures(shown)
    assert (euros(17_000), euros(12_000), "2") == (tiles["Net sales"], tiles["By word of mouth"], tiles["Orders"])
    (funnel,) = read(sold.merchant, "/v1/reports/funnel")["totals"]
    for name, field in (("Visits through links", "visits"), ("Shares", "shares"), ("Likes", "likes")):
        assert str(funnel[field]) == tiles[name]
    for row in read(sold.merchant, "/v1/reports/attribution")["data"]:
        assert euros(row["net"]) in shown
    for text in ("Vine & Thread", "Mug", "X", "Nobody’s link"):
        assert text in shown


def test_the_cookie_is_for_this_page_alone_and_not_for_scripts(sold: Sold, browser: httpx.Client) -> None:
    answer = browser.post("/reports/session", data={"key": sold.merchant.report_key}, follow_redirects=False)
    assert (303, "/reports") == (answer.status_code, answer.headers["location"])
    name, *about = answer.headers["set-cookie"].split("; ")
    assert ["Max-Age=43200", "Path=/reports", "HttpOnly", "SameSite=Strict"] == about
    assert sold.merchant.report_key not in name


def test_no_page_is_kept_framed_or_found_and_nothing_foreign_runs_in_it(sold: Sold, browser: httpx.Client) -> None:
    for answer in (browser.get("/reports"), sign_in(browser, sold.merchant.report_key), browser.get("/reports/orders")):
        policy = answer.headers["content-security-policy"]
        assert "default-src 'self'" in policy
        assert "form-action 'self'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "no-store" == answer.headers["cache-control"]
        assert answer.headers["x-robots-tag"].startswith("noindex")
        assert "style=" not in answer.text
        assert "<style" not in answer.text


def test_who_has_not_signed_in_is_led_to_the_form_and_back(sold: Sold, browser: httpx.Client) -> None:
    wanted = "/reports/orders?period=7d"
    led = browser.get(wanted)
    assert "/reports" == led.url.path
    way = re.search(r'name="next" value="([^"]*)"', led.text)
    assert way is not None
    there = sign_in(browser, sold.merchant.report_key, next=unescape(way[1]))
    assert wanted == f"{there.url.path}?{there.url.query.decode()}"


def test_nobody_is_led_elsewhere(sold: Sold, browser: httpx.Client) -> None:
    for way in ("https://evil.example/reports", "//evil.example", "/reportsx", "/reports/\\evil", "/reports\r\nx"):
        there = sign_in(browser, sold.merchant.report_key, next=way)
        assert (200, "/reports") == (there.status_code, there.url.path), way


def test_a_secret_key_is_refused_with_a_word_and_so_is_what_is_no_key(sold: Sold, browser: httpx.Client) -> None:
    merchant = sold.merchant
    for key, words in (
        (merchant.secret_key, "This is a secret key"),
        (merchant.report_key[:-1] + "x", "This key is not known"),
        ("", "This key is not known"),
        ("rk_" + "é\0" * 9_000, "This key is not known"),
    ):
        answer = sign_in(browser, key)
        assert 403 == answer.status_code
        assert words in answer.text
        assert "set-cookie" not in answer.headers
        assert merchant.secret_key not in answer.text
    assert 403 == browser.post("/reports/session", content=b"\xff\xfe=%zz&" + b"a=1&" * 50).status_code


def test_a_form_of_another_site_neither_signs_in_nor_out(
    app_server: AppServer, sold: Sold, browser: httpx.Client
) -> None:
    sign_in(browser, sold.merchant.report_key)
    cookies = {"Cookie": f"gv_report={browser.cookies['gv_report']}"}
    elsewhere = [{"Origin": origin} for origin in ("https://evil.example", "null", "http://127.0.0.1:1", "file://x")]
    for headers in ({}, *elsewhere):
        for path in ("/reports/session", "/reports/leave"):
            body = {"key": sold.merchant.report_key}
            answer = sold.merchant.public.post(path, data=body, headers=headers | cookies)
            assert 403 == answer.status_code, headers
            assert "set-cookie" not in answer.headers


def test_who_signs_out_is_out(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    assert 'name="key"' in browser.post("/reports/leave").text
    assert 'name="key"' in page(browser)


def test_a_session_ends_after_twelve_hours(sold: Sold, browser: httpx.Client, clock: TestClock) -> None:
    sign_in(browser, sold.merchant.report_key)
    clock.move(seconds=12 * HOUR - 1)
    assert "Net sales" in page(browser)
    clock.move(seconds=1)
    assert 'name="key"' in page(browser)


def test_a_key_that_is_withdrawn_is_out_at_once(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    (key,) = (each for each in ok(sold.merchant.http.get("/v1/keys"))["data"] if each["kind"] == "report")
    ok(sold.merchant.http.delete(f"/v1/keys/{key['id']}"))
    assert 'name="key"' in page(browser)
    assert 'name="key"' in page(browser, "/reports/v1/reports/attribution")


@pytest.mark.parametrize("forged", ["", "1.", "1.AAAA", "x", "1." + "A" * 4_000, "é", "rk_1"])
def test_a_forged_cookie_opens_nothing(app_server: AppServer, forged: str) -> None:
    headers = {b"Cookie": f"gv_report={forged}".encode()}
    assert 'name="key"' in httpx.get(f"{app_server.url}/reports", headers=headers).text


def test_a_seal_for_something_else_opens_nothing(app_server: AppServer, sold: Sold) -> None:
    from app.kernel.sealing import Sealer
    from app.kernel.signing import Signer

    signer = Signer(app_server.settings.secret.encode())
    other = Sealer(signer, "another purpose").seal(f"9999999999999999.{sold.merchant.report_key}", "gv_report")
    assert 'name="key"' in httpx.get(f"{app_server.url}/reports", cookies={"gv_report": other}).text


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


def test_a_reader_of_french_is_told_in_french(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    browser.headers["Accept-Language"] = "fr-CA"
    shown = page(browser, f"/reports/orders/{sold.order['id']}")
    assert sold.merchant.explanation(sold.order["id"])["policy_explanation"]["fr"] in shown
    assert written(17_000, "eur", "fr") == figures(page(browser))["Ventes nettes"]


def test_each_picture_leads_to_the_call_behind_it_and_the_answer_is_the_same(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    sharer = read(sold.merchant, "/v1/sharers")["data"][0]["sharer"]
    for path in (f"/reports/sharers/{sharer}", "/reports"):
        shown = browser.get(path).text
        links = [unescape(link) for link in re.findall(r'<a href="([^"]*)">JSON</a>', shown)]
        typed = [unescape(line).strip().strip("'") for line in re.findall(r"\\\n([^<]*)</code>", shown)]
        assert len(links) == len(typed) > 1
        for link, address in zip(links, typed, strict=True):
            assert address.endswith(link.removeprefix("/reports"))
            key = {"Authorization": f"Bearer {sold.merchant.report_key}"}
            asked, mirrored = ok(httpx.get(address, headers=key), 200), ok(browser.get(link), 200)
            assert {**asked, "as_of": None} == {**mirrored, "as_of": None}
    csv = browser.get("/reports/v1/reports/attribution?group_by=network&format=csv")
    assert csv.headers["content-type"].startswith("text/csv")
    assert "no-store" == csv.headers["cache-control"]


def test_nothing_but_reports_is_shown_by_a_session(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    for path in ("/v1/orders", "/v1/merchant", "/v1/keys", "/v1/reports/%2e%2e/keys", "/docs", "/v1/reportsx"):
        assert 404 == browser.get(f"/reports{path}").status_code, path


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


def test_an_impossible_choice_is_named(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    for query, field in (
        ("period=ever", "period"),
        ("from=2026-02-30", "from"),
        ("from=2026-03-01&through=2026-02-01", "through"),
        ("from=1970-01-02&through=9997-12-30", "from"),
        ("currency=zzz", "currency"),
        ("mode=both", "mode"),
        ("to=2026-02-30", "to"),
        ("from=2026-02-20&to=2026-02-20", "to"),
        ("through=2026-02-20&to=2026-02-21", "to"),
        ("form=2026-02-20", "form"),
        ("network=x", "network"),
        ("cursor=x", "cursor"),
    ):
        assert f"{field}: " in page(browser, f"/reports?{query}", 422)


def test_what_a_page_does_not_know_is_refused_by_name(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    sharer = read(sold.merchant, "/v1/sharers")["data"][0]["sharer"]
    for path in ("", "/sharers", f"/sharers/{sharer}", f"/trees/{sold.shared['id']}", "/orders"):
        shown = page(browser, f"/reports{path}?until=2026-02-20&%3Cb%3E=1", 422)
        assert "until: is not known here (period, from, through, to, " in shown, path
        assert "<b>: is not known here" in shown, path
    assert "until: " in page(browser, f"/reports/orders/{sold.order['id']}?until=x", 422)
    assert "Net sales" in page(browser, "/reports?next=/reports/orders"), "who signed in elsewhere meanwhile"


def test_the_period_of_a_call_means_the_same_here(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    day = read(sold.merchant, "/v1/reports/orders")["data"][0]["placed_at"][:10]
    assert "0" == figures(page(browser, f"/reports?from=2026-02-01&to={day}"))["Orders"]
    shown = page(browser, "/reports?from=2026-02-01&to=2026-03-03")
    assert "2" == figures(shown)["Orders"]
    assert 'name="through" value="2026-03-02"' in shown


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


def test_networks_are_called_as_the_reader_calls_them(merchant: TestMerchant, browser: httpx.Client) -> None:
    mug = merchant.product("Mug")["id"]
    for code in (
        merchant.shopper().like(mug)["code"],
        *(merchant.shopper().share(mug, n)["code"] for n in ("copy", "qr")),
    ):
        merchant.order(click_id=merchant.shopper().follow(code))
    merchant.clock.move(seconds=1)
    sign_in(browser, merchant.report_key)
    assert "On the site" in page(browser)
    browser.headers["Accept-Language"] = "fr"
    for path in ("/reports", "/reports/orders"):
        shown = page(browser, path)
        for ours, english in (("Sur le site", "On the site"), ("Lien copié", "Copy link"), ("Code QR", "QR code")):
            assert ours in shown
            assert english not in shown
    assert '"onsite": "Sur le site"' in page(browser, "/me")


def test_a_cursor_that_we_did_not_give_is_named(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    assert "cursor: " in page(browser, "/reports/sharers?cursor=x", 422)
    assert "cursor: " in page(browser, "/reports/orders?cursor=x", 422)


def test_a_shop_without_a_sale_has_a_page(merchant: TestMerchant, browser: httpx.Client) -> None:
    sign_in(browser, merchant.report_key)
    for query in ("", "?period=12m", "?from=1970-01-02&through=2026-12-31", "?from=2026-01-01&through=2026-01-01"):
        tiles = figures(page(browser, f"/reports{query}"))
        assert (euros(0), "0") == (tiles["Net sales"], tiles["Orders"])


def test_each_currency_is_shown_by_itself(sold: Sold, browser: httpx.Client) -> None:
    sold.merchant.order(700, currency="jpy")
    sign_in(browser, sold.merchant.report_key)
    assert euros(17_000) == figures(page(browser))["Net sales"]
    shown = page(browser, "/reports?currency=jpy")
    assert (written(700, "jpy", "en"), "1") == (figures(shown)["Net sales"], figures(shown)["Orders"])


def test_sums_are_the_same_on_tiles_and_at_the_end_of_the_funnel_where_small_groups_are_left_out(
    merchant: TestMerchant, browser: httpx.Client
) -> None:
    for _ in range(12):
        merchant.order(5_000)
        merchant.clock.move(seconds=24 * HOUR)
    key = ok(merchant.http.post("/v1/keys", json={"kind": "report", "suppressed": True}), 201)["key"]
    sign_in(browser, key)
    shown = page(browser)
    (end,) = re.findall(r'<th scope="row">Orders</th><td class="n">(\d+)</td>', shown)
    assert end == figures(shown)["Orders"]
    assert euros(5_000 * int(end)) == figures(shown)["Net sales"]
    assert int(end) > 0
    assert "groups are larger still" in shown


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
