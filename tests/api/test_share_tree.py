"""The tree of one person: its nodes in pages, its totals whole, its sales by subtree."""

import csv
import io
from random import Random

import pytest
from sqlalchemy import insert, text

from app.kernel.database import table_of
from app.kernel.ids import merchant_of, new_id
from app.referrals.models import Referral
from tests.clock import START
from tests.conftest import AppServer
from tests.moving import Past
from tests.sharing import a_chain, listed, numbers, one, tree
from tests.shop import TestMerchant


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
        session.execute(text("ANALYZE"))  # so that the database thinks that this merchant has nearly nothing
        session.execute(insert(table_of(Referral)), rows)
    told = tree(merchant, "v0", depth=2, limit=2)
    assert (size - 1, size) == numbers(told["totals"], "descendants", "referrals")
    assert not deep or (size - 1, 6667.0) == numbers(told["totals"], "depth", "structural_virality")
    assert (ids[0], size - 1) == numbers(told["data"][0], "referral", "referrals_below")
