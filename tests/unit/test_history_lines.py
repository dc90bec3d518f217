"""Lines of past facts: which are read, and as what; which are refused, and why; how a stream becomes lines."""

import json
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.history.batches import MOST_BYTES, MOST_LINES, Batches
from app.history.lines import Fact, Refused, read
from app.history.splitting import LONGEST_LINE, RawLine, Splitter
from app.kernel.ids import new_id
from app.orders.bringing import PastOrder, PastRefund
from app.referrals.bringing import PastCoupon, PastIdentity, PastReferral, PastTouch

NOW = datetime(2026, 3, 2, 10, 0, 0, 123456, tzinfo=UTC)
AT = datetime(2025, 1, 1, tzinfo=UTC)
SAID = "2025-01-01T00:00:00Z"

REFERRAL = {"kind": "referral", "id": "s1", "type": "share", "visitor": "v1", "network": "whatsapp", "at": SAID}
TOUCH = {"kind": "touch", "id": "t1", "visitor": "v2", "type": "click", "referral": "s1", "at": SAID}
IDENTITY = {"kind": "identity", "visitor": "v2", "person": "p7", "at": SAID}
COUPON = {"kind": "coupon", "code": "ANA10", "referral": "s1", "at": SAID}
ORDER = {"kind": "order", "id": "o1", "visitor": "v2", "currency": "eur", "net": 10000, "at": SAID}
REFUND = {"kind": "refund", "id": "r1", "order": "o1", "amount": 1000, "reason": "refund", "at": SAID}


def told(line: dict[str, Any], **changes: Any) -> Fact | Refused:
    return read(json.dumps({**line, **changes}).encode(), NOW)


def raw(content: bytes) -> Refused:
    refused = read(content, NOW)
    assert isinstance(refused, Refused)
    return refused


def field(line: dict[str, Any], **changes: Any) -> str | None:
    """The field for which the changed line is refused."""
    refused = told(line, **changes)
    assert isinstance(refused, Refused), refused
    assert refused.code == "invalid_fact"
    assert refused.field is not None
    assert f"{refused.field}: " in refused.detail
    return refused.field


def without(line: dict[str, Any], name: str) -> dict[str, Any]:
    return {each: value for each, value in line.items() if each != name}


@pytest.mark.parametrize(
    ("line", "fact"),
    [
        (REFERRAL, PastReferral("s1", "share", "v1", "whatsapp", None, None, None, AT, NOW)),
        (TOUCH, PastTouch("t1", "v2", "click", None, "s1", AT, NOW)),
        (IDENTITY, PastIdentity("v2", "p7", AT, NOW)),
        (COUPON, PastCoupon("ANA10", "s1", AT, NOW)),
        (ORDER, PastOrder("o1", "v2", "eur", 10000, None, AT, NOW)),
        (REFUND, PastRefund("r1", "o1", 1000, "refund", AT, NOW)),
    ],
)
def test_what_each_kind_tells(line: dict[str, Any], fact: Fact) -> None:
    assert fact == told(line)
    assert fact._replace(received_at=AT) == told(line, received_at=SAID)


def test_what_may_be_null_may_also_be_left_out() -> None:
    nulls = dict.fromkeys(("network", "parent", "product", "wall"))
    assert told(without(REFERRAL, "network")) == told(REFERRAL, **nulls)
    assert told(without(TOUCH, "referral")) == told(TOUCH, network=None, referral=None)
    assert told(ORDER) == told(ORDER, coupon=None) == told(ORDER, coupon="")
    assert told(ORDER) == told(ORDER, received_at=None)


def test_an_order_may_have_no_known_buyer_but_must_say_so() -> None:
    assert PastOrder("o1", None, "eur", 10000, None, AT, NOW) == told(ORDER, visitor=None)
    assert "visitor" == field(without(ORDER, "visitor"))


def test_a_time_is_floored_to_its_second_and_may_have_any_offset() -> None:
    assert told(TOUCH) == told(TOUCH, at="2025-01-01T00:00:00.999999Z") == told(TOUCH, at="2025-01-01T02:00:00+02:00")


def test_what_is_said_to_be_received_a_little_ahead_of_our_clock_was_received_now() -> None:
    assert told(TOUCH) == told(TOUCH, received_at=(NOW + timedelta(days=1)).isoformat())
    assert "received_at" == field(TOUCH, received_at=(NOW + timedelta(days=1, seconds=1)).isoformat())


def test_a_fact_lies_at_most_a_day_in_the_future() -> None:
    assert not isinstance(told(ORDER, at=(NOW + timedelta(days=1)).isoformat()), Refused)
    assert "at" == field(ORDER, at=(NOW + timedelta(days=1, seconds=1)).isoformat())


@pytest.mark.parametrize(
    "at",
    ["2025-01-01T00:00:00", "2025-01-01", 1735689600, None, "soon", "1969-12-31T23:59:59Z", "2025-02-30T00:00:00Z"],
)
def test_a_time_is_written_out_with_its_offset(at: object) -> None:
    assert "at" == field(TOUCH, at=at)


@pytest.mark.parametrize("line", [REFERRAL, TOUCH, IDENTITY, COUPON, ORDER, REFUND])
def test_every_kind_refuses_what_it_does_not_know_and_misses_what_it_needs(line: dict[str, Any]) -> None:
    assert "colour" == field(line, colour="red")
    for name in set(line) - {"kind", "network", "referral", "reason"} | ({"referral"} & {*COUPON} & {*line} - {*TOUCH}):
        assert name == field(without(line, name))


@pytest.mark.parametrize("kind", [None, "", "share", "Touch", 5, ["touch"], {"touch": 1}])
def test_an_unknown_kind_is_told_with_those_that_are_known(kind: object) -> None:
    refused = told(TOUCH, kind=kind)
    assert isinstance(refused, Refused)
    assert ("unknown_kind", "kind") == (refused.code, refused.field)
    assert "referral, touch, identity, coupon, order, refund" in refused.detail


def test_a_line_without_a_kind_has_an_unknown_one() -> None:
    refused = told(without(TOUCH, "kind"))
    assert isinstance(refused, Refused)
    assert "unknown_kind" == refused.code


OURS = new_id("ref", 1, NOW)


@pytest.mark.parametrize("name", ["", " ", "(none)", "(x", "x" * 201, "a\0b", 5, True, ["s1"]])
def test_an_id_is_text_of_200_characters_at_most_and_not_in_parentheses(name: object) -> None:
    for line, names in ((REFERRAL, ("id", "visitor", "parent")), (TOUCH, ("id", "visitor", "referral"))):
        for each in names:
            assert each == field(line, **{each: name})
    assert "person" == field(IDENTITY, person=name)
    assert "referral" == field(COUPON, referral=name)
    assert "visitor" == field(ORDER, visitor=name)


def test_the_longest_id_is_taken_and_spaces_around_one_are_not_part_of_it() -> None:
    assert told(TOUCH, id="x" * 200) == told(TOUCH, id=f" {'x' * 200} ")
    assert PastTouch("日本 😀", "v2", "click", None, "s1", AT, NOW) == told(TOUCH, id="日本 😀")


def test_a_senders_id_is_never_shaped_like_ours_but_may_refer_to_ours() -> None:
    for line in (REFERRAL, TOUCH, ORDER, REFUND):
        assert "id" == field(line, id=OURS)
    assert not isinstance(told(TOUCH, referral=OURS, visitor=new_id("vis", 1, NOW)), Refused)
    assert not isinstance(told(REFERRAL, parent=OURS), Refused)
    assert not isinstance(told(COUPON, referral=OURS), Refused)


@pytest.mark.parametrize("network", ["", "(direct)", "x" * 41, 1])
def test_a_network_is_text_of_40_characters_at_most(network: object) -> None:
    assert "network" == field(TOUCH, network=network)
    assert "network" == field(REFERRAL, network=network)


@pytest.mark.parametrize("amount", [-1, 1.5, 1.0, "1", True, None, 10**12, 10**400])
def test_an_amount_is_a_whole_number_of_minor_units(amount: object) -> None:
    assert "net" == field(ORDER, net=amount)
    assert "amount" == field(REFUND, amount=amount)


def test_nothing_at_all_may_be_sold_and_nothing_may_be_taken_back() -> None:
    assert PastOrder("o1", "v2", "eur", 0, None, AT, NOW) == told(ORDER, net=0)
    assert PastRefund("r1", "o1", 0, "refund", AT, NOW) == told(REFUND, amount=0)


def test_types_reasons_and_currencies_are_those_of_the_specification() -> None:
    assert "type" == field(REFERRAL, type="click")
    assert "type" == field(TOUCH, type="share")
    assert "reason" == field(REFUND, reason="gift")
    assert told(REFUND) == told(without(REFUND, "reason"))
    assert told(ORDER) == told(ORDER, currency="EUR")
    assert "currency" == field(ORDER, currency="zzz")


@pytest.mark.parametrize("code", ["", "  ", "x" * 201, 5, None, "\ud800"])
def test_a_coupon_says_its_code(code: object) -> None:
    assert "code" == field(COUPON, code=code)


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (b'{"kind": "touch"', "at character"),
        (b"\xff\xfe", "UTF-8"),
        ('{"kind": "touch"}'.encode("utf-16"), "UTF-8"),
        (b"\xef\xbb\xbf" + json.dumps(TOUCH).encode(), "byte order mark"),
        (b"[]", "object"),
        (b'"touch"', "object"),
        (b"null", "object"),
        (b"{} {}", "Extra data"),
        (json.dumps(TOUCH).encode() + b",", "Extra data"),
        (b'{"net": NaN}', "NaN"),
        (b'{"net": -Infinity}', "-Infinity"),
        (b'{"kind": "touch", "kind": "touch"}', "says kind twice"),
        (b'{"at": {"a": 1, "a": 2}}', "says a twice"),
        (b"[" * 60_000, "nested"),
        (b'{"a":' * 10_000, "nested"),
        (b'{"net": ' + b"9" * 5000 + b"}", "digits"),
        (b'{"id": "a\tb"}', "control character"),
        (b"{'kind': 'touch'}", "at character"),
    ],
)
def test_what_is_no_json_object_is_told_why(content: bytes, why: str) -> None:
    refused = raw(content)
    assert ("invalid_json", None) == (refused.code, refused.field)
    assert why in refused.detail


def test_a_line_that_is_too_long_is_told_so() -> None:
    refused = read(None, NOW)
    assert isinstance(refused, Refused)
    assert ("line_too_long", None) == (refused.code, refused.field)


@pytest.mark.parametrize("name", ["\ud800", "x" * 5000, "\n\r\t", "a/b~c"])
def test_a_strange_name_of_a_field_can_be_told_again(name: str) -> None:
    refused = told(TOUCH, **{name: 1})
    assert isinstance(refused, Refused)
    assert refused.field is not None
    assert refused.detail.encode()
    assert len(refused.detail) < 300


def test_a_thousand_wrong_fields_make_a_short_answer() -> None:
    refused = told(TOUCH, **{f"colour{number}": 1 for number in range(1000)})
    assert isinstance(refused, Refused)
    assert len(refused.detail) < 2000


# A stream becomes lines.


def lines(*pieces: bytes) -> list[RawLine]:
    splitter = Splitter()
    return [*(line for piece in pieces for line in splitter.feed(piece)), *splitter.end()]


def test_blank_lines_are_passed_over_and_counted() -> None:
    assert [RawLine(2, b"a"), RawLine(5, b"b")] == lines(b"\na\r\n \t\r\n\nb")


def test_a_last_line_needs_no_end() -> None:
    assert lines(b"a\nb\n") == lines(b"a\nb") == [RawLine(1, b"a"), RawLine(2, b"b")]


def test_nothing_is_no_line() -> None:
    assert [] == lines() == lines(b"") == lines(b"\n\n")


@given(st.binary(max_size=200), st.lists(st.integers(0, 200), max_size=8))
def test_wherever_a_stream_is_cut_its_lines_are_the_same(content: bytes, cuts: list[int]) -> None:
    places = sorted({0, *(min(cut, len(content)) for cut in cuts), len(content)})
    assert lines(content) == lines(*(content[begin:end] for begin, end in pairwise(places)))


def test_a_line_that_is_too_long_is_not_kept_and_loses_no_other() -> None:
    longest = b"x" * LONGEST_LINE
    assert [RawLine(1, longest), RawLine(2, b"b")] == lines(longest + b"\nb")
    assert [RawLine(1, b"a"), RawLine(2, None), RawLine(3, b"b")] == lines(b"a\n" + longest, b"x", longest, b"\nb")
    assert [RawLine(1, None)] == lines(longest, b"x")


def test_a_batch_is_full_by_its_lines_or_by_its_bytes() -> None:
    batches = Batches()
    short = list(batches.feed(b"x\n" * (2 * MOST_LINES + 1)))
    assert [MOST_LINES, MOST_LINES] == [len(batch) for batch in short]
    (rest,) = batches.end()
    assert [RawLine(2 * MOST_LINES + 1, b"x")] == rest
    assert [] == list(batches.end())
    long = list(Batches().feed((b"x" * LONGEST_LINE + b"\n") * (2 * MOST_BYTES // LONGEST_LINE)))
    assert [MOST_BYTES // LONGEST_LINE] * 2 == [len(batch) for batch in long]
