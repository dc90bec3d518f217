"""Who is whom: devices are joined by the merchant's own customer id, also long after the sale."""

import json
from collections.abc import Callable

import httpx
import pytest

from app.kernel.ids import merchant_of, new_id
from tests.clock import START, TestClock
from tests.shop import JSON, Shopper, TestMerchant, ok


def join(merchant: TestMerchant, visitor: str, person: str) -> httpx.Response:
    return merchant.http.put(f"/v1/identities/{visitor}", json={"person": person})


def earned(merchant: TestMerchant, order: str) -> dict[str, int]:
    """What the ledger says, by sharer; whom it says nothing of any more is left out."""
    sums: dict[str, int] = {}
    for entry in merchant.explanation(order)["entries"]:
        sums[entry["sharer"]] = sums.get(entry["sharer"], 0) + entry["gross"] - entry["reversed"]
    return {sharer: net for sharer, net in sums.items() if net}


@pytest.fixture
def shared(ana: Shopper, product: str) -> JSON:
    return ana.share(product)


def test_a_click_on_the_phone_counts_for_the_laptop_once_they_are_one_person(
    merchant: TestMerchant, ana: Shopper, shared: JSON, product: str, clock: TestClock
) -> None:
    phone, laptop = merchant.shopper(), merchant.shopper()
    phone.follow(shared["code"])
    laptop.like(product)
    clock.move(hours=1)
    order = merchant.order(net=1000, visitor=laptop.token)
    assert {"(none)": 1000} == earned(merchant, order["id"])

    clock.move(days=30)
    ok(join(merchant, phone.id, "mia"), 200)
    assert {"(none)": 1000} == earned(merchant, order["id"])
    ok(join(merchant, laptop.id, "mia"), 200)
    assert {ana.id: 1000} == earned(merchant, order["id"])


def test_a_person_may_be_another_visitor(merchant: TestMerchant, shared: JSON, ana: Shopper, product: str) -> None:
    phone, laptop = merchant.shopper(), merchant.shopper()
    phone.follow(shared["code"])
    laptop.like(product)
    order = merchant.order(net=1000, visitor=laptop.token)
    ok(join(merchant, laptop.id, phone.id))
    assert {ana.id: 1000} == earned(merchant, order["id"])


def test_what_was_said_last_counts_and_takes_back_what_was_said_before(
    merchant: TestMerchant, shared: JSON, ana: Shopper, product: str
) -> None:
    """All in one instant of a clock that stands still."""
    phone, laptop = merchant.shopper(), merchant.shopper()
    phone.follow(shared["code"])
    laptop.like(product)
    order = merchant.order(net=1000, visitor=laptop.token)
    for person in ("mia", "zoe", "mia", "abe"):
        ok(join(merchant, phone.id, person))
        ok(join(merchant, laptop.id, "mia"))
        assert earned(merchant, order["id"]) == ({ana.id: 1000} if person == "mia" else {"(none)": 1000})


def test_a_sharer_who_is_joined_is_credited_under_their_new_name(
    merchant: TestMerchant, shared: JSON, ana: Shopper, clock: TestClock
) -> None:
    order = bought_through(merchant, shared)
    assert {ana.id: 1000} == earned(merchant, order)
    clock.move(hours=1)
    ok(join(merchant, ana.id, "customer-7"))
    assert {"customer-7": 1000} == earned(merchant, order)
    clock.move(hours=1)
    assert {"customer-7": 1000} == {row["sharer"]: row["net"] for row in merchant.report("sharer")["data"]}


def test_ones_own_link_earns_nothing_once_it_is_known_as_ones_own(
    merchant: TestMerchant, shared: JSON, ana: Shopper
) -> None:
    bo = merchant.shopper()
    bo.follow(shared["code"])
    order = merchant.order(net=1000, visitor=bo.token)
    assert {ana.id: 1000} == earned(merchant, order["id"])
    ok(join(merchant, ana.id, bo.id))
    assert {"(none)": 1000} == earned(merchant, order["id"])
    assert "self_referral" == merchant.explanation(order["id"])["reason"]


def bought_through(merchant: TestMerchant, shared: JSON) -> str:
    bo = merchant.shopper()
    bo.follow(shared["code"])
    return str(merchant.order(net=1000, visitor=bo.token)["id"])


def test_saying_it_again_changes_nothing(merchant: TestMerchant, clock: TestClock) -> None:
    said = ok(join(merchant, "v1", "mia"), 200)
    assert {"visitor": "v1", "person": "mia", "at": "2026-03-02T10:00:00Z"} == said
    clock.move(hours=1)
    assert said == ok(join(merchant, "v1", "mia"), 200) == ok(merchant.http.get("/v1/identities/v1"), 200)


def test_whoever_is_joined_to_nobody_is_not_found(merchant: TestMerchant) -> None:
    ok(join(merchant, "v1", "v2"))
    for visitor in ("v2", "v3", new_id("vis", 10**9, START), "vt_x", "(none)", "x/y"):
        assert 404 == merchant.http.get(f"/v1/identities/{visitor}").status_code


@pytest.mark.parametrize("visitor", ["a/b/c", "mailto:mia@example.com", "%E2%82%AC%2F%3F", "1", "-", "x" * 200, "v%25"])
def test_the_visitor_of_another_system_may_be_called_anything(merchant: TestMerchant, visitor: str) -> None:
    said = ok(join(merchant, visitor, "mia"), 200)
    assert said == ok(merchant.http.get(f"/v1/identities/{visitor}"))


@pytest.mark.parametrize("visitor", ["vt_vis_abc.def", "(none)", "x" * 201, "a%00", "%20"])
def test_a_visitor_that_cannot_be_is_refused(merchant: TestMerchant, visitor: str) -> None:
    answer = join(merchant, visitor, "mia")
    assert (422, "visitor") == (answer.status_code, answer.json()["errors"][0]["pointer"])


@pytest.mark.parametrize(
    "person",
    [
        "",
        "  ",
        "(house)",
        "vt_vis_abc",
        "x" * 201,
        "a\x00",
        "\ud800",
        None,
        5,
        pytest.param(new_id("vis", 10**9, START), id="nobody's"),
    ],
)
def test_a_person_that_cannot_be_is_refused(merchant: TestMerchant, person: object) -> None:
    body = json.dumps({"person": person})
    answer = merchant.http.put("/v1/identities/v1", content=body, headers={"Content-Type": "application/json"})
    assert (422, "/person") == (answer.status_code, answer.json()["errors"][0]["pointer"])
    assert 404 == merchant.http.get("/v1/identities/v1").status_code


def test_our_ids_are_visitors_only_of_whom_they_belong_to(merchant: TestMerchant) -> None:
    for missing in (new_id("vis", 10**9, START), merchant.id, merchant.product()["id"]):
        assert 404 == join(merchant, missing, "mia").status_code
    own = new_id("vis", merchant_of(merchant.id), START)
    ok(join(merchant, own, "mia"), 200)


def test_only_the_secret_key_says_who_is_whom(merchant: TestMerchant) -> None:
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    assert 403 == merchant.public.put("/v1/identities/v1", json={"person": "mia"}, headers=headers).status_code
    assert 401 == merchant.public.put("/v1/identities/v1", json={"person": "mia"}).status_code


def test_what_one_merchant_says_is_nothing_to_another(
    merchant: TestMerchant, new_merchant: Callable[[], TestMerchant], shared: JSON, ana: Shopper
) -> None:
    other = new_merchant()
    assert 404 == join(other, ana.id, "mia").status_code
    ok(join(other, "v1", "mia"))
    assert 404 == merchant.http.get("/v1/identities/v1").status_code
