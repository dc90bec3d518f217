"""Every small example of attribution.md, literally."""

from app.attribution.engine import Model, Policy, Reason, UplineMode
from tests.unit.attribution.story import Story, by_person, chain_of, gross, journey_of, model, net, only, upline


def test_the_spare_cent_of_three_equal_touches_goes_nearest_to_the_purchase() -> None:
    assert gross(journey_of(3).settle(model(Model.LINEAR))) == [3333, 3333, 3334]


def test_position_based_over_four() -> None:
    assert gross(journey_of(4, 9999).settle(model(Model.POSITION_BASED))) == [3999, 1000, 1000, 4000]


def test_time_decay_at_ages_of_fourteen_seven_and_no_days() -> None:
    story = Story().share("s", "ana").order("order", "buyer", day=14)
    for day in (0, 7, 14):
        story.touch(f"t{day}", "buyer", "s", day=day)
    assert gross(story.settle(model(Model.TIME_DECAY))) == [1429, 2857, 5714]


def test_a_chain_of_two_geometric() -> None:
    settlement = chain_of("bo", "ana").settle(Policy(upline=upline(UplineMode.GEOMETRIC)))
    assert by_person(settlement) == {"bo": 6667, "ana": 3333}


def test_a_chain_of_four_geometric() -> None:
    settlement = chain_of("d", "c", "b", "a", net=100).settle(Policy(upline=upline(UplineMode.GEOMETRIC)))
    assert gross(settlement) == [53, 27, 13, 7]


def test_halving_over_three_people() -> None:
    settlement = chain_of("c", "b", "a", net=4000).settle(Policy(upline=upline(UplineMode.HALVING)))
    assert by_person(settlement) == {"c": 1000, "b": 1000, "a": 1000, "(house)": 1000}


def test_a_tenth_refunded_of_thirds() -> None:
    assert net(journey_of(3).refund("f", "order", 1000).settle(model(Model.LINEAR))) == [3000, 3000, 3000]


def test_refunds_cent_by_cent_and_then_all() -> None:
    story, linear = journey_of(3, 100), model(Model.LINEAR)
    assert net(story.settle(linear)) == [33, 33, 34]
    assert net(story.refund("f1", "order", 1, day=20).settle(linear)) == [33, 33, 33]
    assert net(story.refund("f2", "order", 1, day=21).settle(linear)) == [33, 33, 32]
    assert net(story.refund("f3", "order", 98, day=22).settle(linear)) == [0, 0, 0]


def test_a_click_on_the_phone_and_a_purchase_on_the_laptop_that_is_linked_later() -> None:
    story = Story().share("s", "ana").touch("t", "phone", "s", day=1)
    story.identity("phone", "A", day=2).identity("laptop", "A", day=2).order("order", "laptop", day=3)
    assert only(story.settle()).sharer == "ana"


def test_a_purchase_through_the_buyers_own_link() -> None:
    line = only(Story().share("s", "A").touch("t", "A", "s", day=1).order("order", "A").settle())
    assert (line.network, line.sharer, line.level, line.reason) == ("(direct)", "(none)", 0, Reason.SELF_REFERRAL)
