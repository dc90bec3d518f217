"""What holds for every history, policy and sequence of refunds."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.attribution.engine import (
    REWARDABLE,
    Amounts,
    Line,
    LineKey,
    Policy,
    Settlement,
    UplineMode,
    difference,
    policy_from_wire,
    settle,
    settle_all,
)
from tests.unit.attribution.histories import MODELS, UPLINES, Fact, facts_of, random_history, random_policy
from tests.unit.attribution.story import by_person, chain_of, upline

seeds = st.integers(0, 2**32)
amounts = st.lists(st.integers(0, 5_000), max_size=6)


def world(seed: int) -> tuple[list[Fact], Policy]:
    random = Random(seed)
    return random_history(random), policy_from_wire(random_policy(random))


def settled(history: list[Fact], policy: Policy) -> list[Settlement]:
    return list(settle_all(facts_of(history), policy))


def refunds(order: str, *taken: int) -> list[Fact]:
    """Refunds that are received one after the other, when everything else has been received."""
    return [
        {"kind": "refund", "id": f"z{n}", "order": order, "amount": amount, "at": 0, "received_at": 10**12 + n}
        for n, amount in enumerate(taken)
    ]


@settings(max_examples=60, deadline=None)
@given(seeds, amounts)
def test_credits_sum_to_the_net_for_every_model_and_upline_and_sequence_of_refunds(seed: int, taken: list[int]) -> None:
    random = Random(seed)
    history = random_history(random) + refunds("o0", *taken)
    facts = facts_of(history)
    for model in MODELS:
        for mode in UPLINES:
            wire = random_policy(random)
            policy = policy_from_wire({**wire, "model": model, "upline": {**wire["upline"], "mode": mode}})
            for settlement in settle_all(facts, policy):
                check(settlement)


def check(settlement: Settlement) -> None:
    """A settlement adds up, in every way in which it is read."""
    lines = (*settlement.lines, *settlement.rounded_away)
    assert sum(line.gross for line in lines) == settlement.order.net
    assert sum(line.net for line in lines) == settlement.net >= 0
    assert all(0 <= line.net <= line.gross for line in lines)
    assert all(line.gross for line in settlement.lines)
    assert len({line.key for line in lines}) == len(lines)
    assert all(abs(line.rounding) < 1 for line in lines)
    counted = [verdict for verdict in settlement.verdicts if verdict.counted]
    assert all(abs(verdict.rounding) < 1 for verdict in counted)
    if counted:
        assert sum(verdict.weight for verdict in settlement.verdicts) == 1
        assert sum(verdict.cents for verdict in settlement.verdicts) == settlement.order.net
    for verdict in counted:
        own = [line for line in lines if line.touch == verdict.touch.id]
        assert sum(line.gross for line in own) == verdict.cents
        assert sum(line.level_weight for line in own) == 1


@settings(max_examples=150, deadline=None)
@given(seeds, st.randoms(use_true_random=False))
def test_the_order_in_which_facts_arrive_does_not_matter(seed: int, shuffler: Random) -> None:
    history, policy = world(seed)
    expected = settled(history, policy)
    shuffler.shuffle(history)
    assert settled(history, policy) == expected
    assert settled(history + history, policy) == expected


@settings(max_examples=150, deadline=None)
@given(seeds, amounts)
def test_a_full_refund_leaves_zero_everywhere(seed: int, taken: list[int]) -> None:
    history, policy = world(seed)
    facts = facts_of(history + refunds("o0", *taken, 10**9))
    settlement = settle(facts.orders["o0"], facts, policy)
    assert [line.net for line in settlement.lines] == [0] * len(settlement.lines)
    assert settlement.refunded == settlement.order.net


@settings(max_examples=150, deadline=None)
@given(seeds, amounts)
def test_a_refund_gives_nobody_anything(seed: int, taken: list[int]) -> None:
    history, policy = world(seed)
    before: dict[LineKey, Line] | None = None
    for count in range(len(taken) + 1):
        facts = facts_of(history + refunds("o0", *taken[:count]))
        lines = {line.key: line for line in settle(facts.orders["o0"], facts, policy).lines}
        assert before is None or all(line.net <= before[key].net for key, line in lines.items())
        before = lines


@settings(max_examples=150, deadline=None)
@given(seeds)
def test_what_was_known_then_is_told_again_as_it_was_then(seed: int) -> None:
    history, policy = world(seed)
    then = 100_000_000
    known = [fact for fact in history if fact["received_at"] <= then]
    undropped = [{**f, "dropped_at": None} if (f.get("dropped_at") or 0) > then else f for f in known]
    assert list(settle_all(facts_of(history, then), policy)) == settled(undropped, policy)


@settings(max_examples=150, deadline=None)
@given(seeds, seeds)
def test_appending_the_difference_always_ends_at_the_lines_wanted(first: int, second: int) -> None:
    books: list[tuple[LineKey, Amounts]] = []
    for seed in (first, second, first):
        wanted = [line for settlement in settled(*world(seed))[:1] for line in settlement.lines]
        books.extend(difference(books, wanted).items())
        assert difference(books, wanted) == {}
        sums: dict[LineKey, int] = {}
        for key, change in books:
            sums[key] = sums.get(key, 0) + change.net
        assert {key: net for key, net in sums.items() if net} == {line.key: line.net for line in wanted if line.net}


@settings(deadline=None)
@given(
    st.integers(0, 100_000),
    st.integers(1, 6),
    st.integers(0, 5),
    st.integers(2, 4),
    st.sampled_from(sorted(REWARDABLE)),
)
def test_nobody_gains_by_pretending_to_be_several_people(
    net: int, length: int, place: int, copies: int, mode: UplineMode
) -> None:
    place %= length
    honest = [f"p{n}" for n in range(length)]
    alter_egos = [f"p{place}-{n}" for n in range(copies)]
    pretended = [*honest[:place], *alter_egos, *honest[place + 1 :]]
    policy = Policy(upline=upline(mode, max_depth=100))
    alone = by_person(chain_of(*honest, net=net).settle(policy)).get(f"p{place}", 0)
    earned = by_person(chain_of(*pretended, net=net).settle(policy))
    together = sum(earned.get(name, 0) for name in alter_egos)
    # A cent of rounding each is the most that largest remainder can add to a quota.
    slack = 0 if mode is UplineMode.DIRECT else copies
    assert together <= alone + slack


@pytest.mark.parametrize("length", range(1, 6))
@pytest.mark.parametrize("copies", range(2, 5))
def test_halving_is_proof_against_splitting_before_rounding(length: int, copies: int) -> None:
    exact = 2**40
    policy = Policy(upline=upline(UplineMode.HALVING, max_depth=100))
    alone = by_person(chain_of(*[f"p{n}" for n in range(length)], net=exact).settle(policy))["p0"]
    names = [f"p{n}" for n in range(length + copies - 1)]
    earned = by_person(chain_of(*names, net=exact).settle(policy))
    assert sum(earned[name] for name in names[:copies]) <= alone


def test_halving_is_proof_only_as_far_as_the_chain_is_not_cut() -> None:
    policy = Policy(upline=upline(UplineMode.HALVING, max_depth=3))
    assert by_person(chain_of("c", "b", "a", net=4_000).settle(policy))["c"] == 1_000
    pretended = by_person(chain_of("c1", "c2", "b", "a", net=4_000).settle(policy))
    assert pretended == {"c1": 1_000, "c2": 1_000, "b": 1_000, "(house)": 1_000}
