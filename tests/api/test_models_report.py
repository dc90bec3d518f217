"""The same period under every model: side by side, to the cent."""

from fractions import Fraction
from random import Random

import pytest

from app.attribution.engine import Path
from app.kernel.money import split
from tests.history import ALL
from tests.shop import TestMerchant, ok
from tests.side_by_side import LOOKED_AT, MODELS, Past, a_story, asked, column, exact_markov, paths_of, rows


@pytest.fixture
def story() -> Past:
    return a_story()


# -- what it says --------------------------------------------------------------------------------------------------


def test_every_model_divides_the_same_sales(merchant: TestMerchant, story: Past) -> None:
    story.into(merchant)
    report = asked(merchant)
    direct = {"(direct)": 500}
    assert column(report, "last_touch") == {"email": 10_000, "whatsapp": 2_000, **direct}
    assert column(report, "first_touch") == {"whatsapp": 12_000, **direct}
    assert column(report, "linear") == {"whatsapp": 3_333 + 2_000, "x": 3_333, "email": 3_334, **direct}
    assert column(report, "position_based") == {"whatsapp": 4_000 + 2_000, "x": 2_000, "email": 4_000, **direct}
    decay = split(10_000, [Fraction(2.0 ** (-age / 7)) for age in (1, 2, 3)])
    assert column(report, "time_decay") == {"email": decay[0], "x": decay[1], "whatsapp": decay[2] + 2_000, **direct}
    assert column(report, "shapley") == {"whatsapp": 8_000, "x": 2_000, "email": 2_000, **direct}
    assert column(report, "markov") == {**exact_markov(12_000, LOOKED_AT), **direct}
    assert report["totals"] == [{"currency": "eur", **dict.fromkeys(MODELS, 12_500)}]
    assert paths_of(report) == (2, 2)
    assert [row["network"] for row in report["data"]] == ["email", "whatsapp", "(direct)", "x"]


@pytest.mark.parametrize("order", [1, 2, 3])
def test_the_markov_chain_may_remember_more(merchant: TestMerchant, story: Past, order: int) -> None:
    story.touched("gil", "x", "whatsapp", "x", "email", day=1).touched("hao", "x", "whatsapp", "x", day=1)
    story.bought("gil", 5, 700).into(merchant)
    more = [Path(("x", "whatsapp", "x", "email"), 1, 0), Path(("x", "whatsapp", "x"), 0, 1)]
    report = asked(merchant, order=order)
    assert report["markov_order"] == order
    assert column(report, "markov") == {**exact_markov(12_700, [*LOOKED_AT, *more], order), "(direct)": 500}


def test_products_and_walls_are_channels_too(merchant: TestMerchant) -> None:
    mug = merchant.product("Mug")["id"]
    past = Past().shared("x", product=mug).shared("email", product="their-cup", wall="their-wall").shared("copy")
    past.touched("bea", "x", "email", "copy").bought("bea", 4, 999).bought("cem", 4, 100).into(merchant)
    by_product = asked(merchant, group_by="product")
    assert column(by_product, "linear", "product") == {mug: 333, "their-cup": 333, "(none)": 333 + 100}
    assert column(by_product, "markov", "product") == {mug: 333, "their-cup": 333, "(none)": 333 + 100}
    by_wall = asked(merchant, group_by="wall")
    assert column(by_wall, "linear", "wall") == {"their-wall": 333, "(none)": 666 + 100}
    assert column(by_wall, "shapley", "wall") == {"their-wall": 499, "(none)": 500 + 100}


def test_currencies_are_divided_each_for_itself(merchant: TestMerchant, story: Past) -> None:
    story.touched("kim", "x", day=1).bought("kim", 2, 777, currency="jpy").into(merchant)
    both = asked(merchant)
    assert [total["currency"] for total in both["totals"]] == ["eur", "jpy"]
    assert {net["last_touch"] for net in rows(both, currency="jpy").values()} == {0, 777}
    assert sum(net["markov"] for net in rows(both, currency="jpy").values()) == 777
    yen = asked(merchant, currency="jpy")
    assert yen["data"] == [row for row in both["data"] if row["currency"] == "jpy"]
    assert yen["totals"] == both["totals"][1:]


def test_a_coupon_takes_the_whole_order_under_every_model(merchant: TestMerchant) -> None:
    past = Past().shared("x", "email")
    past.tell("coupon", 0, code="ANA10", referral="s-email")
    past.touched("bea", "x").bought("bea", 3, 100, coupon="ana10").into(merchant)
    report = asked(merchant)
    assert rows(report) == {"email": dict.fromkeys(MODELS, 100)}
    assert paths_of(report) == (1, 0)


def test_a_period_without_anything_is_empty(merchant: TestMerchant) -> None:
    report = asked(merchant)
    assert (report["data"], report["totals"], paths_of(report)) == ([], [], (0, 0))
    Past().shared("x").touched("bea", "x").into(merchant)
    report = asked(merchant)
    assert (report["data"], report["totals"], paths_of(report)) == ([], [], (0, 1))
    Past().bought("cem", 3, 0).into(merchant)
    assert asked(merchant)["data"] == []


def test_a_sale_wholly_refunded_has_converted(merchant: TestMerchant) -> None:
    Past().shared("x").touched("bea", "x").bought("bea", 2, 100, refunded=100).into(merchant)
    report = asked(merchant)
    assert (report["data"], paths_of(report)) == ([], (1, 0))


# -- it adds up ----------------------------------------------------------------------------------------------------


def a_random_past(random: Random) -> Past:
    networks = ("whatsapp", "x", "email", "copy")
    past = Past().shared(*networks)
    for number in range(25):
        visitor = f"v{number}"
        for _ in range(random.randint(0, 3)):
            day = random.uniform(0, 20)
            touch = random.choice([*networks, None])
            past.touched(visitor, touch, day=day, type=random.choice(["click", "click", "like", "view", "direct"]))
        for _ in range(random.choice([0, 1, 1, 2])):
            net = random.choice([0, 1, 100, 9_999])
            refunded = random.choice([0, 0, 1, net])
            currency = random.choice(["eur", "usd"])
            past.bought(visitor, random.uniform(1, 25), net, refunded=refunded, currency=currency)
        if random.random() < 0.3:
            past.joined(visitor, random.choice(["p1", "v0", "v1"]))
    return past


@pytest.mark.parametrize("seed", range(4))
def test_totals_are_the_same_under_every_model_and_those_of_the_attribution_report(
    merchant: TestMerchant, seed: int
) -> None:
    a_random_past(Random(seed)).into(merchant)
    report = asked(merchant)
    expected = ok(merchant.http.get("/v1/reports/attribution", params=ALL))
    nets = {total["currency"]: total["net"] for total in expected["totals"] if total["net"]}
    assert report["totals"] == [{"currency": name, **dict.fromkeys(MODELS, net)} for name, net in nets.items()]
    for row in report["data"]:
        if row["network"] == "(direct)":
            assert len({row[model] for model in MODELS}) == 1
    for name in nets:
        inforce = {row["network"]: row["net"] for row in expected["data"] if row["currency"] == name and row["net"]}
        assert inforce == {
            value: net["last_touch"] for value, net in rows(report, currency=name).items() if net["last_touch"]
        }


def test_the_policy_in_force_keeps_all_but_its_model(merchant: TestMerchant, story: Past) -> None:
    ok(merchant.http.put("/v1/policy", json={"model": "linear", "windows": {"click": 2 * 86_400}}))
    story.into(merchant)
    report = asked(merchant)
    assert report["policy"]["model"] == "linear"
    assert report["policy_version"] == 2
    assert column(report, "first_touch") == {"x": 10_000, "whatsapp": 2_000, "(direct)": 500}
    assert column(report, "last_touch") == {"email": 10_000, "whatsapp": 2_000, "(direct)": 500}
    assert [row["network"] for row in report["data"]] == ["email", "x", "whatsapp", "(direct)"]


# -- who has not converted -------------------------------------------------------------------------------------------


def test_joined_devices_are_one_journey(merchant: TestMerchant) -> None:
    past = Past().shared("x", "email").touched("phone", "x").touched("laptop", "email", day=2).joined("phone", "kim")
    past.touched("tablet", "x", day=3).joined("laptop", "kim").into(merchant)
    assert paths_of(asked(merchant)) == (0, 2)
    Past().joined("tablet", "kim").into(merchant)
    assert paths_of(asked(merchant)) == (0, 1)
    Past().bought("kim", 5, 100).into(merchant)
    assert paths_of(asked(merchant)) == (1, 0)


def test_what_comes_after_the_last_order_is_a_new_journey(merchant: TestMerchant) -> None:
    past = Past().shared("x", "email", "copy").touched("bea", "x").bought("bea", 2, 100)
    past.touched("bea", "email", day=3).into(merchant)
    report = asked(merchant)
    assert paths_of(report) == (1, 1)
    assert column(report, "markov") == {"x": 100}
    assert column(report, "shapley") == {"x": 100}
    # What comes before an order belongs to it, also where the order comes after the period.
    Past().touched("cem", "copy", day=1).into(merchant)
    assert paths_of(asked(merchant)) == (1, 2)
    Past().bought("cem", 9, 100).into(merchant)
    assert paths_of(asked(merchant)) == (2, 1)
    assert paths_of(asked(merchant, to="2025-01-05")) == (1, 1)


def test_an_order_that_names_only_a_click_is_of_whoever_claimed_it(merchant: TestMerchant) -> None:
    code = merchant.shopper().share(merchant.product()["id"], "x")["code"]
    click = merchant.shopper().follow(code)
    assert paths_of(asked(merchant)) == (0, 1)
    merchant.order(click_id=click)
    assert paths_of(asked(merchant)) == (1, 0)
    unclaimed = merchant.shopper().follow(code, claim=False)
    assert paths_of(asked(merchant)) == (1, 0)
    merchant.order(click_id=unclaimed)
    assert paths_of(asked(merchant)) == (2, 0)


def test_only_what_could_earn_credit_makes_a_journey(merchant: TestMerchant) -> None:
    past = Past().shared("x", by="ana").shared("email", by="bo")
    past.touched("ana", "x").touched("cem", None, type="direct").touched("dan", "x", type="like", day=1)
    past.touched("dan", "email", type="view", day=1.5).touched("eve", "email", day=1).touched("eve", "x", day=1.5)
    past.touched("fay", "x", day=1).bought("fay", 2, 900).into(merchant)
    # Ana came through her own link, Cem through nobody's; Dan's like outranks what he only saw.
    report = asked(merchant)
    assert paths_of(report) == (1, 2)
    assert exact_markov(900, [Path(("x",), 1, 1), Path(("email", "x"), 0, 1)]) == column(report, "markov")
    assert {"x": 900} == column(report, "shapley")


def test_windows_end_a_journey_that_did_not_convert_too(merchant: TestMerchant) -> None:
    ok(merchant.http.put("/v1/policy", json={"windows": {"click": 86_400}}))
    past = Past().shared("x", "email").touched("bea", "x", day=0).touched("bea", "email", day=29.5)
    past.touched("cem", "email").bought("cem", 2, 90).into(merchant)
    report = asked(merchant)
    assert column(report, "markov") == {"email": 90}
    assert paths_of(report) == (1, 1)
