"""People, what they brought and their trees, on random histories against the reference implementation."""

from collections import Counter
from collections.abc import Callable, Iterator
from random import Random

import pytest

from app.attribution.engine import Policy, policy_to_wire
from tests.clock import TestClock
from tests.moving import bring, lines, sendable_history
from tests.sharing import listed, numbers, one, tree
from tests.shop import TestMerchant
from tests.spreading import Plain
from tests.unit.attribution.histories import Fact
from tests.unit.attribution.reference import Reference

NewMerchant = Callable[..., TestMerchant]
World = tuple[TestMerchant, list[Plain]]
DEFAULT: Fact = dict(policy_to_wire(Policy()))


@pytest.fixture(scope="module")
def told() -> dict[str, tuple[TestMerchant, list[Plain]]]:
    """What each database was told."""
    return {}


@pytest.fixture
def world(told: dict[str, World], new_merchant: NewMerchant, clock: TestClock) -> Iterator[World]:
    fresh = new_merchant()
    if fresh.base not in told:
        random = Random(43)
        histories = [sendable_history(random, f"w{number}") for number in range(60)]
        facts = [fact for each in histories for fact in each]
        random.shuffle(facts)
        assert [] == bring(fresh, lines(facts))["refused"]
        told[fresh.base] = fresh, [Plain(Reference(history, DEFAULT)) for history in histories]
    known, plains = told[fresh.base]
    again = TestMerchant(known.id, known.secret_key, known.report_key, known.base, clock)
    yield again, plains
    again.close()


def test_people_are_listed_by_their_credit(world: World) -> None:
    merchant, plains = world
    expected = {
        (currency, sharer): net
        for plain in plains
        for currency, totals in plain.reference.by("sharer").items()
        for sharer, net in totals.items()
        if not sharer.startswith("(")
    }
    rows = listed(merchant, limit=7)
    assert expected == {(row["currency"], row["sharer"]): row["net"] for row in rows if row["net"]}
    assert rows == sorted(rows, key=lambda row: (row["currency"], -row["net"], row["sharer"].encode()))
    assert all((row["gross"] or row["refunded"]) and row["orders"] for row in rows)
    assert rows == listed(merchant, limit=100)
    for plain in plains:
        referrals = Counter(plain.sharer(name) for name in plain.referrals)
        visits = Counter(plain.sharer(name) for name in plain.referrals for _ in plain.arrivals(name))
        for row in rows:
            if row["sharer"] in referrals:
                assert (referrals[row["sharer"]], visits[row["sharer"]]) == numbers(row, "referrals", "visits")


def test_one_person_is_told_as_the_reference_says(world: World) -> None:
    merchant, plains = world
    for plain in plains[:25]:
        sales, credit = plain.sales(), plain.reference.by("sharer")
        for sharer in {plain.sharer(name) for name in plain.referrals}:
            told = one(merchant, sharer)
            mine = [name for name in plain.referrals if plain.sharer(name) == sharer]
            below = [name for name in plain.referrals if any(above in mine for above in climbed(plain, name))]
            assert added(sales, mine) == told["own_net"]
            assert added(sales, below) == told["subtree_net"]
            nets = {each["currency"]: each["net"] for each in told["totals"] if each["net"]}
            assert {currency: net[sharer] for currency, net in credit.items() if sharer in net} == nets
            assert len(mine) == told["referrals"] == sum(each["referrals"] for each in told["by_network"])
            assert told["visits"] == sum(each["visits"] for each in told["by_product"])


def test_a_tree_is_told_as_the_reference_says(world: World) -> None:
    merchant, plains = world
    seen = 0
    for plain in plains[:25]:
        subtrees = plain.reference.by_subtree()
        for sharer in {plain.sharer(name) for name in plain.referrals}:
            told = tree(merchant, sharer, depth=100, limit=1000)
            below = {name for name in plain.referrals if any(plain.sharer(up) == sharer for up in climbed(plain, name))}
            assert sorted(below) == sorted(node["referral"] for node in told["data"])
            assert len(below) == told["totals"]["referrals"]
            places: dict[str, int] = {}
            for node in told["data"]:
                name = node["referral"]
                net = {currency: each[name] for currency, each in subtrees.items() if name in each}
                under = {other for other in below if name in climbed(plain, other)} - {name}
                assert (net, len(under)) == numbers(node, "subtree_net", "referrals_below")
                assert (places[node["parent"]] + 1 if node["level"] else 0) == node["level"]
                assert (plain.sharer(name), plain.referrals[name]["parent"]) == numbers(node, "sharer", "parent")
                assert len(plain.arrivals(name)) == node["visits"]
                assert node["level"] or node["sharer"] == sharer
                places[name] = node["level"]
                seen += 1
            assert added(plain.sales(), list(below)) == told["totals"]["subtree_net"]
    assert seen > 100


def climbed(plain: Plain, name: str) -> list[str]:
    """A referral and everything above it, once around where there is a loop."""
    found = [name]
    while (above := plain.referrals[found[-1]]["parent"]) in plain.referrals and above not in found:
        found.append(above)
    return found


def added(sales: dict[str, Counter[str]], names: list[str]) -> dict[str, int]:
    total: Counter[str] = Counter()
    for name in names:
        total.update(sales[name])
    return {currency: net for currency, net in total.items() if net}
