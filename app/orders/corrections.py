"""Orders that turn out to have been otherwise: corrected, cancelled, and called back to life. Knows the session and
the tables, not HTTP and not who says so.

What an order said before is kept beside it (`OrderCorrection`), so what was known at any time can be told for ever.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.kernel import journal
from app.kernel.codes import key_of
from app.kernel.database import table_of
from app.kernel.errors import Invalid, NotFound
from app.kernel.events import Events
from app.orders import service, settling
from app.orders.bringing import SOURCE as HISTORY
from app.orders.models import FormerBuyer, Order, OrderCorrection, OrderLine
from app.orders.news import OrderChanged
from app.orders.sales import SaleLine
from app.referrals import coupons, turns, visits

_BUYER: Final = frozenset({"click_id", "visitor_id"})
_AMOUNTS: Final = ("net", "gross", "lines")
_OURS: Final = frozenset({"api", HISTORY})
"""Sources of orders whose amounts the merchant tells; those of others are told by their systems."""


@dataclass(frozen=True)
class Amendment:
    """What a merchant asks to be otherwise: `changes` as for `correct`; whether it is cancelled (None: as it is)."""

    changes: Mapping[str, object]
    cancelled: bool | None = None
    note: str | None = None


def amend(session: Session, events: Events, merchant_id: int, order_id: str, asked: Amendment, now: datetime) -> Order:
    """Correct, cancel or call back an order as its merchant asks; what it is then. Asking again changes nothing.

    Raises `NotFound`, and `Invalid` for amounts that cannot be or that another system tells.
    """
    coupon = asked.changes.get("coupon")
    if isinstance(coupon, str):
        coupons.speak_for_link(session, events, merchant_id, coupon, now)
    if not _BUYER.isdisjoint(asked.changes):  # touches the orders of several people: nobody else may, meanwhile
        turns.hold_facts(session, merchant_id)
    order = service.get(session, merchant_id, order_id, lock=True)
    changes = _with_gross(order, asked.changes)
    _must_be_possible(order, changes)
    if asked.cancelled is False:
        uncancel(session, events, order, now, asked.note)
    correct(session, events, order, changes, now, asked.note)
    if asked.cancelled:
        cancel(session, events, order, now, asked.note)
    return order


def correct(
    session: Session,
    events: Events,
    order: Order,
    changes: Mapping[str, object],
    now: datetime,
    note: str | None = None,
) -> bool:
    """Let the (locked) order say `changes` from now on; whether anything changed.

    Changes are by column: `net`, `gross`, `click_id`, `visitor_id`, `coupon`; and `lines`, a tuple of `SaleLine`.
    They are not judged. A cancellation follows the net; other refunds stand as they are.

    Who changes the buyer beside others who may do so to the same people had better hold the merchant's facts
    (`turns`), or be ready to be asked again: here, people are held after an order.
    """
    changed = _changed(order, changes)
    if not changed:
        return False
    buyer_changed = not _BUYER.isdisjoint(changed)
    if buyer_changed:
        _hold_buyers(session, order, changed)
    before = {name: _kept(order, name) for name in changed}
    correction = _append(session, order, before, note, now)
    if buyer_changed:
        session.add(
            FormerBuyer(
                merchant_id=order.merchant_id,
                order_id=order.order_id,
                position=correction.position,
                click_id=order.click_id,
                visitor_id=order.visitor_id,
                until=correction.received_at,
            )
        )
    _write(session, order, changed)
    settling.refit(session, order, [], [], now)
    events.publish(session, OrderChanged(order.merchant_id, order.order_id, buyer_changed=buyer_changed))
    return True


def cancel(session: Session, events: Events, order: Order, now: datetime, note: str | None = None) -> bool:
    """Take back all that is left of the (locked) order, and whatever a refund gives back again; whether it was not
    cancelled before."""
    if settling.CANCELLED in settling.counting(order):
        return False
    _append(session, order, {"cancelled": False}, note, now)
    return settling.settle(session, events, order, [settling.cancellation(now)], [settling.CANCELLED], now)


def uncancel(session: Session, events: Events, order: Order, now: datetime, note: str | None = None) -> bool:
    """Give back what the (locked) order's cancellation took; whether it was cancelled."""
    if settling.CANCELLED not in settling.counting(order):
        return False
    _append(session, order, {"cancelled": True}, note, now)
    return settling.settle(session, events, order, [], [settling.CANCELLED], now)


def give_back(session: Session, events: Events, merchant_id: int, order_id: str, refund_id: str, now: datetime) -> None:
    """Drop a refund that failed or was deleted: what it took is given back, or falls to the order's cancellation. To
    drop a cancellation is to call the order back. Twice is once. Raises `NotFound`."""
    order = service.get(session, merchant_id, order_id, lock=True)
    refund = next((refund for refund in order.refunds if refund.refund_id == refund_id), None)
    if refund is None:
        raise NotFound
    if refund.dropped_at is not None:
        return
    if refund.external_id == settling.CANCELLED:
        uncancel(session, events, order, now)
    else:
        settling.settle(session, events, order, [], [refund.external_id], now)


def _with_gross(order: Order, changes: Mapping[str, object]) -> Mapping[str, object]:
    """Where nothing else was ever paid than the net, what was paid follows it."""
    if "net" in changes and "gross" not in changes and order.gross == order.net:
        return {**changes, "gross": changes["net"]}
    return changes


def _must_be_possible(order: Order, changes: Mapping[str, object]) -> None:
    changed = _changed(order, changes)
    for name in _AMOUNTS:
        if order.source not in _OURS and name in changed:
            raise Invalid.field(f"/{name}", f"is told by {order.source}, and must be corrected there")
    net, gross = (changes.get(name, _said(order, name)) for name in ("net", "gross"))
    assert isinstance(net, int)
    assert isinstance(gross, int)
    if gross < net:
        pointer, detail = (
            ("/gross", f"less than net: {net}") if "gross" in changed else ("/net", f"more than gross: {gross}")
        )
        raise Invalid.field(pointer, f"must not be {detail}")
    taken = settling.taken(order)
    if net != order.net and net < taken:
        raise Invalid.field("/net", f"is less than what refunds took: {taken}")


def _changed(order: Order, changes: Mapping[str, object]) -> Mapping[str, object]:
    """Those changes that change anything."""
    return {name: value for name, value in changes.items() if value != _said(order, name)}


def _said(order: Order, name: str) -> object:
    """What the order says under a name, as it is told in changes."""
    if name == "lines":
        return tuple(_line(line) for line in order.lines)
    return getattr(order, name)


def _kept(order: Order, name: str) -> object:
    """The same, as it is kept in a correction."""
    return [_line(line).__dict__ for line in order.lines] if name == "lines" else getattr(order, name)


def _line(line: OrderLine) -> SaleLine:
    return SaleLine(line.product, line.variant, line.title, line.quantity, line.amount)


def _hold_buyers(session: Session, order: Order, changed: Mapping[str, object]) -> None:
    """Let none of those who bought it before and after claim or buy anything meanwhile."""
    said: dict[str, object] = {"click_id": order.click_id, "visitor_id": order.visitor_id}
    for buyer in (said, {**said, **changed}):
        click, visitor = buyer["click_id"], buyer["visitor_id"]
        assert click is None or isinstance(click, str)
        assert visitor is None or isinstance(visitor, str)
        visits.hold_claims(session, order.merchant_id, click, visitor)


def _append(
    session: Session, order: Order, before: dict[str, object], note: str | None, now: datetime
) -> OrderCorrection:
    """Keep what it said, after what was kept before, whatever the clock says."""
    last = order.corrections[-1].received_at if order.corrections else order.received_at
    correction = OrderCorrection(
        merchant_id=order.merchant_id,
        order_id=order.order_id,
        position=len(order.corrections),
        before=before,
        note=note,
        received_at=max(now, last),
    )
    order.corrections.append(correction)
    noted = correction_noted_as(order.order_id, correction.position)
    journal.note(session, order.merchant_id, "order.corrected", [noted], now)
    return correction


def correction_noted_as(order_id: str, position: int) -> str:
    """What stands in the journal for an order's correction."""
    return f"{order_id}/{position}"


def _write(session: Session, order: Order, changed: Mapping[str, object]) -> None:
    for name, value in changed.items():
        if name != "lines":
            setattr(order, name, value)
    order.coupon_key = key_of(order.coupon)
    if "lines" in changed:
        lines = changed["lines"]
        assert isinstance(lines, tuple)
        _write_lines(session, order, lines)
    session.flush()


def _write_lines(session: Session, order: Order, lines: Iterable[SaleLine]) -> None:
    mine = (OrderLine.merchant_id == order.merchant_id) & (OrderLine.order_id == order.order_id)
    for line in order.lines:
        session.expunge(line)
    session.execute(delete(OrderLine).where(mine))
    ids = {"merchant_id": order.merchant_id, "order_id": order.order_id}
    rows = [{**ids, "position": position, **line.__dict__} for position, line in enumerate(lines)]
    if rows:
        session.execute(insert(table_of(OrderLine)), rows)
    session.refresh(order, ["lines"])
