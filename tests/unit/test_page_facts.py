"""What a page says of itself, however it says it, and however hostile it is."""

import time

import pytest

from app.storefront.links.page_facts import MOST_BYTES, PageFacts, facts_of, in_words

ADDRESS = "https://journal.example/mornings/slow"
HTML = "text/html; charset=utf-8"


def facts(page: str | bytes, content_type: str = HTML) -> PageFacts | None:
    return facts_of(page.encode() if isinstance(page, str) else page, content_type, ADDRESS)


def title_of(page: str | bytes, content_type: str = HTML) -> str | None:
    found = facts(page, content_type)
    return None if found is None else found.title


def test_a_page_is_called_what_its_card_says() -> None:
    page = """<!doctype html><html><head><title>Slow mornings | Journal</title>
    <meta name="description" content="For everybody">
    <META PROPERTY='og:title' CONTENT='Slow &amp; &quot;good&quot;'><meta property="og:title" content="second">
    <meta property="og:description" content=" Bread,
      small rooms "><meta property="og:image" content="/pictures/a b.png"></head><body>
    <meta property="og:description" content="from the body"></body></html>"""
    picture = "https://journal.example/pictures/a%20b.png"
    assert PageFacts('Slow & "good"', "Bread, small rooms", picture) == facts(page)


def test_without_a_card_the_pages_own_title_and_description_count() -> None:
    page = '<title>Slow\n mornings &amp; more</title><meta name="Description" content="For everybody">'
    assert PageFacts("Slow mornings & more", "For everybody", None) == facts(page)
    assert PageFacts("T", "", None) == facts("<title>T</title><title>second</title><svg><title>S</title></svg>")


@pytest.mark.parametrize(
    ("page", "content_type"),
    [
        ("<title>é</title>".encode(), "text/html"),
        ("<title>é</title>".encode(), "application/xhtml+xml; charset=UTF-8"),
        ("\ufeff<title>é</title>".encode(), "text/html"),
        ("<title>é</title>".encode("utf-16"), "text/html"),
        ("<title>é</title>".encode("cp1252"), "text/html; charset=ISO-8859-1"),
        (b'<meta charset="iso-8859-15">' + "<title>é</title>".encode("iso-8859-15"), "text/html"),
        ("<title>é</title>".encode("gb18030"), "text/html;charset=gb18030"),
        ("<title>é</title>".encode(), "text/html; charset=gbogus"),
        ("<title>é</title>".encode(), "text/html; charset=zlib"),
        ("<title>é</title>".encode(), "text/html; charset=punycode"),
    ],
)
def test_a_page_is_read_in_the_letters_in_which_it_is_written(page: bytes, content_type: str) -> None:
    assert "é" == title_of(page, content_type)


@pytest.mark.parametrize("page", ["", "<p>no head</p>", "<title> \x00\u202e </title>", '<meta name="og:title">'])
def test_a_page_without_a_title_says_nothing(page: str) -> None:
    assert facts(page) is None


@pytest.mark.parametrize("content_type", ["", "application/json", "image/png", "text/plain", "text/htmlx"])
def test_what_is_no_page_says_nothing(content_type: str) -> None:
    assert facts("<title>T</title>", content_type) is None


@pytest.mark.parametrize(
    "image", ["javascript:alert(1)", "data:image/png;base64,AA", "http://[broken", f"/{'a' * 3000}", "ftp://a/b"]
)
def test_only_web_addresses_are_pictures(image: str) -> None:
    assert PageFacts("T", "", None) == facts(f'<title>T</title><meta property="og:image" content="{image}">')


def test_foreign_words_stay_words_and_are_bounded() -> None:
    found = facts(f"<title>{'word ' * 500}\u202e</title><meta name=description content='{'ß' * 9000}\x07<b>'>")
    assert found is not None
    assert (True, True) == (len(found.title) <= 200, len(found.description) <= 300)
    assert "\u202e" not in found.title


@pytest.mark.parametrize(
    "endless", ["<!--", "<a ", "<a/", "</", "<meta a=", "<a b='", "<title>", "&#", "<![CDATA[", "<?"]
)
def test_a_page_that_never_ends_costs_little(endless: str) -> None:
    since = time.thread_time()
    assert "T" == title_of("<title>T</title>" + endless * (MOST_BYTES // len(endless)))
    assert time.thread_time() - since < 3


@pytest.mark.parametrize("section", ["<![", "<![x[", "<![ [", "<![[", "<![9[", "<!x", "<![if !IE]>", "<![CDATA["])
def test_what_was_said_before_a_section_that_nobody_knows_counts(section: str) -> None:
    assert "T" == title_of(f"<title>T</title>{section * 3000}")


@pytest.mark.parametrize(
    ("address", "words"),
    [
        ("https://shop.example/journal/slow-mornings.html?a=1#b", "slow mornings · shop.example"),
        ("https://shop.example/journal/slow_mornings/", "slow mornings · shop.example"),
        ("https://shop.example/", "shop.example"),
        ("https://shop.example/%C3%A9t%C3%A9%0A", "été · shop.example"),
        (f"https://shop.example/{'a' * 2000}", None),
    ],
)
def test_an_address_can_be_said(address: str, words: str | None) -> None:
    found = in_words("Vine & Thread", address)
    assert "Vine & Thread" == found.title
    assert words == found.description if words else len(found.description) <= 300
