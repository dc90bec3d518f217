"""The parent of a new referral: the latest visit of the product, else of the wall, else of the merchant."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from app.referrals.parents import WINDOW, Arrival, choose
from tests.clock import START

_places = st.sampled_from([None, "a", "b"])
_moments = st.integers(-2, 2).map(lambda step: step * timedelta(microseconds=1))
_windows = st.sampled_from([timedelta(0), timedelta(days=1), WINDOW])
_ages = _windows.flatmap(lambda age: _moments.map(lambda m: age + m))


@st.composite
def arrivals(draw: st.DrawFn) -> list[Arrival]:
    drawn = draw(st.lists(st.tuples(_places, _places, _ages), max_size=8))
    ordered = [
        Arrival(f"ref_{number}", product, wall, START - age, f"clk_{number}")
        for number, (product, wall, age) in enumerate(drawn)
    ]
    return draw(st.permutations(ordered))


@given(arrivals(), _places, _places, _windows)
def test_the_nearest_visit_is_the_one_that_the_rule_says(
    visits: list[Arrival], product: str | None, wall: str | None, window: timedelta
) -> None:
    """The rule again, word for word: sort by time, then take the first that fits best."""
    within = [visit for visit in visits if START - window <= visit.at <= START]
    latest_first = sorted(within, key=lambda visit: (visit.at, visit.visit_id), reverse=True)
    of_product = [visit for visit in latest_first if product is not None and visit.product_id == product]
    of_wall = [visit for visit in latest_first if wall is not None and visit.wall_id == wall]
    expected = [visit.referral_id for visit in of_product or of_wall or latest_first][:1]
    chosen = choose(visits, product_id=product, wall_id=wall, now=START, window=window)
    assert expected == ([] if chosen is None else [chosen])
