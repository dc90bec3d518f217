"""Identifiers carry their kind, their merchant and their time."""

import math
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.ids import (
    CODE_LENGTH,
    Malformed,
    beginning,
    id_after,
    is_code,
    made_when,
    merchant_of,
    new_code,
    new_id,
)

AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
moments = st.datetimes(datetime(1970, 1, 2), datetime(2999, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants its bounds so
merchants = st.integers(0, 32**8 - 1)
PREFIXES = ("mer", "key", "prod", "var", "wall", "vis", "ref", "clk", "ord", "rfd", "crd", "imp", "job")


@given(moments, st.integers(1, 10**9), merchants)
def test_ids_sort_as_bytes_in_the_order_of_their_creation(at: datetime, milliseconds: int, merchant: int) -> None:
    earlier, later = new_id("ord", merchant, at), new_id("ord", merchant, at + timedelta(milliseconds=milliseconds))
    assert earlier.encode() < later.encode()


@given(moments, merchants)
def test_an_id_after_another_is_greater_and_of_the_same_moment(at: datetime, merchant: int) -> None:
    first = new_id("dec", merchant, at)
    second = id_after(first)
    third = id_after(second)
    assert first < second < third
    assert merchant == merchant_of(third, "dec")
    assert third.startswith(beginning("dec", at))


@given(st.sampled_from(PREFIXES), merchants)
def test_an_id_tells_its_merchant_and_kind(prefix: str, merchant: int) -> None:
    identifier = new_id(prefix, merchant, AT)
    assert merchant == merchant_of(identifier) == merchant_of(identifier, "other", prefix)
    with pytest.raises(Malformed):
        merchant_of(identifier, "other")


@given(st.text())
def test_text_that_is_no_id_is_refused(text: str) -> None:
    with pytest.raises(Malformed):
        merchant_of(text)


GOOD = new_id("prod", 7, AT)


@pytest.mark.parametrize(
    "text",
    [
        GOOD + "0",
        GOOD[:-1],
        GOOD.upper(),
        GOOD + "\n",
        " " + GOOD,
        GOOD.replace("prod_", "prod-"),
        GOOD[:-1] + "l",  # not in Crockford's alphabet
        GOOD[:-1] + "٣",  # a digit, but not ASCII
        GOOD[:-1] + "\x00",
        "_" + GOOD[5:],
        GOOD * 1000,
    ],
    ids=lambda _: "text",  # it is another one each time, which processes that test together could not agree on
)
def test_what_only_resembles_an_id_is_refused(text: str) -> None:
    with pytest.raises(Malformed) as refused:
        merchant_of(text, "prod")
    assert len(str(refused.value)) <= 80


def test_two_ids_of_the_same_millisecond_differ() -> None:
    assert 10_000 == len({new_id("clk", 1, AT) for _ in range(10_000)})


def test_ids_that_were_made_before_a_moment_are_less_than_its_beginning_and_all_others_are_not() -> None:
    second = AT
    bound = beginning("clk", second)
    for merchant in (0, 1, 2**40 - 1):
        assert new_id("clk", merchant, second - timedelta(milliseconds=1)) < bound
        assert bound <= new_id("clk", merchant, second)
    assert bound < beginning("clk", second + timedelta(milliseconds=1))


def test_ids_of_one_kind_and_millisecond_sort_in_a_row_whatever_is_made_between() -> None:
    later, ids = AT + timedelta(milliseconds=1), list[str]()
    for _ in range(200):
        ids.append(new_id("clk", 1, AT))
        assert new_id("clk", 1, later) > ids[-1]
        new_id("ref", 1, AT)
    assert sorted(ids) == ids


def test_a_code_has_at_least_47_bits() -> None:
    assert math.log2(58) * CODE_LENGTH >= 47


def test_each_character_of_a_code_is_as_likely_as_another() -> None:
    seen = Counter(character for _ in range(5_000) for character in new_code())
    assert 58 == len(seen)
    assert max(seen.values()) < 2 * min(seen.values())


@pytest.mark.parametrize(
    "text", ["", "1", "123456789A", "12345678", "0123456789"[:9], "12345678O", "12345678\n", "１" * 9]
)
def test_what_only_resembles_a_code_is_none(text: str) -> None:
    assert not is_code(text)


def test_codes_are_codes() -> None:
    assert all(is_code(new_code()) for _ in range(100))


@given(moments, merchants)
def test_an_id_tells_when_it_was_made(at: datetime, merchant: int) -> None:
    made = made_when(new_id("clk", merchant, at))
    assert made is not None
    assert timedelta() <= at - made <= timedelta(milliseconds=2)


def test_what_is_no_id_tells_no_moment() -> None:
    assert made_when("vis_1@1700000000000000#abc") is None
