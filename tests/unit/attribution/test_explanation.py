"""What is told beyond a settlement: chains are the engine's chains, and what refunds took adds up to what is gone."""

from collections import Counter
from random import Random

import pytest

from app.attribution.engine import (
    Facts,
    LineKey,
    Model,
    Policy,
    SelfReferral,
    Settlement,
    UplineMode,
    policy_from_wire,
    settle_all,
)
from app.attribution.engine.upline import HOUSE, NONE
from app.attribution.explanation import (
    LONGEST,
    Chain,
    End,
    LeftOut,
    Place,
    by_coupon,
    chain,
    every_line,
    takings_by_line,
)
from tests.unit.attribution.histories import facts_of, random_history, random_policy
from tests.unit.attribution.story import Story, chain_of, journey_of, model, upline

EQUAL = Policy(upline=upline(UplineMode.EQUAL))


def told(story: Story, referral: str, policy: Policy = EQUAL, buyer: str = "buyer") -> Chain:
    facts = story.facts()
    return chain(facts.referrals[referral], facts, policy, buyer)


def left_out(found: Chain) -> list[tuple[str, int | None, LeftOut | None]]:
    return [(place.sharer, place.level, place.left_out) for place in found.places]


def test_a_chain_is_told_up_to_its_root() -> None:
    found = told(chain_of("c", "b", "a"), "c")
    assert [Place("c", "c", 0, None), Place("b", "b", 1, None), Place("a", "a", 2, None)] == list(found.places)
    assert (End.ROOT, None) == (found.end, found.above)


def test_the_buyer_and_who_stands_there_already_are_left_out() -> None:
    story = Story().share("1", "ana", parent="2").share("2", "buyer", parent="3").share("3", "ana", parent="4")
    found = told(story.share("4", "bo"), "1")
    assert [
        ("ana", 0, None),
        ("buyer", None, LeftOut.SELF_REFERRAL),
        ("ana", None, LeftOut.AGAIN),
        ("bo", 1, None),
    ] == left_out(found)


def test_a_buyer_who_may_earn_stands_in_the_chain() -> None:
    story = Story().share("1", "ana", parent="2").share("2", "buyer")
    policy = Policy(upline=upline(UplineMode.EQUAL), self_referral=SelfReferral.INCLUDE)
    assert [("ana", 0, None), ("buyer", 1, None)] == left_out(told(story, "1", policy))


def test_a_chain_is_cut_after_the_policys_depth_and_under_direct_after_the_first() -> None:
    cut = told(chain_of("d", "c", "b", "a"), "d", Policy(upline=upline(UplineMode.EQUAL, max_depth=2)))
    assert [("d", 0, None), ("c", 1, None), ("b", None, LeftOut.TOO_DEEP)] == left_out(cut)
    assert (End.CUT, "a") == (cut.end, cut.above)
    direct = told(chain_of("b", "a"), "b", Policy())
    assert [("b", 0, None), ("a", None, LeftOut.DIRECT)] == left_out(direct)


def test_a_chain_ends_at_an_unknown_parent_and_at_a_loop() -> None:
    unknown = told(Story().share("1", "ana", parent="gone"), "1")
    assert (End.UNKNOWN_PARENT, "gone") == (unknown.end, unknown.above)
    loop = told(Story().share("1", "ana", parent="2").share("2", "bo", parent="1"), "1")
    assert (End.LOOP, "1") == (loop.end, loop.above)


def test_an_endless_chain_is_not_told_to_its_end() -> None:
    story = Story()
    for number in range(LONGEST + 50):
        story.share(str(number), "ana", parent=str(number + 1))
    found = told(story, "0")
    assert (LONGEST, End.TOO_LONG, str(LONGEST)) == (len(found.places), found.end, found.above)


def test_what_each_refund_took_from_each_line() -> None:
    story = journey_of(3, 100)
    for number, amount in enumerate((1, 1, 98)):
        story.refund(f"f{number}", "order", amount, day=20 + number)
    taken = [
        [(line.touch, amount) for line, amount in lines] for lines in takings_by_line(story.settle(model(Model.LINEAR)))
    ]
    assert [[("t3", 1)], [("t3", 1)], [("t1", 33), ("t2", 33), ("t3", 32)]] == taken


@pytest.mark.parametrize("seed", range(6))
def test_whatever_happened_the_explanation_is_what_the_engine_did(seed: int) -> None:
    random = Random(seed)
    for _ in range(150):
        facts, policy = facts_of(random_history(random)), policy_from_wire(random_policy(random))
        for settlement in settle_all(facts, policy):
            check_takings(settlement)
            check_chains(settlement, facts, policy)


def check_takings(settlement: Settlement) -> None:
    gone: Counter[LineKey] = Counter()
    for taking, lines in zip(settlement.takings, takings_by_line(settlement), strict=True):
        assert taking.taken == sum(amount for _, amount in lines)
        gone.update({line.key: amount for line, amount in lines})
    assert {line.key: line.reversed for line in settlement.lines if line.reversed} == gone


def check_chains(settlement: Settlement, facts: Facts, policy: Policy) -> None:
    for line in every_line(settlement):
        if line.sharer not in (NONE, HOUSE):
            assert line.source_referral is not None
            found = chain(facts.referrals[line.source_referral], facts, policy, settlement.buyer)
            assert line.referral is not None
            assert line.level is not None
            assert Place(line.referral, line.sharer, line.level, None) in found.places
    decided = by_coupon(settlement)
    assert (decided is not None) == (settlement.order.coupon is not None and settlement.coupon_reason is None)
