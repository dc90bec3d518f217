"""Connecting a shop of another system: its address, its secret, and whom the address believes."""

import json
import re
from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import select

from app.kernel.ids import merchant_of
from app.orders.connectors.models import Connector, ShopOrder
from tests.conftest import ADMIN_TOKEN, AppServer
from tests.other_shops import SECRET, OtherShop, shopify_order, signature, woocommerce_order
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]
SYSTEMS = ("shopify", "woocommerce")
PAID = {"shopify": ("orders/paid", shopify_order()), "woocommerce": ("order.updated", woocommerce_order())}


@pytest.fixture(params=SYSTEMS)
def shop(request: pytest.FixtureRequest, merchant: TestMerchant) -> OtherShop:
    return OtherShop(merchant, request.param)


def tell_paid(shop: OtherShop, **headers: str) -> httpx.Response:
    topic, body = PAID[shop.system]
    return shop.send(topic, body, **headers)


def rows(server: AppServer, merchant: TestMerchant) -> list[Connector]:
    with server.database.reading() as session:
        return list(session.scalars(select(Connector).where(Connector.merchant_id == merchant_of(merchant.id))))


def test_before_anything_is_connected_the_merchant_is_told_what_to_enter(
    merchant: TestMerchant, app_server: AppServer
) -> None:
    listed = ok(merchant.http.get("/v1/connectors"))
    assert (list(SYSTEMS), None) == ([each["system"] for each in listed["data"]], listed["next_cursor"])
    for shown in listed["data"]:
        assert shown == ok(merchant.http.get(f"/v1/connectors/{shown['system']}"))
        assert f"{app_server.url}/v1/connectors/{shown['system']}/{merchant.id}" == shown["webhook_url"]
        assert f'<script type="module" src="{app_server.url}/shop.js"></script>' == shown["snippet"]
        assert not shown["connected"]
        assert {None} == {shown[name] for name in ("hint", "connected_at", "heard_at", "refused_at", "secret")}
    assert ["orders/create", "orders/paid"] == listed["data"][0]["topics"][:2]
    assert ["order.created", "order.updated", "order.deleted", "order.restored"] == listed["data"][1]["topics"]


def test_a_secret_is_sealed_and_never_shown_again(merchant: TestMerchant, app_server: AppServer, clock: object) -> None:
    shown = ok(merchant.http.put("/v1/connectors/shopify", json={"secret": f"  {SECRET}\n"}))
    assert (True, SECRET[-4:], None) == (shown["connected"], shown["hint"], shown["secret"])
    assert shown["connected_at"] == "2026-03-02T10:00:00Z"
    (row,) = rows(app_server, merchant)
    assert SECRET not in row.secret
    assert SECRET not in merchant.http.get("/v1/connectors").text
    assert tell_paid(OtherShop(merchant, "shopify")).status_code == 200


def test_woocommerces_secret_is_made_where_none_is_given_shown_once_and_stays(merchant: TestMerchant) -> None:
    first = merchant.http.put("/v1/connectors/woocommerce", json={}, headers={"Idempotency-Key": "connect"})
    made = ok(first)["secret"]
    assert len(made) >= 40
    assert made.endswith(ok(first)["hint"])
    again = ok(merchant.http.put("/v1/connectors/woocommerce", json={}, headers={"Idempotency-Key": "connect"}))
    assert {**ok(first), "secret": None} == again
    assert {**ok(first), "secret": None} == ok(merchant.http.put("/v1/connectors/woocommerce"))
    body = json.dumps(woocommerce_order()).encode()
    headers = {"X-WC-Webhook-Signature": signature(body, made), "X-WC-Webhook-Topic": "order.created"}
    assert ok(merchant.public.post(again["webhook_url"], content=body, headers=headers))["kept"]


def test_shopify_shows_its_secret_so_it_must_be_given(merchant: TestMerchant) -> None:
    for answer in (merchant.http.put("/v1/connectors/shopify", json={}), merchant.http.put("/v1/connectors/shopify")):
        assert (422, "/secret") == (answer.status_code, answer.json()["errors"][0]["pointer"])


@pytest.mark.parametrize("secret", ["short", "x" * 256, "with space", "with\x00nul", "grün-grün-grün", 5, ["a" * 10]])
def test_a_secret_that_can_be_none_is_refused(merchant: TestMerchant, secret: object) -> None:
    answer = merchant.http.put("/v1/connectors/shopify", json={"secret": secret})
    assert (422, "/secret") == (answer.status_code, answer.json()["errors"][0]["pointer"])
    assert not ok(merchant.http.get("/v1/connectors/shopify"))["connected"]


def test_another_secret_takes_the_place_of_the_first(shop: OtherShop) -> None:
    connected = shop.shown()["connected_at"]
    shop.merchant.clock.move(days=1)
    other = OtherShop(shop.merchant, shop.system, "another-secret-of-its-own")
    assert connected == other.shown()["connected_at"]
    assert tell_paid(shop).status_code == 400
    assert tell_paid(other).status_code == 200


def test_a_message_is_noted_and_a_wrong_one_too(shop: OtherShop) -> None:
    assert ok(tell_paid(shop)) == {"received": True, "kept": True, "detail": None}
    assert ("2026-03-02T10:00:00Z", None) == (shop.shown()["heard_at"], shop.shown()["refused_at"])
    shop.merchant.clock.move(minutes=10)
    shop.secret = "not-the-secret-of-it"
    assert tell_paid(shop).status_code == 400
    shop.merchant.clock.move(seconds=10)  # not with each one: whoever knows the address may send many
    assert tell_paid(shop).status_code == 400
    assert ("2026-03-02T10:00:00Z", "2026-03-02T10:10:00Z") == (shop.shown()["heard_at"], shop.shown()["refused_at"])


@pytest.mark.parametrize(
    "forged",
    ["", "x", "=" * 44, "é" * 20, signature(b"another body", SECRET), signature(b"", SECRET).lower(), "a" * 5000],
    ids=["none", "short", "padding", "not ascii", "of another body", "of nothing", "long"],
)
def test_what_the_shop_has_not_signed_is_refused_and_changes_nothing(shop: OtherShop, forged: str) -> None:
    topic, body = PAID[shop.system]
    name = {"shopify": "X-Shopify-Hmac-Sha256", "woocommerce": "X-WC-Webhook-Signature"}[shop.system]
    answer = shop.post(json.dumps(body).encode(), topic, **{name: forged.encode("latin-1")})  # type: ignore[arg-type]
    assert (400, "bad_signature") == (answer.status_code, answer.json()["code"])
    assert [] == shop.orders()


def test_a_body_that_was_changed_after_it_was_signed_is_refused(shop: OtherShop) -> None:
    topic, body = PAID[shop.system]
    name = {"shopify": "X-Shopify-Hmac-Sha256", "woocommerce": "X-WC-Webhook-Signature"}[shop.system]
    signed = signature(json.dumps(body).encode(), shop.secret)
    changed = json.dumps(body | {"total": "9.00", "total_price": "9.00"}).encode()
    assert shop.post(changed, topic, **{name: signed}).status_code == 400


def test_another_merchants_address_does_not_believe_ones_own_secret(
    shop: OtherShop, new_merchant: NewMerchant, app_server: AppServer
) -> None:
    theirs = OtherShop(new_merchant(), shop.system, "the-secret-of-the-others")
    ours, theirs.secret = shop.secret, shop.secret
    assert tell_paid(theirs).status_code == 400
    theirs.secret, shop.secret = ours, "the-secret-of-the-others"
    assert tell_paid(shop).status_code == 400
    assert [] == [*shop.orders(), *theirs.orders()]
    with app_server.database.reading() as session:
        numbers = [merchant_of(each.merchant.id) for each in (shop, theirs)]
        assert [] == session.scalars(select(ShopOrder).where(ShopOrder.merchant_id.in_(numbers))).all()


def test_one_systems_secret_says_nothing_for_the_other_system(merchant: TestMerchant) -> None:
    one, other = OtherShop(merchant, "shopify"), OtherShop(merchant, "woocommerce", "another-secret-of-its-own")
    other.secret = one.secret
    assert tell_paid(other).status_code == 400


@pytest.mark.parametrize("where", ["shopify/{}x", "magento/{}", "shopify/mer_x", "shopify/wall_" + "0" * 30])
def test_an_address_that_is_none_is_not_found(merchant: TestMerchant, where: str) -> None:
    OtherShop(merchant, "shopify")
    answer = merchant.public.post(f"/v1/connectors/{where.format(merchant.id)}", content=b"{}")
    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


def test_a_shop_that_is_not_connected_is_not_found(shop: OtherShop, new_merchant: NewMerchant) -> None:
    url = shop.url.replace(shop.merchant.id, new_merchant().id)
    assert shop.merchant.public.post(url, content=b"{}").status_code == 404
    assert shop.merchant.http.delete(f"/v1/connectors/{shop.system}").status_code == 204
    assert tell_paid(shop).status_code == 404
    assert shop.merchant.http.delete(f"/v1/connectors/{shop.system}").status_code == 404
    assert not shop.shown()["connected"]


def test_what_was_disconnected_can_be_connected_again(shop: OtherShop, app_server: AppServer) -> None:
    shop.merchant.http.delete(f"/v1/connectors/{shop.system}")
    assert [""] == [row.secret for row in rows(app_server, shop.merchant)]
    shop.merchant.clock.move(days=1)
    again = OtherShop(shop.merchant, shop.system)
    assert tell_paid(again).status_code == 200
    assert "2026-03-03T10:00:00Z" == again.shown()["connected_at"]


def test_a_merchant_who_has_left_is_not_found(shop: OtherShop) -> None:
    gone = shop.merchant.public.delete(
        f"/v1/merchants/{shop.merchant.id}", headers={"Authorization": f"Bearer {ADMIN_TOKEN}"}
    )
    assert gone.status_code == 204
    assert tell_paid(shop).status_code == 404


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE"])
def test_an_unknown_system_is_not_found(merchant: TestMerchant, method: str) -> None:
    answer = merchant.http.request(method, "/v1/connectors/magento", json={"secret": SECRET})
    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


def test_a_report_key_connects_nothing(merchant: TestMerchant) -> None:
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    for method, path in (("GET", ""), ("GET", "/shopify"), ("PUT", "/shopify"), ("DELETE", "/shopify")):
        answer = merchant.public.request(method, f"/v1/connectors{path}", headers=headers, json={"secret": SECRET})
        assert answer.status_code == 403, (method, path)


def test_woocommerces_ping_is_answered_200_and_says_nothing(merchant: TestMerchant) -> None:
    shop = OtherShop(merchant, "woocommerce")
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for body, status in ((b"webhook_id=12", 200), (b"webhook_id=12&x=1", 400), (b"webhook_id=x", 400), (b"", 400)):
        assert status == merchant.public.post(shop.url, content=body, headers=form).status_code, body
    assert shop.shown()["heard_at"] is None
    shopify = OtherShop(merchant, "shopify")
    assert merchant.public.post(shopify.url, content=b"webhook_id=12", headers=form).status_code == 400


@pytest.mark.parametrize(
    ("system", "topic", "body", "trouble"),
    [
        ("shopify", "orders/paid", b"{", "The body is not JSON."),
        ("shopify", "orders/paid", b"[]", "The body is not one object of JSON."),
        ("shopify", "orders/paid", b'{"id": 5}', "Its currency is missing or unknown."),
        ("shopify", "refunds/create", b'{"id": 5}', "Its order_id is missing or no number."),
        ("woocommerce", "order.updated", b'{"id": 5, "date_modified_gmt": "?"}', "Its date_modified_gmt is missing"),
    ],
)
def test_what_is_signed_and_cannot_be_read_is_noted_and_does_not_switch_the_webhook_off(
    merchant: TestMerchant, system: str, topic: str, body: bytes, trouble: str
) -> None:
    shop = OtherShop(merchant, system)
    answer = ok(shop.post(body, topic), 200)
    assert answer["kept"] is False
    assert answer["detail"].startswith(f"{topic}: {trouble}")
    shown = shop.shown()
    assert (answer["detail"], "2026-03-02T10:00:00Z") == (shown["trouble"], shown["trouble_at"])
    assert "2026-03-02T10:00:00Z" == shown["heard_at"]
    assert OtherShop(merchant, system).shown()["trouble"] is None


@pytest.mark.parametrize(("system", "topic"), [("shopify", "orders/edited"), ("woocommerce", "product.updated")])
def test_topics_that_tell_nothing_of_orders_are_answered_alike(merchant: TestMerchant, system: str, topic: str) -> None:
    shop = OtherShop(merchant, system)
    assert ok(shop.send(topic, {"id": 1}), 200) == {
        "received": True, "kept": False, "detail": "This topic tells nothing of orders.",
    }  # fmt: skip
    assert shop.shown()["trouble"] is None


def test_an_enormous_message_is_refused(shop: OtherShop) -> None:
    answer = shop.post(b'{"a": "' + b"x" * (4 * 1024 * 1024) + b'"}', "orders/paid")
    assert (413, "too_large") == (answer.status_code, answer.json()["code"])


def test_where_the_servers_secret_is_another_the_shop_is_asked_to_send_again(
    shop: OtherShop, app_server: AppServer
) -> None:
    with app_server.database.transaction() as session:
        place = (merchant_of(shop.merchant.id), shop.system)
        session.get_one(Connector, place).secret = "1.sealed-under-another-secret"
    answer = tell_paid(shop)
    assert (503, "3600") == (answer.status_code, answer.headers["retry-after"])
    assert "GRAPEVINE_SECRET" in answer.json()["detail"]


def test_nothing_that_is_kept_tells_who_the_buyer_is(shop: OtherShop, app_server: AppServer) -> None:
    tell_paid(shop)
    with app_server.database.reading() as session:
        (kept,) = session.scalars(select(ShopOrder).where(ShopOrder.merchant_id == merchant_of(shop.merchant.id)))
    text = json.dumps(kept.told)
    for private in ("example.com", "Cy", "+1555", "203.0.113.9", "Birthday", "10115", "Berlin"):
        assert private not in text
    hashed: JSON = kept.told["newest"]
    assert len(hashed["customer"]) == 64


def test_the_snippets_module_is_short_lived_and_names_an_immutable_file_that_every_page_may_use(
    merchant: TestMerchant,
) -> None:
    loader = merchant.public.get("/shop.js")
    assert "text/javascript; charset=utf-8" == loader.headers["content-type"]
    assert "public, max-age=300" == loader.headers["cache-control"]
    assert "*" == loader.headers["access-control-allow-origin"]
    found = re.fullmatch(r'import "\.(/assets/[0-9a-f]{16}/elements/shop\.js)";\n', loader.text)
    assert found is not None
    module = merchant.public.get(found[1])
    assert (200, True) == (module.status_code, "immutable" in module.headers["cache-control"])
    assert merchant.public.get("/shop.js/more").status_code == 404
