"""What holds of the aggregate models whatever the journeys."""

import sys
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.attribution.engine import Path, divide, markov, shapley
from app.attribution.engine.markov import FEW
from tests.unit.attribution import chains

CHANNELS = "abcdef"
orders = st.integers(1, 3)


def paths(channels: str = CHANNELS) -> st.SearchStrategy[list[Path]]:
    path = st.builds(
        Path,
        channels=st.lists(st.sampled_from(channels), max_size=7).map(tuple),
        conversions=st.integers(0, 4),
        nulls=st.integers(0, 4),
    )
    return st.lists(path, max_size=8)


def nearly(expected: object) -> object:
    return pytest.approx(expected, abs=1e-9)


@given(paths())
def test_an_even_split_of_each_journey_is_the_shapley_value(some: list[Path]) -> None:
    occurred = [path for path in some if path.conversions or path.nulls]
    assert chains.shapley(occurred) == shapley(some)


@given(paths())
def test_shapley_credits_add_up_to_the_conversions_of_all_journeys_that_had_a_channel(some: list[Path]) -> None:
    assert sum(path.conversions for path in some if path.channels) == sum(shapley(some).values())


@settings(max_examples=300)
@given(paths(), orders, st.sampled_from([FEW, 0]))
def test_markov_equals_an_exact_computation(some: list[Path], order: int, few: int) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sys.modules["app.attribution.engine.markov"], "FEW", few)  # either way of solving
        found = markov(some, order)
    if any(path.conversions for path in some):
        expected = chains.removal_effects(some, order)
        assert float(chains.conversion(some, order)) == pytest.approx(found.conversion, abs=1e-15)
        assert pytest.approx({name: float(effect) for name, effect in expected.items()}, abs=1e-13) == dict(
            found.removal_effects
        )
    else:
        assert not any(found.removal_effects.values())


@given(paths(), orders)
def test_markov_shares_are_parts_of_one_or_nothing(some: list[Path], order: int) -> None:
    shares = markov(some, order).shares
    earns = any(path.conversions for path in some if path.channels)
    assert nearly(1 if earns else 0) == sum(shares.values())
    assert all(0 <= share <= 1 for share in shares.values())


@given(paths(), orders)
def test_relabelling_channels_relabels_their_credit(some: list[Path], order: int) -> None:
    other = dict(zip(CHANNELS, "fdbaec", strict=True))
    relabelled = [path._replace(channels=tuple(other[channel] for channel in path.channels)) for path in some]
    assert {other[channel]: credit for channel, credit in shapley(some).items()} == shapley(relabelled)
    expected = {other[channel]: share for channel, share in markov(some, order).shares.items()}
    assert nearly(expected) == dict(markov(relabelled, order).shares)


@given(paths("abc"), orders, st.randoms(use_true_random=False))
def test_neither_order_nor_merging_of_equal_journeys_matters(some: list[Path], order: int, random: Random) -> None:
    single = [path._replace(conversions=1, nulls=0) for path in some for _ in range(path.conversions)]
    single += [path._replace(conversions=0, nulls=1) for path in some for _ in range(path.nulls)]
    random.shuffle(single)
    assert shapley(some) == shapley(single)
    assert markov(some, order) == markov(single, order)


@given(paths(), orders)
def test_a_channel_that_every_conversion_comes_through_has_removal_effect_one(some: list[Path], order: int) -> None:
    last = [path._replace(channels=(*path.channels, "z")) if path.conversions else path for path in some]
    first = [path._replace(channels=("z", *path.channels)) for path in some]
    if any(path.conversions for path in some):
        assert nearly(1) == markov(last, order).removal_effects["z"]
        assert nearly(1) == markov(first, order).removal_effects["z"]


@given(st.integers(0, 10**12), paths(), orders)
def test_an_amount_divided_by_either_model_adds_up(total: int, some: list[Path], order: int) -> None:
    if any(path.conversions for path in some if path.channels):
        for shares in (shapley(some), markov(some, order).shares):
            parts = divide(total, shares)
            assert total == sum(parts.values())
            ordered = sorted(parts, key=lambda name: (shares[name], parts[name]))
            assert all(parts[one] <= parts[other] + 1 for one, other in pairwise(ordered))
