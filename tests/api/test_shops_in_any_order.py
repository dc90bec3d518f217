"""What shops say comes late, twice, in any order and at once: there is one final state of an order."""

import itertools
import random
from collections.abc import Sequence
from functools import partial
from typing import Any

import pytest

from tests.other_shops import OtherShop, books
from tests.shop import JSON, TestMerchant
from tests.shop_stories import STORIES, Said, told
from tests.soak import SOAK
from tests.threads import together

ENDS: dict[str, tuple[str, int, int]] = {
    "sold, given back in two steps": ("partially_refunded", 9000, 4150),  # 52.13 of 113.05
    "given back in vain, edited": ("partially_refunded", 5400, 1538),  # 20.00 of 70.21
    "cancelled": ("cancelled", 5400, 5400),
    "deleted": ("cancelled", 5400, 5400),
    "all in one second": ("partially_refunded", 9000, 2558),
    "sold, given back, and a refund deleted": ("partially_refunded", 9000, 796),
    "given back while the time stands still": ("partially_refunded", 9000, 3354),
    "given back, changed, given back": ("partially_refunded", 9000, 3354),
    "cancelled and called back": ("partially_refunded", 9000, 2558),
    "deleted, restored, deleted": ("cancelled", 9000, 9000),
}
ALL_STORIES = pytest.mark.parametrize(("system", "story"), STORIES, ids=[name for _, name in STORIES])


def ends(shop: OtherShop, order_id: int) -> JSON:
    """What the books say of the order, and when it was given back by the shop's clock."""
    external_id = f"{shop.system}:{order_id}"
    page: dict[str, Any] = shop.merchant.http.get("/v1/orders", params={"external_id": external_id}).json()
    (order,) = page["data"]
    refunds = [each for each in order["refunds"] if each["dropped_at"] is None and each["reason"] == "refund"]
    return books(order) | {"given back": sorted((each["external_id"], each["at"]) for each in refunds)}


@pytest.mark.soak
@ALL_STORIES
def test_whatever_comes_first_an_order_ends_the_same(merchant: TestMerchant, system: str, story: str) -> None:
    shop = OtherShop(merchant, system)
    count = len(told(system, story, 0))
    ways = list(itertools.permutations(range(count)))
    # All of them are tried where they are pure (tests/unit/test_connector_facts.py), and here by `make soak`.
    ways = ways if SOAK else [ways[0], ways[-1], *random.Random(story).sample(ways, 4)]
    found = []
    for order_id, places in enumerate(ways, start=1):
        said = told(system, story, order_id)
        for place in places:
            topic, body, delivery = said[place]
            shop.tell(topic, body, delivery=delivery)
        found.append(ends(shop, order_id))
    assert ENDS[story] == tuple(found[0][name] for name in ("status", "net", "refunded"))
    assert [found[0]] * len(found) == found


@ALL_STORIES
def test_whatever_comes_at_once_and_again_an_order_ends_the_same(
    merchant: TestMerchant, system: str, story: str
) -> None:
    shop, chance = OtherShop(merchant, system), random.Random(story)
    for order_id in range(1, 4):
        said = told(system, story, order_id)
        messages = [*said, *chance.choices(said, k=8 - len(said))]
        chance.shuffle(messages)
        together(*(partial(shop.tell, topic, body, delivery=delivery) for topic, body, delivery in messages))
        assert ENDS[story] == tuple(ends(shop, order_id)[name] for name in ("status", "net", "refunded"))
    assert 3 == len(shop.orders())


def test_many_orders_at_once_are_each_told_once(merchant: TestMerchant) -> None:
    shop, chance = OtherShop(merchant, "shopify"), random.Random(4)
    messages = [
        said for order_id in range(1, 21) for said in told("shopify", "sold, given back in two steps", order_id)
    ]
    messages *= 3
    chance.shuffle(messages)
    hands = [messages[start::8] for start in range(8)]

    def tell(mine: Sequence[Said]) -> None:
        for topic, body, delivery in mine:
            shop.tell(topic, body, delivery=delivery)

    together(*(partial(tell, mine) for mine in hands))
    assert 20 == len(shop.orders())
    assert {(9000, 4150)} == {(order["net"], order["refunded"]) for order in shop.orders()}
