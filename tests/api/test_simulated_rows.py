"""A world's rows beside those that the live code writes of the same story: the same tables, the same columns filled."""

import httpx
import pytest
from sqlalchemy import inspect, select

from app.catalog.models import Product, Variant
from app.kernel.database import Base, Database, table_of
from app.kernel.ids import merchant_of
from app.orders.models import Order, OrderLine, Refund
from app.referrals.models import Beacon, Claim, Coupon, Identity, Link, MachineVisits, Referral, Visit
from app.simulation.making import Made
from app.walls.models import Wall, WallCard
from tests import simulated
from tests.conftest import AppServer
from tests.shop import BROWSER, Shopper, TestMerchant, ok

TOLD_BY_HTTP = (
    *(Product, Variant, Wall, WallCard, Referral, Link, Visit, Claim, Beacon, MachineVisits),
    *(Coupon, Identity, Order, OrderLine, Refund),
)
_ALSO_POSSIBLE = {
    Variant: {"title"},  # of a product that comes in sizes
    Referral: {"withdrawn_at"},  # a like that was taken back
    Order: {"wall_id", "coupon", "coupon_key"},
    Refund: {"dropped_at"},
}
"""What some rows of a world have beyond the story that is told here."""


@pytest.fixture(scope="module")
def made(shared_server: AppServer) -> Made:
    return simulated.world(shared_server, simulated.TINY).made


def filled(database: Database, mapped: type[Base], merchant_id: int) -> tuple[set[str], set[str]]:
    """The columns that always have a value in this merchant's rows, and those that sometimes have one."""
    with database.reading() as session:
        rows = session.execute(select(table_of(mapped)).where(table_of(mapped).c.merchant_id == merchant_id)).all()
    assert rows, f"there are {mapped.__tablename__}"
    columns = [column.key for column in inspect(mapped).columns]
    has = [{name for name, value in zip(columns, row, strict=True) if value is not None} for row in rows]
    return set.intersection(*has), set.union(*has)


def story(merchant: TestMerchant) -> None:
    """All that happens in a world, once or twice each, with and without what may be left out."""
    url = "https://shop.example/products/1"
    mug = merchant.product(url=url, external_id="P-001", brand="Vine", variants=[_variant(merchant)])
    wall = merchant.wall(mug["id"])["id"]
    ana, bo = merchant.shopper(), merchant.shopper()
    ana.like(mug["id"], wall=wall)
    shared = ana.share(mug["id"], wall=wall, caption="For your kitchen?", name="Ana")
    for other in (ana.share(mug["id"]), ana.share(wall=wall)):
        merchant.shopper().follow(other["code"])
    bo.follow(shared["code"], Referer="https://www.facebook.com/")
    bo.share(mug["id"], wall=wall)
    merchant.shopper().follow(shared["code"], claim=False)
    merchant.public.get(f"/r/{shared['code']}", headers={"User-Agent": "WhatsApp/2.0"})
    _look(merchant, mug["id"], wall, shared["code"], bo)
    ok(merchant.http.put("/v1/coupons/ANA10", json={"referral": shared["id"]}))
    ok(merchant.http.put(f"/v1/identities/{bo.id}", json={"person": "customer-1"}))
    line = {"product": mug["id"], "variant": mug["variants"][0]["id"], "title": "Mug", "quantity": 1, "amount": 900}
    order = merchant.order(net=900, gross=1400, click_id=bo.click, visitor=bo.id, lines=[line])
    merchant.order(net=900, lines=[line])
    merchant.order(net=900, lines=[line], coupon="ana10")
    merchant.refund(order["id"], 300)


def _variant(merchant: TestMerchant) -> dict[str, object]:
    return {"external_id": "SKU-001", "sku": "SKU-001", "price": {"amount": 900, "currency": merchant.currency}}


def _look(merchant: TestMerchant, product: str, wall: str, code: str, visitor: Shopper) -> None:
    """A wall and cards are seen, by somebody and by nobody; also the card of a referral."""
    mine = {"visitor": visitor.token, "click": visitor.click}
    seen: list[dict[str, object]] = [
        {"type": "wall_view", "wall": wall},
        {"type": "card_view", "product": product},
        {"type": "card_view", "wall": wall, "product": product, "code": code},
        {"type": "card_open", "wall": wall, "product": product, **mine},
    ]
    ok(merchant.public.post("/v1/beacons", json=seen, headers={"User-Agent": BROWSER}), 202)


def test_what_is_simulated_fills_what_is_filled_live(app_server: AppServer, merchant: TestMerchant, made: Made) -> None:
    story(merchant)
    live, simulated_one = merchant_of(merchant.id), made.merchants[0].merchant_id
    for mapped in TOLD_BY_HTTP:
        always, sometimes = filled(app_server.database, mapped, live)
        always_there, sometimes_there = filled(app_server.database, mapped, simulated_one)

        assert always <= always_there | _ALSO_POSSIBLE.get(mapped, set()), mapped
        assert sometimes_there <= sometimes | _ALSO_POSSIBLE.get(mapped, set()), mapped


def test_an_order_of_a_world_that_is_told_again_is_known(app_server: AppServer, made: Made) -> None:
    """Its fingerprint is that of what the shop would have said."""
    with app_server.database.reading() as session:
        mine = (Order.merchant_id == made.merchants[0].merchant_id) & (Order.source == "api")
        orders = session.scalars(select(Order).where(mine).order_by(Order.order_id).limit(20)).all()
    key = {"Authorization": f"Bearer {made.merchants[0].secret_key}"}
    for order in orders:
        lines = [
            {name: getattr(line, name) for name in ("product", "variant", "title", "quantity", "amount")}
            for line in order.lines
        ]
        told = {
            name: getattr(order, name) for name in ("external_id", "currency", "net", "gross", "click_id", "coupon")
        }
        told |= {"placed_at": order.at.isoformat(), "visitor": order.visitor_id, "test": not order.livemode}
        answer = httpx.post(f"{app_server.url}/v1/orders", json={**told, "lines": lines}, headers=key, verify=False)

        assert (200, order.order_id) == (answer.status_code, answer.json().get("id")), answer.text
