"""Questions and ready answers: packing, ETags, hostile queries."""

import gzip

import brotli  # type: ignore[import-untyped]
import pytest

from app.storefront.answers import Answer, Ask, Prepared
from app.storefront.encodings import accepted, smallest

LONG = b"word " * 1000


def ask(query: bytes = b"", **headers: str) -> Ask:
    return Ask("GET", {name.replace("_", "-"): value for name, value in headers.items()}, query)


@pytest.mark.parametrize(
    ("header", "welcome"),
    [
        (None, False),
        ("", False),
        ("gzip", True),
        ("br, gzip;q=0.5", True),
        ("gzip;q=0", False),
        ("gzip; q=0.000, br", False),
        ("x-gzip", False),
        ("identity", False),
    ],
)
def test_packing_is_for_those_who_take_it(header: str | None, welcome: bool) -> None:
    assert ("gzip" in accepted(header)) is welcome


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("gzip, deflate, br, zstd", ("br", "gzip")),  # what browsers say: the order among equals is ours
        ("br;q=0.5, gzip", ("gzip", "br")),
        ("gzip;q=0.2,br;q=0.3", ("br", "gzip")),
        ("GZIP;Q=1.0", ("gzip",)),
        ("*", ("br", "gzip")),
        ("*;q=0.5, br;q=0", ("gzip",)),
        ("*;q=0", ()),
        ("identity, br;q=0.9, gzip", ("gzip",)),  # the plain form is liked better than brotli
        ("identity;q=0, br", ("br",)),
        ("gzip;q=nonsense", ()),
        ("gzip;q=2, br;q=-1", ()),
        ("gzip;level=9", ("gzip",)),
        (",;,=;q=,", ()),
        ("br" * 5000, ()),
    ],
)
def test_the_most_welcome_form_comes_first(header: str, expected: tuple[str, ...]) -> None:
    assert expected == accepted(header)


def packed_as(answer: Answer) -> tuple[str, bytes]:
    """The content coding, and what it unpacks to."""
    coding = dict(answer.headers).get(b"content-encoding", b"identity").decode()
    return coding, {"br": brotli.decompress, "gzip": gzip.decompress, "identity": bytes}[coding](answer.body)


@pytest.mark.parametrize(
    ("header", "coding"), [("gzip, br", "br"), ("gzip", "gzip"), ("br;q=0.1, gzip", "gzip"), ("zstd", "identity")]
)
def test_an_answer_comes_in_the_form_that_is_liked_best(header: str, coding: str) -> None:
    assert (coding, LONG) == packed_as(Prepared(LONG, "text/plain", []).answer(ask(accept_encoding=header)))


def test_each_form_has_a_tag_of_its_own_and_each_is_known_again() -> None:
    prepared = Prepared(LONG, "text/plain", [])
    tags = set()
    for welcome in ("identity", "gzip", "br"):
        tag = dict(prepared.answer(ask(accept_encoding=welcome)).headers)[b"etag"].decode()
        tags.add(tag)
        assert 304 == prepared.answer(ask(accept_encoding=welcome, if_none_match=tag)).status
    assert 3 == len(tags)


def test_a_form_that_was_made_beforehand_is_sent_as_it_is() -> None:
    best = smallest(LONG)
    prepared = Prepared(LONG, "text/plain", [], packed={"br": best})
    assert prepared.answer(ask(accept_encoding="br")).body is best
    assert prepared.size == len(LONG) + len(best) + len(prepared.answer(ask(accept_encoding="gzip")).body)


def test_an_answer_comes_packed_where_that_is_welcome_and_worth_it() -> None:
    prepared = Prepared(LONG, "text/plain", [])
    packed = prepared.answer(ask(accept_encoding="gzip"))
    assert gzip.decompress(packed.body) == LONG
    assert prepared.answer(ask()).body == LONG
    assert Prepared(b"short", "text/plain", []).answer(ask(accept_encoding="gzip")).body == b"short"


@pytest.mark.parametrize("coding", ["gzip", "br"])
def test_what_has_not_changed_keeps_its_packed_form(coding: str) -> None:
    before = Prepared(LONG, "text/plain", [])
    again = Prepared(LONG, "text/plain", [], before)
    packed = ask(accept_encoding=coding)
    assert again.answer(packed).body is before.answer(packed).body
    other = Prepared(LONG + b"!", "text/plain", [], before)
    assert (coding, LONG + b"!") == packed_as(other.answer(packed))


def test_an_etag_that_is_known_is_answered_without_a_body() -> None:
    prepared = Prepared(LONG, "text/plain", [(b"cache-control", b"no-cache")])
    tag = dict(prepared.answer(ask()).headers)[b"etag"].decode()
    known = prepared.answer(ask(if_none_match=f'"x", W/{tag}'), (b"x-own", b"1"))
    assert (known.status, known.body) == (304, b"")
    assert dict(known.headers) == {b"cache-control": b"no-cache", b"etag": tag.encode(), b"x-own": b"1"}
    assert prepared.answer(ask(if_none_match='"\u20ac"')).status == 200


@pytest.mark.parametrize("query", [b"&".join(b"a=1" for _ in range(500)), b"a=1;" * 9000, b"\xff\xfe=%ff&&=&%00"])
def test_a_hostile_query_is_no_trouble(query: bytes) -> None:
    assert isinstance(ask(query).query, dict)


def test_a_query_is_read() -> None:
    assert ask(b"wall=wall_1&x=a%20b").query == {"wall": "wall_1", "x": "a b"}
