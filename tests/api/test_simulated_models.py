"""The models side by side, over HTTP, against a world of one day: whoever bought had come once, so it is plain what
each model must say."""

from collections import Counter
from fractions import Fraction

import pytest

from app.simulation import truth
from app.simulation.word import NONE, Word
from tests import simulated
from tests.conftest import AppServer
from tests.shop import JSON
from tests.simulated import World

OF_A_JOURNEY = ("last_touch", "first_touch", "linear", "position_based", "time_decay")
OF_ALL = ("markov", "shapley")
GROUPS = ("network", "product", "wall")


@pytest.fixture(scope="module")
def world(shared_server: AppServer) -> World:
    return simulated.world(shared_server, simulated.DAY)


def told(report: JSON, name: str, model: str) -> dict[tuple[str, str], int]:
    return {(row[name], row["currency"]): row[model] for row in report["data"] if row[model]}


def true(merchant: truth.Merchant, name: str) -> dict[tuple[str, str], int]:
    """Of each value and currency, the net; nothing of what was taken back wholly."""
    return {(value, currency): sums.net for (value, currency), sums in merchant.attribution([name]).items() if sums.net}


@pytest.mark.parametrize("group_by", GROUPS)
def test_of_journeys_with_one_touch_all_models_tell_the_same(world: World, group_by: str) -> None:
    for merchant, truly in world.merchants:
        report = world.report(merchant, "models", group_by=group_by, livemode="true")
        for model in OF_A_JOURNEY:
            assert true(truly, group_by) == told(report, group_by, model), model


@pytest.mark.parametrize("group_by", GROUPS)
def test_models_of_all_journeys_divide_by_how_many_orders_each_brought(world: World, group_by: str) -> None:
    """Without a second touch nothing else tells channels apart; a cent may go either way."""
    for merchant, truly in world.merchants:
        report = world.report(merchant, "models", group_by=group_by, livemode="true")
        earned = [sold for sold in truly.sold if sold.livemode and sold.sharer != NONE]
        brought = Counter(getattr(sold, group_by) for sold in earned)
        assert len(earned) == report["paths"]["converted"]
        for model in OF_ALL:
            cells = told(report, group_by, model)
            for currency, whole in _nets(earned, truly.end).items():
                nobodys = true(truly, "sharer").get((NONE, currency), 0)
                for value, orders in brought.items():
                    expected = Fraction(whole * orders, brought.total())
                    direct = nobodys if value == NONE else 0
                    assert abs(expected + direct - cells.get((value, currency), 0)) < 1, (model, value)


def _nets(sold: list[truth.Sold], end: int) -> Counter[str]:
    nets: Counter[str] = Counter()
    for each in sold:
        nets[each.currency] += each.net - each.refunded(end)
    return nets


@pytest.mark.parametrize("order", ["1", "3"])
def test_all_models_divide_the_same_sums(world: World, order: str) -> None:
    for merchant, truly in world.merchants:
        report = world.report(merchant, "models", order=order, livemode="true")
        net = {currency: sums.net for (currency,), sums in truly.attribution([]).items()}

        assert {currency: dict.fromkeys((*OF_A_JOURNEY, *OF_ALL), each) for currency, each in net.items()} == {
            row["currency"]: {model: row[model] for model in (*OF_A_JOURNEY, *OF_ALL)} for row in report["totals"]
        }


def test_who_came_and_did_not_buy_is_counted(world: World) -> None:
    for merchant, truly in world.merchants:
        report = world.report(merchant, "models", livemode="true")

        assert len(_looked(truly)) == report["paths"]["not_converted"]


def _looked(merchant: truth.Merchant) -> set[str]:
    """People who came through somebody else's link, and did not buy."""
    word = merchant.word
    assert word is not None
    whose = {came.visit: came.who for came in word.came if came.who != came.visit}
    came = {word.people.get(who, who) for visit, who in whose.items() if who not in _own(word)}
    sold = [each for each in merchant.sold if each.livemode]
    bought = {each.visitor or whose.get(each.click or "") for each in sold}
    return came - {word.people.get(who, who) for who in bought if who is not None}


def _own(word: Word) -> set[str]:
    """Who followed what they had shared themselves, which counts for nothing; they came through nothing else."""
    return {came.who for came in word.came if word.made[came.referral].sharer == came.who}
