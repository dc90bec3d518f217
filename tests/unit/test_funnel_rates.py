"""Rates of the funnel: as exact numbers are rounded, without making fractions of each."""

from fractions import Fraction

import pytest

from app.reports.funnel_rates import rate
from app.reports.spread_wire import ratio


@pytest.mark.parametrize("whole", [1, 3, 7, 64, 2_000_000, 6_000_000])
@pytest.mark.parametrize("part", [0, 1, 2, 5, 15, 1_000_001, 12_345_678])
def test_a_rate_has_six_digits_rounded_as_everywhere(part: int, whole: int) -> None:
    assert ratio(Fraction(part, whole)) == rate(part, whole)


def test_there_is_no_rate_of_nothing() -> None:
    assert rate(3, 0) is None
