"""Questions and ready answers: packing, ETags, hostile queries."""

import gzip

import pytest

from app.storefront.answers import Ask, Prepared, takes_gzip

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
    assert takes_gzip(header) is welcome


def test_an_answer_comes_packed_where_that_is_welcome_and_worth_it() -> None:
    prepared = Prepared(LONG, "text/plain", [])
    packed = prepared.answer(ask(accept_encoding="gzip"))
    assert gzip.decompress(packed.body) == LONG
    assert prepared.answer(ask()).body == LONG
    assert Prepared(b"short", "text/plain", []).answer(ask(accept_encoding="gzip")).body == b"short"


def test_what_has_not_changed_keeps_its_packed_form() -> None:
    before = Prepared(LONG, "text/plain", [])
    again = Prepared(LONG, "text/plain", [], before)
    packed = ask(accept_encoding="gzip")
    assert again.answer(packed).body is before.answer(packed).body
    other = Prepared(LONG + b"!", "text/plain", [], before)
    assert gzip.decompress(other.answer(packed).body) == LONG + b"!"


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
