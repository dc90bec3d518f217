"""How much credit is added up in one transaction."""

from functools import reduce

from app.kernel.rollups.tables import QUARTER
from app.reports.credit_keeping import next_width

GOAL = 0.5
LEAST, MOST = 16 * QUARTER, 512 * QUARTER


def after(width: int, *took: float) -> int:
    return reduce(lambda each, seconds: next_width(each, seconds, GOAL), took, width)


def test_more_is_added_up_together_while_that_is_quick() -> None:
    assert 4 * LEAST == after(LEAST, 0.1, 0.2)
    assert MOST == after(LEAST, *[0.01] * 20)


def test_less_is_added_up_together_where_others_would_wait_too_long() -> None:
    assert 2 * LEAST == after(4 * LEAST, 0.6)
    assert LEAST == after(4 * LEAST, *[9.0] * 5)


def test_what_takes_as_long_as_it_may_stays_as_it_is() -> None:
    assert 4 * LEAST == after(4 * LEAST, 0.3, 0.5, 0.25)
