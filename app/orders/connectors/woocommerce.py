"""WooCommerce's webhooks in our words. Pure. Source: WooCommerce's REST API (v2, v3), the Order resource, and
`WC_Webhook`.

What is counted:

* An order counts once it is paid: it has a `date_paid`, or is completed or refunded. An order that is processed but
  will be paid on delivery counts when it is completed.
* `total` is what was paid; less taxes and shipping, with fees, it is the net.
* There are no messages of refunds: each message of an order lists those that stand.
* An order's `date_modified_gmt` says when it changed, to the second. Before version 7.6 a refund of a part of an order
  leaves it as it was; to delete a refund always does, and most versions send no message then.
"""

import re
from typing import Final

from app.kernel.json_objects import JsonObject, mapping, objects
from app.orders.connectors import fields
from app.orders.connectors.fields import amount, identity, moment, text
from app.orders.connectors.said import Move, NotAnOrder, RefundSaid, ShopSaid, Version
from app.orders.sales import SaleLine

TOPICS: Final = ("order.created", "order.updated", "order.deleted", "order.restored")
"""What to send here: a webhook for each."""

_PING = re.compile(rb"webhook_id=[0-9]{1,20}", re.ASCII)
_CANCELLED = frozenset({"cancelled", "trash"})
_UNPAID = frozenset({"checkout-draft", "auto-draft", "draft", "new", "pending", "on-hold", "failed"}) | _CANCELLED
_PAID = frozenset({"completed", "refunded"})
_RANK = {
    status: rank
    for rank, status in enumerate(
        ("auto-draft", "checkout-draft", "pending", "on-hold", "failed", "", "processing", "completed", "cancelled",
         "refunded", "trash")
    )
}  # fmt: skip
_ENTRY: Final = "_wc_order_attribution_session_entry"
_TEST_MODES = {"_wcpay_mode": ("test", "dev")}
"""WooCommerce itself knows no test orders; its own payments do."""


def is_ping(body: bytes) -> bool:
    """Whether this is what WooCommerce sends, unsigned, when a webhook is saved."""
    return _PING.fullmatch(body) is not None


def read(topic: str, body: JsonObject) -> ShopSaid | None:
    """What a message of `topic` says of an order; None for topics that say nothing of one. Raises `NotAnOrder`.

    The signature covers the body and not the topic, so the body must also look like what the topic says.
    """
    if topic not in TOPICS:
        return None
    order_id = identity(body, "id")
    if topic == "order.deleted":
        if len(body) > 1:
            raise NotAnOrder("It is called a deletion, and is a whole order.")
        return ShopSaid(order_id, fate="deleted")
    changed = moment(body, "date_modified_gmt", "date_created_gmt")
    unit = fields.currency(body)
    refunds = tuple(_refund(refund, changed, unit) for refund in objects(body.get("refunds")))
    version = _version(body, changed, unit, refunds)
    return ShopSaid(order_id, version, refunds, "restored" if topic == "order.restored" else None, _mail(body))


def _version(body: JsonObject, changed: int, unit: str, refunds: tuple[RefundSaid, ...]) -> Version:
    status = text(body, "status").removeprefix("wc-")
    if not status:
        raise NotAnOrder("Its status is missing.")
    # A status of some plug-in's counts if the order has been paid.
    counts = status in _PAID or (status not in _UNPAID and bool(text(body, "date_paid_gmt")))
    total = max(amount(body, "total", unit), 0)
    net = total - sum(amount(body, name, unit) for name in ("total_tax", "shipping_total"))
    return Version(
        changed=changed,
        rank=_rank(status, refunds),
        counts=counts,
        cancelled=status in _CANCELLED,
        test=any(text(pair, "value") in _TEST_MODES.get(text(pair, "key"), ()) for pair in _meta(body)),
        placed=moment(body, "date_created_gmt"),
        currency=unit,
        paid=total,
        net=min(max(net, 0), total),
        hints=fields.hints(_places(body)),
        coupons=tuple(_coupons(body)),
        lines=tuple(_line(line, unit) for line in objects(body.get("line_items"))[: fields.MOST_LINES]),
        customer=_mail(body) or fields.reference(body, "customer_id"),
        refunds=tuple(refund.id for refund in refunds),
    )


def _mail(body: JsonObject) -> str | None:
    return text(mapping(body, "billing"), "email", 320) or None


def _rank(status: str, refunds: tuple[RefundSaid, ...]) -> tuple[int, int, int]:
    """Of versions with one time, the one that has the newest refund is the later: the numbers of refunds only grow. So
    what it lacks of those before was deleted. Only that the newest itself was deleted cannot be told from that it was
    not made yet, which is what happens more often."""
    newest = max((int(refund.id) for refund in refunds), default=0)
    return newest, _RANK.get(status, _RANK[""]), -len(refunds)


def _refund(refund: JsonObject, at: int, unit: str) -> RefundSaid:
    """A refund in an order's list. The list does not say when it was made: at the latest when it is first told of."""
    id_ = identity(refund, "id")
    return RefundSaid(id_, at, {id_: Move("done", abs(amount(refund, "total", unit)), unit)})


def _line(line: JsonObject, unit: str) -> SaleLine:
    quantity = line.get("quantity")
    return SaleLine(
        product=fields.reference(line, "product_id"),
        variant=fields.reference(line, "variation_id"),
        title=text(line, "name", 300) or "?",
        quantity=quantity if type(quantity) is int and 0 < quantity < 10**6 else 1,
        amount=max(amount(line, "total", unit), 0),
    )


def _meta(body: JsonObject) -> list[JsonObject]:
    return objects(body.get("meta_data"))


def _places(body: JsonObject) -> list[str]:
    """Where a click id or code may stand, the surest first. A name that begins with `_` is hidden from the editor."""
    return [
        *fields.attributes(_meta(body), "key", ("gv_click", "_gv_click", "gv_code", "_gv_code", _ENTRY)),
        text(body, "customer_note"),
        *_coupons(body),
    ]


def _coupons(body: JsonObject) -> list[str]:
    return [code for each in objects(body.get("coupon_lines"))[:10] if (code := text(each, "code", 200).strip())]
