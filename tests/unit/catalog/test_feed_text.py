"""Text is text, never HTML."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.catalog.feeds.text import from_html, lines, one_line


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("", ""),
        ("Plain & simple", "Plain & simple"),
        ("AT&amp;T &eacute;t&eacute;&nbsp;!", "AT&T été !"),
        ("<p>One</p>\n\n<p>Two<br/>three</p>", "One\nTwo\nthree"),
        ("<p>in\n a   line</p>", "in a line"),
        ("kept\nas\n\nwritten", "kept\nas\nwritten"),
        ("<ul><li>a</li><li><p>b</p></li><li></li></ul>", "• a\n• b"),
        ("<table><tr><td>H</td><td>10 cm</td></tr><tr><td>W</td></tr></table>", "H 10 cm\nW"),
        ("<b>bold</b> and <a href='javascript:alert(1)'>a link</a>", "bold and a link"),
        ("a<script>alert(1)</script>b<style>p{}</style>c<!-- d -->", "abc"),
        ("&lt;script&gt;alert(1)&lt;/script&gt;", "<script>alert(1)</script>"),
        ("<img src=x onerror=alert(1)>after", "after"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("<p>unclosed <b>and <i>nested", "unclosed and nested"),
        ("a\x00b\u202ec\ud800d", "abcd"),
        ("<scr<script>ipt>alert(1)</script>", "ipt>alert(1)"),
    ],
)
def test_markup_becomes_the_text_that_a_reader_sees(source: str, text: str) -> None:
    assert from_html(source) == text


@given(st.text(max_size=500))
def test_any_text_comes_out_tidy(source: str) -> None:
    text = from_html(source)
    assert "\x00" not in text
    assert text == lines(text)
    assert text.encode().decode() == text


@given(st.text(max_size=200))
def test_a_name_is_one_line(source: str) -> None:
    assert len(one_line(source).splitlines()) <= 1
    assert one_line(one_line(source)) == one_line(source)


def test_deep_nesting_does_not_exhaust_anything() -> None:
    assert from_html("<div>" * 20_000 + "x") == "x"
