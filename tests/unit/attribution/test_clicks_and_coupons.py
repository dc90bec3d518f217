"""Orders that name a click, and orders with a coupon (rules 2 and 5)."""

import pytest

from app.attribution.engine import Model, Policy, Reason, Source, TypePriority
from tests.unit.attribution.story import Story, at, journey_of, model, only

LINEAR = model(Model.LINEAR, type_priority=TypePriority.NONE)


def ana() -> Story:
    return Story().share("s", "ana")


# -- an order that names a click ---------------------------------------------------------------------------------


def test_a_click_that_nobody_claimed_belongs_to_the_order_that_names_it_alone() -> None:
    story = ana().touch("t", None, "s", day=9).order("order", "buyer", click="t").order("other", "buyer")
    assert only(story.settle()).sharer == "ana"
    assert story.settle(order="other").verdicts == ()


def test_a_named_click_counts_at_the_order_at_the_latest() -> None:
    story = ana().touch("t", "buyer", "s", day=10.5).order("order", "buyer", click="t")
    (verdict,) = story.settle().verdicts
    assert (verdict.touch.at, verdict.age, verdict.counted) == (at(10), 0, True)


def test_a_named_click_takes_its_place_among_the_others_and_counts_once() -> None:
    story = journey_of(3)
    story.orders[0] = story.orders[0]._replace(click="t2")
    assert [verdict.touch.id for verdict in story.settle(LINEAR).verdicts] == ["t1", "t2", "t3"]


def test_a_named_click_belongs_to_the_order_whoever_claimed_it() -> None:
    story = ana().touch("t", "somebody", "s", day=9).order("order", "buyer", click="t")
    assert only(story.settle()).sharer == "ana"


def test_an_order_without_a_visitor_is_by_whoever_claimed_its_click() -> None:
    story = ana().share("s2", "bo").touch("t1", "buyer", "s2", day=9.5).touch("t", "buyer", "s", day=9)
    settlement = story.order("order", None, click="t").settle()
    assert (settlement.buyer, only(settlement).sharer) == ("buyer", "bo")


def test_an_order_that_says_nothing_of_its_buyer_still_counts_its_click() -> None:
    settlement = ana().touch("t", None, "s", day=9).order("order", None, click="t").settle()
    assert (settlement.buyer, only(settlement).sharer) == (None, "ana")


def test_an_unknown_click_is_said_and_loses_no_sale() -> None:
    story = Story().order("order", "buyer", click="t-unknown")
    assert only(story.settle()).reason is Reason.UNKNOWN_CLICK
    story.share("s", "ana").touch("t", "buyer", "s", day=9)
    assert only(story.settle()).sharer == "ana"


def test_an_order_that_names_nobody_and_nothing_is_direct() -> None:
    assert only(Story().order("order", None).settle()).reason is Reason.NO_TOUCH
    assert only(Story().order("order", None, click="t-unknown").settle()).reason is Reason.UNKNOWN_CLICK


# -- rule 5: coupons ---------------------------------------------------------------------------------------------


def coupon_story() -> Story:
    story = journey_of(2).share("c", "cleo", network="email", day=-400)
    story.orders[0] = story.orders[0]._replace(coupon=" Cleo10\t")
    return story


def test_a_coupon_takes_the_whole_order_in_any_case_with_spaces_and_without_a_window() -> None:
    settlement = coupon_story().coupon("CLEO10 ", "c", day=-400).settle()
    line = only(settlement)
    assert (line.source, line.sharer, line.network, line.gross, line.touch) == (
        Source.COUPON,
        "cleo",
        "email",
        10_000,
        None,
    )
    assert {verdict.reason for verdict in settlement.verdicts} == {Reason.COUPON}
    assert settlement.coupon_reason is None


def test_a_coupon_of_a_referral_without_network_is_of_an_unknown_one() -> None:
    story = coupon_story().share("n", "nil", network=None).coupon("cleo10", "n")
    assert only(story.settle()).network == "(unknown)"


def test_the_latest_coupon_made_no_later_than_the_order_speaks() -> None:
    story = coupon_story().coupon("cleo10", "s1", day=0).coupon("cleo10", "c", day=3).coupon("cleo10", "s1", day=4)
    assert only(story.settle()).sharer == "cleo"


@pytest.mark.parametrize(
    ("referral", "day", "reason"),
    [
        ("c", 4, Reason.COUPON_LATER),
        (None, 1, Reason.COUPON_WITHDRAWN),
        ("never-arrived", 1, Reason.UNKNOWN_REFERRAL),
        ("own", 1, Reason.SELF_REFERRAL),
    ],
)
def test_a_coupon_that_cannot_speak_leaves_the_journey_as_it_was(
    referral: str | None, day: float, reason: Reason
) -> None:
    settlement = coupon_story().share("own", "buyer").coupon("cleo10", referral, day=day).settle()
    assert (only(settlement).sharer, settlement.coupon_reason) == ("sharer2", reason)


def test_a_coupon_that_nobody_knows_or_that_the_policy_ignores_decides_nothing() -> None:
    assert coupon_story().settle().coupon_reason is Reason.COUPON_UNKNOWN
    settlement = coupon_story().coupon("cleo10", "c").settle(Policy(coupon_override=False))
    assert (only(settlement).sharer, settlement.coupon_reason) == ("sharer2", Reason.COUPON_OFF)


def test_as_of_forgets_identities_coupons_and_orders_too() -> None:
    story = coupon_story().coupon("cleo10", "c", day=1).identity("cleo", "p", day=0, heard=50)
    story.coupons[0] = story.coupons[0]._replace(received_at=story.identities[0].received_at)
    assert only(story.settle(as_of=49)).sharer == "sharer2"
    assert only(story.settle(as_of=50)).sharer == "p"
    assert story.facts(as_of=1).orders == {}
