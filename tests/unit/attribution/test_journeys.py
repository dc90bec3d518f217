"""Whose touches belong to an order, which of them count, and why the others do not (rules 1 to 3, 6 and 7)."""

import pytest

from app.attribution.engine import (
    Facts,
    Model,
    Order,
    Policy,
    Reason,
    SelfReferral,
    Source,
    TouchType,
    TypePriority,
    Windows,
    settle,
)
from tests.unit.attribution.story import Story, at, by_person, gross, journey_of, model, only

LIKE, VIEW, DIRECT = TouchType.LIKE, TouchType.VIEW, TouchType.DIRECT
LINEAR = model(Model.LINEAR, type_priority=TypePriority.NONE)


def reasons(story: Story, policy: Policy | None = None) -> dict[str, Reason | None]:
    return {verdict.touch.id: verdict.reason for verdict in story.settle(policy).verdicts}


def ana() -> Story:
    return Story().share("s", "ana")


# -- rule 1: identity --------------------------------------------------------------------------------------------


def test_people_joined_after_the_order_were_the_same_person_all_along() -> None:
    story = ana().touch("t", "phone", "s", day=1).order("order", "laptop", day=3)
    assert only(story.settle()).reason is Reason.NO_TOUCH
    story.identity("phone", "A", day=90).identity("laptop", "A", day=90)
    assert only(story.settle()).sharer == "ana"


def test_a_visitor_may_be_joined_to_another_visitor() -> None:
    story = ana().touch("t", "phone", "s", day=1).identity("laptop", "phone").order("order", "laptop")
    assert only(story.settle()).sharer == "ana"


def test_the_identity_received_last_wins_whatever_its_at() -> None:
    story = ana().identity("ana", "p1", day=5, heard=6).identity("ana", "p2", day=1, heard=7)
    line = only(story.touch("t", "buyer", "s", day=9).order("order", "buyer").settle())
    assert line.sharer == "p2"


def test_of_identities_received_together_the_later_at_wins_and_then_the_person() -> None:
    story = ana().touch("t", "buyer", "s", day=9).order("order", "buyer")
    story.identity("ana", "p9", day=1, heard=7).identity("ana", "p1", day=2, heard=7)
    assert only(story.settle()).sharer == "p1"
    story.identity("ana", "p2", day=2, heard=7).identity("ana", "p0", day=2, heard=7)
    assert only(story.settle()).sharer == "p2"


def test_the_line_names_the_person_where_visitors_are_joined() -> None:
    story = ana().identity("ana", "customer-7").touch("t", "buyer", "s", day=9).order("order", "buyer")
    assert only(story.settle()).sharer == "customer-7"


# -- rule 2: eligible --------------------------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "days"), [(TouchType.CLICK, 30), (LIKE, 7), (VIEW, 1)])
def test_a_window_is_inclusive_at_its_edge_and_not_a_second_longer(kind: TouchType, days: int) -> None:
    story = ana().touch("t", "buyer", "s", day=0, kind=kind).order("order", "buyer", day=days)
    assert reasons(story) == {"t": None}
    story.orders[0] = story.orders[0]._replace(at=at(days) + 1)
    assert reasons(story) == {"t": Reason.EXPIRED}
    assert only(story.settle()).reason is Reason.EXPIRED


def test_a_touch_in_the_second_of_the_order_counts_and_one_after_it_does_not() -> None:
    story = ana().touch("t1", "buyer", "s", day=10).touch("t2", "buyer", "s", day=10.5).order("order", "buyer")
    assert reasons(story) == {"t1": None, "t2": Reason.AFTER_ORDER}


def test_a_direct_visit_never_counts_and_hides_no_reason() -> None:
    story = ana().touch("d", "buyer", day=9, kind=DIRECT).order("order", "buyer")
    assert reasons(story) == {"d": Reason.DIRECT}
    assert only(story.settle()).reason is Reason.NO_TOUCH
    story.touch("t", "ana", "s", day=1).order("own", "ana").touch("d2", "ana", day=9, kind=DIRECT)
    assert only(story.settle(order="own")).reason is Reason.SELF_REFERRAL


def test_a_program_earns_nobody_credit() -> None:
    story = ana().touch("t", "buyer", "s", day=9, bot=True).order("order", "buyer")
    assert reasons(story) == {"t": Reason.BOT}
    assert only(story.settle()).reason is Reason.BOT


def test_journey_reset_starts_anew_after_the_previous_order() -> None:
    story = ana().touch("t1", "buyer", "s", day=1).touch("t2", "buyer", "s", day=5)
    story.order("first", "buyer", day=5).order("order", "buyer", day=6)
    assert reasons(story, LINEAR) == {"t1": None, "t2": None}
    reset = Policy(journey_reset=True)
    assert reasons(story, reset) == {"t1": Reason.PREVIOUS_ORDER, "t2": Reason.PREVIOUS_ORDER}
    assert only(story.settle(reset)).reason is Reason.PREVIOUS_ORDER
    assert only(story.settle(reset, order="first")).sharer == "ana"


def test_of_two_orders_in_one_second_the_smaller_id_is_the_previous_one() -> None:
    story = ana().touch("t", "buyer", "s", day=1).order("a", "buyer", day=5).order("b", "buyer", day=5)
    reset = Policy(journey_reset=True)
    assert story.settle(reset, order="a").reason is None
    assert story.settle(reset, order="b").reason is Reason.PREVIOUS_ORDER


def test_journey_reset_looks_at_the_orders_of_the_same_person_only() -> None:
    story = ana().touch("t", "buyer", "s", day=1).order("other", "somebody", day=5).order("order", "buyer", day=6)
    assert story.settle(Policy(journey_reset=True)).reason is None
    nobody = ana().touch("t", None, "s", day=1).order("x", None, day=5).order("order", None, day=6, click="t")
    assert nobody.settle(Policy(journey_reset=True)).reason is None


def test_a_later_friend_takes_the_place_of_the_own_link() -> None:
    story = ana().share("own", "buyer").touch("t1", "buyer", "s", day=1).touch("t2", "buyer", "own", day=2)
    assert by_person(story.order("order", "buyer").settle()) == {"ana": 10_000}
    assert reasons(story) == {"t1": None, "t2": Reason.SELF_REFERRAL}


def test_an_own_link_is_own_on_every_device() -> None:
    story = Story().share("own", "phone").identity("phone", "A").identity("laptop", "A")
    assert story.touch("t", "laptop", "own", day=9).order("order", "laptop").settle().reason is Reason.SELF_REFERRAL


def test_a_policy_may_let_buyers_earn_from_themselves() -> None:
    story = Story().share("own", "A").touch("t", "A", "own", day=9).order("order", "A")
    assert by_person(story.settle(Policy(self_referral=SelfReferral.INCLUDE))) == {"A": 10_000}


@pytest.mark.parametrize("referral", [None, "never-arrived"])
def test_a_touch_without_a_known_referral_earns_for_its_network_and_for_nobody(referral: str | None) -> None:
    story = Story().touch("t", "buyer", referral, day=9, network="x").order("order", "buyer")
    line = only(story.settle())
    assert (line.network, line.sharer, line.level, line.referral, line.reason) == ("x", "(none)", 0, None, None)


# -- rule 2: type priority ---------------------------------------------------------------------------------------


def test_strict_priority_lets_only_the_strongest_type_count() -> None:
    story = ana().touch("c", "buyer", "s", day=8).touch("l", "buyer", "s", day=9, kind=LIKE)
    story.touch("v", "buyer", "s", day=9.5, kind=VIEW).order("order", "buyer")
    assert reasons(story) == {"c": None, "l": Reason.WEAKER_TYPE, "v": Reason.WEAKER_TYPE}
    assert gross(story.settle(LINEAR)) == [3333, 3333, 3334]


def test_a_click_that_is_too_old_is_not_present() -> None:
    story = ana().touch("c", "buyer", "s", day=0).touch("l", "buyer", "s", day=39, kind=LIKE)
    assert reasons(story.order("order", "buyer", day=40)) == {"c": Reason.EXPIRED, "l": None}


# -- rule 3: order of touches ------------------------------------------------------------------------------------


def test_touches_of_one_second_stand_by_strength_and_then_by_bytes_of_the_id() -> None:
    story = ana().order("order", "buyer")
    views = ["z", "é", "\uffee", "\U0001f600"]
    for name in reversed(views):
        story.touch(name, "buyer", "s", day=9, kind=VIEW)
    story.touch("B", "buyer", "s", day=9).touch("a", "buyer", "s", day=9, kind=LIKE)
    assert views == sorted(views, key=str.encode)
    assert [verdict.touch.id for verdict in story.settle().verdicts] == [*views, "a", "B"]


# -- rules 6 and 7 -----------------------------------------------------------------------------------------------


def test_without_a_source_the_whole_order_is_direct() -> None:
    line = only(Story().order("order", "buyer", 1234).settle())
    assert (line.source, line.network, line.sharer, line.level, line.gross) == (
        Source.DIRECT,
        "(direct)",
        "(none)",
        0,
        1234,
    )


def test_the_most_telling_reason_is_given_when_there_are_several() -> None:
    story = Story().share("own", "buyer").touch("a", "buyer", "own", day=1).touch("b", "buyer", day=9.5, bot=True)
    story.touch("c", "buyer", "never-arrived", day=2, kind=VIEW).order("order", "buyer")
    assert only(story.settle()).reason is Reason.SELF_REFERRAL


@pytest.mark.parametrize(
    ("seen_from", "shared_to", "expected"),
    [("x", "whatsapp", "x"), (None, "whatsapp", "whatsapp"), (None, None, "(unknown)")],
)
def test_the_network_is_the_touchs_else_the_referrals(
    seen_from: str | None, shared_to: str | None, expected: str
) -> None:
    story = Story().share("s", "ana", network=shared_to).touch("t", "buyer", "s", day=9, network=seen_from)
    assert only(story.order("order", "buyer").settle()).network == expected


# -- what is learnt when -----------------------------------------------------------------------------------------


def test_as_of_keeps_only_what_was_received_by_then() -> None:
    story = ana().touch("t", "buyer", "s", day=9).order("order", "buyer").refund("f", "order", 1000, day=12)
    assert story.settle(as_of=11).net == 10_000
    assert story.settle(as_of=12).net == 9_000
    story.touches[0] = story.touches[0]._replace(received_at=story.refunds[0].received_at)
    assert only(story.settle(as_of=11)).reason is Reason.NO_TOUCH
    assert only(story.settle(as_of=12)).sharer == "ana"


def test_a_repeated_id_changes_nothing_whichever_is_read_first() -> None:
    story = ana().share("s", "somebody-else", day=5).touch("t", "buyer", "s", day=9).order("order", "buyer")
    assert only(story.settle()).sharer == "ana"
    story.referrals.reverse()
    assert only(story.settle()).sharer == "ana"


def test_an_order_need_not_be_among_the_facts_and_is_never_below_zero() -> None:
    order = Order("o", "buyer", "eur", 500, None, at(1), 0)
    assert only(settle(order, Facts.of(), Policy())).gross == 500
    with pytest.raises(ValueError, match="below zero"):
        settle(order._replace(net=-1), Facts.of(), Policy())


def test_an_order_of_nothing_has_no_lines_and_still_its_verdicts() -> None:
    settlement = journey_of(2, net=0).settle(LINEAR)
    assert (settlement.lines, settlement.net, len(settlement.verdicts)) == ((), 0, 2)
    assert [line.sharer for line in settlement.rounded_away] == ["sharer1", "sharer2"]


def test_a_window_of_nothing_lets_only_the_second_of_the_order_count() -> None:
    story = ana().touch("t", "buyer", "s", day=10).order("order", "buyer")
    assert reasons(story, Policy(windows=Windows(click=0))) == {"t": None}
