"""People by what their word brought; one of them; and their tree: against the reference implementation, and by hand."""

import base64
import csv
import io
import json
from collections import Counter
from collections.abc import Callable, Iterator
from random import Random
from typing import Any
from urllib.parse import quote

import pytest
from sqlalchemy import insert

from app.attribution.engine import Policy, policy_to_wire
from app.kernel.database import table_of
from app.kernel.ids import merchant_of, new_id
from app.referrals.models import Referral
from tests.clock import START, TestClock
from tests.conftest import AppServer
from tests.moving import Past, bring, lines, sendable_history
from tests.shop import JSON, TestMerchant, ok
from tests.spreading import Plain
from tests.unit.attribution.histories import Fact
from tests.unit.attribution.reference import Reference

NewMerchant = Callable[..., TestMerchant]
World = tuple[TestMerchant, list[Plain]]
ALL = {"from": "2025-01-01", "to": "2027-01-01"}
DEFAULT: Fact = dict(policy_to_wire(Policy()))


def listed(merchant: TestMerchant, **query: Any) -> list[JSON]:
    """All rows, page by page."""
    rows: list[JSON] = []
    cursor: JSON = {}
    while True:
        page = ok(merchant.http.get("/v1/sharers", params={**ALL, **query, **cursor}))
        rows += page["data"]
        if page["next_cursor"] is None:
            return rows
        cursor = {"cursor": page["next_cursor"]}


def one(merchant: TestMerchant, sharer: str, **query: Any) -> JSON:
    return dict(ok(merchant.http.get(f"/v1/sharers/{quote(sharer)}", params=query)))


def tree(merchant: TestMerchant, sharer: str, **query: Any) -> JSON:
    return dict(ok(merchant.http.get(f"/v1/sharers/{quote(sharer)}/tree", params=query)))


def numbers(told: JSON, *names: str) -> tuple[Any, ...]:
    return tuple(told[name] for name in names)


def a_chain() -> Past:
    """Ana, then Bo from her, then Cem from him; a sale through each, and one through a link of Ana's on e-mail."""
    past = Past().share("a", "ana", "x", product="mug").share("b", "bo", "whatsapp", parent="a", day=1)
    past.share("c", "cem", "sms", parent="b", day=3).share("e", "ana", "email", day=4)
    for number, (referral, net) in enumerate({"a": 100, "b": 2000, "c": 30000, "e": 7}.items()):
        past.touch(f"t{number}", f"buyer{number}", referral, day=5)
        past.order(f"o{number}", f"buyer{number}", net, day=6)
    return past


# Random histories.


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


# Stories.


def test_a_chain_shows_who_sold_and_through_whom(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    assert [("cem", 30000), ("bo", 2000), ("ana", 107)] == [numbers(row, "sharer", "net") for row in listed(merchant)]
    ana = one(merchant, "ana")
    assert (2, 2, {"eur": 107}, {"eur": 32107}) == numbers(ana, "referrals", "visits", "own_net", "subtree_net")
    assert [{"currency": "eur", "orders": 2, "gross": 107, "refunded": 0, "net": 107}] == ana["totals"]
    assert [
        {"network": "email", "referrals": 1, "visits": 1},
        {"network": "x", "referrals": 1, "visits": 1},
    ] == ana["by_network"]
    assert {"(none)", "mug"} == {each["product"] for each in ana["by_product"]}
    assert ("2025-01-01T00:00:00Z", "2025-01-05T00:00:00Z", None) == numbers(ana, "first_at", "last_at", "name")

    told = tree(merchant, "ana")
    assert [
        ("a", None, 0, {"eur": 100}, {"eur": 32100}, 2, "mug"),
        ("e", None, 0, {"eur": 7}, {"eur": 7}, 0, None),
        ("b", "a", 1, {"eur": 2000}, {"eur": 32000}, 1, None),
        ("c", "b", 2, {"eur": 30000}, {"eur": 30000}, 0, None),
    ] == [
        numbers(node, *("referral", "parent", "level", "net", "subtree_net", "referrals_below", "product"))
        for node in told["data"]
    ]
    totals = told["totals"]
    assert (2, 4, 2, 2, [2, 1, 1]) == numbers(totals, "trees", "referrals", "descendants", "depth", "breadth")
    assert (3, 1.333333, 129600) == numbers(totals, "sharers", "structural_virality", "median_seconds_to_reshare")
    assert ({"eur": 107}, {"eur": 32107}) == numbers(totals, "own_net", "subtree_net")


def test_a_tree_comes_in_pages_and_generations_while_its_totals_are_whole(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    first = tree(merchant, "ana", limit=3)
    last = tree(merchant, "ana", limit=3, cursor=first["next_cursor"])
    assert (["a", "e", "b"], ["c"], None) == (
        [node["referral"] for node in first["data"]],
        [node["referral"] for node in last["data"]],
        last["next_cursor"],
    )
    shallow = tree(merchant, "ana", depth=0)
    assert (["a", "e"], None) == ([node["referral"] for node in shallow["data"]], shallow["next_cursor"])
    assert first["totals"] == last["totals"] == shallow["totals"]
    assert ["a"] == [node["referral"] for node in tree(merchant, "ana", depth=0, limit=1)["data"]]
    rows = csv.DictReader(io.StringIO(merchant.http.get("/v1/sharers/ana/tree?format=csv").text, newline=""))
    assert ['{"eur": 32100}', '{"eur": 7}'] == [row["subtree_net"] for row in rows][:2]


def test_ones_own_referral_below_ones_own_is_told_once(merchant: TestMerchant) -> None:
    past = Past().share("a", "ana").share("b", "bo", parent="a", day=1).share("c", "ana", parent="b", day=2)
    past.touch("t", "dee", "c", day=3).order("o", "dee", 90, day=4).into(merchant)
    told = tree(merchant, "ana")
    assert [("a", 0), ("b", 1), ("c", 2)] == [numbers(node, "referral", "level") for node in told["data"]]
    assert ({"eur": 90}, {"eur": 90}) == numbers(told["totals"], "own_net", "subtree_net")
    assert numbers(told["totals"], "trees", "sharers") == (1, 2)
    assert [("b", "a"), ("c", "b")] == [numbers(node, "referral", "parent") for node in tree(merchant, "bo")["data"]]


def test_a_loop_is_cut_above_the_persons_own(merchant: TestMerchant) -> None:
    past = Past().share("x", "xia", parent="z", day=2).share("y", "yan", parent="x", day=1)
    past.share("z", "zoe", parent="y", day=3).touch("t", "dee", "y", day=4).order("o", "dee", 60, day=5).into(merchant)
    for first, others in (("x", ["y", "z"]), ("y", ["z", "x"]), ("z", ["x", "y"])):
        told = tree(merchant, {"x": "xia", "y": "yan", "z": "zoe"}[first])
        assert [first, *others] == [node["referral"] for node in told["data"]]
        assert all((2, {"eur": 60}) == numbers(node, "referrals_below", "subtree_net") for node in told["data"])


def test_people_are_shown_by_name_only_while_a_share_that_says_it_stands(
    merchant: TestMerchant, clock: TestClock, app_server: AppServer
) -> None:
    mug = merchant.product()["id"]
    ana = merchant.shopper()
    code = ana.share(mug, "x", name="Ana")["code"]
    clock.move(hours=1)
    newest = ana.share(mug, "email", name="Ana B.")["id"]
    clock.move(hours=1)
    ana.share(mug, "sms")
    click = merchant.shopper().follow(code)
    merchant.order(net=50, click_id=click)
    clock.move(seconds=1)
    (row,) = listed(merchant)
    assert (ana.id, "Ana B.", 3, 1, 1, 50) == numbers(row, "sharer", "name", "referrals", "visits", "orders", "net")
    assert "Ana B." == one(merchant, ana.id)["name"] == tree(merchant, ana.id)["name"]
    with app_server.database.transaction() as session:
        key = merchant_of(merchant.id), newest
        session.get_one(Referral, key).withdrawn_at = clock.now()
    assert "Ana" == listed(merchant)[0]["name"]
    assert [None, None, "Ana"] == sorted((node["name"] for node in tree(merchant, ana.id)["data"]), key=bool)


def test_a_person_is_found_under_the_name_that_joins_their_devices(merchant: TestMerchant) -> None:
    past = Past().share("a", "phone").share("b", "laptop", "x").touch("t", "dee", "a", day=1).order("o", "dee", day=2)
    past.into(merchant)
    assert 1 == one(merchant, "phone")["referrals"]
    for visitor in ("phone", "laptop"):
        ok(merchant.http.put(f"/v1/identities/{visitor}", json={"person": "customer/7?#"}))
    assert ["customer/7?#"] == [row["sharer"] for row in listed(merchant) if row["net"]]
    assert (2, {"eur": 10_000}) == numbers(one(merchant, "customer/7?#"), "referrals", "own_net")
    assert 2 == len(tree(merchant, "customer/7?#")["data"])
    for gone in ("phone", "laptop"):
        assert 404 == merchant.http.get(f"/v1/sharers/{gone}").status_code
        assert 404 == merchant.http.get(f"/v1/sharers/{gone}/tree").status_code


def test_a_page_shows_what_was_known_when_the_first_was_asked_for(merchant: TestMerchant, clock: TestClock) -> None:
    mug = merchant.product()["id"]
    links = []
    for net in (300, 200, 100):
        sharer = merchant.shopper()
        links.append((sharer.id, sharer.share(mug)["code"]))
        merchant.order(net=net, click_id=merchant.shopper().follow(links[-1][1]))
    clock.move(seconds=1)
    first = ok(merchant.http.get("/v1/sharers", params={"limit": 1}))
    clock.move(hours=1)
    merchant.order(net=5000, click_id=merchant.shopper().follow(links[2][1]))
    clock.move(seconds=1)
    rest = ok(merchant.http.get("/v1/sharers", params={"limit": 2, "cursor": first["next_cursor"]}))
    rows = [*first["data"], *rest["data"]]
    assert [(sharer, net) for (sharer, _), net in zip(links, (300, 200, 100), strict=True)] == [
        numbers(row, "sharer", "net") for row in rows
    ]
    assert (None, first["as_of"]) == (rest["next_cursor"], rest["as_of"])
    assert links[2][0] == listed(merchant)[0]["sharer"]


def test_periods_and_filters_choose_sales_and_activity(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    assert [("ana", 7, 1, 1)] == [
        numbers(row, "sharer", "net", "referrals", "visits") for row in listed(merchant, network="email")
    ]
    assert ["cem"] == [row["sharer"] for row in listed(merchant, **{"-sharer": ["ana", "bo"]})]
    assert [] == listed(merchant, currency="usd") == listed(merchant, livemode=False)
    assert ["ana"] == [row["sharer"] for row in listed(merchant, product="mug")]
    assert [] == ok(merchant.http.get("/v1/sharers"))["data"]  # the last thirty days
    early = one(merchant, "ana", to="2025-01-03")
    assert ([], {}, 1, 0) == numbers(early, "totals", "subtree_net", "referrals", "visits")
    assert {} == tree(merchant, "ana", **{"from": "2025-02-01"})["totals"]["subtree_net"]
    assert 4 == tree(merchant, "ana", **{"from": "2025-02-01"})["totals"]["referrals"]
    nobody = ok(merchant.http.get("/v1/sharers/ana", params={"sharer": "bo"}))
    assert [] == nobody["totals"]


def test_csv_and_ndjson_come_with_a_link_to_the_next_page(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    first = merchant.http.get("/v1/sharers", params={**ALL, "limit": 2, "format": "csv"})
    address, _, relation = first.headers["link"].partition(">; ")
    assert 'rel="next"' == relation
    second = merchant.http.get(address.removeprefix("<"))
    assert "link" not in second.headers
    rows = [*csv.DictReader(io.StringIO(first.text)), *csv.DictReader(io.StringIO(second.text))]
    assert [("cem", "30000"), ("bo", "2000"), ("ana", "107")] == [numbers(row, "sharer", "net") for row in rows]
    said = merchant.http.get("/v1/sharers", params={**ALL, "format": "ndjson"})
    assert listed(merchant) == [json.loads(line) for line in said.text.splitlines()]


@pytest.mark.parametrize("sharer", ["nobody", "(none)", "(house)", "a", "%00", "x" * 5000, "%ff", "..%2f", "", "a/b"])
def test_who_never_shared_is_not_found(merchant: TestMerchant, sharer: str) -> None:
    a_chain().into(merchant)
    for path in (f"/v1/sharers/{sharer}", f"/v1/sharers/{sharer}/tree"):
        if sharer:
            assert 404 == merchant.http.get(path).status_code


def test_another_merchants_people_are_not_found(new_merchant: NewMerchant) -> None:
    ours, theirs = new_merchant(), new_merchant()
    a_chain().into(theirs)
    Past().share("a", "zoe").into(ours)
    assert [] == listed(ours)
    for path in ("/v1/sharers/ana", "/v1/sharers/ana/tree", "/v1/sharers/bo"):
        assert (404, 200) == (ours.http.get(path).status_code, theirs.http.get(path).status_code)
    assert 1 == tree(ours, "zoe")["totals"]["referrals"]


def test_a_report_key_reads_people_and_no_key_does_not(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    for path in ("/v1/sharers", "/v1/sharers/ana", "/v1/sharers/ana/tree"):
        assert (401, 200) == (
            merchant.public.get(path).status_code,
            merchant.public.get(path, headers=headers).status_code,
        )


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_a_cursor_belongs_to_its_own_question(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    cursor = ok(merchant.http.get("/v1/sharers", params={**ALL, "limit": 1}))["next_cursor"]
    now, mark, *place = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    assert ["eur", 30000, "cem"] == place
    good = {**ALL, "cursor": cursor}
    assert 200 == merchant.http.get("/v1/sharers", params=good).status_code
    for bad in (
        "x",
        "AAAA",
        "é",
        cursor_of(now, "other", *place),
        cursor_of(now + 1, mark, *place),
        cursor_of(-1, mark, *place),
        cursor_of(str(now), mark, *place),
        cursor_of(now, mark, *place[:2]),
        cursor_of(now, mark, "eur", 2**63, "cem"),
        cursor_of(now, mark, "eur", True, "cem"),
        cursor_of(now, mark, "eur", 1, "a\0b"),
        cursor_of(now, mark, "eur", 1, "\ud800"),
        cursor_of(now, mark, "eur", 1, 2),
        cursor_of(),
        base64.urlsafe_b64encode(b"[" * 1400).decode().rstrip("="),
        "x" * 2001,
    ):
        answer = merchant.http.get("/v1/sharers", params={**ALL, "cursor": bad})
        assert (422, "cursor") == (answer.status_code, answer.json()["errors"][0]["pointer"]), bad
    assert 422 == merchant.http.get("/v1/sharers", params={**good, "network": "x"}).status_code
    assert 422 == merchant.http.get("/v1/sharers/ana/tree", params={"cursor": cursor}).status_code


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/v1/sharers", {"limit": 101}, "limit"),
        ("/v1/sharers", {"colour": "red"}, "colour"),
        ("/v1/sharers", {"policy": "unheard-of"}, "policy"),
        ("/v1/sharers/ana", {"format": "csv"}, "format"),
        ("/v1/sharers/ana", {"limit": 5}, "limit"),
        ("/v1/sharers/ana/tree", {"depth": -1}, "depth"),
        ("/v1/sharers/ana/tree", {"limit": 1001}, "limit"),
        ("/v1/sharers/ana/tree", {"as_of": "never"}, "as_of"),
    ],
)
def test_what_cannot_be_asked_is_refused(merchant: TestMerchant, path: str, query: JSON, name: str) -> None:
    answer = merchant.http.get(path, params=query)
    assert (422, [name]) == (answer.status_code, [error["pointer"] for error in answer.json()["errors"]])


@pytest.mark.parametrize("deep", [True, False])
def test_twenty_thousand_below_one_person_are_told(merchant: TestMerchant, app_server: AppServer, deep: bool) -> None:
    number, size = merchant_of(merchant.id), 20_000
    ids = [new_id("ref", number, START) for _ in range(size)]
    random = Random(5)
    rows = [
        {
            "merchant_id": number,
            "referral_id": name,
            "kind": "share",
            "visitor_id": f"v{place}",
            "target": "/",
            "parent_id": None if not place else ids[place - 1 if deep else random.randrange(place)],
            "at": START,
            "received_at": START,
        }
        for place, name in enumerate(ids)
    ]
    with app_server.database.transaction() as session:
        session.execute(insert(table_of(Referral)), rows)
    told = tree(merchant, "v0", depth=2, limit=2)
    assert (size - 1, size) == numbers(told["totals"], "descendants", "referrals")
    assert not deep or (size - 1, 6667.0) == numbers(told["totals"], "depth", "structural_virality")
    assert (ids[0], size - 1) == numbers(told["data"][0], "referral", "referrals_below")
