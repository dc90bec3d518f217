"""The engine against the plain second implementation, on thousands of random histories, to the cent."""

from random import Random

import pytest

from app.attribution.engine import (
    Model,
    Policy,
    Tally,
    UplineMode,
    policy_from_wire,
    policy_to_wire,
    settle_all,
)
from tests.unit.attribution.histories import (
    MODELS,
    UPLINES,
    Fact,
    facts_of,
    line_on_the_wire,
    random_bars,
    random_history,
    random_policy,
)
from tests.unit.attribution.reference import Reference

HISTORIES_PER_SEED = 500


def test_every_model_and_every_upline_has_its_second_implementation() -> None:
    assert set(Model) == set(MODELS)
    assert set(UplineMode) == set(UPLINES)


@pytest.mark.parametrize("seed", range(12))
def test_two_implementations_of_the_page_agree_to_the_last_cent(seed: int) -> None:
    random = Random(seed)
    for _ in range(HISTORIES_PER_SEED):
        compare(random_history(random), random)


@pytest.mark.parametrize("seed", range(4))
def test_they_agree_about_what_is_held_or_refused(seed: int) -> None:
    random, changed = Random(seed), 0
    for _ in range(HISTORIES_PER_SEED):
        history = random_history(random)
        bars = random_bars(random, history)
        compare(history + bars, random)
        changed += told(history) != told(history + bars)
    assert HISTORIES_PER_SEED // 10 < changed


def told(history: list[Fact]) -> list[object]:
    return [settlement.lines for settlement in settle_all(facts_of(history), Policy())]


def compare(history: list[Fact], random: Random) -> None:
    wire = random_policy(random)
    as_of = random.choice([None, None, random.randint(0, 200_000_000)])
    reference = Reference(history, wire, as_of)
    policy = policy_from_wire(wire)
    assert policy_to_wire(policy) == wire
    facts = facts_of(history, as_of)
    settlements = list(settle_all(facts, policy))

    assert {s.order.id for s in settlements} == {order["id"] for order in reference.all("order")}
    for settlement in settlements:
        order = reference.one("order", settlement.order.id)
        assert order is not None
        expected = reference.wire_lines(order)
        assert [line_on_the_wire(line) for line in settlement.lines] == expected, (history, wire, as_of)
    tally = Tally.of(settlements, facts)
    assert tally.by_network() == reference.by("network")
    assert tally.by_sharer() == reference.by("sharer")
    assert tally.by_subtree() == reference.by_subtree(), (history, wire, as_of)
