"""Products by API: what is created, what changes, and what stays the same while it does."""

from itertools import count
from typing import Any

import pytest

from tests.clock import TestClock
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together

_numbers = count(1)

BOWL: JSON = {
    "external_id": "bowl",
    "title": "Tea bowl <b>Moon</b>",
    "description": "Thrown by hand.\n<script>alert(1)</script>",
    "brand": "Colline",
    "url": "https://shop.example/bowl",
    "images": ["https://cdn.example/1.jpg", "https://cdn.example/2.jpg"],
    "variants": [
        {"external_id": "s", "title": "Small", "sku": "B-S", "price": {"amount": 2400, "currency": "eur"}, "stock": 4},
        {
            "external_id": "l",
            "title": "Large",
            "price": {"amount": 2950, "currency": "eur"},
            "compare_at": {"amount": 3500, "currency": "eur"},
            "stock": 0,
        },
    ],
    "tags": ["tea", "stoneware"],
}


def save(merchant: TestMerchant, body: JSON, status: int | None = None) -> JSON:
    return dict(ok(merchant.http.post("/v1/products", json=body), status))


def get(merchant: TestMerchant, product: str) -> JSON:
    return dict(ok(merchant.http.get(f"/v1/products/{product}")))


def variant_ids(product: JSON) -> dict[str, str]:
    return {variant["external_id"]: variant["id"] for variant in product["variants"]}


def test_a_product_is_kept_as_it_was_described(merchant: TestMerchant) -> None:
    made = save(merchant, BOWL, 201)
    assert made == get(merchant, made["id"])
    for name in ("external_id", "title", "description", "brand", "url", "images", "tags"):
        assert BOWL[name] == made[name]
    assert ["Small", "Large"] == [variant["title"] for variant in made["variants"]]
    assert [True, False] == [variant["available"] for variant in made["variants"]]
    assert {"amount": 3500, "currency": "eur"} == made["variants"][1]["compare_at"]


def test_the_same_product_again_changes_nothing(merchant: TestMerchant, clock: TestClock) -> None:
    made = save(merchant, BOWL, 201)
    clock.move(days=1)
    assert made == save(merchant, BOWL, 200)


def test_an_update_by_external_id_keeps_the_ids_of_variants(merchant: TestMerchant, clock: TestClock) -> None:
    made = save(merchant, BOWL, 201)
    clock.move(days=1)
    large, small = BOWL["variants"][1], BOWL["variants"][0]
    medium = {"external_id": "m", "title": "Medium", "price": {"amount": 2600, "currency": "eur"}}
    changed = save(merchant, {**BOWL, "title": "Moon bowl", "variants": [large, medium, {**small, "stock": 3}]}, 200)

    assert (made["id"], made["created_at"]) == (changed["id"], changed["created_at"])
    assert changed["updated_at"] > made["updated_at"]
    assert ["l", "m", "s"] == [variant["external_id"] for variant in changed["variants"]]
    assert variant_ids(made).items() <= variant_ids(changed).items()
    assert changed == get(merchant, made["id"])


def test_a_variant_that_was_gone_comes_back_with_its_id(merchant: TestMerchant) -> None:
    made = save(merchant, BOWL)
    without = save(merchant, {**BOWL, "variants": BOWL["variants"][1:]})
    assert ["l"] == list(variant_ids(without))
    assert variant_ids(made) == variant_ids(save(merchant, BOWL))


@pytest.mark.parametrize(
    "variants",
    [
        [{"sku": "a"}, {"sku": "b"}],
        [{"title": "Red"}, {"title": "Blue"}],
        [{}, {}],
        [{"external_id": "x"}, {"external_id": "x"}],
    ],
)
def test_variants_are_known_again_by_what_names_them(merchant: TestMerchant, variants: list[JSON]) -> None:
    body = {"external_id": "p", "title": "Thing", "variants": variants}
    made = save(merchant, body, 201)
    dearer = [{**variant, "price": {"amount": 100, "currency": "eur"}} for variant in variants]
    changed = save(merchant, {**body, "variants": dearer}, 200)
    assert [each["id"] for each in made["variants"]] == [each["id"] for each in changed["variants"]]
    assert changed == save(merchant, {**body, "variants": dearer}, 200)


def test_a_patch_changes_only_what_it_names(merchant: TestMerchant, clock: TestClock) -> None:
    made = save(merchant, BOWL)
    clock.move(days=1)
    changes: list[JSON] = [
        {"title": "Moon bowl"},
        {"description": ""},
        {"brand": None},
        {"url": None},
        {"images": []},
        {"tags": ["bowl", "tea", "bowl"]},
        {"variants": [BOWL["variants"][1]]},
    ]
    for change in changes:
        answer = dict(ok(merchant.http.patch(f"/v1/products/{made['id']}", json=change)))
        (name,) = change
        rest = {key: value for key, value in answer.items() if key not in (name, "updated_at")}
        assert rest == {key: value for key, value in made.items() if key not in (name, "updated_at")}
        made = get(merchant, made["id"])
        assert made == answer
    assert ["bowl", "tea"] == made["tags"]
    assert (None, None, "", []) == (made["brand"], made["url"], made["description"], made["images"])
    assert ["l"] == [variant["external_id"] for variant in made["variants"]]


def test_a_patch_that_says_nothing_changes_nothing(merchant: TestMerchant, clock: TestClock) -> None:
    made = save(merchant, BOWL)
    clock.move(days=1)
    assert made == ok(merchant.http.patch(f"/v1/products/{made['id']}", json={}))


def test_a_withdrawn_product_is_gone_and_comes_back_as_itself(merchant: TestMerchant) -> None:
    made = save(merchant, BOWL)
    path = f"/v1/products/{made['id']}"
    ok(merchant.http.delete(path), 204)
    gone = [merchant.http.get(path), merchant.http.patch(path, json={"title": "x"}), merchant.http.delete(path)]
    assert [404] * 3 == [each.status_code for each in gone]
    assert [] == ok(merchant.http.get("/v1/products"))["data"]

    back = save(merchant, BOWL, 200)
    assert (made["id"], variant_ids(made)) == (back["id"], variant_ids(back))
    assert [made["id"]] == [product["id"] for product in ok(merchant.http.get("/v1/products"))["data"]]


def test_a_product_has_prices_in_one_currency(merchant: TestMerchant) -> None:
    variants = [{"price": {"amount": 1, "currency": "eur"}}, {"price": {"amount": 1, "currency": "usd"}}]
    answer = merchant.http.post("/v1/products", json={"title": "Mug", "variants": variants})
    assert answer.status_code == 422
    assert ["/variants/1/price/currency"] == [error["pointer"] for error in answer.json()["errors"]]


def found(merchant: TestMerchant, **query: Any) -> list[str]:
    return [product["title"] for product in ok(merchant.http.get("/v1/products", params=query))["data"]]


def test_the_list_finds_by_title_tag_and_external_id(merchant: TestMerchant, clock: TestClock) -> None:
    save(merchant, {"title": "Moon bowl", "external_id": "a", "tags": ["tea", "blue"]})
    clock.move(seconds=1)
    save(merchant, {"title": "50% cotton_bag", "external_id": "b", "tags": ["bag"]})
    clock.move(seconds=1)
    save(merchant, {"title": "Sun Bowl", "external_id": "c", "tags": ["tea"]})

    assert ["Sun Bowl", "50% cotton_bag", "Moon bowl"] == found(merchant)
    assert ["Sun Bowl", "Moon bowl"] == found(merchant, q="BOWL") == found(merchant, tag="tea")
    assert ["50% cotton_bag"] == found(merchant, q="%") == found(merchant, q="_") == found(merchant, external_id="b")
    assert ["Moon bowl"] == found(merchant, q="bowl", tag="blue")
    assert [] == found(merchant, tag="TEA") == found(merchant, external_id="B") == found(merchant, q="'; --")


def test_pages_of_a_list_show_each_product_once_while_new_ones_come(merchant: TestMerchant, clock: TestClock) -> None:
    for number in range(7):
        save(merchant, {"title": f"Mug {number}"})
        clock.move(seconds=1)
    seen, cursor = [], None
    while True:
        query = {"limit": 3} | ({"cursor": cursor} if cursor else {})
        page = ok(merchant.http.get("/v1/products", params=query))
        seen += [product["title"] for product in page["data"]]
        cursor = page["next_cursor"]
        if cursor is None:
            break
        save(merchant, {"title": "A new one"})
    assert [f"Mug {number}" for number in range(6, -1, -1)] == seen


@pytest.mark.parametrize(
    "query",
    [
        {"limit": 0},
        {"limit": 101},
        {"limit": "many"},
        {"cursor": "AA"},
        {"cursor": "é"},
        {"order": "price"},
        {"q": "\x00"},
    ],
)
def test_what_a_list_does_not_know_is_refused(merchant: TestMerchant, query: JSON) -> None:
    answer = merchant.http.get("/v1/products", params=query)
    assert answer.status_code == 422
    assert list(query) == [error["pointer"] for error in answer.json()["errors"]]


def test_the_same_new_product_from_several_places_at_once_is_one(merchant: TestMerchant) -> None:
    for _ in range(5):
        body = {**BOWL, "external_id": f"bowl-{next(_numbers)}"}
        answers = together(*[lambda body=body: merchant.http.post("/v1/products", json=body)] * 5)
        assert {200, 201} >= {each.status_code for each in answers}
        assert 1 == sum(each.status_code == 201 for each in answers)
        assert 1 == len({each.json()["id"] for each in answers})
    assert 5 == len(found(merchant))
