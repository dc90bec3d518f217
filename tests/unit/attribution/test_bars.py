"""What is held or refused earns nothing, and says so; everybody else earns as if it were not there."""

from random import Random

import pytest

from app.attribution import sentences
from app.attribution.engine import (
    Bar,
    Doubted,
    Model,
    Policy,
    Reason,
    Settlement,
    TouchType,
    UplineMode,
    Windows,
    policy_from_wire,
    settle_all,
)
from app.attribution.explanation import LeftOut, Place, chain
from app.attribution.explanation_wire import coupon_of, journey_of
from app.attribution.sentences.speech import Said
from tests.unit.attribution.histories import facts_of, random_bars, random_history, random_policy
from tests.unit.attribution.story import Story, by_person, chain_of, gross, model, only, upline
from tests.unit.attribution.story import journey_of as journey_through
from tests.unit.attribution.test_explanation import check_chains, check_takings
from tests.unit.attribution.test_properties import check
from tests.unit.attribution.test_sentences import everything_said

VISIT, REFERRAL, ORDER = Doubted.VISIT, Doubted.REFERRAL, Doubted.ORDER
LINEAR, EQUAL = model(Model.LINEAR), Policy(upline=upline(UplineMode.EQUAL))


def reasons(settlement: Settlement) -> dict[str, Reason | None]:
    return {verdict.touch.id: verdict.reason for verdict in settlement.verdicts}


def with_coupon() -> Story:
    story = Story().share("s", "ana").share("s2", "bo").coupon("ANA10", "s")
    return story.order("order", "buyer", coupon="ANA10")


# -- touches -----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("name", "about"), [("t3", VISIT), ("s3", REFERRAL)])
def test_a_touch_that_is_held_earns_nothing_and_the_others_share_as_if_it_were_not_there(
    name: str, about: Doubted
) -> None:
    settlement = journey_through(3).hold(name, about).settle(LINEAR)
    assert {"t1": None, "t2": None, "t3": Reason.HELD} == reasons(settlement)
    assert {"sharer1": 5_000, "sharer2": 5_000} == by_person(settlement)
    assert settlement.reason is None


def test_where_nothing_else_is_left_the_order_is_nobodys_and_says_that_it_is_held() -> None:
    settlement = journey_through(1).hold("t1", VISIT).settle()
    assert ("(none)", 10_000, Reason.HELD) == (only(settlement).sharer, *gross(settlement), settlement.reason)


def test_a_weaker_touch_counts_while_the_stronger_is_held() -> None:
    story = journey_through(1).share("s", "bo").touch("like", "buyer", "s", day=1.5, kind=TouchType.LIKE)
    assert {"sharer1": 10_000} == by_person(story.settle())
    assert {"bo": 10_000} == by_person(story.hold("s1").settle())


def test_refused_says_more_than_held_and_a_touchs_own_doubt_comes_first() -> None:
    facts = journey_through(1).hold("t1", VISIT).hold("s1").hold("order", ORDER).facts()
    assert (VISIT, "dbt_t1") == told(facts.bars.of_touch("t1", "s1", "order"))
    facts = journey_through(1).hold("t1", VISIT).refuse("s1").refuse("order", ORDER).facts()
    assert (REFERRAL, "dbt_s1") == told(facts.bars.of_touch("t1", "s1", "order"))
    assert (ORDER, "dbt_order") == told(facts.bars.of_touch("t2", None, "order"))
    assert facts.bars.of_touch("t2", "s2", "other") is None


def told(bar: Bar | None) -> tuple[Doubted, str] | None:
    return bar and (bar.about, bar.doubt)


def test_what_counts_for_nothing_by_itself_says_so_and_not_that_it_is_held() -> None:
    story = (
        Story().share("s", "ana").share("own", "buyer").order("order", "buyer", day=40).order("first", "buyer", day=3)
    )
    story.touch("old", "buyer", "s", day=1).touch("own", "buyer", "own", day=39).touch(
        "bot", "buyer", "s", 39, bot=True
    )
    story.touch("direct", "buyer", day=39, kind=TouchType.DIRECT).touch("late", "buyer", "s", day=41)
    story.touch("before", "buyer", "s", day=2.5)
    for touch in ("old", "own", "bot", "direct", "late", "before"):
        story.hold(touch, VISIT)
    said = reasons(story.settle(Policy(windows=Windows(click=38 * 86_400), journey_reset=True)))
    assert {
        "old": Reason.EXPIRED,
        "own": Reason.SELF_REFERRAL,
        "bot": Reason.BOT,
        "direct": Reason.DIRECT,
        "late": Reason.AFTER_ORDER,
        "before": Reason.PREVIOUS_ORDER,
    } == said


def test_a_held_order_is_still_the_one_before_the_next() -> None:
    story = journey_through(1).order("next", "buyer", day=3).hold("order", ORDER)
    assert Reason.PREVIOUS_ORDER is story.settle(Policy(journey_reset=True), "next").reason


# -- coupons and orders ------------------------------------------------------------------------------------------


def test_a_coupon_of_a_referral_that_is_held_decides_nothing_and_the_journey_counts() -> None:
    story = with_coupon().touch("t", "buyer", "s2", day=9).hold("s")
    settlement = story.settle()
    assert ({"bo": 10_000}, Reason.HELD, None) == (by_person(settlement), settlement.coupon_reason, settlement.reason)


def test_where_only_the_coupon_would_have_earned_the_order_says_that_it_is_held() -> None:
    settlement = with_coupon().refuse("s").settle()
    assert (Reason.REFUSED, Reason.REFUSED) == (settlement.coupon_reason, settlement.reason)
    unknown_click = with_coupon().hold("s")
    unknown_click.orders[0] = unknown_click.orders[0]._replace(click="gone")
    assert Reason.HELD is unknown_click.settle().reason
    assert Reason.UNKNOWN_CLICK is Story().order("order", "buyer", click="gone").settle().reason


def test_a_coupon_of_the_buyers_own_is_no_matter_of_doubts() -> None:
    settlement = with_coupon().identity("ana", "buyer").hold("s").settle()
    assert (Reason.SELF_REFERRAL, Reason.NO_TOUCH) == (settlement.coupon_reason, settlement.reason)


def test_an_order_that_is_held_goes_to_nobody_whatever_led_to_it() -> None:
    story = with_coupon().touch("t", "buyer", "s2", day=9).hold("order", ORDER)
    settlement = story.settle()
    assert (Reason.HELD, Reason.HELD, {"t": Reason.HELD}) == (
        settlement.reason,
        settlement.coupon_reason,
        reasons(settlement),
    )
    assert {"(none)": 10_000} == by_person(settlement)


def test_a_held_order_to_which_nothing_led_says_that_nothing_did() -> None:
    assert Reason.NO_TOUCH is Story().order("order", "buyer").hold("order", ORDER).settle().reason


def test_refunds_are_taken_from_what_nobody_has_and_everything_adds_up() -> None:
    settlement = journey_through(2).hold("order", ORDER).refund("f", "order", 4_000).settle(LINEAR)
    check(settlement)
    assert (6_000, 4_000) == (only(settlement).net, settlement.refunded)


# -- chains ------------------------------------------------------------------------------------------------------


def test_a_referral_that_is_held_is_left_out_of_chains_and_whoever_stands_above_moves_down() -> None:
    story = chain_of("d", "c", "b", "a").hold("c").refuse("b")
    assert {"d": 5_000, "a": 5_000} == by_person(story.settle(EQUAL))
    found = chain(story.facts().referrals["d"], story.facts(), EQUAL, "buyer")
    assert [
        Place("d", "d", 0, None),
        Place("c", "c", None, LeftOut.HELD),
        Place("b", "b", None, LeftOut.REFUSED),
        Place("a", "a", 1, None),
    ] == list(found.places)


def test_a_person_one_of_whose_referrals_is_held_stands_where_another_of_theirs_does() -> None:
    story = Story().share("1", "bo", parent="2").share("2", "ana", parent="3").share("3", "cy", parent="4")
    story.share("4", "ana").touch("t", "buyer", "1", day=9).order("order", "buyer").hold("2")
    lines = story.settle(EQUAL).lines
    assert [("bo", "1"), ("cy", "3"), ("ana", "4")] == [(line.sharer, line.referral) for line in lines]


def test_beyond_the_depth_of_the_policy_it_is_too_deep_and_not_held() -> None:
    facts = chain_of("b", "a").hold("a").facts()
    found = chain(facts.referrals["b"], facts, Policy(), "buyer")
    assert [None, LeftOut.DIRECT] == [place.left_out for place in found.places]


# -- what is said ------------------------------------------------------------------------------------------------


def said_of(story: Story, name: str) -> Said:
    policy, facts, settlement = LINEAR, story.facts(), story.settle(LINEAR)
    verdicts = {verdict.touch.id: verdict for verdict in settlement.verdicts}
    return sentences.of_touch(verdicts[name], settlement, facts, policy)


def test_a_touch_that_is_held_or_refused_says_by_which_rule_and_what_is_doubted() -> None:
    assert said_of(journey_through(2).hold("s1"), "t1") == {
        "en": "It earns nothing until a doubt about the referral is decided (rule click_stuffing).",
        "fr": "Il ne rapporte rien tant qu’un doute sur la recommandation n’est pas tranché (règle click_stuffing).",
    }
    refused = said_of(journey_through(2).refuse("t1", VISIT), "t1")
    assert "It earns nothing, because of a doubt about this touch (rule own_mail)." == refused["en"]
    assert "sur la commande" in said_of(journey_through(1).refuse("order", ORDER), "t1")["fr"]


def test_an_order_and_its_coupon_say_it_too() -> None:
    held = with_coupon().hold("s")
    assert sentences.of_order(held.settle()) == {
        "en": "This order of €100.00 is credited to nobody. Credit for it is held until a doubt is decided.",
        "fr": "Cette commande de 100,00\u00a0€ n’est créditée à personne. Son crédit est retenu tant qu’un doute n’est "
        "pas tranché.",
    }
    said = sentences.of_coupon(held.settle(), held.facts())
    assert said is not None
    assert (
        "The code ANA10 decides nothing until a doubt about the referral is decided (rule click_stuffing)."
        == said["en"]
    )
    line = sentences.of_line(only(held.settle()), held.settle())
    assert line["en"].endswith("Credit for it is held until a doubt is decided.")


def test_the_doubt_is_told_as_data_beside_it() -> None:
    story = chain_of("c", "b", "a").hold("b").coupon("BO", "x").share("x", "zoe")
    story.touch("t2", "buyer", "x", day=8).refuse("t2", VISIT, "too_fast").refuse("x")
    story.orders[0] = story.orders[0]._replace(coupon="BO")
    facts, settlement = story.facts(), story.settle(EQUAL)
    first, second = journey_of(settlement, facts, EQUAL)
    assert first.doubt is not None
    assert ("t2", "dbt_t2", "too_fast", VISIT) == (first.touch, first.doubt.id, first.doubt.rule, first.doubt.about)
    assert second.chain is not None
    assert second.doubt is None
    places = [(place.referral, place.reason, place.doubt and place.doubt.id) for place in second.chain.places]
    assert [("c", None, None), ("b", LeftOut.HELD, "dbt_b"), ("a", None, None)] == places
    coupon = coupon_of(settlement, facts, EQUAL)
    assert coupon is not None
    assert coupon.doubt is not None
    assert (Reason.REFUSED, "dbt_x", REFERRAL) == (coupon.reason, coupon.doubt.id, coupon.doubt.about)


# -- anything ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("seed", range(4))
def test_whatever_is_barred_it_adds_up_and_everything_is_said(seed: int) -> None:
    random = Random(seed)
    for _ in range(100):
        history = random_history(random)
        facts, policy = facts_of(history + random_bars(random, history)), policy_from_wire(random_policy(random))
        for settlement in settle_all(facts, policy):
            check(settlement)
            check_takings(settlement)
            check_chains(settlement, facts, policy)
            assert all("{" not in text for said in everything_said(settlement, facts, policy) for text in said.values())
            barred = {line.source_referral for line in settlement.lines} & facts.bars.referrals.keys()
            assert not barred
            assert not {line.referral for line in settlement.lines} & facts.bars.referrals.keys()
            assert not {line.touch for line in settlement.lines} & facts.bars.touches.keys()
