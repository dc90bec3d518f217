"""The attribution report: it adds up to the orders and their refunds, to the cent, whatever it is split by."""

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from random import Random

import pytest

from tests.clock import TestClock
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]
NETWORKS = ("whatsapp", "x", "mastodon", "email", "copy")
DIMENSIONS = ("network", "shared_to", "seen_from", "product", "wall", "sharer", "kind", "depth", "day", "week", "month")
AMOUNTS = ("gross", "refunded", "net")
ALL = {"from": "2026-01-01", "to": "2027-01-01"}


@dataclass
class World:
    """A random story of sharing and buying, and what its reports must say."""

    merchant: TestMerchant
    products: list[str] = field(default_factory=list)
    walls: list[str] = field(default_factory=list)
    truth: list[JSON] = field(default_factory=list)  # an order each, with what brought it

    def report(self, query: JSON) -> JSON:
        """The report by network of the whole time."""
        return self.merchant.report(**ALL, **query)

    def sums(self, **by: str) -> dict[str, tuple[int, int, int]]:
        """Orders, gross and refunded by currency, of the orders that fit `by`."""
        found: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
        for order in self.truth:
            if all(order[name] == value for name, value in by.items()) and not order["test"]:
                found[order["currency"]][0] += order["net"] > 0
                found[order["currency"]][1] += order["net"]
                found[order["currency"]][2] += order["refunded"]
        return {currency: (a, b, c) for currency, (a, b, c) in found.items() if a}


def a_world(merchant: TestMerchant, clock: TestClock, random: Random, orders: int) -> World:
    world = World(merchant)
    world.products = [merchant.product(f"Product {number}")["id"] for number in range(3)]
    world.walls = [merchant.wall(*world.products)["id"], merchant.wall(*world.products[:1])["id"]]
    links: list[JSON] = []
    for _ in range(8):
        product, wall = random.choice(world.products), random.choice([None, *world.walls])
        on = {"wall": wall} if wall else {}
        ana, network = merchant.shopper(), random.choice([*NETWORKS, "onsite"])
        made = ana.like(product, **on) if network == "onsite" else ana.share(product, network, **on)
        about = {"network": network, "product": product, "wall": wall or "(none)", "sharer": ana.id}
        links.append({**about, "kind": "like" if network == "onsite" else "share", "code": made["code"]})
    for _ in range(orders):
        clock.move(hours=random.randint(0, 20), seconds=random.randint(0, 3599))
        _an_order(world, random, random.choice([None, *links]))
    return world


def _an_order(world: World, random: Random, link: JSON | None) -> None:
    merchant = world.merchant
    truth: JSON = dict.fromkeys(("product", "wall", "sharer", "kind"), "(none)")
    truth |= {"network": "(direct)", "currency": random.choice(["eur", "eur", "usd", "jpy", "kwd"]), "refunded": 0}
    truth |= {"net": random.choice([0, 1, 99, random.randint(1, 10**6)]), "test": random.random() < 0.1}
    click = None
    if link is not None:
        click = merchant.shopper().follow(link["code"])
        truth |= {name: link[name] for name in ("network", "product", "wall", "sharer", "kind")}
    order = merchant.order(net=truth["net"], currency=truth["currency"], click_id=click, test=truth["test"])
    for _ in range(random.choice([0, 0, 1, 2])):
        left = truth["net"] - truth["refunded"]
        if left:
            amount = random.choice([1, left, random.randint(1, left)])
            refund = merchant.refund(order["id"], amount, reason=random.choice(["refund", "chargeback"]))
            if random.random() < 0.2:
                ok(merchant.http.delete(f"/v1/orders/{order['id']}/refunds/{refund['id']}"))
            else:
                truth["refunded"] += amount
    truth["at"] = merchant.clock.now()
    world.truth.append(truth)


@pytest.fixture(scope="module")
def worlds() -> dict[str, World]:
    """One world for each database: it is only read."""
    return {}


@pytest.fixture
def world(worlds: dict[str, World], new_merchant: NewMerchant, clock: TestClock) -> Iterator[World]:
    merchant = new_merchant(timezone="Europe/Paris")
    known = worlds.get(merchant.base)
    if known is None:
        known = worlds[merchant.base] = a_world(merchant, clock, Random(merchant.base.count("x") + 7), 60)
    # the connections of a merchant are closed after each test; its books stay
    known.merchant = TestMerchant(
        known.merchant.id, known.merchant.secret_key, known.merchant.report_key, merchant.base, clock
    )
    clock.set(max(order["at"] for order in known.truth))
    clock.move(days=1)
    yield known
    known.merchant.close()


def totals(report: JSON) -> dict[str, tuple[int, int, int]]:
    assert all(each["net"] == each["gross"] - each["refunded"] for each in report["totals"])
    return {each["currency"]: (each["orders"], each["gross"], each["refunded"]) for each in report["totals"]}


def add_up(rows: list[JSON]) -> dict[str, Counter[str]]:
    sums: dict[str, Counter[str]] = defaultdict(Counter)
    for row in rows:
        sums[row["currency"]].update({name: row[name] for name in AMOUNTS})
    return sums


def test_totals_are_the_orders_less_their_refunds(world: World) -> None:
    assert len(world.truth) == 60
    assert world.sums() == totals(world.merchant.report(**ALL))


@pytest.mark.parametrize("group_by", [*DIMENSIONS, "network,day", "sharer,product,wall,kind", ",".join(DIMENSIONS)])
def test_rows_add_up_to_the_totals(world: World, group_by: str) -> None:
    report = world.merchant.report(group_by, **ALL)
    assert world.sums() == totals(report)
    sums = add_up(report["data"])
    for total in report["totals"]:
        assert {name: total[name] for name in AMOUNTS} == {name: sums[total["currency"]][name] for name in AMOUNTS}
    for row in report["data"]:
        assert [*group_by.split(","), "currency", "orders", *AMOUNTS, "share"] == list(row)
        assert row["gross"] or row["refunded"]
    assert len(report["data"]) == len(
        {tuple(row[name] for name in (*group_by.split(","), "currency")) for row in report["data"]}
    )


@pytest.mark.parametrize("dimension", ["network", "product", "wall", "sharer", "kind"])
def test_each_row_says_what_was_sold_that_way(world: World, dimension: str) -> None:
    rows = world.merchant.report(dimension, **ALL)["data"]
    found: dict[str, dict[str, tuple[int, int, int]]] = defaultdict(dict)
    for row in rows:
        found[row[dimension]][row["currency"]] = (row["orders"], row["gross"], row["refunded"])
    expected = {value: world.sums(**{dimension: value}) for value in {order[dimension] for order in world.truth}}
    assert {value: sums for value, sums in expected.items() if sums} == found


@pytest.mark.parametrize("dimension", ["network", "product", "wall", "sharer"])
def test_a_filter_and_its_opposite_make_the_whole(world: World, dimension: str) -> None:
    values = sorted({order[dimension] for order in world.truth})
    some = values[: max(1, len(values) // 2)]
    whole = add_up(world.merchant.report(**ALL)["data"])
    for given in (some, [",".join(some)]):  # repeated or by comma
        only = world.report({dimension: given})
        without = world.report({f"-{dimension}": given})
        assert whole == add_up(only["data"] + without["data"])
        assert only["data"]
    nothing = world.report({dimension: some, f"-{dimension}": some})
    assert ([], []) == (nothing["data"], nothing["totals"])


def test_one_currency_can_be_asked_for(world: World) -> None:
    report = world.merchant.report(**ALL, currency="EUR")
    assert {"eur"} == {row["currency"] for row in report["data"]} == set(totals(report))
    assert world.sums()["eur"] == totals(report)["eur"]


def test_shares_are_parts_of_the_net_of_their_currency(world: World) -> None:
    report = world.merchant.report("sharer", **ALL)
    sums: Counter[str] = Counter()
    for row in report["data"]:
        if row["share"] is not None:
            sums[row["currency"]] += row["share"]
    assert all(abs(total - 1) < 1e-4 for total in sums.values())
    nets = [(row["currency"], -row["net"]) for row in report["data"]]
    assert nets == sorted(nets)


def test_test_orders_stay_apart(world: World) -> None:
    tests = [order for order in world.truth if order["test"] and order["net"]]
    assert tests
    report = world.merchant.report(**ALL, livemode=False)
    assert sum(order["net"] for order in tests) == sum(total["gross"] for total in report["totals"])
    assert (False, True) == (report["livemode"], world.merchant.report(**ALL)["livemode"])


def test_csv_and_ndjson_say_the_same(world: World) -> None:
    rows = world.merchant.report("network,day", **ALL)["data"]
    http, query = world.merchant.http, {"group_by": "network,day", **ALL}
    answer = http.get("/v1/reports/attribution", params={**query, "format": "csv"})
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    shown = list(csv.DictReader(io.StringIO(answer.text, newline="")))
    assert [{name: "" if value is None else str(value) for name, value in row.items()} for row in rows] == shown
    lines = http.get("/v1/reports/attribution", params={**query, "format": "ndjson"})
    assert rows == [json.loads(line) for line in lines.text.splitlines()]


def test_a_report_key_reads_the_same(world: World) -> None:
    headers = {"Authorization": f"Bearer {world.merchant.report_key}"}
    answer = world.merchant.public.get("/v1/reports/attribution", params=ALL, headers=headers)
    assert world.merchant.report(**ALL) == ok(answer)


def test_yesterdays_report_can_be_made_again(merchant: TestMerchant, clock: TestClock) -> None:
    order = merchant.order(net=1000)
    merchant.order(net=500)
    clock.move(hours=1)
    yesterday = clock.now().isoformat()
    clock.move(seconds=1)
    before = merchant.report(as_of=yesterday, **ALL)
    clock.move(days=1)
    refund = merchant.refund(order["id"], 300)
    merchant.order(net=250)

    assert before == merchant.report(as_of=yesterday, **ALL)
    assert {"eur": (2, 1500, 0)} == totals(before)
    assert {"eur": (3, 1750, 300)} == totals(merchant.report(**ALL))
    clock.move(days=1)
    today = clock.now().isoformat()
    clock.move(seconds=1)
    ok(merchant.http.delete(f"/v1/orders/{order['id']}/refunds/{refund['id']}"))
    assert {"eur": (3, 1750, 300)} == totals(merchant.report(as_of=today, **ALL))
    assert {"eur": (3, 1750, 0)} == totals(merchant.report(**ALL))


@pytest.mark.parametrize(
    ("zone", "days"),
    [
        ("UTC", {"2026-03-01": 30, "2026-03-02": 4}),
        ("Europe/Paris", {"2026-03-01": 10, "2026-03-02": 24}),
        ("Asia/Kathmandu", {"2026-03-01": 2, "2026-03-02": 32}),
        ("America/New_York", {"2026-03-01": 34}),
    ],
)
def test_a_day_is_a_day_of_the_time_zone(merchant: TestMerchant, zone: str, days: dict[str, int]) -> None:
    for placed_at, net in (
        ("2026-03-01T18:14:59Z", 2),
        ("2026-03-01T18:15:00Z", 8),
        ("2026-03-01T23:00:00Z", 20),
        ("2026-03-02T01:00:00Z", 4),
    ):
        merchant.order(net=net, placed_at=placed_at)
    report = merchant.report("day", timezone=zone, **ALL)
    assert days == {row["day"]: row["net"] for row in report["data"]}
    first = merchant.report("day", timezone=zone, **{"from": "2026-03-01", "to": "2026-03-02"})
    assert {"2026-03-01": days["2026-03-01"]} == {row["day"]: row["net"] for row in first["data"]}
    ok(merchant.http.patch("/v1/merchant", json={"timezone": zone}))
    assert report["data"] == merchant.report("day", **ALL)["data"]


def test_a_period_includes_its_beginning_and_not_its_end(merchant: TestMerchant) -> None:
    for second, net in ((59, 1), (60, 10), (119, 100), (120, 1000)):
        merchant.order(net=net, placed_at=f"2026-03-01T10:{second // 60:02}:{second % 60:02}Z")
    report = merchant.report(**{"from": "2026-03-01T10:01:00Z", "to": "2026-03-01T10:02:00Z"})
    assert {"eur": (2, 110, 0)} == totals(report)


def test_the_default_period_is_the_last_thirty_days(merchant: TestMerchant, clock: TestClock) -> None:
    merchant.order(net=1)
    clock.move(days=30)
    assert {"eur": (1, 1, 0)} == totals(merchant.report())
    clock.move(seconds=1)
    assert [] == merchant.report()["data"]


def test_a_report_says_by_which_policy_and_when(merchant: TestMerchant, clock: TestClock) -> None:
    report = merchant.report()
    assert ([], [], True) == (report["data"], report["totals"], report["livemode"])
    assert ("last_touch", 1) == (report["policy"]["model"], report["policy_version"])
    assert report["as_of"].startswith(clock.now().strftime("%Y-%m-%dT%H:%M:%S"))


@pytest.mark.parametrize(
    ("query", "names"),
    [
        ({"group_by": "colour"}, ["network", "sharer", "depth", "month"]),
        ({"group_by": ""}, ["network"]),
        ({"group_by": "network,,colour"}, ["network"]),
        ({"format": "xml"}, ["json", "csv", "ndjson"]),
        ({"timezone": "Mars"}, ["IANA"]),
        ({"currency": "xxx"}, ["ISO 4217"]),
        ({"from": "yesterday"}, ["2026-11-22"]),
        ({"to": "0001-01-01"}, ["1970"]),
        ({"as_of": "9999-12-31T23:59:59-12:00"}, ["1970"]),
        ({"as_of": "2026-01-01T00:00:00"}, ["offset"]),
        ({"livemode": "perhaps"}, ["boolean"]),
        ({"colour": "red"}, []),
        ({"network": "a\x00b"}, ["NUL"]),
    ],
)
def test_what_a_report_does_not_know_is_refused_with_what_it_does(
    merchant: TestMerchant, query: JSON, names: list[str]
) -> None:
    answer = merchant.http.get("/v1/reports/attribution", params=query)
    assert answer.status_code == 422
    (error,) = answer.json()["errors"]
    assert error["pointer"] in query
    assert all(name in error["detail"] for name in names), error


def test_a_period_that_ends_before_it_begins_is_refused(merchant: TestMerchant) -> None:
    answer = merchant.http.get("/v1/reports/attribution", params={"from": "2026-03-02", "to": "2026-03-01"})
    assert (422, ["to"]) == (answer.status_code, [error["pointer"] for error in answer.json()["errors"]])
