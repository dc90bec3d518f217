"""Addresses from merchants: what may stand in a page, and how a click id joins one."""

from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.storefront.addresses import first_web_address, is_click_of, web_address, with_click

CLICK = "clk_01kjpzv28000000001bv176jg4ttk4"


@pytest.mark.parametrize(
    ("given_address", "shown"),
    [
        ("https://shop.example/mug", "https://shop.example/mug"),
        ("HTTPS://Shop.example/a b", "https://Shop.example/a%20b"),
        (" https://shop.example ", "https://shop.example"),
        ("https://shop.example/%20?a=1&b=%22#c", "https://shop.example/%20?a=1&b=%22#c"),
        ('https://shop.example/"><script>', "https://shop.example/%22%3E%3Cscript%3E"),
        ("https://bücher.example:8443/é", "https://xn--bcher-kva.example:8443/%C3%A9"),
        ("http://[::1]:8000/x", "http://[::1]:8000/x"),
    ],
)
def test_a_web_address_is_kept_and_made_safe(given_address: str, shown: str) -> None:
    assert web_address(given_address) == shown


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "mug",
        "/mug",
        "//shop.example/mug",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,<script>",
        "ftp://shop.example",
        "https://",
        "https:///mug",
        "http://[broken",
        "https://shop.example:port/",
        "https://a\\b/",
        'https://"onload="x/',
        "https://" + "ü" * 300,
    ],
)
def test_what_is_no_web_address_is_none(text: str | None) -> None:
    assert web_address(text) is None


@given(st.text())
def test_no_text_whatever_becomes_an_address_that_leaves_its_attribute_or_header(text: str) -> None:
    for shown in (web_address(text), web_address(f"https://shop.example/{text}"), web_address(f"https://{text}")):
        if shown is not None:
            assert shown.startswith(("http://", "https://"))
            assert shown.isascii()
            assert shown.isprintable()
            assert not set(shown) & set('"<> \\`')


def test_the_first_address_that_is_one_is_taken() -> None:
    assert first_web_address(["javascript:x", "https://x.example/1.jpg", "https://x.example/2.jpg"]) == (
        "https://x.example/1.jpg"
    )
    assert first_web_address([]) is None


@pytest.mark.parametrize(
    ("address", "query", "fragment"),
    [
        ("https://shop.example/mug", f"gv_click={CLICK}", ""),
        ("https://shop.example/mug?", f"gv_click={CLICK}", ""),
        ("https://shop.example/mug?a=1&b=a%20b#top", f"a=1&b=a%20b&gv_click={CLICK}", "top"),
        ("https://shop.example/mug?gv_click=clk_other&a=1", f"a=1&gv_click={CLICK}", ""),
        ("https://shop.example/mug#/route?x=1", f"gv_click={CLICK}", "/route?x=1"),
    ],
)
def test_a_click_joins_what_stands_in_the_query(address: str, query: str, fragment: str) -> None:
    url = urlsplit(with_click(address, CLICK))
    assert (url.query, url.fragment, url.path) == (query, fragment, "/mug")


@pytest.mark.parametrize("text", [None, "", "clk_", "clk_x", CLICK.replace("clk", "vis"), f'{CLICK}"', CLICK.upper()])
def test_only_a_click_id_of_the_same_merchant_is_one(text: str | None) -> None:
    assert is_click_of(CLICK, 1)
    assert not is_click_of(CLICK, 2)
    assert not is_click_of(text, 1)
