"""Orders whose visits are no longer kept stand as they were credited; refunds take from what stands (engine/closed)."""

from datetime import date
from random import Random

import pytest

from app.attribution import sentences
from app.attribution.engine import HOUSE, NONE, Amounts, Model, Policy, Reason, Settlement, Source, UplineMode
from app.attribution.engine.closed import Written, settle_closed
from app.attribution.engine.settle import settle_all
from app.attribution.engine.wire import policy_from_wire
from tests.unit.attribution.histories import facts_of, random_history, random_policy
from tests.unit.attribution.story import Story, chain_of, journey_of, model, upline

LINEAR = model(Model.LINEAR)


def written(settlement: Settlement) -> list[Written]:
    return [Written(line.key, line.amounts, line.reason) for line in settlement.lines]


def closed(story: Story, before: Settlement, policy: Policy = LINEAR) -> Settlement:
    """The order as it stands when nothing but what was written of it, and its refunds, is known."""
    facts = story.facts()
    return settle_closed(facts.orders["order"], facts, policy, written(before))


def sums(settlement: Settlement) -> list[tuple[str, int | None, Amounts]]:
    return [(line.sharer, line.level, line.amounts) for line in settlement.lines]


def without_touches(story: Story) -> Story:
    story.touches.clear()
    return story


def test_a_refund_takes_the_same_cents_as_it_would_have_taken() -> None:
    whole, bare = journey_of(3, net=100), without_touches(journey_of(3, net=100))
    before = whole.settle(LINEAR)
    for story in (whole, bare):
        story.refund("a", "order", 1, day=20).refund("b", "order", 1, day=21).refund(
            "c", "order", 1, day=22, dropped=23
        )
    assert sums(whole.settle(LINEAR)) == sums(closed(bare, before))
    assert whole.settle(LINEAR).takings == closed(bare, before).takings


@pytest.mark.parametrize("seed", range(3))
def test_whatever_happened_what_was_written_is_what_stands(seed: int) -> None:
    random = Random(seed)
    for _ in range(40):
        facts, policy = facts_of(random_history(random)), policy_from_wire(random_policy(random))
        for before in settle_all(facts, policy):
            after = settle_closed(before.order, facts, policy, written(before))
            assert [(line.key, line.amounts, line.reason) for line in before.lines] == [
                (line.key, line.amounts, line.reason) for line in after.lines
            ]
            assert before.net == sum(line.net for line in after.lines)
            assert () == after.verdicts
            for said in (sentences.of_order(after), *(sentences.of_line(line, after) for line in after.lines)):
                assert "{" not in said["en"] + said["fr"]


def test_levels_stand_from_the_nearest_to_the_house_in_whichever_order_they_were_written() -> None:
    policy = Policy(upline=upline(UplineMode.HALVING))
    story = chain_of("ana", "bo", "cy", net=101)
    before = story.settle(policy)
    facts = story.facts()
    after = settle_closed(facts.orders["order"], facts, policy, reversed(written(before)))
    assert ["ana", "bo", "cy", HOUSE] == [line.sharer for line in after.lines]
    assert sums(before) == sums(after)


def test_a_line_that_was_taken_away_again_stands_no_more() -> None:
    first, then = journey_of(1).settle(LINEAR), journey_of(2).settle(LINEAR)
    lines = written(first) + [Written(line.key, Amounts(-line.gross, 0), None) for line in first.lines] + written(then)
    facts = without_touches(journey_of(2)).facts()
    after = settle_closed(facts.orders["order"], facts, LINEAR, lines)
    assert {"sharer1": 5_000, "sharer2": 5_000} == {line.sharer: line.gross for line in after.lines}
    (only,) = settle_closed(facts.orders["order"], facts, LINEAR, [*lines[:2], *written(journey_of(2).settle())]).lines
    assert ("sharer2", 10_000) == (only.sharer, only.gross)


def test_a_corrected_net_is_divided_as_the_one_before_was() -> None:
    before = journey_of(3).settle(LINEAR)
    after = closed(without_touches(journey_of(3, net=50)), before)
    assert [16, 17, 17] == [line.gross for line in after.lines]
    nothing = closed(without_touches(journey_of(3, net=0)), before)
    assert [] == list(nothing.lines)
    assert 3 == len(nothing.rounded_away)


def test_where_nothing_was_written_nobody_has_it_and_it_says_why() -> None:
    facts = journey_of(2).facts()
    after = settle_closed(facts.orders["order"], facts, LINEAR, [])
    (line,) = after.lines
    assert (Source.DIRECT, NONE, 0, 10_000, Reason.NOT_KEPT) == (
        *(line.source, line.sharer, line.level, line.gross, line.reason),
    )
    assert (
        "This order of €100.00 is credited to nobody. The visits of its time were no longer kept when this policy "
        "came, so nobody can tell." == sentences.of_order(after)["en"]
    )


def test_a_closed_order_says_so_in_short() -> None:
    said = sentences.of_order(closed(without_touches(journey_of(1)), journey_of(1).settle(LINEAR)))
    assert said["en"] == (
        "This order of €100.00 stands as it was credited: the visits before it are no longer kept. Credit: sharer1 "
        "€100.00."
    )
    assert said["fr"].startswith("Cette commande de 100,00\u00a0€ reste créditée comme elle l’a été")


def coupon_reason(story: Story, before: Settlement, policy: Policy = LINEAR) -> Reason | None:
    return closed(story, before, policy).coupon_reason


def test_what_is_said_of_the_coupon_of_a_closed_order() -> None:
    def sold(code: str | None) -> Story:
        return Story().share("s", "ana").touch("t", "buyer", "s", day=9).order("order", "buyer", coupon=code)

    by_coupon = sold("ANA10").coupon("ANA10", "s")
    assert Source.COUPON is by_coupon.settle(LINEAR).lines[0].source
    assert None is coupon_reason(by_coupon, by_coupon.settle(LINEAR))
    assert None is coupon_reason(sold(None), sold(None).settle(LINEAR))
    unknown = sold("ANA10")
    assert Reason.COUPON_UNKNOWN is coupon_reason(unknown, unknown.settle(LINEAR))
    before = unknown.settle(LINEAR)
    spoken_since = sold("ANA10").coupon("ANA10", "s")
    assert Reason.NOT_KEPT is coupon_reason(spoken_since, before)
    said = sentences.of_coupon(closed(spoken_since, before), spoken_since.facts())
    assert said is not None
    assert "The code ANA10 came to speak for somebody when the order was closed already." in said["en"]


def test_that_visits_are_gone_is_said_in_both_languages() -> None:
    assert None is sentences.of_gone(None)
    said = sentences.of_gone(date(2025, 10, 19))
    assert said is not None
    assert "Visits before 2025-10-19 are no longer kept" in said["en"]
    assert "Les visites d’avant le 2025-10-19 ne sont plus conservées" in said["fr"]
    assert "stands, and is not divided anew" in sentences.of_closed()["en"]
