"""What is held or refused, over HTTP: previews, reports, the explanation and the ledger say the same, which is what the
plain second implementation says; and with the decision it is credited again."""

from random import Random

import pytest

from app.attribution import stale
from app.kernel.ids import merchant_of
from tests.api.test_reference_over_http import DEFAULT, check, check_report, expected, flat, without_reasons, worlds_of
from tests.barring import bar_some
from tests.conftest import AppServer
from tests.moving import bring, journey, lines, preview, written
from tests.shop import JSON, TestMerchant, ok
from tests.unit.attribution.histories import NOON, Fact, random_policy
from tests.unit.attribution.reference import Reference


def number_of(merchant: TestMerchant) -> int:
    number = merchant_of(merchant.id, "mer")
    assert number is not None
    return number


def with_bars(worlds: list[list[Fact]], bars: list[Fact]) -> list[list[Fact]]:
    return [world + [bar for bar in bars if any(bar["id"] == fact.get("id") for fact in world)] for world in worlds]


def decide_all(merchant: TestMerchant, server: AppServer, verdict: str) -> None:
    while data := ok(merchant.http.get("/v1/doubts", params={"state": "open", "limit": 100}))["data"]:
        for doubt in data:
            ok(
                merchant.http.post(f"/v1/doubts/{doubt['id']}/decisions", json={"verdict": verdict, "note": "looked"}),
                201,
            )
    stale.drain(server.database, server.clock, number_of(merchant))


@pytest.mark.parametrize("seed", range(2))
def test_what_is_barred_is_divided_as_if_it_were_not_there(
    app_server: AppServer, merchant: TestMerchant, seed: int
) -> None:
    if seed and not app_server.database.is_sqlite:
        pytest.skip("on PostgreSQL one is enough: the engine is the same")
    random, worlds = Random(seed), worlds_of(seed, 40)
    bring(merchant, lines(flat(worlds, random)))
    barred = with_bars(worlds, bar_some(app_server, number_of(merchant), random, 50))

    policy = random_policy(random)
    check(preview(merchant, policy), policy, expected(barred, policy, None))
    then = 4 * NOON * 1_000_000
    check(preview(merchant, policy, as_of=written(then)), policy, expected(worlds, policy, then))
    check_report(merchant, barred)
    assert expected(worlds, DEFAULT, None).by_sharer != expected(barred, DEFAULT, None).by_sharer
    check_explanations(merchant, barred)

    decide_all(merchant, app_server, "credit")
    check_report(merchant, worlds)
    check(preview(merchant, policy), policy, expected(worlds, policy, None))


def check_explanations(merchant: TestMerchant, worlds: list[list[Fact]]) -> None:
    wanted = expected(worlds, DEFAULT, None).orders
    keys = ("source", "touch", "referral", "network", "sharer", "level", "gross", "reversed", "net")
    for order in merchant.http.get("/v1/orders", params={"limit": 30}).json()["data"]:
        explained = merchant.explanation(order["id"])
        told = [{key: line[key] for key in keys} for line in explained["lines"]]
        assert without_reasons(wanted[order["external_id"]])["lines"] == told
        for part in (*explained["journey"], *filter(None, [explained["coupon"]])):
            assert (part["reason"] in ("held", "refused")) == (part["doubt"] is not None)


def test_the_explanation_says_which_doubt_it_is_and_leads_to_it(app_server: AppServer, merchant: TestMerchant) -> None:
    journey(1).into(merchant)
    bar_some(app_server, number_of(merchant), Random(1), 99)
    [order] = merchant.http.get("/v1/orders").json()["data"]
    explained: JSON = merchant.explanation(order["id"])
    [touch] = explained["journey"]
    doubt = ok(merchant.http.get(f"/v1/doubts/{touch['doubt']['id']}"))
    assert (touch["doubt"]["rule"], touch["doubt"]["about"]) == (doubt["rule"], doubt["about"])
    assert touch["reason"] in ("held", "refused")
    assert explained["doubt"]["about"] == "order"
    assert [("(none)", 10_000)] == [(line["sharer"], line["net"]) for line in explained["lines"]]


def test_the_second_implementation_knows_bars() -> None:
    world = worlds_of(1, 1)[0]
    orders = [fact for fact in world if fact["kind"] == "order" and fact["net"]]
    bars = [{"kind": "bar", "about": "order", "id": order["id"], "received_at": 0} for order in orders]
    told = [Reference(world + bars, DEFAULT).settle(order) for order in orders]
    assert {"direct"} == {line["source"] for lines_of in told for line in lines_of}
