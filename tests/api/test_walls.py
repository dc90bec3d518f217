"""Walls: what is on them, in which order, and nothing of anybody else's."""

from collections.abc import Callable

import pytest

from app.kernel.database import Database
from app.kernel.ids import merchant_of, new_id
from app.walls import service
from tests.clock import START, TestClock
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]


def shown(database: Database, wall: JSON) -> list[str]:
    """The titles that the wall shows now, in order."""
    with database.reading() as session:
        found = service.get(session, merchant_of(wall["id"]), wall["id"])
        return [product.title for product in service.products(session, found)]


def ids(merchant: TestMerchant, *titles: str) -> list[str]:
    return [merchant.product(title)["id"] for title in titles]


def test_a_wall_keeps_the_order_of_its_products(merchant: TestMerchant, app_server: AppServer) -> None:
    mug, bowl, vase = ids(merchant, "Mug", "Bowl", "Vase")
    wall = merchant.wall(vase, mug, bowl, mug)
    assert [vase, mug, bowl] == wall["products"]
    assert ["Vase", "Mug", "Bowl"] == shown(app_server.database, wall)

    changed = ok(merchant.http.patch(f"/v1/walls/{wall['id']}", json={"products": [bowl, vase]}))
    assert [bowl, vase] == changed["products"]
    assert changed == ok(merchant.http.get(f"/v1/walls/{wall['id']}"))
    assert ["Bowl", "Vase"] == shown(app_server.database, wall)


def test_a_wall_has_what_it_was_given_and_defaults_for_the_rest(merchant: TestMerchant) -> None:
    plain = merchant.wall()
    assert ("grid", None, None, []) == (plain["layout"], plain["locale"], plain["landing"], plain["products"])
    given = {"layout": "carousel", "locale": "fr-CA", "landing": "merchant"}
    theme = {"scheme": "dark", "accent": "#aabbcc", "radius": 12}
    wall = merchant.wall(theme=theme, **given)
    assert {**given, "theme": theme}.items() <= wall.items()
    emptied = ok(merchant.http.patch(f"/v1/walls/{wall['id']}", json={"locale": None, "landing": None, "title": "New"}))
    assert (None, None, "New", theme) == tuple(emptied[name] for name in ("locale", "landing", "title", "theme"))


def test_products_of_another_merchant_or_of_nobody_are_refused(new_merchant: NewMerchant) -> None:
    ours, theirs = new_merchant(), new_merchant()
    (mug,), (foreign,) = ids(ours, "Mug"), ids(theirs, "Theirs")
    withdrawn = ours.product("Gone")["id"]
    ok(ours.http.delete(f"/v1/products/{withdrawn}"))
    wall = ours.wall(mug)
    answers = []
    for bad in (foreign, withdrawn, new_id("prod", merchant_of(mug), START), "prod_", wall["id"], "x"):
        made = ours.http.post("/v1/walls", json={"title": "Wall", "products": [mug, bad]})
        changed = ours.http.patch(f"/v1/walls/{wall['id']}", json={"title": "Other", "products": [mug, bad]})
        answers += [made, changed]
    assert {422} == {each.status_code for each in answers}
    assert {"/products/1"} == {error["pointer"] for each in answers for error in each.json()["errors"]}
    assert 1 == len({each.content for each in answers})
    assert wall == ok(ours.http.get(f"/v1/walls/{wall['id']}"))
    assert 1 == len(ok(ours.http.get("/v1/walls"))["data"])


def test_a_rule_fills_a_wall_by_itself(merchant: TestMerchant, app_server: AppServer, clock: TestClock) -> None:
    for title, tag in (("Moon bowl", "tea"), ("Sun bowl", "tea"), ("Moon lamp", "light")):
        merchant.product(title, tags=[tag])
        clock.move(seconds=1)
    tea = merchant.wall(title="Tea")
    tea = ok(merchant.http.patch(f"/v1/walls/{tea['id']}", json={"products": {"tag": "tea"}}))
    assert {"tag": "tea", "q": None, "limit": 100} == tea["products"]
    assert ["Sun bowl", "Moon bowl"] == shown(app_server.database, tea)

    merchant.product("Star bowl", tags=["tea"])
    assert ["Star bowl", "Sun bowl", "Moon bowl"] == shown(app_server.database, tea)

    moons = ok(merchant.http.post("/v1/walls", json={"title": "Moons", "products": {"q": "moon", "limit": 1}}), 201)
    assert ["Moon lamp"] == shown(app_server.database, moons)

    (mug,) = ids(merchant, "Mug")
    by_hand = ok(merchant.http.patch(f"/v1/walls/{tea['id']}", json={"products": [mug]}))
    assert [mug] == by_hand["products"]
    assert ["Mug"] == shown(app_server.database, tea)


def test_a_withdrawn_product_leaves_its_walls_and_returns_to_its_place(
    merchant: TestMerchant, app_server: AppServer
) -> None:
    mug, bowl, vase = (merchant.product(title, external_id=title)["id"] for title in ("Mug", "Bowl", "Vase"))
    wall = merchant.wall(mug, bowl, vase)
    ok(merchant.http.delete(f"/v1/products/{bowl}"))
    assert ["Mug", "Vase"] == shown(app_server.database, wall)
    merchant.product("Bowl", external_id="Bowl")
    assert ["Mug", "Bowl", "Vase"] == shown(app_server.database, wall)


def test_what_a_wall_says_of_itself_can_be_sent_back_though_a_product_was_withdrawn(merchant: TestMerchant) -> None:
    kept, withdrawn = merchant.product()["id"], merchant.product()["id"]
    wall = merchant.wall(kept, withdrawn)
    ok(merchant.http.delete(f"/v1/products/{withdrawn}"), 204)

    said = ok(merchant.http.get(f"/v1/walls/{wall['id']}"))["products"]

    assert [kept, withdrawn] == ok(merchant.http.patch(f"/v1/walls/{wall['id']}", json={"products": said}))["products"]


def test_a_withdrawn_wall_is_gone(merchant: TestMerchant) -> None:
    wall = merchant.wall()
    path = f"/v1/walls/{wall['id']}"
    ok(merchant.http.delete(path), 204)
    gone = [merchant.http.get(path), merchant.http.patch(path, json={}), merchant.http.delete(path)]
    assert [404] * 3 == [each.status_code for each in gone]
    assert [] == ok(merchant.http.get("/v1/walls"))["data"]


def test_a_wall_of_a_thousand_cards_is_possible_and_one_more_is_not(merchant: TestMerchant) -> None:
    (mug,) = ids(merchant, "Mug")
    assert [mug] == ok(merchant.http.post("/v1/walls", json={"title": "Wall", "products": [mug] * 1000}), 201)[
        "products"
    ]
    answer = merchant.http.post("/v1/walls", json={"title": "Wall", "products": [mug] * 1001})
    assert answer.status_code == 422
    assert "/products" in [error["pointer"] for error in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("layout", "mosaic"),
        ("theme", {"accent": "red"}),
        ("theme", {"accent": "#fff;}body{display:none"}),
        ("theme", {"radius": 41}),
        ("theme", {"scheme": "neon"}),
        ("theme", {"font": "x"}),
        ("locale", "français"),
        ("locale", "e"),
        ("landing", "moon"),
        ("title", ""),
        ("title", "x" * 301),
        ("products", "prod_1"),
        ("products", {"limit": 0}),
        ("products", {"tags": "tea"}),
        ("products", [1]),
        ("products", [None]),
    ],
)
def test_what_no_wall_can_be_is_refused(merchant: TestMerchant, field: str, value: object) -> None:
    answer = merchant.http.post("/v1/walls", json={"title": "Wall", field: value})
    assert answer.status_code == 422
    pointers = [error["pointer"] for error in answer.json()["errors"]]
    assert all(pointer.startswith(f"/{field}") for pointer in pointers), pointers
    assert not [pointer for pointer in pointers if "[" in pointer or "Rule" in pointer]
    assert [] == ok(merchant.http.get("/v1/walls"))["data"]
