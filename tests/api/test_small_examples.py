"""Every small example of attribution.md, over HTTP: moved in, and previewed."""

from typing import Any

import pytest

from tests.moving import Past, chain, journey, preview
from tests.shop import JSON, TestMerchant

LINEAR = {"model": "linear"}
GEOMETRIC = {"upline": {"mode": "geometric"}}


def lines(answer: JSON, *names: str) -> list[Any]:
    """Fields of the lines of the only order."""
    (order,) = answer["orders"]
    return [line[names[0]] if len(names) == 1 else tuple(line[name] for name in names) for line in order["lines"]]


@pytest.mark.parametrize(
    ("past", "policy", "gross"),
    [
        (journey(3), LINEAR, [3333, 3333, 3334]),
        (journey(4, 9999), {"model": "position_based"}, [3999, 1000, 1000, 4000]),
        (chain("bo", "ana"), GEOMETRIC, [6667, 3333]),
        (chain("d", "c", "b", "a", net=100), GEOMETRIC, [53, 27, 13, 7]),
        (chain("c", "b", "a", net=4000), {"upline": {"mode": "halving"}}, [1000, 1000, 1000, 1000]),
    ],
)
def test_the_small_examples_of_the_page(merchant: TestMerchant, past: Past, policy: JSON, gross: list[int]) -> None:
    past.into(merchant)
    assert gross == lines(preview(merchant, policy), "gross")


def test_time_decay_at_ages_of_fourteen_seven_and_no_days(merchant: TestMerchant) -> None:
    past = Past().share("s1", "ana").order("o1", "buyer", day=14)
    for day in (0, 7, 14):
        past.touch(f"t{day}", "buyer", "s1", day=day)
    past.into(merchant)
    assert [1429, 2857, 5714] == lines(preview(merchant, {"model": "time_decay"}), "gross")


def test_thirds_of_which_a_tenth_is_refunded(merchant: TestMerchant) -> None:
    journey(3).refund("r1", "o1", 1_000).into(merchant)
    assert [3000, 3000, 3000] == lines(preview(merchant, LINEAR), "net")


def test_thirds_that_are_refunded_cent_by_cent_as_of_each_refund(merchant: TestMerchant) -> None:
    past = journey(3, 100).refund("r1", "o1", 1, day=21).refund("r2", "o1", 1, day=22).refund("r3", "o1", 98, day=23)
    past.into(merchant)
    told = [lines(preview(merchant, LINEAR, as_of=f"2025-01-{22 + day}T00:00:00Z"), "net") for day in range(3)]
    assert [[33, 33, 33], [33, 33, 32], [0, 0, 0]] == told


def test_a_click_on_the_phone_and_a_purchase_on_the_laptop_that_is_linked_later(merchant: TestMerchant) -> None:
    past = Past().share("s1", "ana").touch("t1", "phone", "s1", day=1).identity("phone", "A", day=2)
    past.identity("laptop", "A", day=2).order("o1", "laptop", day=3).into(merchant)
    assert ["ana"] == lines(preview(merchant), "sharer")


def test_a_purchase_through_the_buyers_own_link(merchant: TestMerchant) -> None:
    Past().share("s1", "A").touch("t1", "A", "s1", day=1).order("o1", "A", day=2).into(merchant)
    assert [("(direct)", "(none)", 0, "self_referral")] == lines(
        preview(merchant), "network", "sharer", "level", "reason"
    )
