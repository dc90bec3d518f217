"""The spread report: trees, their shapes, who made whom a sharer, and what was sold, against counting by hand."""

import csv
import io
import json
from collections import defaultdict
from collections.abc import Callable
from datetime import timedelta
from random import Random
from typing import Any

import pytest

from app.attribution.engine import Policy, policy_to_wire
from app.reports.spread import NUMBERS
from tests.clock import TestClock
from tests.moving import BEGAN, Past, bring, lines, sendable_history
from tests.shop import JSON, TestMerchant, ok
from tests.spreading import Counted, Plain
from tests.unit.attribution.histories import NOON, Fact
from tests.unit.attribution.reference import Reference

NewMerchant = Callable[..., TestMerchant]
ALL = {"from": "2025-01-01", "to": "2027-01-01"}
WORLDS = 120
DEFAULT: Fact = dict(policy_to_wire(Policy()))


def spread(merchant: TestMerchant, **query: Any) -> JSON:
    return dict(ok(merchant.http.get("/v1/reports/spread", params={**ALL, **query})))


def numbers(told: JSON, *names: str) -> tuple[Any, ...]:
    return tuple(told[name] for name in names)


def test_a_story_of_sharing_is_told_in_numbers(merchant: TestMerchant, clock: TestClock) -> None:
    """Ana shares; Bo and Cem come through her link, Bo twice; Bo shares on after an hour; Dee comes through his."""
    mug = merchant.product()["id"]
    ana, bo, cem, dee = (merchant.shopper() for _ in range(4))
    first = ana.share(mug, "whatsapp")
    for shopper in (bo, bo, cem):
        shopper.follow(first["code"])
    clock.move(hours=1)
    second = bo.share(mug, "x")
    dee.follow(second["code"])
    merchant.shopper().follow(second["code"], claim=False)
    merchant.order(net=1000, click_id=dee.click)
    cem_bought = merchant.order(net=500, click_id=cem.click)
    merchant.refund(cem_bought["id"], 200)
    merchant.shopper().share(mug, "email")
    clock.move(seconds=1)

    report = spread(merchant)

    whatsapp, email = report["data"]
    assert ("whatsapp", 1, 2, 2) == numbers(whatsapp, "network", "trees", "referrals", "sharers")
    assert (1, [1, 1], [1.0], 1.0, 2) == numbers(
        whatsapp, "depth", "breadth", "branching", "structural_virality", "largest_tree"
    )
    assert (5, 4, 1, 0.25, 0.5) == numbers(whatsapp, "visits", "invitations", "converted", "conversion", "k")
    assert (3600, {"eur": 1300}) == numbers(whatsapp, "median_seconds_to_reshare", "net")
    assert ("email", 0, 0, None, 0.0, None, None, {}) == numbers(
        email,
        *("network", "depth", "invitations", "conversion", "k"),
        *("structural_virality",),
        *("median_seconds_to_reshare", "net"),
    )
    totals = report["totals"]
    assert (2, 3, 3, 4, 1, 0.25, 0.333333) == numbers(
        totals, "trees", "referrals", "sharers", "invitations", "converted", "conversion", "k"
    )
    assert ("current", 1, True) == numbers(report, "policy_name", "policy_version", "livemode")


def counted(worlds: list[list[Fact]], by: str, since: int, until: int, as_of: int | None) -> tuple[JSON, JSON]:
    """What the report must say: its rows and its totals."""
    rows: dict[str, Counted] = defaultdict(Counted)
    total = Counted()
    for world in worlds:
        plain = Plain(Reference(world, DEFAULT, as_of))
        chosen: dict[str, list[str]] = defaultdict(list)
        for name in plain.referrals:
            root = plain.referrals[plain.chain(name)[-1]]
            if since <= root["at"] < until:
                value = {"network": root["network"] or "(unknown)", "sharer": plain.sharer(root["id"])}
                chosen[{**value, "kind": root["type"]}[by]].append(name)
        for row, names in chosen.items():
            plain.count(rows[row], names)
        if chosen:
            plain.count(total, [name for names in chosen.values() for name in names])
    return {name: row.told() for name, row in rows.items()}, total.told()


@pytest.fixture(scope="module")
def told() -> dict[str, tuple[TestMerchant, list[list[Fact]]]]:
    """The histories that each database was told."""
    return {}


@pytest.fixture
def world(
    told: dict[str, tuple[TestMerchant, list[list[Fact]]]], new_merchant: NewMerchant, clock: TestClock
) -> tuple[TestMerchant, list[list[Fact]]]:
    fresh = new_merchant()
    if fresh.base not in told:
        random = Random(41)
        worlds = [sendable_history(random, f"w{number}") for number in range(WORLDS)]
        facts = [fact for each in worlds for fact in each]
        random.shuffle(facts)
        answer = bring(fresh, lines(facts))
        assert (len(facts), []) == (answer["accepted"], answer["refused"])
        told[fresh.base] = fresh, worlds
    known, worlds = told[fresh.base]
    again = TestMerchant(known.id, known.secret_key, known.report_key, known.base, clock)
    return again, worlds


@pytest.mark.parametrize("by", ["network", "sharer", "kind"])
@pytest.mark.parametrize(
    ("since", "until", "as_of"), [(0, 3 * NOON, None), (NOON // 2, NOON, None), (0, NOON, NOON * 1_000_000)]
)
def test_random_histories_spread_as_plain_counting_says(
    world: tuple[TestMerchant, list[list[Fact]]], by: str, since: int, until: int, as_of: int | None
) -> None:
    merchant, worlds = world
    query: JSON = {"from": BEGAN + timedelta(seconds=since), "to": BEGAN + timedelta(seconds=until)}
    if as_of is not None:
        query["as_of"] = BEGAN + timedelta(microseconds=as_of)
    report = spread(merchant, group_by=by, **{name: at.isoformat() for name, at in query.items()})
    rows, totals = counted(worlds, by, since, until, as_of)
    told = {row.pop(by): row for row in report["data"]}
    if as_of is not None:  # credit is as old as the moment in which it was written, which is the one of moving in
        for each in (*rows.values(), totals):
            each["net"] = {}
    assert totals == report["totals"]
    assert rows == told
    assert report["data"] == sorted(report["data"], key=lambda row: -row["referrals"])
    assert totals["trees"] > 50
    merchant.close()


def test_a_tree_belongs_whole_to_the_period_in_which_it_began(merchant: TestMerchant) -> None:
    past = Past().share("a", "ana", day=0).share("b", "bo", parent="a", day=40).share("c", "cem", day=40)
    past.touch("t", "dee", "b", day=50).order("o", "dee", 700, day=51).into(merchant)
    january = spread(merchant, **{"from": "2025-01-01", "to": "2025-02-01"})["totals"]
    february = spread(merchant, **{"from": "2025-02-01", "to": "2025-03-01"})["totals"]
    march = spread(merchant, **{"from": "2025-03-01", "to": "2025-04-01"})
    assert (1, 2, [1, 1], {"eur": 700}) == numbers(january, "trees", "referrals", "breadth", "net")
    assert (1, 1, [1], {}) == numbers(february, "trees", "referrals", "breadth", "net")
    assert [] == march["data"]
    assert (0, 0, [], None, None) == numbers(march["totals"], "trees", "referrals", "breadth", "depth", "k")


def test_people_who_are_joined_later_were_one_sharer_all_along(merchant: TestMerchant) -> None:
    past = Past().share("a", "phone").share("b", "laptop", parent="a").share("c", "bo", parent="b")
    past.into(merchant)
    before = spread(merchant)["totals"]
    assert (3, 2, 2, 0.666667) == numbers(before, "sharers", "invitations", "converted", "k")
    ok(merchant.http.put("/v1/identities/phone", json={"person": "ana"}))
    ok(merchant.http.put("/v1/identities/laptop", json={"person": "ana"}))
    after = spread(merchant)["totals"]
    assert (2, 1, 1, 0.5) == numbers(after, "sharers", "invitations", "converted", "k")
    assert ["ana"] == [row["sharer"] for row in spread(merchant, group_by="sharer")["data"]]


def test_a_loop_of_another_system_begins_with_its_first(merchant: TestMerchant) -> None:
    past = Past().share("x", "xia", "x", parent="z", day=2).share("y", "yan", "email", parent="x", day=1)
    past.share("z", "zoe", "sms", parent="y", day=3).share("w", "wim", "copy", parent="z", day=4)
    past.share("self", "sam", "qr", parent="self").share("orphan", "oda", None, parent="gone").into(merchant)
    rows = {row["network"]: row["breadth"] for row in spread(merchant)["data"]}
    assert {"email": [1, 1, 2], "qr": [1], "(unknown)": [1]} == rows


def test_trees_can_be_grouped_and_filtered_by_where_they_began(merchant: TestMerchant) -> None:
    mug = merchant.product(external_id="mug")["id"]
    past = Past().share("a", "ana", "x", product="mug", day=0).share("b", "bo", "email", parent="a", day=1)
    past.share("c", "cem", "email", product="lamp", wall="home", day=31).share("d", "dee", "email", day=32)
    past.into(merchant)

    def trees(**query: Any) -> list[tuple[Any, ...]]:
        report = spread(merchant, **query)
        by = query.get("group_by", "network").split(",")
        return [numbers(row, *by, "referrals") for row in report["data"]]

    assert [("email", 2), ("x", 2)] == trees()
    assert [(mug, 2), ("(none)", 1), ("lamp", 1)] == trees(group_by="product")
    assert [("(none)", 3), ("home", 1)] == trees(group_by="wall")
    assert [("share", "2025-01-01", 2), ("share", "2025-02-01", 2)] == trees(group_by="kind,month")
    assert [("email", "(none)", 1), ("email", "lamp", 1), ("x", mug, 2)] == sorted(trees(group_by="network,product"))
    assert [("x", 2)] == trees(network="x") == trees(**{"-network": "email"}) == trees(product=mug)
    assert [("email", 2)] == trees(product=["lamp", "(none)"]) == trees(**{"-sharer": "ana"})
    assert [("email", 1)] == trees(wall="home") == trees(sharer="cem")
    assert [] == trees(sharer="bo")  # Bo began no tree


def test_sales_are_those_of_a_kept_policy_and_of_a_currency(merchant: TestMerchant) -> None:
    past = Past().share("a", "ana", "x").share("b", "bo", "email").touch("t1", "cem", "a", day=1)
    past.touch("t2", "cem", "b", day=2).order("o", "cem", 1000, day=3).order("p", "cem", 7, day=3, currency="usd")
    past.into(merchant)

    def net(**query: Any) -> dict[str, JSON]:
        return {row["network"]: row["net"] for row in spread(merchant, **query)["data"]}

    assert {"x": {}, "email": {"eur": 1000, "usd": 7}} == net()
    assert {"x": {}, "email": {"usd": 7}} == net(currency="usd")
    assert {"x": {}, "email": {}} == net(livemode=False)
    answer = merchant.http.get("/v1/reports/spread", params={**ALL, "policy": "unheard-of"})
    assert (422, "policy") == (answer.status_code, answer.json()["errors"][0]["pointer"])


def test_csv_and_ndjson_say_the_same(merchant: TestMerchant) -> None:
    past = Past().share("a", "ana", "x").share("b", "bo", parent="a").share("c", "cem", "=1+1")
    past.touch("t", "dee", "b", day=1).order("o", "dee", 5, day=2).into(merchant)
    rows = spread(merchant, group_by="network,day")["data"]
    query = {**ALL, "group_by": "network,day"}
    (first, last) = csv.DictReader(
        io.StringIO(merchant.http.get("/v1/reports/spread", params={**query, "format": "csv"}).text, newline="")
    )
    assert list(rows[0]) == list(first)
    assert ("x", "[1, 1]", "[1.0]", '{"eur": 5}') == numbers(first, "network", "breadth", "branching", "net")
    assert ("'=1+1", "[]", "", "{}") == numbers(last, "network", "branching", "structural_virality", "net")
    said = merchant.http.get("/v1/reports/spread", params={**query, "format": "ndjson"})
    assert rows == [json.loads(line) for line in said.text.splitlines()]


def test_what_was_known_then_can_be_told_again(merchant: TestMerchant, clock: TestClock) -> None:
    mug = merchant.product()["id"]
    ana, bo = merchant.shopper(), merchant.shopper()
    link = ana.share(mug)["code"]
    clock.move(hours=1)
    as_of = clock.now().isoformat()
    clock.move(hours=1)
    click = bo.follow(link)
    bo.share(mug, "x")
    merchant.order(net=10, click_id=click)
    clock.move(hours=1)
    then, now = spread(merchant, as_of=as_of)["totals"], spread(merchant)["totals"]
    assert (1, 0, 0, {}) == numbers(then, "referrals", "visits", "converted", "net")
    assert (2, 1, 1, {"eur": 10}) == numbers(now, "referrals", "visits", "converted", "net")


def test_another_merchants_trees_are_not_seen(new_merchant: NewMerchant) -> None:
    ours, theirs = new_merchant(), new_merchant()
    Past().share("a", "ana").share("b", "bo", parent="a").into(ours)
    Past().share("a", "zoe").share("c", "yan", parent="b").touch("t", "wim", "a", day=1).into(theirs)
    assert (2, 1, 0) == numbers(spread(ours)["totals"], "referrals", "trees", "visits")
    assert (2, 2, 1) == numbers(spread(theirs)["totals"], "referrals", "trees", "visits")


def test_a_report_key_reads_it_and_no_key_does_not(merchant: TestMerchant) -> None:
    assert 401 == merchant.public.get("/v1/reports/spread").status_code
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    assert ok(merchant.public.get("/v1/reports/spread", headers=headers))["data"] == []


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"group_by": "depth"}, "group_by"),
        ({"group_by": ","}, "group_by"),
        ({"from": "2026-02-02", "to": "2026-02-01"}, "to"),
        ({"currency": "xxx"}, "currency"),
        ({"colour": "red"}, "colour"),
        ({"format": "xml"}, "format"),
        ({"limit": 0}, "limit"),
        ({"sort": "k"}, "sort"),
        ({"compare": "next"}, "compare"),
    ],
)
def test_what_it_does_not_know_is_refused(merchant: TestMerchant, query: JSON, name: str) -> None:
    answer = merchant.http.get("/v1/reports/spread", params=query)
    assert (422, [name]) == (answer.status_code, [error["pointer"] for error in answer.json()["errors"]])


def test_rows_come_in_any_order_and_by_pages(merchant: TestMerchant) -> None:
    past = Past()
    for number, network in enumerate(("x", "email", "copy", "whatsapp")):
        past.share(f"s{number}", f"v{number}", network)
        for below in range(number):
            past.share(f"s{number}-{below}", f"v{number}-{below}", network, parent=f"s{number}")
    past.into(merchant)
    whole = spread(merchant)
    assert ["whatsapp", "copy", "email", "x"] == [row["network"] for row in whole["data"]]
    assert ["copy", "email", "whatsapp", "x"] == [row["network"] for row in spread(merchant, sort="network")["data"]]
    assert ["x", "email", "copy", "whatsapp"] == [row["network"] for row in spread(merchant, sort="sharers")["data"]]
    first = spread(merchant, limit=3)
    second = spread(merchant, limit=3, cursor=first["next_cursor"])
    assert (whole["data"], None) == (first["data"] + second["data"], second["next_cursor"])
    assert whole["totals"] == second["totals"]
    page = merchant.http.get("/v1/reports/spread", params={**ALL, "format": "ndjson", "limit": 3})
    rest = merchant.http.get(page.links["next"]["url"]).text
    assert ["x"] == [json.loads(line)["network"] for line in rest.splitlines()]


def test_trees_stand_beside_those_of_the_period_before(merchant: TestMerchant) -> None:
    past = Past().share("s1", "ana", "x").share("s2", "bo", "x", parent="s1", day=1).share("s3", "cem", "email")
    past.share("s4", "dan", "x", day=11).into(merchant)
    period = {"from": "2025-01-11", "to": "2025-01-21"}
    report = spread(merchant, compare="previous", **period)
    before = spread(merchant, **{"from": "2025-01-01", "to": "2025-01-11"})
    told = {row["network"]: row for row in report["data"]}
    expected = {row["network"]: {name: row[name] for name in (*NUMBERS, "k")} for row in before["data"]}
    assert expected == {name: row["previous"] for name, row in told.items()}
    assert (-0.5, -1.0) == (told["x"]["change"], told["email"]["change"])
    assert (1, 0) == (told["x"]["trees"], told["email"]["trees"])
    assert (3, -0.666667) == (report["totals"]["previous"]["referrals"], report["totals"]["change"])
    assert {"from": "2025-01-01T00:00:00Z", "to": "2025-01-11T00:00:00Z"} == report["previous"]
    text = merchant.http.get("/v1/reports/spread", params={**period, "compare": "previous", "format": "csv"}).text
    flat = {row["network"]: row for row in csv.DictReader(io.StringIO(text))}
    assert ("2", "-0.5") == (flat["x"]["previous_referrals"], flat["x"]["change"])
    answer = merchant.http.get("/v1/reports/spread", params={"compare": "previous", "group_by": "day"})
    assert (422, "compare") == (answer.status_code, answer.json()["errors"][0]["pointer"])


def test_likes_and_shares_are_told_apart_by_filters(merchant: TestMerchant) -> None:
    Past().share("s1", "ana", "x").share("s2", "bo", "onsite", type="like").into(merchant)
    assert ["x"] == [row["network"] for row in spread(merchant, kind="share")["data"]]
    assert ["onsite"] == [row["network"] for row in spread(merchant, **{"-shared_to": "x"})["data"]]
