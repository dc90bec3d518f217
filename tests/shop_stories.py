"""What shops say of an order, one message after the other: stories that tests tell in any order."""

from collections.abc import Sequence

from tests.other_shops import UNPAID, modified, shopify_order, shopify_refund, updated, woo_refund
from tests.shop import JSON

Said = tuple[str, JSON, str]
"""Topic, body, and the delivery's own id."""

FIRST, SECOND = shopify_refund(), shopify_refund("20.00", id=600)
CANCELLED = {"cancelled_at": "2026-03-01T10:03:00+01:00"}
EDITED: JSON = {
    "subtotal_price": "64.26", "total_price": "70.21", "total_tax": "11.21", "current_total_price": None,
    "line_items": shopify_order()["line_items"][:1],
}  # fmt: skip

SHOPIFY: dict[str, Sequence[tuple[str, JSON]]] = {
    "sold, given back in two steps": (
        ("orders/create", shopify_order(financial_status="pending")),
        ("orders/paid", updated(1)),
        ("refunds/create", FIRST),
        ("refunds/create", shopify_refund("20.00", "pending", id=600)),
        ("orders/updated", updated(3, financial_status="partially_refunded", refunds=[FIRST, SECOND])),
    ),
    "given back in vain, edited": (
        ("orders/paid", updated(1)),
        ("refunds/create", shopify_refund(status="pending")),
        ("orders/updated", updated(2, refunds=[shopify_refund(status="failure")])),
        ("orders/updated", updated(3, **EDITED)),
        ("refunds/create", SECOND),
    ),
    "cancelled": (
        ("orders/create", shopify_order(financial_status="authorized")),
        ("orders/paid", updated(1)),
        ("refunds/create", FIRST),
        ("orders/updated", updated(2, **EDITED)),
        ("orders/cancelled", updated(3, **EDITED, **CANCELLED, financial_status="voided")),
    ),
    "deleted": (
        ("orders/paid", updated(1)),
        ("orders/updated", updated(2, **EDITED)),
        ("orders/cancelled", updated(3, **EDITED, **CANCELLED)),
        ("orders/delete", {"id": 450789469}),
    ),
    "all in one second": (
        ("orders/create", shopify_order(financial_status="pending")),
        ("orders/paid", shopify_order(financial_status="paid")),
        ("orders/updated", shopify_order(financial_status="partially_refunded", refunds=[FIRST])),
        ("orders/updated", shopify_order(financial_status="partially_refunded", refunds=[FIRST], tags="b")),
    ),
}
WOOCOMMERCE: dict[str, Sequence[tuple[str, JSON]]] = {
    "sold, given back, and a refund deleted": (
        ("order.created", modified(0, "pending", **UNPAID)),
        ("order.updated", modified(1)),
        ("order.updated", modified(2, refunds=[woo_refund(801, "32.13")])),
        ("order.updated", modified(3, refunds=[woo_refund(801, "32.13"), woo_refund(802, "10.00")])),
        ("order.updated", modified(3, refunds=[woo_refund(802, "10.00")])),
    ),
    "given back while the time stands still": (
        ("order.created", modified(0, "pending", **UNPAID)),
        ("order.updated", modified(1)),
        ("order.updated", modified(1, refunds=[woo_refund(801, "32.13")])),
        ("order.updated", modified(1, refunds=[woo_refund(801, "32.13"), woo_refund(802, "10.00")])),
    ),
    "given back, changed, given back": (
        ("order.created", modified(0)),
        ("order.updated", modified(1, refunds=[woo_refund(801, "32.13")])),
        ("order.updated", modified(5, "completed", refunds=[woo_refund(801, "32.13")])),
        ("order.updated", modified(7, "completed", refunds=[woo_refund(801, "32.13"), woo_refund(802, "10.00")])),
    ),
    "cancelled and called back": (
        ("order.created", modified(0)),
        ("order.updated", modified(1, "cancelled")),
        ("order.updated", modified(2, "on-hold")),
        ("order.updated", modified(3, "completed", refunds=[woo_refund(801, "32.13")])),
    ),
    "deleted, restored, deleted": (
        ("order.created", modified(0)),
        ("order.deleted", {"id": 727}),
        ("order.restored", modified(2)),
        ("order.deleted", {"id": 727}),
        ("order.updated", modified(3, refunds=[woo_refund(801, "32.13")])),
    ),
}
STORIES = [("shopify", name) for name in SHOPIFY] + [("woocommerce", name) for name in WOOCOMMERCE]


def told(system: str, story: str, order_id: int) -> list[Said]:
    """The story of one order."""
    stories = SHOPIFY if system == "shopify" else WOOCOMMERCE
    return [
        (topic, _of(topic, body, order_id), f"{order_id}-{position}")
        for position, (topic, body) in enumerate(stories[story])
    ]


def _of(topic: str, body: JSON, order_id: int) -> JSON:
    """The message about another order, whose refunds have other ids."""
    if topic == "refunds/create":
        return body | {"order_id": order_id}
    return body | {"id": order_id}
