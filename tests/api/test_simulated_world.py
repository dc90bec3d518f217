"""Reports over HTTP against the truth of a world that was made for it: each cell, and nothing beside."""

from collections.abc import Iterator
from datetime import date
from itertools import combinations

import pytest

from app.kernel.rollups.tables import DIMENSIONS, MEASURES, Dimension
from app.simulation import truth
from app.simulation.truth import UNITS
from tests import simulated
from tests.conftest import AppServer
from tests.shop import JSON
from tests.simulated import World
from tests.soak import SOAK

pytestmark = pytest.mark.soak

SINGLE = ("network", "shared_to", "seen_from", "product", "wall", "sharer", "kind", "depth", "day", "week", "month")
PAIRS = [",".join(pair) for pair in combinations(("network", "product", "kind", "month"), 2)] if SOAK else []
ALL_AT_ONCE = ("network,shared_to,seen_from,product,wall,sharer,kind,depth,day",)

VALUES = None if SOAK else 4

COUNTED: tuple[Dimension, ...] = tuple(name for name in DIMENSIONS if name != "total")
Step = tuple[tuple[str, ...], dict[str, int]]
Steps = dict[tuple[str, ...], dict[str, int]]
Cells = dict[tuple[str, ...], tuple[int, int, int, int]]


@pytest.fixture(scope="module")
def world(shared_server: AppServer) -> World:
    return simulated.year(shared_server)


def told(report: JSON, names: list[str]) -> Cells:
    keys = [*names, "currency"]
    cells = {
        tuple(row[key] for key in keys): (row["orders"], row["gross"], row["refunded"], row["net"])
        for row in report["data"]
    }
    assert len(cells) == len(report["data"]), "no row comes twice"
    return cells


def true(merchant: truth.Merchant, names: list[str], **asked: object) -> Cells:
    found = merchant.attribution(names, **asked)  # type: ignore[arg-type]
    return {key: (sums.orders, sums.gross, sums.refunded, sums.net) for key, sums in found.items()}


def totals(report: JSON) -> Cells:
    return {(row["currency"],): (row["orders"], row["gross"], row["refunded"], row["net"]) for row in report["totals"]}


def steps(rows: list[JSON], names: list[str]) -> Steps:
    """What the funnel says, without rates and without what is 0."""
    keys = [*names, "currency"]
    found = {
        tuple(row[key] for key in keys): {name: row[name] for name in (*MEASURES, "orders", "net") if row[name]}
        for row in rows
    }
    assert len(found) == len(rows), "no row comes twice"
    return found


def _shown(dimension: Dimension, key: tuple[str, ...], cells: dict[str, int]) -> Iterator[Step]:
    """What has no value has a name of its own. Who came without a network came by themselves; a referral has none that
    another system did not tell of."""
    if dimension == "total" or key[0]:
        yield key, cells
    elif dimension != "network":
        yield ("(none)", *key[1:]), cells
    else:
        of_referrals = {name: count for name, count in cells.items() if name in ("likes", "shares", "visits")}
        yield ("(unknown)", *key[1:]), of_referrals
        yield ("(direct)", *key[1:]), {name: count for name, count in cells.items() if name not in of_referrals}


def true_steps(merchant: truth.Merchant, names: list[str], since: date = date.min, until: date = date.max) -> Steps:
    """What it must say: counts have no currency, and stand beside the shop's own and what was sold in others."""
    dimension: Dimension = next((name for name in COUNTED if name in names), "total")
    unit = next((name for name in UNITS if name in names), None)
    counted = merchant.funnel(dimension, unit, since=since, until=until)
    counts = dict(step for key, cells in counted.items() for step in _shown(dimension, key, cells))
    sales = merchant.attribution(names, since=since, until=until)
    found: Steps = {}
    for key in {*counts, *(key[:-1] for key in sales)}:
        for currency in {merchant.shop.currency, *(each[-1] for each in sales if each[:-1] == key)}:
            sums = sales.get((*key, currency), truth.Sums())
            told_of: dict[str, int] = {"orders": sums.orders, "net": sums.net}
            told_of.update(counts.get(key, {}))
            found[*key, currency] = {name: count for name, count in told_of.items() if count}
    return {key: told_of for key, told_of in found.items() if told_of}


@pytest.mark.parametrize("group_by", [*SINGLE, *PAIRS, *ALL_AT_ONCE])
def test_the_attribution_report_tells_the_truth(world: World, group_by: str) -> None:
    names = group_by.split(",")
    for merchant, truly in world.merchants:
        for livemode in (True, False):
            report = world.report(merchant, "attribution", group_by=group_by, livemode=str(livemode).lower())

            assert true(truly, names, livemode=livemode) == told(report, names)
            assert true(truly, [], livemode=livemode) == totals(report)


@pytest.mark.parametrize(("since", "until"), [("2025-10-26", "2025-10-27"), ("2025-12-01", "2026-01-01")])
def test_a_part_of_the_time_is_told_as_truly(world: World, since: str, until: str) -> None:
    for merchant, truly in world.merchants:
        report = world.report(merchant, "attribution", group_by="network", **{"from": since, "to": until})
        period = {"since": simulated.day(since), "until": simulated.day(until)}

        assert true(truly, ["network"], **period) == told(report, ["network"])
        assert true(truly, [], **period) == totals(report)


@pytest.mark.parametrize("as_of", ["2025-11-05", "2025-12-24", "2026-02-28"])
def test_what_was_known_on_an_earlier_day_is_told_as_it_was(world: World, as_of: str) -> None:
    for merchant, truly in world.merchants:
        report = world.report(merchant, "attribution", group_by="network,month", as_of=as_of)
        known = true(truly, ["network", "month"], as_of=simulated.day(as_of))

        assert known == told(report, ["network", "month"])
    assert known != true(truly, ["network", "month"])


def test_each_merchant_has_only_what_is_theirs(world: World) -> None:
    (_, truly), (other, _) = world.merchants[:2]
    theirs = {sharer for sharer, _ in told(world.report(other, "attribution", group_by="sharer"), ["sharer"])}

    assert {"(none)"} == theirs & {sharer for sharer, _ in true(truly, ["sharer"])}


@pytest.mark.parametrize("group_by", ["", *COUNTED, *UNITS, "network,day", "product,week", "wall,month", "kind,day"])
def test_the_funnel_tells_the_truth(world: World, group_by: str) -> None:
    names = [name for name in group_by.split(",") if name]
    for merchant, truly in world.merchants:
        report = world.report(merchant, "funnel", group_by=group_by, livemode="true")

        assert true_steps(truly, names) == steps(report["data"], names)
        assert true_steps(truly, []) == steps(report["totals"], [])


def test_a_part_of_the_funnel_is_told_as_truly(world: World) -> None:
    """Of the day that has twenty-five hours in the merchants' time zones."""
    for merchant, truly in world.merchants:
        report = world.report(merchant, "funnel", group_by="network", **{"from": "2025-10-26", "to": "2025-10-27"})
        day = {"since": simulated.day("2025-10-26"), "until": simulated.day("2025-10-27")}

        assert true_steps(truly, ["network"], **day) == steps(report["data"], ["network"])


@pytest.mark.parametrize("group_by", ["kind,machine", "day,kind,machine"])
def test_machines_are_told_by_day_and_never_as_visits(world: World, group_by: str) -> None:
    names = group_by.split(",")
    for merchant, truly in world.merchants:
        report = world.report(merchant, "machines", group_by=group_by)
        expected: dict[tuple[str, ...], int] = {}
        for (day, kind, machine), visits in truly.machines.items():
            key = (kind, machine) if names[0] == "kind" else (str(day), kind, machine)
            expected[key] = expected.get(key, 0) + visits

        assert expected == {tuple(row[name] for name in names): row["visits"] for row in report["data"]}


@pytest.mark.parametrize("group_by", ["network", "product", "wall"])
def test_the_last_touch_among_the_models_is_whose_the_order_truly_was(world: World, group_by: str) -> None:
    for merchant, truly in world.merchants:
        report = world.report(merchant, "models", group_by=group_by, livemode="true")
        expected = {key: sums.net for key, sums in truly.attribution([group_by]).items() if sums.net}

        assert expected == {
            (row[group_by], row["currency"]): row["last_touch"] for row in report["data"] if row["last_touch"]
        }


@pytest.mark.parametrize("dimension", ["network", "kind"])
def test_the_orders_behind_each_figure_are_those_that_were_truly_brought(world: World, dimension: str) -> None:
    for merchant, truly in world.merchants:
        for value in sorted({key[0] for key in truly.attribution([dimension])})[:VALUES]:
            expected = {
                sold.order_id: (sold.currency, sold.net, sold.net - sold.refunded(truly.end))
                for sold in truly.sold
                if sold.livemode and sold.net and getattr(sold, dimension) == value
            }
            found = list(world.pages(merchant, "reports/orders", livemode="true", limit="100", **{dimension: value}))

            assert expected == {row["order"]: (row["currency"], row["gross"], row["net"]) for row in found}
            assert len(expected) == len(found)
