"""`Idempotency-Key`: the same request again gets the same answer, and has one effect."""

from collections.abc import Callable
from itertools import count
from typing import Any

import httpx
import pytest

from tests.clock import TestClock
from tests.conftest import ADMIN_TOKEN
from tests.shop import TestMerchant, ok
from tests.threads import together

NewMerchant = Callable[..., TestMerchant]
_numbers = count(1)


def key() -> dict[str, str]:
    return {"Idempotency-Key": f"attempt-{next(_numbers)}"}


def titles(merchant: TestMerchant) -> list[str]:
    return [product["title"] for product in ok(merchant.http.get("/v1/products", params={"limit": 100}))["data"]]


def test_the_same_request_again_gets_the_same_answer(merchant: TestMerchant) -> None:
    again = key()
    first = merchant.http.post("/v1/products", json={"title": "Mug"}, headers=again)
    second = merchant.http.post("/v1/products", json={"title": "Mug"}, headers=again)

    assert (first.status_code, first.content) == (second.status_code, second.content)
    assert first.headers["content-type"] == second.headers["content-type"]
    assert [None, "true"] == [each.headers.get("Idempotent-Replayed") for each in (first, second)]
    assert ["Mug"] == titles(merchant)


def test_the_answer_is_the_first_ones_even_when_things_have_changed(merchant: TestMerchant) -> None:
    again = key()
    first = ok(merchant.http.post("/v1/products", json={"title": "Mug"}, headers=again))
    ok(merchant.http.delete(f"/v1/products/{first['id']}"))
    assert first == ok(merchant.http.post("/v1/products", json={"title": "Mug"}, headers=again), 201)
    assert titles(merchant) == []


def test_another_body_under_the_same_key_is_refused(merchant: TestMerchant) -> None:
    again = key()
    ok(merchant.http.post("/v1/products", json={"title": "Mug"}, headers=again))
    other = merchant.http.post("/v1/products", json={"title": "Bowl"}, headers=again)
    assert (409, "idempotency_conflict") == (other.status_code, other.json()["code"])
    assert ["Mug"] == titles(merchant)


def test_a_key_belongs_to_its_path(merchant: TestMerchant) -> None:
    again, order = key(), merchant.order(net=100)
    body = {"external_id": "r", "amount": 1}
    ok(merchant.http.post(f"/v1/orders/{order['id']}/refunds", json=body, headers=again), 201)
    other = merchant.order(net=100)
    ok(merchant.http.post(f"/v1/orders/{other['id']}/refunds", json=body, headers=again), 201)


def test_another_merchants_same_key_is_another(new_merchant: NewMerchant) -> None:
    again, one, two = key(), new_merchant(), new_merchant()
    ok(one.http.post("/v1/products", json={"title": "Mug"}, headers=again), 201)
    answer = two.http.post("/v1/products", json={"title": "Bowl"}, headers=again)
    assert "Bowl" == ok(answer, 201)["title"]


def test_the_same_merchants_other_api_key_does_not_collide(merchant: TestMerchant) -> None:
    again = key()
    other = ok(merchant.http.post("/v1/keys", json={"kind": "secret"}))["key"]
    ok(merchant.http.post("/v1/products", json={"title": "Mug"}, headers=again), 201)
    answer = merchant.public.post(
        "/v1/products", json={"title": "Bowl"}, headers={**again, "Authorization": f"Bearer {other}"}
    )
    assert "Bowl" == ok(answer, 201)["title"]


def test_a_refusal_is_final_too(merchant: TestMerchant) -> None:
    order, again = merchant.order(net=100), key()
    path, body = f"/v1/orders/{order['id']}/refunds", {"external_id": "r1", "amount": 101}
    first = merchant.http.post(path, json=body, headers=again)
    second = merchant.http.post(path, json=body, headers=again)

    assert first.status_code == second.status_code == 422
    assert first.content == second.content
    assert second.headers["content-type"] == "application/problem+json"
    assert second.headers["Idempotent-Replayed"] == "true"


def test_a_conflict_is_not_kept(merchant: TestMerchant) -> None:
    again = key()
    body = {"external_id": "o", "placed_at": "2026-03-01T10:00:00Z", "currency": "eur", "net": 5}
    ok(merchant.http.post("/v1/orders", json=body))
    conflicts = [merchant.http.post("/v1/orders", json={**body, "net": 6}, headers=again) for _ in range(2)]
    assert [409, 409] == [each.status_code for each in conflicts]
    assert ["order_exists"] * 2 == [each.json()["code"] for each in conflicts]
    assert all("Idempotent-Replayed" not in each.headers for each in conflicts)


def test_secrets_are_not_shown_twice(merchant: TestMerchant) -> None:
    again = key()
    first = ok(merchant.http.post("/v1/keys", json={"kind": "report"}, headers=again), 201)
    second = ok(merchant.http.post("/v1/keys", json={"kind": "report"}, headers=again), 201)
    assert first["key"].startswith("rk_")
    assert {**first, "key": None} == second
    assert 3 == len(ok(merchant.http.get("/v1/keys"))["data"])


def test_a_merchant_is_made_once_and_its_keys_are_shown_once(merchant: TestMerchant) -> None:
    headers = {"Authorization": f"Bearer {ADMIN_TOKEN}", **key()}
    body = {"name": "Vine", "currency": "eur"}
    first = ok(merchant.public.post("/v1/merchants", json=body, headers=headers), 201)
    second = ok(merchant.public.post("/v1/merchants", json=body, headers=headers), 201)
    assert {**first, "secret_key": None, "report_key": None} == second
    assert first["secret_key"]


def test_an_answer_is_kept_for_a_day(merchant: TestMerchant, clock: TestClock) -> None:
    again = key()
    first = ok(merchant.http.post("/v1/products", json={"title": "Mug"}, headers=again))
    clock.move(hours=23, minutes=59)
    assert first == ok(merchant.http.post("/v1/products", json={"title": "Mug"}, headers=again))
    clock.move(minutes=2)
    other = ok(merchant.http.post("/v1/products", json={"title": "Bowl"}, headers=again), 201)
    assert other["id"] != first["id"]
    assert other == ok(merchant.http.post("/v1/products", json={"title": "Bowl"}, headers=again), 201)


def test_many_at_the_same_time_have_one_effect(merchant: TestMerchant) -> None:
    for _ in range(5):
        again, body = key(), {"external_id": f"e-{next(_numbers)}", "title": "Mug"}

        def post(headers: dict[str, str] = again, json: dict[str, Any] = body) -> httpx.Response:
            return merchant.http.post("/v1/products", json=json, headers=headers)

        answers = together(*[post] * 6)

        done = [each for each in answers if each.is_success]
        busy = [each for each in answers if not each.is_success]
        assert done
        assert 1 == len({(each.status_code, each.content) for each in done})
        assert {(409, "in_progress", "1")} >= {
            (each.status_code, each.json()["code"], each.headers["Retry-After"]) for each in busy
        }
        assert 1 == sum("Idempotent-Replayed" not in each.headers for each in done)
    assert 5 == len(titles(merchant))


def test_an_upload_is_recognised_by_its_content(merchant: TestMerchant) -> None:
    again = key()

    def upload(content: bytes) -> httpx.Response:
        files = {"file": ("products.csv", content, "text/csv")}
        return merchant.http.post("/v1/imports", data={"format": "shopify_csv"}, files=files, headers=again)

    first = ok(upload(b"Handle,Title\nmug,Mug\n"), 202)
    assert first == ok(upload(b"Handle,Title\nmug,Mug\n"), 202)
    assert upload(b"Handle,Title\nbowl,Bowl\n").json()["code"] == "idempotency_conflict"


@pytest.mark.parametrize("bad", ["", "x" * 256, "é", "a\tb"])
def test_a_key_is_printable_and_short(merchant: TestMerchant, bad: str) -> None:
    headers = {"Idempotency-Key": bad.encode("latin-1")}
    answer = merchant.http.post("/v1/products", json={"title": "Mug"}, headers=headers)  # type: ignore[arg-type]
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["pointer"].lower() == "idempotency-key"
    assert titles(merchant) == []
