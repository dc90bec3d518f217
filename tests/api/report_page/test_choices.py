"""The report page over HTTP: what can be chosen, and what is said of what cannot."""

import httpx
import pytest

from tests.api.report_page.looking import Sold, figures, page, read, sign_in

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")
"""What the page asks is asked of both databases elsewhere."""


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


def test_a_cursor_that_we_did_not_give_is_named(sold: Sold, browser: httpx.Client) -> None:
    sign_in(browser, sold.merchant.report_key)
    assert "cursor: " in page(browser, "/reports/sharers?cursor=x", 422)
    assert "cursor: " in page(browser, "/reports/orders?cursor=x", 422)
