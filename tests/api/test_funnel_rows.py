"""The funnel's rows: what adds up, in which currency; who came without a link; and how many rows there may be."""

import pytest

from tests.api.funnels import COUNTS, by, funnel, refused, some, tell
from tests.clock import START, TestClock
from tests.history import written
from tests.moving import bring
from tests.shop import JSON, TestMerchant, ok


@pytest.fixture
def story(merchant: TestMerchant, clock: TestClock) -> JSON:
    return tell(merchant, clock)


def test_each_currency_has_its_row_with_the_same_counts(merchant: TestMerchant, story: JSON) -> None:
    merchant.order(net=300, currency="usd", click_id=None)
    rows = {row["currency"]: row for row in funnel(merchant)["data"]}
    assert {"eur": 800, "usd": 300} == {currency: row["net"] for currency, row in rows.items()}
    assert some(rows["eur"]) == some(rows["usd"])
    (yen,) = funnel(merchant, currency="jpy")["data"]
    assert ("jpy", 0, 2) == (yen["currency"], yen["net"], yen["visits"])


def test_rows_of_the_own_currency_have_all_counts_and_add_up(merchant: TestMerchant, story: JSON) -> None:
    ok(merchant.public.post("/v1/beacons", json=[{"type": "wall_view", "wall": story["wall"]}]), 202)
    merchant.order(net=300, currency="usd", click_id=None)
    for query in ({}, {"currency": "usd"}, {"currency": "jpy"}):
        for group_by in ("network", "product", "day", "wall,day"):
            report = funnel(merchant, group_by=group_by, **query)
            (total,) = (each for each in report["totals"] if each["currency"] == query.get("currency", "eur"))
            rows = [row for row in report["data"] if row["currency"] == total["currency"]]
            for name in (*COUNTS, "net"):
                assert total[name] == sum(row[name] for row in rows), (group_by, name)
    sold = {(row["network"], row["currency"]): row for row in funnel(merchant, group_by="network")["data"]}
    assert (0, 300) == tuple(sold["(direct)", each]["net"] for each in ("eur", "usd"))
    assert some(sold["(direct)", "eur"]) == some(sold["(direct)", "usd"])
    assert ("whatsapp", "usd") not in sold
    places = [(row["currency"], -row["visits"]) for row in funnel(merchant, group_by="network")["data"]]
    assert sorted(places) == places


def test_the_eurs_total_is_there_where_only_dollars_were_paid(merchant: TestMerchant, clock: TestClock) -> None:
    merchant.order(net=300, currency="usd")
    clock.move(seconds=1)
    report = funnel(merchant, group_by="network")
    assert [("(direct)", "usd", 300)] == [(row["network"], row["currency"], row["net"]) for row in report["data"]]
    assert [("eur", 0), ("usd", 300)] == [(each["currency"], each["net"]) for each in report["totals"]]


def test_people_without_a_link_are_one_group_and_referrals_without_a_network_another(
    merchant: TestMerchant, story: JSON, clock: TestClock
) -> None:
    at = START.isoformat()
    nowhere: JSON = {"id": "s1", "visitor": "v1", "network": None, "at": at}
    bring(
        merchant,
        written(
            [
                {"kind": "referral", "type": "share", **nowhere},
                {"kind": "touch", "type": "click", **nowhere, "id": "t1", "visitor": "v2", "referral": "s1"},
            ]
        ),
    )
    merchant.order(net=700)
    clock.move(seconds=1)
    direct, unknown = {"wall_views": 1, "card_views": 1, "card_opens": 1}, {"shares": 1, "visits": 1}
    rows = {row["network"]: row for row in funnel(merchant, group_by="network")["data"]}
    assert (direct, 1, 700) == (some(rows["(direct)"]), rows["(direct)"]["orders"], rows["(direct)"]["net"])
    assert unknown == some(rows["(unknown)"])
    for name, expected in (("(direct)", direct), ("(unknown)", unknown), ("(none)", {})):
        assert expected == some(funnel(merchant, network=name)["totals"][0])
        assert rows.keys() - {name} == by(funnel(merchant, group_by="network", **{"-network": name}), "network").keys()


def test_more_days_than_anybody_reads_are_refused(merchant: TestMerchant, clock: TestClock) -> None:
    """One share of long ago is enough to make them."""
    long_ago = {
        "kind": "referral",
        "type": "share",
        "id": "s",
        "visitor": "v",
        "network": "x",
        "at": "1970-06-01T00:00Z",
    }
    bring(merchant, written([long_ago]))
    merchant.shopper().share(merchant.product()["id"], "x")
    ever = {"from": "1970-01-01", "to": "2027-01-01"}
    pointer, detail = refused(merchant, group_by="product,day", product="prod_x", **ever)
    assert ("group_by", True) == (pointer, "more days: at most 4,000" in detail), detail
    assert 2 == sum(row["shares"] for row in funnel(merchant, group_by="network,week", **ever)["data"])
    assert 1 == sum(row["shares"] for row in funnel(merchant, group_by="day", **{**ever, "from": "2016-01-01"})["data"])
