"""How sources share an order, and people a source (rules 4, 8, 9, 10), with the arithmetic that explains it."""

from fractions import Fraction

import pytest

from app.attribution.engine import (
    REWARDABLE,
    Model,
    Policy,
    Reason,
    SelfReferral,
    Tally,
    TouchType,
    UplineMode,
)
from tests.unit.attribution.story import Story, by_person, chain_of, gross, journey_of, model, only, upline


def people(policy_upline: UplineMode, *names: str, **fields: int) -> dict[str, int]:
    return by_person(chain_of(*names).settle(Policy(upline=upline(policy_upline, **fields))))


# -- rule 4 ------------------------------------------------------------------------------------------------------


def test_last_touch_and_first_touch_give_all_to_one_and_say_so_of_the_others() -> None:
    last, first = journey_of(3).settle(), journey_of(3).settle(model(Model.FIRST_TOUCH))
    assert by_person(last) == {"sharer3": 10_000}
    assert [verdict.reason for verdict in last.verdicts] == [Reason.NOT_LAST, Reason.NOT_LAST, None]
    assert by_person(first) == {"sharer1": 10_000}
    assert [verdict.reason for verdict in first.verdicts] == [None, Reason.NOT_FIRST, Reason.NOT_FIRST]


def test_linear_counts_repeats() -> None:
    story = Story().share("a", "ana").share("b", "bo").order("order", "buyer", 900)
    story.touch("t1", "buyer", "a", day=1).touch("t2", "buyer", "a", day=2).touch("t3", "buyer", "b", day=3)
    assert gross(story.settle(model(Model.LINEAR))) == [300, 300, 300]


@pytest.mark.parametrize(
    ("count", "position", "expected"),
    [
        (1, (4_000, 4_000), [10_000]),
        (2, (4_000, 4_000), [5_000, 5_000]),
        (2, (3_000, 1_000), [7_500, 2_500]),
        (3, (4_000, 4_000), [4_000, 2_000, 4_000]),
        (5, (1_000, 3_000), [1_000, 2_000, 2_000, 2_000, 3_000]),
    ],
)
def test_position_based(count: int, position: tuple[int, int], expected: list[int]) -> None:
    assert gross(journey_of(count).settle(model(Model.POSITION_BASED, position=position))) == expected


def test_a_middle_without_weight_is_said_to_have_none() -> None:
    settlement = journey_of(3).settle(model(Model.POSITION_BASED, position=(5_000, 5_000)))
    assert [verdict.reason for verdict in settlement.verdicts] == [None, Reason.NO_WEIGHT, None]


def test_time_decay_of_one_age_shares_evenly() -> None:
    story = Story().share("s", "ana").order("order", "buyer", 100)
    for number in range(3):
        story.touch(f"t{number}", "buyer", "s", day=9)
    assert gross(story.settle(model(Model.TIME_DECAY))) == [33, 33, 34]


def test_weights_too_small_for_a_double_keep_their_proportions() -> None:
    story = Story().share("s", "ana").order("order", "buyer", 300)
    for name, age in (("t1", 5001), ("t2", 5000)):
        story.touch(name, "buyer", "s")
        story.touches[-1] = story.touches[-1]._replace(at=story.orders[0].at - age)
    assert gross(story.settle(model(Model.TIME_DECAY, half_life=1))) == [100, 200]


# -- rule 8 ------------------------------------------------------------------------------------------------------


def test_a_chain_stops_at_a_root_at_an_unknown_parent_and_at_a_loop() -> None:
    equal = Policy(upline=upline(UplineMode.EQUAL))
    assert list(by_person(chain_of("c", "b", "a").settle(equal))) == ["c", "b", "a"]
    assert list(by_person(chain_of("c", "b").share("x", "x", parent="gone").settle(equal))) == ["c", "b"]
    unknown = Story().share("c", "c", parent="gone").touch("t", "buyer", "c", day=9).order("order", "buyer")
    assert list(by_person(unknown.settle(equal))) == ["c"]
    loop = Story().share("c", "c", parent="b").share("b", "b", parent="c").touch("t", "buyer", "c", day=9)
    assert list(by_person(loop.order("order", "buyer").settle(equal))) == ["c", "b"]


def test_a_person_counts_once_at_the_place_nearest_to_the_purchase() -> None:
    story = Story().share("3", "ana", parent="2").share("2", "bo", parent="1").share("1", "ana")
    settlement = (
        story.touch("t", "buyer", "3", day=9).order("order", "buyer").settle(Policy(upline=upline(UplineMode.EQUAL)))
    )
    assert [(line.sharer, line.referral, line.level) for line in settlement.lines] == [("ana", "3", 0), ("bo", "2", 1)]


def test_the_buyer_is_skipped_in_the_chain_unless_the_policy_includes_them() -> None:
    story = chain_of("c", "buyer", "a")
    assert by_person(story.settle(Policy(upline=upline(UplineMode.EQUAL)))) == {"c": 5_000, "a": 5_000}
    included = Policy(upline=upline(UplineMode.EQUAL), self_referral=SelfReferral.INCLUDE)
    assert list(by_person(story.settle(included))) == ["c", "buyer", "a"]


def test_the_chain_is_cut_after_people_are_skipped() -> None:
    story = chain_of("c", "buyer", "c", "b", "a")
    story.referrals[2] = story.referrals[2]._replace(id="c2")
    story.referrals[1] = story.referrals[1]._replace(parent="c2")
    assert list(by_person(story.settle(Policy(upline=upline(UplineMode.EQUAL, max_depth=2))))) == ["c", "b"]


def test_a_line_has_the_touch_and_the_network_of_its_source_and_the_referral_of_its_level() -> None:
    settlement = chain_of("b", "a").settle(Policy(upline=upline(UplineMode.RECURSIVE)))
    assert [(line.touch, line.referral, line.sharer, line.level) for line in settlement.lines] == [
        ("t", "b", "b", 0),
        ("t", "a", "a", 1),
        ("t", None, "(house)", None),
    ]
    assert {line.network for line in settlement.lines} == {"whatsapp"}


# -- rule 9 ------------------------------------------------------------------------------------------------------


def test_uplines_over_three_people() -> None:
    assert people(UplineMode.DIRECT, "c", "b", "a") == {"c": 10_000}
    assert people(UplineMode.ROOT, "c", "b", "a") == {"a": 10_000}
    assert people(UplineMode.ROOT, "c", "b", "a", max_depth=2) == {"b": 10_000}
    assert people(UplineMode.EQUAL, "c", "b", "a") == {"c": 3_334, "b": 3_333, "a": 3_333}
    assert people(UplineMode.GEOMETRIC, "c", "b", "a") == {"c": 5_714, "b": 2_857, "a": 1_429}
    assert people(UplineMode.RECURSIVE, "c", "b", "a") == {"c": 5_000, "b": 2_500, "a": 1_250, "(house)": 1_250}
    assert people(UplineMode.HALVING, "c", "b", "a") == {"c": 2_500, "b": 2_500, "a": 2_500, "(house)": 2_500}


def test_uplines_at_the_edges_of_alpha() -> None:
    assert people(UplineMode.GEOMETRIC, "b", "a", alpha_bp=0) == {"b": 10_000}
    assert people(UplineMode.GEOMETRIC, "b", "a", alpha_bp=10_000) == {"b": 5_000, "a": 5_000}
    assert people(UplineMode.RECURSIVE, "b", "a", alpha_bp=0) == {"b": 10_000}
    assert people(UplineMode.RECURSIVE, "b", "a", alpha_bp=10_000) == {"(house)": 10_000}


def test_one_person_alone_keeps_all_under_halving() -> None:
    assert people(UplineMode.HALVING, "a") == {"a": 10_000}


@pytest.mark.parametrize("mode", UplineMode)
def test_what_nobody_earned_stays_with_nobody_under_every_upline(mode: UplineMode) -> None:
    story = Story().touch("t", "buyer", "never-arrived", day=9).order("order", "buyer")
    line = only(story.settle(Policy(upline=upline(mode))))
    assert (line.sharer, line.level, line.gross) == ("(none)", 0, 10_000)


@pytest.mark.parametrize("mode", UplineMode)
def test_a_coupon_and_its_chain_share_as_any_source(mode: UplineMode) -> None:
    story = chain_of("c", "b", "a")
    by_touch = by_person(story.settle(Policy(upline=upline(mode))))
    story.touches.clear()
    story.coupon("code", "c").orders[0] = story.orders[0]._replace(coupon="CODE")
    assert by_person(story.settle(Policy(upline=upline(mode)))) == by_touch


def test_rewards_may_use_direct_and_halving_only() -> None:
    assert {UplineMode.DIRECT, UplineMode.HALVING} == REWARDABLE


@pytest.mark.parametrize("mode", UplineMode)
def test_totals_by_network_do_not_depend_on_the_upline(mode: UplineMode) -> None:
    story = chain_of("c", "b", "a").touch("t2", "buyer", "a", day=8, network="x")
    linear = model(Model.LINEAR, upline=upline(mode))
    assert Tally.of([story.settle(linear)], story.facts()).by_network() == {"eur": {"whatsapp": 5_000, "x": 5_000}}


# -- rule 10 -----------------------------------------------------------------------------------------------------


def test_cents_are_cut_among_the_sources_first_and_inside_each_then() -> None:
    story = Story().share("a", "ana").share("b", "bo", parent="a").order("order", "buyer", 5)
    story.touch("t1", "buyer", "b", day=1).touch("t2", "buyer", "b", day=2)
    settlement = story.settle(model(Model.LINEAR, upline=upline(UplineMode.EQUAL)))
    assert [(line.touch, line.sharer, line.gross) for line in settlement.lines] == [
        ("t1", "bo", 1),
        ("t1", "ana", 1),
        ("t2", "bo", 2),
        ("t2", "ana", 1),
    ]


def test_the_house_is_last_when_cents_tie() -> None:
    settlement = chain_of("c", "b", "a", net=3).settle(Policy(upline=upline(UplineMode.HALVING)))
    assert by_person(settlement) == {"c": 1, "b": 1, "a": 1}
    assert [line.sharer for line in settlement.rounded_away] == ["(house)"]


def test_every_line_and_every_verdict_carries_its_arithmetic() -> None:
    story = chain_of("b", "a", net=101).touch("t0", "buyer", "a", day=8)
    story.touch("v", "buyer", "a", day=9, kind=TouchType.VIEW)
    settlement = story.settle(model(Model.LINEAR, upline=upline(UplineMode.GEOMETRIC)))
    first, second, view = (next(v for v in settlement.verdicts if v.touch.id == name) for name in ("t0", "t", "v"))
    assert (first.weight, first.cents, first.rounding) == (Fraction(1, 2), 50, Fraction(-1, 2))
    assert (second.weight, second.cents, second.rounding) == (Fraction(1, 2), 51, Fraction(1, 2))
    assert (view.weight, view.cents, view.rounding, view.counted) == (Fraction(0), 0, Fraction(0), False)
    near = settlement.lines[1]
    assert (near.touch, near.sharer, near.gross, near.source_gross) == ("t", "b", 34, 51)
    assert (near.source_weight, near.level_weight, near.rounding) == (Fraction(1, 2), Fraction(2, 3), Fraction(0))
