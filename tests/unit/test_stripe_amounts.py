"""Amounts as Stripe counts them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.orders.stripe.amounts import NotChargeable, from_stripe, to_stripe


@pytest.mark.parametrize(
    ("minor", "currency", "units"),
    [(1999, "eur", 1999), (0, "eur", 0), (500, "jpy", 500), (1230, "kwd", 1230), (7, "isk", 700), (7, "ugx", 700)],
)
def test_an_amount_goes_to_stripe_and_comes_back(minor: int, currency: str, units: int) -> None:
    assert units == to_stripe(minor, currency)
    assert minor == from_stripe(units, currency)


@pytest.mark.parametrize(("minor", "currency"), [(1234, "kwd"), (1, "bhd"), (150, "mga")])
def test_an_amount_that_stripe_cannot_charge_says_why(minor: int, currency: str) -> None:
    with pytest.raises(NotChargeable, match="multiples of"):
        to_stripe(minor, currency)


@given(st.integers(0, 10**12), st.sampled_from(["eur", "jpy", "isk", "ugx", "mga", "omr"]))
def test_nothing_is_lost_on_the_way(minor: int, currency: str) -> None:
    try:
        units = to_stripe(minor, currency)
    except NotChargeable:
        return
    assert minor == from_stripe(units, currency)


def test_a_part_of_our_unit_is_rounded_half_up() -> None:
    assert [from_stripe(units, "isk") for units in (50, 149, 150)] == [1, 1, 2]
