"""Codes that speak for a referral: the latest word counts, from its moment on (attribution.md, rule 5)."""

from collections.abc import Callable

import httpx
import pytest

from app.kernel.ids import new_id
from tests.clock import START, TestClock
from tests.shop import JSON, Shopper, TestMerchant, ok


def put(merchant: TestMerchant, code: str, referral: str) -> httpx.Response:
    return merchant.http.put(f"/v1/coupons/{code}", json={"referral": referral})


def credited(merchant: TestMerchant, coupon: str | None, **fields: object) -> list[tuple[str, str]]:
    """Source and sharer of what an order with this coupon earned."""
    return lines(merchant, bought(merchant, coupon, **fields))


def bought(merchant: TestMerchant, coupon: str | None, **fields: object) -> str:
    return str(merchant.order(net=1000, coupon=coupon, **fields)["id"])


def lines(merchant: TestMerchant, order: str) -> list[tuple[str, str]]:
    return [(line["source"], line["sharer"]) for line in merchant.explanation(order)["lines"]]


def earned(merchant: TestMerchant, order: str) -> dict[str, int]:
    """What the ledger says, by sharer."""
    sums: dict[str, int] = {}
    for entry in merchant.explanation(order)["entries"]:
        sums[entry["sharer"]] = sums.get(entry["sharer"], 0) + entry["gross"]
    return {sharer: gross for sharer, gross in sums.items() if gross}


NOBODY = [("direct", "(none)")]


@pytest.fixture
def anas(merchant: TestMerchant, ana: Shopper) -> JSON:
    return ana.share(merchant.product()["id"])


@pytest.fixture
def bos(merchant: TestMerchant, bo: Shopper) -> JSON:
    return bo.share(merchant.product()["id"])


def test_a_code_takes_the_whole_order_for_its_referral(
    merchant: TestMerchant, ana: Shopper, anas: JSON, bos: JSON
) -> None:
    said = ok(put(merchant, "ANA10", anas["id"]), 200)
    assert {"code": "ANA10", "referral": anas["id"], "sharer": ana.id, "since": "2026-03-02T10:00:00Z"} == said
    buyer = merchant.shopper()
    buyer.follow(bos["code"])
    assert [("coupon", ana.id)] == credited(merchant, " ana10 ", visitor=buyer.token)
    assert said == ok(merchant.http.get("/v1/coupons/aNa10"), 200)


def test_the_latest_word_counts_from_its_second_on(
    merchant: TestMerchant, ana: Shopper, bo: Shopper, anas: JSON, bos: JSON, clock: TestClock
) -> None:
    ok(put(merchant, "TEN", anas["id"]))
    clock.move(seconds=1)
    before = bought(merchant, "TEN")
    clock.move(seconds=1)
    same_second = bought(merchant, "TEN")
    clock.move(milliseconds=300)
    ok(put(merchant, "TEN", bos["id"]))
    assert ([("coupon", ana.id)], [("coupon", bo.id)]) == (lines(merchant, before), lines(merchant, same_second))
    assert ({ana.id: 1000}, {bo.id: 1000}) == (earned(merchant, before), earned(merchant, same_second))
    assert [("coupon", bo.id)] == credited(merchant, "TEN")


def test_a_code_that_was_given_after_the_order_does_not_speak_for_it(
    merchant: TestMerchant, anas: JSON, clock: TestClock
) -> None:
    order = bought(merchant, "TEN")
    clock.move(seconds=1)
    ok(put(merchant, "TEN", anas["id"]))
    assert lines(merchant, order) == NOBODY
    assert {"(none)": 1000} == earned(merchant, order)


def test_words_in_one_instant_are_kept_in_their_order(
    merchant: TestMerchant, anas: JSON, bos: JSON, ana: Shopper, bo: Shopper
) -> None:
    order = bought(merchant, "TEN")
    for referral, sharer in ((anas, ana), (bos, bo), (anas, ana), (bos, bo)):
        assert referral["id"] == ok(put(merchant, "TEN", referral["id"]))["referral"]
        assert {sharer.id: 1000} == earned(merchant, order)
    ok(merchant.http.delete("/v1/coupons/TEN"), 204)
    assert {"(none)": 1000} == earned(merchant, order)


def test_a_withdrawn_code_speaks_for_nobody_and_orders_before_keep_it(
    merchant: TestMerchant, ana: Shopper, anas: JSON, clock: TestClock
) -> None:
    ok(put(merchant, "TEN", anas["id"]))
    order = bought(merchant, "TEN")
    clock.move(hours=1)
    assert 204 == merchant.http.delete("/v1/coupons/ten").status_code
    assert {ana.id: 1000} == earned(merchant, order)
    assert credited(merchant, "TEN") == NOBODY
    assert 404 == merchant.http.delete("/v1/coupons/ten").status_code
    assert 404 == merchant.http.get("/v1/coupons/ten").status_code
    assert [] == ok(merchant.http.get("/v1/coupons"))["data"]
    assert "ANEW" != ok(put(merchant, "TEN", anas["id"]), 200)["code"]
    assert [("coupon", ana.id)] == credited(merchant, "TEN")


def test_saying_it_again_changes_nothing(merchant: TestMerchant, anas: JSON, ana: Shopper, clock: TestClock) -> None:
    said = ok(put(merchant, "ANA10", anas["id"]))
    clock.move(hours=1)
    assert said == ok(put(merchant, "%20ana10%20", anas["id"]), 200)


def test_the_list_tells_who_is_spoken_for_now_newest_first(
    merchant: TestMerchant, anas: JSON, bos: JSON, ana: Shopper, bo: Shopper, clock: TestClock
) -> None:
    for code, referral in (("one", anas), ("two", bos), ("three", anas), ("ONE", bos), ("four", anas)):
        clock.move(seconds=1)
        ok(put(merchant, code, referral["id"]))
    ok(merchant.http.delete("/v1/coupons/four"), 204)
    shown = ok(merchant.http.get("/v1/coupons"))
    assert [("ONE", bo.id), ("three", ana.id), ("two", bo.id)] == [
        (each["code"], each["sharer"]) for each in shown["data"]
    ]
    only = ok(merchant.http.get("/v1/coupons", params={"referral": bos["id"]}))["data"]
    assert ["ONE", "two"] == [each["code"] for each in only]
    first = ok(merchant.http.get("/v1/coupons", params={"limit": 2}))
    rest = ok(merchant.http.get("/v1/coupons", params={"limit": 2, "cursor": first["next_cursor"]}))
    assert shown["data"] == first["data"] + rest["data"]
    assert rest["next_cursor"] is None
    assert [] == ok(merchant.http.get("/v1/coupons", params={"referral": "unknown"}))["data"]


def test_the_sharer_is_the_person_where_visitors_are_joined(merchant: TestMerchant, ana: Shopper, anas: JSON) -> None:
    ok(put(merchant, "ANA10", anas["id"]))
    ok(merchant.http.put(f"/v1/identities/{ana.id}", json={"person": "customer-7"}))
    assert "customer-7" == ok(merchant.http.get("/v1/coupons/ANA10"))["sharer"]
    assert "customer-7" == ok(merchant.http.get("/v1/coupons"))["data"][0]["sharer"]


@pytest.mark.parametrize("code", ["10%25/off", "ΐ" * 200, "a b", "1"])
def test_a_code_may_be_any_text(merchant: TestMerchant, anas: JSON, ana: Shopper, code: str) -> None:
    said = ok(put(merchant, code, anas["id"]), 200)
    assert said == ok(merchant.http.get(f"/v1/coupons/{code}"))
    assert [("coupon", ana.id)] == credited(merchant, said["code"])


@pytest.mark.parametrize("code", ["x" * 201, "%20", "%1C%1F", "a%00"])
def test_a_code_that_cannot_be_is_refused(merchant: TestMerchant, anas: JSON, code: str) -> None:
    answer = put(merchant, code, anas["id"])
    assert (422, "code") == (answer.status_code, answer.json()["errors"][0]["pointer"])


@pytest.mark.parametrize(
    "referral", ["", "unknown", "x" * 201, None, pytest.param(new_id("ref", 10**9, START), id="nobody's"), "a\x00b"]
)
def test_a_code_speaks_only_for_who_is_there(merchant: TestMerchant, referral: object) -> None:
    answer = merchant.http.put("/v1/coupons/TEN", json={"referral": referral})
    assert (422, "/referral") == (answer.status_code, answer.json()["errors"][0]["pointer"])
    assert 404 == merchant.http.get("/v1/coupons/TEN").status_code


def test_a_code_does_not_speak_for_what_was_taken_back(merchant: TestMerchant, ana: Shopper) -> None:
    like = ana.like(merchant.product()["id"])
    said = ok(put(merchant, "TEN", like["id"]))
    ok(ana.http.delete(f"/v1/likes/{like['id']}", headers=ana.headers))
    assert said == ok(put(merchant, "TEN", like["id"]), 200)  # it stands, and nothing is said that is new
    assert 422 == put(merchant, "ELEVEN", like["id"]).status_code


def test_a_code_is_one_merchants_own(
    merchant: TestMerchant, new_merchant: Callable[[], TestMerchant], anas: JSON
) -> None:
    other = new_merchant()
    ok(put(merchant, "TEN", anas["id"]))
    assert 404 == other.http.get("/v1/coupons/TEN").status_code
    assert 404 == other.http.delete("/v1/coupons/TEN").status_code
    assert 422 == put(other, "TEN", anas["id"]).status_code


def test_only_the_secret_key_gives_codes(merchant: TestMerchant, anas: JSON) -> None:
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    assert 403 == merchant.public.put("/v1/coupons/TEN", json={"referral": anas["id"]}, headers=headers).status_code
    assert 403 == merchant.public.get("/v1/coupons", headers=headers).status_code
    assert 401 == merchant.public.delete("/v1/coupons/TEN").status_code


# -- for a sharer ------------------------------------------------------------------------------------------------


def put_for(merchant: TestMerchant, code: str, sharer: str | None) -> httpx.Response:
    return merchant.http.put(f"/v1/coupons/{code}", json={"sharer": sharer})


def test_a_code_for_a_sharer_speaks_for_their_newest_word_that_stands(
    merchant: TestMerchant, ana: Shopper, anas: JSON, clock: TestClock
) -> None:
    assert (anas["id"], ana.id) == tuple(ok(put_for(merchant, "ANA", ana.id))[each] for each in ("referral", "sharer"))
    clock.move(seconds=1)
    newer = ana.like(merchant.product()["id"])
    assert anas["id"] == ok(merchant.http.get("/v1/coupons/ANA"))["referral"], "newest when it was said"
    said = ok(put_for(merchant, "ANA", ana.id))
    assert newer["id"] == said["referral"]
    assert said == ok(put_for(merchant, "ANA", ana.id)), "saying it again changes nothing"
    assert [("coupon", ana.id)] == credited(merchant, "ana")
    ok(merchant.public.delete(f"/v1/likes/{newer['id']}", headers=ana.headers))
    assert anas["id"] == ok(put_for(merchant, "ANA", ana.id))["referral"]


def test_a_sharer_is_the_person_with_all_their_devices(
    merchant: TestMerchant, ana: Shopper, anas: JSON, clock: TestClock
) -> None:
    phone, joined = merchant.shopper(), "/v1/identities/"
    clock.move(seconds=1)
    by_phone = phone.share(merchant.product()["id"])
    ok(merchant.http.put(joined + ana.id, json={"person": "ana@shop.example"}))
    ok(merchant.http.put(joined + phone.id, json={"person": "ana@shop.example"}))
    for name in ("ana@shop.example", ana.id, phone.id):
        said = ok(put_for(merchant, f"code of {name}", name))
        assert (by_phone["id"], "ana@shop.example") == (said["referral"], said["sharer"])
    ok(merchant.http.put(joined + phone.id, json={"person": ana.id}))
    assert anas["id"] == ok(put_for(merchant, "later", "ana@shop.example"))["referral"]
    assert by_phone["id"] == ok(put_for(merchant, "phone", phone.id))["referral"]


def test_somebody_without_a_word_that_stands_has_no_code(
    merchant: TestMerchant, ana: Shopper, anas: JSON, new_merchant: Callable[..., TestMerchant]
) -> None:
    other = new_merchant()
    buyer = merchant.shopper()
    buyer.follow(anas["code"])
    for whose, sharer in ((other, ana.id), (merchant, buyer.id), (merchant, "nobody"), (merchant, "(none)")):
        answer = put_for(whose, "CODE", sharer)
        assert (422, ["/sharer"]) == (answer.status_code, [each["pointer"] for each in answer.json()["errors"]])
        assert 404 == whose.http.get("/v1/coupons/CODE").status_code


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"referral": None, "sharer": None},
        {"referral": "ref", "sharer": "ana"},
        {"sharer": ""},
        {"sharer": "a\0"},
        {"sharer": 7},
        {"sharer": "x" * 201},
        {"sharers": "ana"},
    ],
)
def test_a_code_speaks_for_one_referral_or_one_sharer(merchant: TestMerchant, body: JSON) -> None:
    assert 422 == merchant.http.put("/v1/coupons/CODE", json=body).status_code
    assert 404 == merchant.http.get("/v1/coupons/CODE").status_code
