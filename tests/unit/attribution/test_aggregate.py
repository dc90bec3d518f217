"""The aggregate models on journeys small enough for a pencil, and at their edges."""

import subprocess
import sys
from fractions import Fraction

import pytest

from app.attribution.engine import Markov, Path, TooManyStates, divide, elimination, markov, removal, shapley
from app.attribution.engine.elimination import Steps
from app.attribution.engine.markov import MOST_CHANNELS, MOST_STATES
from tests.unit.attribution import chains

THREE = [Path(("a", "b"), 3, 1), Path(("a", "c"), 1, 1), Path(("b",), 0, 2)]


def nearly(expected: dict[str, Fraction] | dict[str, float]) -> object:
    return pytest.approx({channel: float(value) for channel, value in expected.items()}, abs=1e-12)


# -- shapley -----------------------------------------------------------------------------------------------------


def test_shapley_splits_each_journey_evenly_over_its_distinct_channels() -> None:
    paths = [Path(("a",), 4, 0), Path(("a", "b"), 6, 0), Path(("b", "c", "b", "a"), 1, 0)]
    third = Fraction(1, 3)
    assert shapley(paths) == {"a": 7 + third, "b": 3 + third, "c": third}


def test_shapley_names_channels_that_never_converted_and_leaves_out_those_that_never_occurred() -> None:
    assert shapley([Path(("a",), 1, 0), Path(("b",), 0, 9), Path(("c",), 0, 0)]) == {"a": 1, "b": 0}


# -- markov by hand ------------------------------------------------------------------------------------------------


def test_removal_effects_can_be_computed_with_a_pencil() -> None:
    # P(convert) = 1/2: six of eight journeys go to a, of these four on to b (3/6 of whose visits convert, b's two
    # journeys of its own included) and two to c (1/2): 6/8 x (4/6 x 3/6 + 2/6 x 1/2) + 2/8 x 3/6 = 1/2.
    # Without a: 2/8 x 3/6 = 1/8. Without b: 6/8 x 2/6 x 1/2 = 1/8. Without c: 1/2 - 1/8 = 3/8.
    found = markov(THREE)
    assert found.conversion == 0.5
    assert nearly({"a": 3 / 4, "b": 3 / 4, "c": 1 / 4}) == found.removal_effects
    assert nearly({"a": 3 / 7, "b": 3 / 7, "c": 1 / 7}) == found.shares


def test_a_channel_that_follows_itself_is_a_step_like_any_other() -> None:
    # a's three visits: one more a, one b, one conversion. b always ends in null.
    paths = [Path(("a", "a"), 1, 0), Path(("a", "b"), 0, 1)]
    assert {"a": 1.0, "b": 0.0} == markov(paths).removal_effects
    assert nearly({"a": 1.0, "b": 0.0}) == markov(paths, order=2).removal_effects


def test_a_higher_order_remembers_what_came_before() -> None:
    # After a, b converts; after c, never. Order 1 cannot tell, so c seems to help.
    paths = [Path(("a", "b"), 1, 0), Path(("c", "b"), 0, 1)]
    assert {"a": 0.5, "b": 1.0, "c": 0.5} == markov(paths).removal_effects
    assert {"a": 1.0, "b": 1.0, "c": 0.0} == markov(paths, order=2).removal_effects


def test_order_three_remembers_three() -> None:
    paths = [Path(("a", "b", "b", "c"), 1, 0), Path(("d", "b", "b", "c"), 0, 1)]
    assert markov(paths, order=2).removal_effects["d"] == pytest.approx(0.5)
    paths = [Path(("a", "b", "c"), 1, 0), Path(("d", "b", "c"), 0, 1)]
    assert markov(paths, order=2).removal_effects["d"] == pytest.approx(0.5)
    assert markov(paths, order=3).removal_effects["d"] == 0.0


# -- edges ---------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [1, 2, 3])
def test_without_any_conversion_all_is_nothing(order: int) -> None:
    assert markov([], order) == Markov(0.0, {}, {})
    assert markov([Path(("a",), 0, 7)], order) == Markov(0.0, {"a": 0.0}, {"a": 0.0})
    assert shapley([]) == {}


@pytest.mark.parametrize("order", [1, 2, 3])
def test_journeys_without_a_channel_convert_and_credit_nobody(order: int) -> None:
    assert markov([Path((), 1, 3)], order) == Markov(0.25, {}, {})
    assert markov([Path((), 1, 3), Path(("a",), 0, 0)], order) == Markov(0.25, {}, {})
    found = markov([Path((), 1, 1), Path(("a",), 1, 1)], order)
    assert found == Markov(0.5, {"a": 0.5}, {"a": 1.0})
    assert shapley([Path((), 5, 0), Path(("a",), 1, 0)]) == {"a": 1}


def test_only_journeys_without_a_channel_convert() -> None:
    assert markov([Path((), 1, 0), Path(("a",), 0, 1)]) == Markov(0.5, {"a": 0.0}, {"a": 0.0})


@pytest.mark.parametrize("order", [1, 2, 3])
def test_where_all_convert_every_channel_of_all_is_missed_wholly(order: int) -> None:
    found = markov([Path(("a", "b"), 5, 0)], order)
    assert found == Markov(1.0, {"a": 1.0, "b": 1.0}, {"a": 0.5, "b": 0.5})


def test_channels_that_never_meet_share_by_what_they_converted() -> None:
    paths = [Path(("a",), 3, 1), Path(("b", "c"), 1, 2)]
    assert nearly({"a": 0.75, "b": 0.25, "c": 0.25}) == markov(paths).removal_effects


def test_a_long_way_back_and_forth_is_solved_too() -> None:
    # Each visit to the hub has another channel before it: its states depend on each other in one long row, which
    # the common factorisation would need as many tries for as there are states.
    way = tuple(name for number in range(150) for name in (f"c{number}", "hub"))
    paths = [Path(way, 1, 0), Path(way[:-3], 0, 1), Path(("c0", "hub"), 0, 1), Path(("c7",), 1, 0)]
    expected = dict.fromkeys(way, 0.5) | {"c0": 0.5, "c7": 1.0}
    assert nearly(expected) == markov(paths, order=2).removal_effects


def test_as_many_visits_as_it_takes() -> None:
    paths = [Path(("a",) * 100_000, 1, 0), Path(("b",), 1, 2)]
    assert nearly({"a": 0.5, "b": 0.5}) == markov(paths).removal_effects


def test_rare_conversions_are_as_exact() -> None:
    paths = [Path(("a", "b"), 1, 10**9), Path(("b", "c", "a"), 2, 10**12), Path(("c",), 1, 10**12)]
    expected = chains.removal_effects(paths, 1)
    assert nearly(expected) == markov(paths).removal_effects


# -- bad input -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("order", [0, 4, -1])
def test_other_orders_are_refused(order: int) -> None:
    with pytest.raises(ValueError, match="order 1, 2 or 3"):
        markov([], order)


@pytest.mark.parametrize("path", [Path(("a",), -1, 2), Path(("a",), 2, -1)])
def test_less_than_never_is_refused(path: Path) -> None:
    with pytest.raises(ValueError, match="less than never"):
        markov([path])
    with pytest.raises(ValueError, match="less than never"):
        shapley([path])


def test_what_cannot_be_solved_in_reasonable_time_is_refused_by_name() -> None:
    with pytest.raises(TooManyStates, match="2001 channels are more than 2000"):
        markov(Path((f"c{number}",), 1, 0) for number in range(MOST_CHANNELS + 1))
    names = [f"c{number}" for number in range(150)]
    pairs = [Path((one, other), 1, 0) for one in names for other in names]
    assert len(markov(pairs, 1).shares) == len(names)
    with pytest.raises(TooManyStates, match=f"22651 sequences of channels are more than {MOST_STATES}"):
        markov(pairs, 2)


# -- dividing ------------------------------------------------------------------------------------------------------


def test_an_amount_is_divided_to_the_cent_and_a_tie_goes_to_the_first_name() -> None:
    assert divide(100, {"b": 1 / 3, "a": 1 / 3, "c": 1 / 3}) == {"a": 34, "b": 33, "c": 33}
    assert divide(100, {"b": Fraction(2), "a": Fraction(4), "c": Fraction(0)}) == {"a": 67, "b": 33, "c": 0}


def test_the_noise_of_a_computation_decides_no_tie() -> None:
    assert divide(1, {"a": 0.1 + 0.2 - 1e-16, "b": 0.1 + 0.2, "c": 0.3}) == {"a": 1, "b": 0, "c": 0}


def test_nothing_can_be_divided_over_nobody_and_something_cannot() -> None:
    assert divide(0, {"a": 0.0}) == {"a": 0}
    assert divide(0, {}) == {}
    with pytest.raises(ValueError, match="all zero"):
        divide(1, {"a": 0.0})
    with pytest.raises(ValueError, match="negative"):
        divide(-1, {"a": 1.0})


def test_importing_the_engine_loads_neither_numpy_nor_scipy() -> None:
    code = "import sys, app.attribution.engine; sys.exit('numpy' in sys.modules or 'scipy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_of_many_states_a_channel_without_a_conversion_takes_none_away() -> None:
    """Journeys: start, a, converted; start, b, null."""
    steps = Steps(last=[-1, 0, 1], moves=[(0, 1, 1), (0, 2, 1)], converted=[0, 1, 0], ended=[0, 1, 1])
    assert [1.0, 0.0] == removal.removal_effects(steps, 2)
    assert [1.0, 0.0] == elimination.removal_effects(steps, 2)
