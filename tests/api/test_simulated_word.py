"""How the word was passed on, over HTTP, against the truth of a world: the report on spread, people and their trees."""

from collections import Counter
from collections.abc import Mapping
from datetime import date
from typing import TypeVar

import pytest

from app.kernel.clock import from_micros, rfc3339
from app.simulation import truth
from app.simulation.word import NONE, Done, Passed, Word, in_all
from tests import simulated
from tests.conftest import AppServer
from tests.shop import JSON
from tests.simulated import World
from tests.soak import SOAK

pytestmark = pytest.mark.soak

ROOTS = ("network", "product", "wall", "sharer", "kind", "day", "week", "month", "network,month", "product,kind")
SHARERS = 20 if SOAK else 5
Figure = TypeVar("Figure")


@pytest.fixture(scope="module")
def world(shared_server: AppServer) -> World:
    return simulated.year(shared_server)


def word(merchant: truth.Merchant) -> Word:
    assert merchant.word is not None
    return merchant.word


def spread(report: JSON, names: list[str]) -> dict[tuple[str, ...], JSON]:
    rows = {tuple(row.pop(name) for name in names): row for row in (dict(row) for row in report["data"])}
    assert len(rows) == len(report["data"]), "no row comes twice"
    return rows


@pytest.mark.parametrize("group_by", ROOTS)
def test_the_report_on_spread_tells_the_truth(world: World, group_by: str) -> None:
    """K, branching, depth, breadth, structural virality, time to re-share, people, visits and sales."""
    names = group_by.split(",")
    for merchant, truly in world.merchants:
        report = world.report(merchant, "spread", group_by=group_by, livemode="true")
        found = word(truly).spread(names, truly.nets(), lambda root: True)

        assert found.pop(()).told() == report["totals"]
        assert {key: trees.told() for key, trees in found.items()} == spread(report, names)


def test_trees_of_a_part_of_the_time_are_told_whole(world: World) -> None:
    since, until = simulated.day("2025-12-01"), simulated.day("2026-01-01")
    for merchant, truly in world.merchants:
        report = world.report(merchant, "spread", **{"from": str(since), "to": str(until), "livemode": "true"})
        found = word(truly).spread(["network"], truly.nets(), lambda root: since <= root.day < until)

        assert found.pop(()).told() == report["totals"]
        assert {key: trees.told() for key, trees in found.items()} == spread(report, ["network"])


def true_people(merchant: truth.Merchant, since: date = date.min, until: date = date.max) -> list[JSON]:
    """Of each currency first who brought most."""
    passed, names = word(merchant), word(merchant).names()
    done = passed.done(lambda each: each.sharer, since, until)
    rows = [
        {"sharer": sharer, "name": names.get(sharer), "currency": currency, "net": sums.net}
        | {"orders": sums.orders, "gross": sums.gross, "refunded": sums.refunded}
        | done.get(sharer, Done(0, 0))._asdict()
        for (sharer, currency), sums in merchant.attribution(["sharer"], since=since, until=until).items()
        if sharer != NONE
    ]
    return sorted(rows, key=lambda row: (row["currency"], -row["net"], row["sharer"]))


@pytest.mark.parametrize("period", [None, ("2025-12-01", "2026-01-01")])
def test_the_list_of_sharers_tells_the_truth(world: World, period: tuple[str, str] | None) -> None:
    for merchant, truly in world.merchants:
        asked = {} if period is None else {"from": period[0], "to": period[1]}
        days = () if period is None else (simulated.day(period[0]), simulated.day(period[1]))

        assert true_people(truly, *days) == list(
            world.pages(merchant, "sharers", livemode="true", limit="100", **asked)
        )


def some_sharers(merchant: truth.Merchant) -> list[str]:
    """Those from whom most was shared on, those who shared most, and those who began."""
    passed = word(merchant)
    made, below = list(passed.made.values()), passed.below()
    most = sorted(made, key=lambda each: (-below[each.id], each.id))[:SHARERS]
    busiest = Counter(each.sharer for each in made).most_common(SHARERS)
    return list(dict.fromkeys([*(each.sharer for each in (*most, *made[:3])), *(sharer for sharer, _ in busiest)]))


def test_each_sharers_own_page_tells_the_truth(world: World) -> None:
    for merchant, truly in world.merchants:
        passed, nets = word(truly), truly.nets()
        subtrees, names = passed.subtrees(nets), passed.names()
        credit = {(name, currency): sums for (name, currency), sums in truly.attribution(["sharer"]).items()}
        done = passed.done(lambda each: each.sharer)
        by_network = passed.done(lambda each: (each.sharer, each.network))
        by_product = passed.done(lambda each: (each.sharer, each.product))
        for sharer in some_sharers(truly):
            told = world.ask(merchant, f"sharers/{sharer}", livemode="true")
            mine = [each for each in passed.made.values() if each.sharer == sharer]

            assert done[sharer] == (told["referrals"], told["visits"])
            assert of(by_network, sharer) == {row["network"]: counts(row) for row in told["by_network"]}
            assert of(by_product, sharer) == {row["product"]: counts(row) for row in told["by_product"]}
            assert names.get(sharer) == told["name"]
            assert in_all(nets.get(each.id, {}) for each in mine) == told["own_net"]
            assert in_all(subtrees.get(each.id, {}) for each in mine) == told["subtree_net"]
            assert of(credit, sharer) == {
                row["currency"]: truth.Sums(row["orders"], row["gross"], row["refunded"]) for row in told["totals"]
            }
            assert [rfc3339(from_micros(each.at)) for each in (mine[0], mine[-1])] == [
                told["first_at"],
                told["last_at"],
            ]


def of(figures: Mapping[tuple[str, str], Figure], sharer: str) -> dict[str, Figure]:
    """Those of one sharer."""
    return {name: figure for (whose, name), figure in figures.items() if whose == sharer}


def moment(micros: int) -> str:
    return rfc3339(from_micros(micros))


def counts(row: JSON) -> Done:
    return Done(row["referrals"], row["visits"])


def test_each_sharers_tree_tells_the_truth(world: World) -> None:
    for merchant, truly in world.merchants:
        passed, nets, nodes = word(truly), truly.nets(), true_nodes(truly)
        for sharer in some_sharers(truly):
            told = world.ask(merchant, f"sharers/{sharer}/tree", livemode="true", limit="1000", depth="1000")
            tree = {each.id: lines for each in passed.made.values() if (lines := lineage(passed, each, sharer))}
            own = [each for each, (first, *_) in tree.items() if each == first.id]

            levels = {each: passed.made[each].depth - first.depth for each, (first, *_) in tree.items()}
            expected = [nodes[each] | {"level": level} for each, level in levels.items()]
            expected.sort(key=lambda row: (row["level"], passed.made[row["referral"]].at, row["referral"]))

            assert expected[:1000] == told["data"]
            wanted = {
                "referrals": len(tree),
                "descendants": len(tree) - len(own),
                "sharers": len({passed.made[each].sharer for each in tree}),
                "own_net": in_all(nets.get(each, {}) for each in own),
                "subtree_net": in_all(nets.get(each, {}) for each in tree),
            }
            assert wanted == {name: told["totals"][name] for name in wanted}


def lineage(passed: Word, each: Passed, sharer: str) -> list[Passed]:
    """The referrals of one person from which it came, the topmost first, or which it is; none where it did not."""
    return [one for one in (*reversed([*passed.above(each)]), each) if one.sharer == sharer]


def true_nodes(merchant: truth.Merchant) -> dict[str, JSON]:
    """What is told of each referral, but for the level: that is counted from whose tree it is asked for."""
    passed, nets = word(merchant), merchant.nets()
    below, subtrees, came = passed.below(), passed.subtrees(nets), passed.done(lambda each: each.id)
    return {
        each.id: {
            **{name: getattr(each, name) for name in ("parent", "sharer", "kind", "network", "name")},
            **{name: None if (value := each.called(name)) == NONE else value for name in ("product", "wall")},
            "referral": each.id,
            "at": moment(each.at),
            "visits": came[each.id].visits,
            "referrals_below": below[each.id],
            "net": in_all([nets.get(each.id, {})]),
            "subtree_net": in_all([subtrees.get(each.id, {})]),
        }
        for each in passed.made.values()
    }
