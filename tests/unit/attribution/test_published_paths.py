"""Every model on published path data: 10,000 paths over 12 channels (tests/data/mta_paths.md says whose).

Expected stands an exact computation of each model, apart from the engine; and beside it, for the models that
the package defines as we do, what the package itself answers for its data.
"""

import csv
import gzip
from collections import defaultdict
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path as FilePath

import numpy as np
import pytest

from app.attribution.engine import Model, Path, Policy, divide, markov, shapley
from app.attribution.engine.models import weights
from tests.unit.attribution import chains

DATA = FilePath(__file__).parents[2] / "data" / "mta_paths.csv.gz"
CONVERSIONS, NULLS = 19_785, 68_602

# What mta 0.0.9 answers for the same data, with repeats kept (`allow_loops=True`), nothing normalised, and
# `share="proportional"` for linear. Its Markov model sums over the journeys that occurred instead of over all that
# the chain can make, and its time decay knows no time, so there is nothing to compare.
PUBLISHED = {
    "first_touch": (6308, 2831, 1, 99, 3164, 165, 4606, 74, 902, 2, 1606, 27),
    "last_touch": (8447, 989, 5, 531, 4167, 92, 3355, 230, 1207, 2, 653, 107),
    "linear": (
        7574.718593751173,
        2083.5001445890803,
        1.7249999999999999,
        272.1704377204597,
        3539.9511571005655,
        121.04163902026706,
        3857.0962210177604,
        137.96407792227836,
        1035.257572285535,
        2.2222222222222223,
        1022.8013939042183,
        136.55154046644452,
    ),
    "position_based": (
        7444.823759233388,
        1969.7661789685692,
        2.5866666666666664,
        301.0502327824374,
        3618.7961487619173,
        125.24091092382908,
        3944.94816565542,
        147.4595565169391,
        1046.9039013853774,
        2.057142857142857,
        1092.7444717568865,
        88.6228644916078,
    ),
    "shapley": (
        7627.944047619046,
        1982.7392857142843,
        2.2928571428571387,
        374.67738095238093,
        3613.655952380959,
        138.18571428571408,
        3505.0440476190506,
        159.05714285714268,
        987.7821428571425,
        2.6666666666666194,
        1190.963095238095,
        199.9916666666667,
    ),
}

Rule = Callable[[int, int], Fraction]  # (place, how many): the part of a journey's conversions


@pytest.fixture(scope="module")
def paths() -> list[Path]:
    with gzip.open(DATA, "rt", encoding="utf-8", newline="") as file:
        return [
            Path(tuple(row["path"].split(" > ")), int(row["total_conversions"]), int(row["total_null"]))
            for row in csv.DictReader(file)
        ]


def by_position(place: int, count: int) -> Fraction:
    if count <= 2:
        return Fraction(1, count)
    return Fraction(2, 5) if place in (0, count - 1) else Fraction(1, 5 * (count - 2))


RULES: dict[str, Rule] = {
    "first_touch": lambda place, count: Fraction(int(place == 0)),
    "last_touch": lambda place, count: Fraction(int(place == count - 1)),
    "linear": lambda place, count: Fraction(1, count),
    "position_based": by_position,
}


def published(name: str) -> object:
    channels = ["alpha", "beta", "delta", "epsilon", "eta", "gamma", "iota", "kappa", "lambda", "mi", "theta", "zeta"]
    return pytest.approx(dict(zip(channels, PUBLISHED[name], strict=True)), rel=1e-12)


def credited(paths: list[Path], parts: Callable[[int], list[Fraction]]) -> dict[str, Fraction]:
    credit: dict[str, Fraction] = defaultdict(Fraction)
    for path in paths:
        for channel, part in zip(path.channels, parts(len(path.channels)), strict=True):
            credit[channel] += path.conversions * part
    return dict(credit)


def test_the_data_is_what_it_says(paths: list[Path]) -> None:
    assert len(paths) == 10_000
    assert len({channel for path in paths for channel in path.channels}) == 12
    assert sum(path.conversions for path in paths) == CONVERSIONS
    assert sum(path.nulls for path in paths) == NULLS


@pytest.mark.parametrize("name", RULES)
def test_touch_models_equal_an_exact_computation_and_the_package(paths: list[Path], name: str) -> None:
    def of_the_engine(count: int) -> list[Fraction]:
        found = weights(Policy(model=Model(name)), range(count, 0, -1))
        return [Fraction(weight, sum(found)) for weight in found]

    expected = credited(paths, lambda count: [RULES[name](place, count) for place in range(count)])
    found = credited(paths, of_the_engine)
    assert expected == found
    assert sum(found.values()) == CONVERSIONS
    assert published(name) == {channel: float(credit) for channel, credit in found.items()}


def test_shapley_equals_the_value_over_all_coalitions_and_the_package(paths: list[Path]) -> None:
    found = shapley(paths)
    assert chains.shapley(paths) == found
    assert sum(found.values()) == CONVERSIONS
    assert published("shapley") == {channel: float(credit) for channel, credit in found.items()}


def test_markov_equals_an_exact_elimination(paths: list[Path]) -> None:
    effects = chains.removal_effects(paths, 1)
    found = markov(paths)
    assert Fraction(CONVERSIONS, CONVERSIONS + NULLS) == chains.conversion(paths, 1)
    assert found.conversion == CONVERSIONS / (CONVERSIONS + NULLS)
    assert pytest.approx({name: float(effect) for name, effect in effects.items()}, abs=1e-13) == found.removal_effects
    shares = chains.shares(effects)
    assert pytest.approx({name: float(share) for name, share in shares.items()}, abs=1e-13) == found.shares
    assert divide(CONVERSIONS, shares) == divide(CONVERSIONS, found.shares)


@pytest.mark.parametrize("order", [2, 3])
def test_markov_of_higher_order_equals_a_dense_solution_for_each_channel(paths: list[Path], order: int) -> None:
    """All states and channels, without the shortcuts of the engine: one dense system for each removal."""
    padded = [((),) * order + path.channels for path in paths]
    states = sorted({way[end - order : end] for way in padded for end in range(order, len(way) + 1)}, key=str)
    number = {state: index for index, state in enumerate(states)}
    steps, converted = np.zeros((len(states), len(states))), np.zeros(len(states))
    left = np.zeros(len(states))
    for path, way in zip(paths, padded, strict=True):
        visited = [number[way[end - order : end]] for end in range(order, len(way) + 1)]
        np.add.at(left, visited, path.conversions + path.nulls)
        np.add.at(steps, (visited[:-1], visited[1:]), path.conversions + path.nulls)
        converted[visited[-1]] += path.conversions
    steps, converted = steps / left[:, None], converted / left

    def conversion(without: str | None) -> float:
        kept = np.array([state[-1] != without for state in states])
        system = np.eye(kept.sum()) - steps[np.ix_(kept, kept)]
        chances = np.zeros(len(states))
        chances[kept] = np.linalg.solve(system, converted[kept])
        return float(chances[number[((),) * order]])

    found = markov(paths, order)
    expected = {channel: 1 - conversion(channel) / conversion(None) for channel in found.removal_effects}
    assert len(expected) == 12
    assert pytest.approx(expected, abs=1e-12) == found.removal_effects
