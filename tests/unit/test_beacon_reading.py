"""A beacon's body is understood the same way, whichever of the two readings takes it."""

import json
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from app.kernel.errors import Invalid
from app.storefront.beacons import reading
from app.storefront.beacons.reading import LARGEST_BODY, MOST, BeaconIn, Entry, entries

GOOD = {"type": "card_view", "product": "prod_0123456789abcdefghjkmnpqrstvwx"}
FIELDS = tuple(Entry.__struct_fields__)

TEXTS = (
    *("", " ", "x", "prod_1", " prod_1", "prod_1 ", "\tprod_1\n", "a b", "a, b", '" :', ": ", " ,", "}", "\x7f"),
    *("\x00", "a\x00", "\ud800", "\U0001f600", "\u00e9", "\u2003x", "\x1fx", "\x85x", "\ufeffx", "\\", "/", '"'),
    *("x" * 64, "x" * 65, " " * 60 + "x" * 64, "x" * 200, "x" * 201, " " * 9 + "x" * 200, "\u00e9" * 64, "\u00e9" * 65),
)
TIMES = (
    *("2026-11-22T09:30:00Z", "2026-11-22t09:30:00z", "2026-11-22 09:30:00+02:00", "2026-11-22T09:30:00.123456Z"),
    *("2026-11-22T09:30:00+0200", "2026-11-22T09:30Z", "2026-11-22T09:30:60Z", "2026-11-22T24:00:00Z", "2026-11-22"),
    *(
        "2026-11-22T09:30:00",
        "2026-02-29T00:00:00Z",
        "2024-02-29T00:00:00Z",
        "1969-12-31T23:59:59Z",
        "20261122T093000Z",
    ),
    *("1970-01-01T00:00:00Z", "1970-01-01T00:00:00+00:01", "1969-12-31T23:59:59-00:01", "0001-01-01T00:00:00+23:59"),
    *("9999-12-31T23:59:59Z", "9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59-23:59", "9999-12-31T23:59:59+00:01"),
    *("2026-11-22T09:30:00-00:00", "2026-11-22T09:30:00+24:00", "2026-11-22T09:30:00,5Z", "2026-W47-7T09:30:00Z"),
    *(" 2026-11-22T09:30:00Z", "2026-11-22T09:30:00Z ", "1700000000", "yesterday", ""),
)
OTHERS: tuple[object, ...] = (
    None,
    True,
    0,
    1.5,
    1_700_000_000,
    [],
    ["x"],
    {},
    {"$ne": None},
    "card_view",
    "wall_view",
    "purchase",
)


def by_the_rule(entry: object) -> dict[str, Any] | None:
    """What `BeaconIn` makes of it."""
    try:
        told = BeaconIn.model_validate(entry)
    except ValidationError:
        return None
    return told.model_dump()


def understood(body: bytes) -> list[dict[str, Any] | None]:
    return [None if each is None else {name: getattr(each, name) for name in FIELDS} for each in entries(body)]


def bodies(raw: object) -> list[bytes]:
    """The same, as browsers and others write it."""
    spaced = json.dumps(raw, indent=1).encode()
    return [json.dumps(raw, separators=(",", ":")).encode(), json.dumps(raw).encode(), spaced]


@pytest.mark.parametrize("field", FIELDS)
def test_a_field_is_taken_or_refused_as_the_rule_says(field: str) -> None:
    for value in (*TEXTS, *TIMES, *OTHERS):
        entry = GOOD | {field: value}
        for body in bodies([GOOD, entry]):
            assert [by_the_rule(GOOD), by_the_rule(entry)] == understood(body), (value, body)


@given(
    st.lists(
        st.dictionaries(
            st.sampled_from((*FIELDS, "unheard")), st.sampled_from((*TEXTS, *TIMES, *OTHERS)), min_size=1
        ).map(lambda changes: GOOD | changes)
        | st.sampled_from((None, 7, "card_view", [], {}, [GOOD])),
        max_size=6,
    )
)
def test_whatever_comes_together_is_understood_as_the_rule_says(raw: list[object]) -> None:
    expected = [by_the_rule(each) for each in raw]
    for body in bodies(raw):
        assert expected == understood(body)


@given(st.binary(max_size=80) | st.text(max_size=80).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_bytes_without_sense_are_refused_and_break_nothing(body: bytes) -> None:
    with suppress(Invalid):
        assert len(entries(body)) <= MOST


def test_what_widgets_send_is_understood_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Or it would be slow, and no other test would tell."""
    monkeypatch.setattr(reading, "json", None)
    told = GOOD | {"at": "2026-11-22T09:30:00.123Z", "visitor": "vt_vis_1.a-b_c"}
    for body in bodies([told]):
        (entry,) = entries(body)
        assert isinstance(entry, Entry)
        assert datetime(2026, 11, 22, 9, 30, 0, 123_000, UTC) == entry.at


def test_of_a_key_that_is_said_twice_the_last_counts() -> None:
    twice = (
        b'[{"type":"card_view","product":7,"product":"prod_1"},{"type":"card_view","product":"a","product":"prod_2"}]'
    )
    assert ["prod_1", "prod_2"] == [entry and entry.product for entry in entries(twice)]


@pytest.mark.parametrize("prefix", [b"\xef\xbb\xbf", b"", b"\n "])
def test_marks_and_spaces_around_the_list_are_no_matter(prefix: bytes) -> None:
    assert [by_the_rule(GOOD)] == understood(prefix + json.dumps([GOOD]).encode() + b"\n")


@pytest.mark.parametrize("count", [0, MOST, MOST + 1])
def test_a_list_is_no_longer_than_it_may_be(count: int) -> None:
    body = json.dumps([{"type": "card_view"}] * count).encode()
    if count > MOST:
        with pytest.raises(Invalid, match="at most 100"):
            entries(body)
    else:
        assert count == len(entries(body))


@pytest.mark.parametrize("body", [b"[" * LARGEST_BODY, b'[{"a":' * 9000, b"[" + b"9" * 5000 + b"]"])
def test_hostile_bodies_are_refused(body: bytes) -> None:
    with pytest.raises(Invalid, match="must be JSON"):
        entries(body)


@pytest.mark.parametrize("body", [b"[1e999]", b"[NaN]"])
def test_numbers_that_are_none_are_no_beacons(body: bytes) -> None:
    assert [None] == entries(body)
