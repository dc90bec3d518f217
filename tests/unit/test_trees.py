"""Share trees: depth, breadth, branching, structural virality and subtree sums, against slow and plain counting."""

from collections import Counter, deque
from fractions import Fraction
from itertools import combinations
from random import Random
from time import process_time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.reports.trees import ROOT, Forest, Shape, k_factor, median_wait, shapes

Links = list[tuple[str, str | None]]

LONG = 100_000


@st.composite
def links(draw: st.DrawFn, loops: bool = False) -> Links:
    """Up to 25 referrals in any order, some of whose parents are not there; with `loops`, any parents at all."""
    size = draw(st.integers(0, 25))
    parents = [
        draw(st.none() | st.integers(0, size - 1 if loops else number - 1) | st.just(-1))
        if loops or number
        else draw(st.sampled_from([None, -1]))
        for number in range(size)
    ]
    made: Links = [
        (f"r{number}", None if parent is None else "gone" if parent < 0 else f"r{parent}")
        for number, parent in enumerate(parents)
    ]
    return draw(st.permutations(made))


def walked(start: int, neighbours: list[list[int]]) -> dict[int, int]:
    """How far it is to whatever can be reached from `start`."""
    far = {start: 0}
    waiting = deque([start])
    while waiting:
        here = waiting.popleft()
        for there in neighbours[here]:
            if there not in far:
                far[there] = far[here] + 1
                waiting.append(there)
    return far


def both_ways(forest: Forest) -> list[list[int]]:
    neighbours: list[list[int]] = [[] for _ in forest.parents]
    for child, parent in enumerate(forest.parents):
        if parent != ROOT:
            neighbours[child].append(parent)
            neighbours[parent].append(child)
    return neighbours


def below(made: Links) -> dict[str, set[str]]:
    """Everything that has each referral among its ancestors, itself included, by following parents one by one."""
    parent_of = dict(made)
    found: dict[str, set[str]] = {name: {name} for name in parent_of}
    for name in parent_of:
        seen: set[str] = set()
        above = parent_of[name]
        while above in parent_of and above not in seen:
            seen.add(above)
            found[above].add(name)
            above = parent_of[above]
    return found


def as_one(forest: Forest) -> Shape:
    """The shape of all trees together."""
    return shapes(forest, dict.fromkeys(forest.roots, "all")).get("all", Shape())


def tree(*parents: int | None) -> Forest:
    return Forest.of([(str(number), None if up is None else str(up)) for number, up in enumerate(parents)])


def test_a_chain_a_star_and_a_pair_are_as_viral_as_published() -> None:
    """Structural virality of a star nears 2, of a chain (n + 1) / 3 (Goel et al., 2016)."""
    assert Fraction(1) == as_one(tree(None, 0)).structural_virality
    assert Fraction(2 * 99, 100) == as_one(tree(None, *[0] * 99)).structural_virality
    assert Fraction(101, 3) == as_one(tree(None, *range(99))).structural_virality
    assert as_one(tree(None, None)).structural_virality is None


def test_generations_are_counted_and_divided() -> None:
    shape = as_one(tree(None, 0, 0, 1, 1, 1, None))
    assert ([2, 2, 3], 2, 7) == (shape.breadth, shape.depth, shape.referrals)
    assert [Fraction(1), Fraction(3, 2)] == shape.branching
    assert (2, 6) == (shape.trees, shape.largest)


def test_without_referrals_there_is_no_tree() -> None:
    assert {} == shapes(Forest.of([]), {})
    assert ([], [], []) == (tree().generations, tree().loops, tree().subtree_sums([]))


@given(links())
def test_levels_and_roots_are_what_climbing_finds(made: Links) -> None:
    forest = Forest.of(made)
    names, parent_of = [name for name, _ in made], dict(made)
    for position, name in enumerate(names):
        chain = [name]
        while (above := parent_of[chain[-1]]) in parent_of:
            assert above is not None
            chain.append(above)
        assert (len(chain) - 1, chain[-1]) == (forest.levels[position], names[forest.roots[position]])
    assert [] == forest.loops
    assert sorted(range(len(made))) == sorted(position for each in forest.generations for position in each)
    for level, generation in enumerate(forest.generations):
        assert generation == [position for position, each in enumerate(forest.levels) if each == level] != []


@given(links(loops=True))
def test_distances_add_up_to_those_of_all_pairs(made: Links) -> None:
    forest = Forest.of(made)
    neighbours = both_ways(forest)
    reached = [walked(position, neighbours) for position in range(len(made))]
    pairs = [(a, b) for a, b in combinations(range(len(made)), 2) if b in reached[a]]
    shape = as_one(forest)
    assert (len(pairs), sum(reached[a][b] for a, b in pairs)) == (shape.pairs, shape.distance)
    assert sum(forest.distances()) == shape.distance


@given(links(loops=True), st.randoms(use_true_random=False))
def test_a_subtree_has_the_sum_of_all_that_is_below_it(made: Links, random: Random) -> None:
    values = [random.randint(-100, 100) for _ in made]
    value_of = {name: value for (name, _), value in zip(made, values, strict=True)}
    expected = [sum(value_of[each] for each in below(made)[name]) for name, _ in made]
    assert expected == Forest.of(made).subtree_sums(values)


@given(links(loops=True), st.data())
def test_the_shapes_of_groups_are_those_of_their_trees(made: Links, data: st.DataObject) -> None:
    forest = Forest.of(made)
    groups = {root: data.draw(st.sampled_from("abc")) for root in sorted(set(forest.roots))}
    found = shapes(forest, groups)
    assert set(groups.values()) == set(found)
    for group, shape in found.items():
        kept = [position for position in range(len(made)) if groups[forest.roots[position]] == group]
        levels = Counter(forest.levels[position] for position in kept)
        assert [levels[level] for level in range(max(levels) + 1)] == shape.breadth
        assert (shape.trees, shape.referrals) == (levels[0], len(kept))
        alone = as_one(Forest.of([made[position] for position in kept]))
        assert alone == shape
    assert as_one(forest) == sum(found.values(), Shape())


@given(links(loops=True))
def test_a_loop_is_cut_above_the_first_of_its_members(made: Links) -> None:
    forest = Forest.of(made)
    parent_of = dict(made)
    cut = {made[min(loop)][0] for loop in forest.loops}
    for loop in forest.loops:
        assert {made[each][0] for each in loop} == {parent_of[made[each][0]] for each in loop}
        assert [0] == [forest.levels[each] for each in loop if forest.parents[each] == ROOT]
    for position, (name, parent) in enumerate(made):
        if forest.parents[position] == ROOT:
            assert name in cut or parent not in parent_of
        else:
            assert parent == made[forest.parents[position]][0]


@pytest.mark.parametrize("first", ["x", "y"])
def test_who_comes_first_stands_above_the_loop(first: str) -> None:
    made = sorted([("x", "y"), ("y", "x"), ("z", "y"), ("self", "self")], key=lambda link: link[0] != first)
    forest = Forest.of(made)
    level = {name: forest.levels[position] for position, (name, _) in enumerate(made)}
    assert {"x": {"x": 0, "y": 1, "z": 2}, "y": {"x": 1, "y": 0, "z": 1}}[first] | {"self": 0} == level


@pytest.mark.parametrize("shape", ["chain", "star", "random", "loop"])
def test_a_hundred_thousand_are_measured_in_no_time_and_without_recursion(shape: str) -> None:
    random = Random(7)
    parents = [{"star": 0, "random": random.randrange(number)}.get(shape, number - 1) for number in range(1, LONG)]
    made: Links = [("0", str(LONG - 1) if shape == "loop" else None)]
    made += [(str(number), str(parent)) for number, parent in enumerate(parents, 1)]
    random.shuffle(made)
    begin = process_time()
    forest = Forest.of(made)
    found, sums = as_one(forest), forest.subtree_sums([1] * LONG)
    assert process_time() - begin < 5
    assert (LONG, LONG, 1) == (found.referrals, max(sums), found.trees)
    expected = {"chain": Fraction(LONG + 1, 3), "star": Fraction(2 * (LONG - 1), LONG), "loop": Fraction(LONG + 1, 3)}
    assert shape == "random" or expected[shape] == found.structural_virality


def test_k_is_invitations_by_sharers_times_the_part_that_shares_on() -> None:
    assert Fraction(10, 4) * Fraction(2, 10) == k_factor(4, 10, 2) == Fraction(1, 2)
    assert Fraction(0) == k_factor(4, 0, 0)
    assert Fraction(3) == k_factor(1, 3, 3)
    assert k_factor(0, 0, 0) is None


def test_the_median_of_waits_leaves_out_what_came_before_its_cause() -> None:
    assert (60, 45, 0) == (median_wait([5, 60, 90]), median_wait([30, 60]), median_wait([-5, 0, -1]))
    assert median_wait([]) is median_wait([-1]) is None
