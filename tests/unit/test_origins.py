"""Which pages may call, and where a checkout may lead back to: nothing that only looks like it."""

import pytest

from app.merchants.origins import (
    allows_origin,
    allows_page,
    allows_return,
    normal_origin,
    normal_page,
    normal_return_url,
    without_click,
)

OWN = "https://grapevine.example"


@pytest.mark.parametrize(
    ("typed", "origin"),
    [
        ("https://shop.example", "https://shop.example"),
        ("https://shop.example/", "https://shop.example"),
        ("  https://shop.example ", "https://shop.example"),
        ("HTTPS://Shop.Example", "https://shop.example"),
        ("https://shop.example:443", "https://shop.example"),
        ("http://shop.example:80", "http://shop.example"),
        ("http://shop.example:443", "http://shop.example:443"),
        ("http://wall.localhost:8001", "http://wall.localhost:8001"),
        ("http://127.0.0.1:5000", "http://127.0.0.1:5000"),
        ("https://[2001:DB8::1]:8443", "https://[2001:db8::1]:8443"),
        ("https://shop.example.", "https://shop.example."),
        ("https://bücher.example", "https://xn--bcher-kva.example"),
        ("*", "*"),
    ],
)
def test_an_origin_is_kept_as_browsers_send_it(typed: str, origin: str) -> None:
    assert origin == normal_origin(typed)


@pytest.mark.parametrize(
    "typed",
    [
        "",
        "null",
        "shop.example",
        "//shop.example",
        "ftp://shop.example",
        "javascript:alert(1)",
        "file:///etc/passwd",
        "https://",
        "https://:443",
        "https://ana@shop.example",
        "https://ana:secret@shop.example",
        "https://shop.example/path",
        "https://shop.example?q",
        "https://shop.example#f",
        "https://shop.example:99999",
        "https://shop.example:port",
        "https://[::1",
        "https://shop .example",
        "https://*.shop.example",
        "https://shop.example\\.evil.example",
        "https://shop.example,https://other.example",
        "https://shop\x00.example",
        "https://<shop>.example",
        "https://" + "é" * 80 + ".example",
    ],
)
def test_what_is_no_origin_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        normal_origin(typed)


@pytest.mark.parametrize(
    ("origin", "may"),
    [
        ("https://shop.example", True),
        (OWN, True),
        ("null", True),
        ("http://shop.example", False),
        ("https://shop.example:8443", False),
        ("https://shop.example.evil.example", False),
        ("https://evil.example/https://shop.example", False),
        ("https://SHOP.example", False),
        ("https://shop.example/", False),
        ("https://shop.example ", False),
        ("", False),
    ],
)
def test_only_listed_origins_our_own_and_sandboxed_frames_may_call(origin: str, may: bool) -> None:
    assert may == allows_origin(["https://shop.example"], origin, OWN)


def test_a_star_lets_every_page_call() -> None:
    assert allows_origin(["*"], "https://anywhere.example", OWN)


RETURNS = ["https://shop.example/thanks", "https://other.example/"]


@pytest.mark.parametrize(
    "address",
    [
        "https://shop.example/thanks",
        "https://shop.example/thanks/",
        "https://shop.example/thanks/you?order=1#top",
        "https://shop.example/thanks?session_id={CHECKOUT_SESSION_ID}",
        "https://SHOP.example:443/thanks",
        "https://other.example",
        "https://other.example/anything",
        "https://shop.example/thanks/a..b/.well-known",
    ],
)
def test_a_checkout_may_lead_below_a_listed_address(address: str) -> None:
    assert allows_return(RETURNS, address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "*",
        "/thanks",
        "https://shop.example",
        "https://shop.example/",
        "https://shop.example/thanksgiving",
        "https://shop.example/Thanks",
        "http://shop.example/thanks",
        "https://shop.example:8443/thanks",
        "https://shop.example./thanks",
        "https://shop.example/thanks/../admin",
        "https://shop.example/thanks/%2e%2E/admin",
        "https://shop.example/thanks/.%2e/admin",
        "https://shop.example/thanks/..\\admin",
        "https://shop.example\\@evil.example/thanks",
        "https://shop.example@evil.example/thanks",
        "https://ana:secret@shop.example/thanks",
        "https://evil.example/https://shop.example/thanks",
        "https://evil.example?https://shop.example/thanks",
        "//shop.example/thanks",
        "javascript:alert(1)//https://shop.example/thanks",
        "data:text/html,https://shop.example/thanks",
        "https://[::1/thanks",
        "https://shop.example:99999/thanks",
        "https://shop.example/thanks/\t../admin",
        "https://shop.example/thanks/.\n./admin",
        "\x01https://shop.example/thanks",
        "https://xn--shop.example/thanks",
    ],
)
def test_a_checkout_leads_nowhere_else(address: str) -> None:
    assert not allows_return(RETURNS, address)


def test_a_star_never_matches_a_return_address() -> None:
    assert not allows_return(["*"], "https://evil.example/")


@pytest.mark.parametrize(
    ("typed", "kept"),
    [
        ("https://Shop.Example", "https://shop.example/"),
        ("https://shop.example/Thanks/", "https://shop.example/Thanks/"),
        ("http://localhost:3000/done", "http://localhost:3000/done"),
    ],
)
def test_a_return_address_is_kept_normalised(typed: str, kept: str) -> None:
    assert kept == normal_return_url(typed)
    assert allows_return([kept], kept + "?order=1")


@pytest.mark.parametrize(
    "typed",
    [
        "*",
        "",
        "shop.example",
        "https://shop.example?x=1",
        "https://shop.example#f",
        "https://a@shop.example/",
        "https://",
        "https://shop.example/a/../b",
        "https://shop.example\\x",
        "https://*/",
        "mailto:ana@shop.example",
    ],
)
def test_what_is_no_return_address_is_refused(typed: str) -> None:
    with pytest.raises(ValueError, match="must be"):
        normal_return_url(typed)


@pytest.mark.parametrize(
    ("allowed", "page", "theirs"),
    [
        (["https://shop.example"], "https://shop.example/any/../page?a#b", True),
        (["https://shop.example"], "https://SHOP.example:443/", True),
        (["https://shop.example"], "https://www.shop.example/", False),
        (["https://shop.example"], "http://shop.example/", False),
        (["*"], "https://shop.example/", False),
        ([], "https://other.example/below", True),
        ([], "https://other.example/../", False),
        (["https://shop.example"], "https://shop.example\\@evil.example/", False),
        (["https://shop.example"], "https://ana@shop.example/", False),
    ],
)
def test_a_page_is_the_merchants_by_its_origin_or_below_a_return_address(
    allowed: list[str], page: str, theirs: bool
) -> None:
    assert theirs is allows_page(allowed, ["https://other.example/"], page)


@pytest.mark.parametrize(
    ("address", "bare"),
    [
        ("https://a.example/?gv_click=clk_1", "https://a.example/"),
        ("https://a.example/?b=1&gv_click=clk_1&c=%20#gv_click=2", "https://a.example/?b=1&c=%20#gv_click=2"),
        ("https://a.example/?xgv_click=1", "https://a.example/?xgv_click=1"),
    ],
)
def test_an_address_can_be_freed_of_its_click(address: str, bare: str) -> None:
    assert bare == without_click(address) == without_click(normal_page(address))
