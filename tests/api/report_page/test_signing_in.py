"""The report page over HTTP: who gets in, how, and how long."""

import re
from html import unescape

import httpx
import pytest

from tests.api.report_page.looking import Sold, euros, figures, page, read, sign_in
from tests.clock import TestClock
from tests.conftest import AppServer
from tests.shop import ok

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")
"""What the page asks is asked of both databases elsewhere."""

HOUR = 3600


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


def test_nothing_but_reports_is_shown_by_a_session(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    for path in ("/v1/orders", "/v1/merchant", "/v1/keys", "/v1/reports/%2e%2e/keys", "/docs", "/v1/reportsx"):
        assert 404 == browser.get(f"/reports{path}").status_code, path
