"""What cannot be bought, over HTTP: a clear problem, and Stripe is not asked."""

from collections.abc import Callable
from typing import Any

import httpx
import pytest

from tests.conftest import AppServer
from tests.shop import TestMerchant, ok
from tests.till import Till, items, variant

FORM = {"Content-Type": "application/x-www-form-urlencoded"}


@pytest.mark.parametrize(
    ("form", "status"),
    [
        ("", 422),
        ("variant=var_unknown", 422),
        ("variant=a&variant=b&quantity=1", 422),
        ("variant={variant}&quantity=many", 422),
        ("variant={variant}&quantity=0", 422),
        ("variant={variant}&color=red", 422),
        ("variant={variant}&wall=a&wall=b", 422),
        ("variant=%ff", 400),
        ("&".join(["variant=a"] * 301), 400),
    ],
)
def test_a_form_that_cannot_be_is_refused(till: Till, seller: TestMerchant, form: str, status: int) -> None:
    content = form.replace("{variant}", variant(seller))
    answer = httpx.post(f"{till.url}/v1/checkouts", content=content, headers=FORM)

    assert status == answer.status_code
    assert answer.headers["content-type"].startswith("text/html")
    assert till.sessions_of(seller) == []


def test_a_form_that_is_sent_again_is_refused_alike(till: Till, seller: TestMerchant) -> None:
    form = {"variant": variant(seller, None)}
    headers = {"Idempotency-Key": "k", "Referer": "https://blog.example/post"}

    first, again = (httpx.post(f"{till.url}/v1/checkouts", data=form, headers=headers) for _ in range(2))

    assert (422, 422) == (first.status_code, again.status_code)
    assert first.text == again.text
    assert 'href="https://blog.example/post"' in again.text


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/items"),
        (items(), "/items"),
        (items(*[{"variant": "V", "quantity": 1}] * 101), "/items"),
        (items({"variant": "V", "quantity": 0}), "/items/0/quantity"),
        (items({"variant": "V", "quantity": 1000}), "/items/0/quantity"),
        (items({"variant": "V", "quantity": 1.5}), "/items/0/quantity"),
        (items({"variant": "V", "quantity": "1"}), "/items/0/quantity"),
        (items({"variant": "V", "quantity": True}), "/items/0/quantity"),
        (items({"variant": "V", "quantity": 1, "price": 1}), "/items/0/price"),
        (items({"variant": "nothing", "quantity": 1}), "/items/0/variant"),
        (items({"variant": "var_" + "0" * 30}), "/items/0/variant"),
        (items({"variant": "V"}, {"variant": "OTHERS"}), "/items/1/variant"),
        (items({"variant": "V"}, {"variant": "DOLLARS"}), "/items/1/variant"),
        (items({"variant": "PRICELESS"}), "/items/0/variant"),
        (items({"variant": "SOLD_OUT"}), "/items/0/variant"),
        (items({"variant": "TWO_LEFT", "quantity": 3}), "/items/0/quantity"),
        (items({"variant": "TWO_LEFT", "quantity": 2}, {"variant": "TWO_LEFT"}), "/items/1/quantity"),
        (items({"variant": "WITHDRAWN"}), "/items/0/variant"),
        (items({"variant": "V"}) | {"wall": "wall_nothing"}, "/wall"),
        (items({"variant": "V"}) | {"wall": "OTHERS_WALL"}, "/wall"),
        (items({"variant": "V"}) | {"click": "x" * 2001}, "/click"),
        (items({"variant": "V"}) | {"click": "a\x00b"}, "/click"),
        (items({"variant": "V"}) | {"coupon": "x" * 201}, "/coupon"),
        (items({"variant": "V"}) | {"color": "red"}, "/color"),
        (items({"variant": "V"}) | {"success_url": "https://evil.example/"}, "/success_url"),
        (items({"variant": "V"}) | {"success_url": "https://shop.example.evil.example/"}, "/success_url"),
        (items({"variant": "V"}) | {"success_url": "https://shop.example/a b"}, "/success_url"),
        (items({"variant": "V"}) | {"success_url": "https://shop.example\\@evil.example/"}, "/success_url"),
        (items({"variant": "V"}) | {"cancel_url": "javascript:alert(1)"}, "/cancel_url"),
        (items({"variant": "V"}) | {"cancel_url": "https://shop.example/\nfoo"}, "/cancel_url"),
        (items({"variant": "V"}) | {"cancel_url": "https://shop.example/" + "x" * 2000}, "/cancel_url"),
    ],
)
def test_what_cannot_be_bought_is_refused_by_its_pointer(
    till: Till, new_seller: Callable[..., TestMerchant], body: dict[str, Any], pointer: str
) -> None:
    seller, other = new_seller(return_urls=["https://shop.example/"]), new_seller()
    gone = seller.product()
    ok(seller.http.delete(f"/v1/products/{gone['id']}"), 204)
    dollars = {"title": "Dear", "variants": [{"price": {"amount": 1, "currency": "usd"}}]}
    named = {
        "V": variant(seller),
        "OTHERS": variant(other),
        "DOLLARS": ok(seller.http.post("/v1/products", json=dollars))["variants"][0]["id"],
        "PRICELESS": variant(seller, None),
        "SOLD_OUT": variant(seller, variants=[_stocked(0)]),
        "TWO_LEFT": variant(seller, variants=[_stocked(2)]),
        "WITHDRAWN": gone["variants"][0]["id"],
        "OTHERS_WALL": other.wall()["id"],
    }
    for item in (body := _copied(body)).get("items", []):
        item["variant"] = named.get(item["variant"], item["variant"])
    body |= {"wall": named.get(body["wall"], body["wall"])} if "wall" in body else {}

    answer = till.ask(body)

    assert answer.status_code == 422, answer.text
    assert [pointer] == [error["pointer"] for error in answer.json()["errors"]]
    assert till.sessions_of(seller) == []


def _stocked(stock: int) -> dict[str, object]:
    return {"price": {"amount": 100, "currency": "eur"}, "stock": stock}


def _copied(body: dict[str, Any]) -> dict[str, Any]:
    return {**body, **({"items": [dict(item) for item in body["items"]]} if "items" in body else {})}


def test_what_is_no_json_is_refused(till: Till) -> None:
    address = f"{till.url}/v1/checkouts"
    answers = [
        httpx.post(address, content=b"{", headers={"Content-Type": "application/json"}),
        httpx.post(address, content=b'{"items": "\xff"}', headers={"Content-Type": "application/json"}),
        httpx.post(address, content=b"{}", headers={"Content-Type": "text/plain"}),
        httpx.post(address, files={"variant": b"x"}),
        httpx.post(address, content=b" " * 70_000, headers={"Content-Type": "application/json"}),
    ]

    assert [answer.status_code for answer in answers] == [400, 400, 415, 415, 413]


@pytest.mark.parametrize(("currency", "price"), [("kwd", 12_345), ("mga", 150_001)])
def test_a_price_that_stripe_cannot_charge_is_refused(
    till: Till, new_seller: Callable[..., TestMerchant], currency: str, price: int
) -> None:
    answer = till.ask(items({"variant": variant(new_seller(currency=currency), price)}))

    assert (answer.status_code, [each["pointer"] for each in answer.json()["errors"]]) == (422, ["/items/0/variant"])


def test_what_stripe_refuses_is_said_in_its_words(till: Till, seller: TestMerchant) -> None:
    answer = till.ask(items({"variant": variant(seller, 1)}))

    assert (answer.status_code, answer.json()["code"]) == (422, "checkout_refused")
    assert "at least" in answer.json()["detail"]


def test_only_pages_on_the_merchants_list_may_sell(till: Till, new_seller: Callable[..., TestMerchant]) -> None:
    seller = new_seller(allowed_origins=["https://blog.example"])
    body = items({"variant": variant(seller)})

    assert till.ask(body, Origin="https://blog.example").status_code == 201
    assert till.ask(body, Origin=till.url).status_code == 201
    refused = till.ask(body, Origin="https://evil.example")
    assert (refused.status_code, refused.json()["code"]) == (403, "origin_not_allowed")


def test_without_a_key_for_stripe_there_is_no_checkout(app_server: AppServer, merchant: TestMerchant) -> None:
    body = items({"variant": variant(merchant)})
    answer = httpx.post(f"{app_server.url}/v1/checkouts", json=body)

    assert (answer.status_code, answer.json()["code"]) == (503, "checkout_unavailable")
    assert "retry-after" in answer.headers
