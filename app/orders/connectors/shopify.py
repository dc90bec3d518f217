"""Shopify's webhooks in our words. Pure. Source: Shopify's Admin API, the Order and Refund resources.

What is counted:

* An order counts once money has come in: `financial_status` paid, partially_refunded, refunded; and partially_paid,
  with the part that was paid.
* `subtotal_price` and `total_price` are the order's after its edits and before what was taken off it again. What was
  taken off before anybody paid for it has a refund without money; `current_total_price` tells of both.
* Amounts are the shop's currency. A refund may be told in the currency that the buyer saw; then it is that part of
  the shop's total.
"""

from typing import Final, Literal

from app.kernel.json_objects import JsonObject, mapping, objects
from app.kernel.money import LARGEST_AMOUNT, is_currency
from app.orders.connectors import fields
from app.orders.connectors.fields import amount, identity, moment, text
from app.orders.connectors.said import Move, NotAnOrder, RefundSaid, ShopSaid, Version
from app.orders.sales import SaleLine

TOPICS: Final = (
    *("orders/create", "orders/paid", "orders/updated", "orders/cancelled", "orders/delete"),
    "refunds/create",
)
"""What to send here. `orders/updated` alone would do for orders; the others come sooner and cost nothing."""

_ORDERS: Final = frozenset({"orders/create", "orders/paid", "orders/updated", "orders/cancelled", "orders/fulfilled",
                            "orders/partially_fulfilled"})  # fmt: skip
_RANK = {
    status: rank
    for rank, status in enumerate(
        ("pending", "authorized", "partially_paid", "paid", "partially_refunded", "refunded", "voided", "expired")
    )
}
_COUNTS = frozenset({"paid", "partially_refunded", "refunded"})
_MOVES: dict[str, Literal["pending", "done", "failed"]] = {
    "pending": "pending", "success": "done", "failure": "failed", "error": "failed",
}  # fmt: skip


def read(topic: str, body: JsonObject, *, test: bool = False, triggered: str = "") -> ShopSaid | None:
    """What a message of `topic` says of an order; None for topics that say nothing of one. Raises `NotAnOrder`.

    `triggered` says when, more finely than the body does; it is not signed either, and only tells versions of one
    second apart of which neither went further.

    The signature covers the body and not the topic, so the body must also look like what the topic says: a recorded
    order, sent again as a deletion, deletes nothing.
    """
    if topic == "refunds/create":
        return ShopSaid(identity(body, "order_id"), refunds=(_refund(body),))
    if topic == "orders/delete":
        if "line_items" in body or "financial_status" in body or "transactions" in body:
            raise NotAnOrder("It is called a deletion, and is a whole order or refund.")
        return ShopSaid(identity(body, "id"), fate="deleted")
    if topic not in _ORDERS:
        return None
    refunds = tuple(_refund(refund) for refund in objects(body.get("refunds")))
    return ShopSaid(identity(body, "id"), _version(body, refunds, test, triggered), refunds, mail=_mail(body))


def _version(body: JsonObject, refunds: tuple[RefundSaid, ...], test: bool, triggered: str) -> Version:
    unit = fields.currency(body)
    status = text(body, "financial_status")
    if status not in _RANK:
        raise NotAnOrder("Its financial_status is missing or unknown.")
    cancelled = bool(text(body, "cancelled_at"))
    asked, net = _asked(body, unit, refunds)
    paid = asked if status in _COUNTS else _paid_of(body, asked, unit) if status == "partially_paid" else 0
    return Version(
        changed=moment(body, "updated_at", "created_at"),
        rank=(int(cancelled), _RANK[status], len(refunds), fields.instant(triggered) or 0),
        counts=status in _COUNTS or paid > 0,
        cancelled=cancelled,
        test=test or body.get("test") is True,
        placed=moment(body, "processed_at", "created_at"),
        currency=unit,
        paid=paid,
        net=fields.share(net, paid, asked),
        hints=fields.hints(_places(body)),
        coupons=tuple(_coupons(body)),
        lines=tuple(_line(line, unit, body) for line in objects(body.get("line_items"))[: fields.MOST_LINES]),
        customer=_customer(body),
        elsewhere=_elsewhere(body),
    )


def _asked(body: JsonObject, unit: str, refunds: tuple[RefundSaid, ...]) -> tuple[int, int]:
    """What the buyer was asked to pay for the order as it is now, and the net part of it."""
    total, subtotal = max(amount(body, "total_price", unit), 0), max(amount(body, "subtotal_price", unit), 0)
    net = min(max(subtotal - (_tax_of_items(body, unit) if body.get("taxes_included") is True else 0), 0), total)
    if body.get("current_total_price") is None:
        return total, net
    back = sum(move.amount for refund in refunds for move in refund.moves.values() if _went(move, unit))
    owed = min(amount(body, "total_outstanding", unit), 0)  # below zero: the shop owes, so it had been paid
    unpaid = max(total - amount(body, "current_total_price", unit) - back + owed, 0)
    if not unpaid or all(refund.moves for refund in refunds):
        return total, net
    said = zip(objects(body.get("refunds")), refunds, strict=True)
    off = sum(_worth(refund, unit, body) for refund, read in said if not read.moves)
    asked = max(total - unpaid, 0)
    return asked, min(max(net - off, 0), asked)


def _worth(refund: JsonObject, unit: str, body: JsonObject) -> int:
    """The net of the things that were taken off the order with this refund."""
    things = objects(refund.get("refund_line_items"))
    with_tax = body.get("taxes_included") is True
    return sum(
        amount(thing, "subtotal", unit) - (amount(thing, "total_tax", unit) if with_tax else 0) for thing in things
    )


def _went(move: Move, unit: str) -> bool:
    return move.state != "failed" and move.currency == unit


def _tax_of_items(body: JsonObject, unit: str) -> int:
    of_shipping = sum(_taxes(line, unit) for line in objects(body.get("shipping_lines")))
    return amount(body, "total_tax", unit) - of_shipping


def _taxes(line: JsonObject, unit: str) -> int:
    return sum(amount(tax, "price", unit) for tax in objects(line.get("tax_lines")))


def _paid_of(body: JsonObject, asked: int, unit: str) -> int:
    """How much of what was asked has come in; nothing where the shop does not say."""
    if body.get("total_outstanding") is None:
        return 0
    return max(asked - max(amount(body, "total_outstanding", unit), 0), 0)


def _line(line: JsonObject, unit: str, body: JsonObject) -> SaleLine:
    quantity = line.get("quantity")
    pieces = quantity if type(quantity) is int and 0 < quantity < 10**6 else 1
    off = sum(amount(each, "amount", unit) for each in objects(line.get("discount_allocations")))
    tax = _taxes(line, unit) if body.get("taxes_included") is True else 0
    name = " - ".join(part for part in (text(line, "title", 200), text(line, "variant_title", 90)) if part)
    return SaleLine(
        product=fields.reference(line, "product_id"),
        variant=fields.reference(line, "variant_id"),
        title=name or "?",
        quantity=pieces,
        amount=min(max(amount(line, "price", unit) * pieces - off - tax, 0), LARGEST_AMOUNT),
    )


def _places(body: JsonObject) -> list[str]:
    """Where a click id or code may stand, the surest first."""
    return [
        *fields.attributes(body.get("note_attributes"), "name", ("gv_click", "gv_code")),
        text(body, "landing_site"),
        text(body, "note"),
        *_coupons(body),
    ]


def _coupons(body: JsonObject) -> list[str]:
    return [code for each in objects(body.get("discount_codes"))[:10] if (code := text(each, "code", 200).strip())]


def _customer(body: JsonObject) -> str | None:
    """The buyer's mail, else the customer's number: hashed before it is kept."""
    return _mail(body) or fields.reference(mapping(body, "customer"), "id")


def _mail(body: JsonObject) -> str | None:
    return text(body, "email", 320) or text(body, "contact_email", 320) or None


def _elsewhere(body: JsonObject) -> tuple[str, int] | None:
    seen = mapping(mapping(body, "total_price_set"), "presentment_money")
    unit = text(seen, "currency_code").lower()
    return (unit, amount(seen, "amount", unit)) if is_currency(unit) else None


def _refund(refund: JsonObject) -> RefundSaid:
    moves = {
        identity(move, "id"): Move(_state(move), abs(amount(move, "amount", unit)), unit)
        for move in objects(refund.get("transactions"))
        if move.get("kind") == "refund" and (unit := fields.currency(move))
    }
    return RefundSaid(identity(refund, "id"), moment(refund, "processed_at", "created_at"), moves)


def _state(move: JsonObject) -> Literal["pending", "done", "failed"]:
    return _MOVES.get(text(move, "status"), "pending")
