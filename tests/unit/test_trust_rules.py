"""Each rule alone: what just sets it off, and what just does not."""

import pytest

from app.trust.found import Evidence
from app.trust.rules import (
    RULES,
    Do,
    click_stuffing,
    coupon_site,
    duplicate_sharers,
    own_card,
    own_device,
    own_mail,
    refunds_in_series,
    too_fast,
    velocity_likes,
    velocity_shares,
    velocity_visits,
)
from app.trust.rules.click_stuffing import Crowd
from app.trust.rules.coupon_site import Uses
from app.trust.rules.own_device import SameDevice
from app.trust.rules.pace import Busy
from app.trust.rules.same_buyer import MOST_TOLD, SameBuyer
from app.trust.rules.too_fast import Pace

USUAL = {code: rule.usual_thresholds() for code, rule in RULES.items()}


@pytest.mark.parametrize("rule", [own_mail, own_card], ids=["own_mail", "own_card"])
class TestTheSameBuyer:
    def test_a_sharer_who_bought_likewise_is_doubtful(self, rule: object) -> None:
        seen = judged(rule, SameBuyer("ord_2", same_person=False, orders=["ord_1"]))
        assert {"order": "ord_2", "alike": 1, "orders": ["ord_1"]} == seen

    def test_a_sharer_who_never_bought_likewise_is_not(self, rule: object) -> None:
        assert judged(rule, SameBuyer("ord_2", same_person=False, orders=[])) is None

    def test_a_sharer_who_is_known_to_be_the_buyer_is_the_policys_affair(self, rule: object) -> None:
        assert judged(rule, SameBuyer("ord_2", same_person=True, orders=["ord_1"])) is None

    def test_not_more_orders_are_told_than_anybody_reads(self, rule: object) -> None:
        many = [f"ord_{number:03}" for number in range(MOST_TOLD + 5)]
        seen = judged(rule, SameBuyer("ord_x", same_person=False, orders=many))
        assert seen is not None
        assert (MOST_TOLD + 5, many[:MOST_TOLD]) == (seen["alike"], seen["orders"])


def judged(rule: object, seen: SameBuyer) -> Evidence | None:
    return {own_mail: own_mail.judge, own_card: own_card.judge}[rule](seen)  # type: ignore[index]


def test_who_shared_on_the_buyers_device_is_doubtful() -> None:
    seen = own_device.judge(SameDevice("ord_1", same_person=False, referrals=["ref_1"]))
    assert {"order": "ord_1", "alike": 1, "referrals": ["ref_1"]} == seen
    assert own_device.judge(SameDevice("ord_1", same_person=False, referrals=[])) is None
    assert own_device.judge(SameDevice("ord_1", same_person=True, referrals=["ref_1"])) is None


@pytest.mark.parametrize(("took", "expected"), [(-3, 0), (0, 0), (3, 3), (4, None), (-4, None)])
def test_three_seconds_are_too_fast_and_four_are_not(took: int, expected: int | None) -> None:
    seen = too_fast.judge(Pace("ord_1", 1000, 1000 + took), USUAL["too_fast"])
    assert expected == (None if seen is None else seen["seconds"])


@pytest.mark.parametrize(
    ("crowd", "is_doubtful"),
    [
        (Crowd(visits=100, seen=100, devices=19, claimed=0, visitors=0), True),
        (Crowd(visits=100, seen=100, devices=20, claimed=0, visitors=0), False),
        (Crowd(visits=99, seen=99, devices=1, claimed=0, visitors=0), False),
        (Crowd(visits=150, seen=99, devices=1, claimed=0, visitors=0), False),
        (Crowd(visits=100, seen=0, devices=0, claimed=0, visitors=0), False),
        (Crowd(visits=100, seen=100, devices=100, claimed=100, visitors=19), True),
        (Crowd(visits=100, seen=100, devices=100, claimed=100, visitors=20), False),
        (Crowd(visits=100, seen=100, devices=100, claimed=99, visitors=1), False),
    ],
)
def test_a_hundred_visits_of_fewer_than_twenty_devices_or_visitors_are_stuffed(crowd: Crowd, is_doubtful: bool) -> None:
    seen = click_stuffing.judge(crowd, USUAL["click_stuffing"])
    assert ({"minutes": 10, **crowd._asdict()} if is_doubtful else None) == seen


def test_of_several_links_devices_and_visitors_may_be_the_same() -> None:
    together = Crowd(5, 4, 3, 2, 1).with_others(Crowd(50, 40, 2, 20, 10))
    assert Crowd(visits=55, seen=44, devices=3, claimed=22, visitors=10) == together


def test_sixty_visits_from_one_block_are_people_and_sixty_one_are_not() -> None:
    assert velocity_visits.judge(60, USUAL["velocity_visits"]) is None
    assert {"minutes": 10, "visits": 61} == velocity_visits.judge(61, USUAL["velocity_visits"])


@pytest.mark.parametrize(
    ("code", "own", "near", "is_doubtful"),
    [
        ("velocity_likes", 60, 300, False),
        ("velocity_likes", 61, 61, True),
        ("velocity_likes", 1, 301, True),
        ("velocity_shares", 30, 150, False),
        ("velocity_shares", 31, 31, True),
        ("velocity_shares", 1, 151, True),
    ],
)
def test_more_than_a_visitor_or_a_block_may_is_doubtful(code: str, own: int, near: int, is_doubtful: bool) -> None:
    judge = {"velocity_likes": velocity_likes.judge, "velocity_shares": velocity_shares.judge}[code]
    told = {"minutes": 10, "by_visitor": own, "by_block": near}
    assert (told if is_doubtful else None) == judge(Busy(own, near), USUAL[code])


def test_three_sharers_on_one_device_are_doubtful_and_two_are_not() -> None:
    assert duplicate_sharers.judge(2, USUAL["duplicate_sharers"]) is None
    assert {"sharers": 3} == duplicate_sharers.judge(3, USUAL["duplicate_sharers"])


@pytest.mark.parametrize(
    ("uses", "is_doubtful"),
    [(Uses(10, 10), True), (Uses(9, 9), False), (Uses(50, 40), True), (Uses(50, 39), False), (Uses(13, 10), False)],
)
def test_a_code_is_doubtful_that_ten_strangers_use_who_are_four_of_five(uses: Uses, is_doubtful: bool) -> None:
    seen = coupon_site.judge(uses, USUAL["coupon_site"])
    assert (dict(uses._asdict()) if is_doubtful else None) == seen


def test_the_third_order_that_was_taken_back_makes_a_series() -> None:
    assert refunds_in_series.judge(2, USUAL["refunds_in_series"]) is None
    assert {"days": 90, "taken_back": 3} == refunds_in_series.judge(3, USUAL["refunds_in_series"])


def test_a_merchant_who_says_otherwise_has_other_numbers() -> None:
    assert too_fast.judge(Pace("ord_1", 1000, 1010), {"seconds": 10}) is not None
    assert velocity_visits.judge(11, {"visits": 10, "minutes": 1}) == {"minutes": 1, "visits": 11}


def test_by_themselves_only_the_policys_rules_and_the_one_of_crawlers_refuse() -> None:
    refusing = {code for code, rule in RULES.items() if rule.usual is not Do.FLAG}
    assert {"own_visitor", "own_person", "crawler"} == refusing
    assert refusing == {code for code, rule in RULES.items() if rule.fixed is not None}


@pytest.mark.parametrize("code", RULES)
def test_a_rule_is_registered_under_its_code_with_numbers_that_may_be(code: str) -> None:
    rule = RULES[code]
    assert code == rule.code
    assert len(code) <= 40, "the column holds no more"
    assert rule.about
    for threshold in rule.thresholds.values():
        assert threshold.least <= threshold.default <= threshold.most
