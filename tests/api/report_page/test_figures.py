"""The report page over HTTP: its figures are the API's, said as the reader says them."""

import re
from html import unescape

import httpx
import pytest

from app.kernel.prices import written
from tests.api.report_page.looking import Sold, euros, figures, page, read, sign_in
from tests.shop import TestMerchant, ok

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")
"""What the page asks is asked of both databases elsewhere."""

HOUR = 3600


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
