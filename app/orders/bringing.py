"""Orders and refunds that another system remembers, written many at a time; and the refunds that waited for an order.

Knows the session and the tables, not HTTP and not the lines they came in. Whoever calls this holds the merchant's
facts. What came first stands, also what came by API or from Stripe (app/kernel/brought.py).
"""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, FromClause, Row, Select, and_, delete, select
from sqlalchemy.orm import Session

from app.kernel import journal
from app.kernel.brought import Contradiction, Said, Verdict, judge
from app.kernel.codes import key_of
from app.kernel.database import id_type, insert_all_new
from app.kernel.given import Question, keys_of
from app.kernel.ids import new_id
from app.orders import known
from app.orders.models import Order, Refund, WaitingRefund
from app.orders.settling import CANCELLED

SOURCE = "history"
_NAMED_AS_OURS = Contradiction("id", "is the name of cancellations")
TABLES = (Order, Refund, WaitingRefund)
"""What is filled here."""


class PastOrder(NamedTuple):
    """A sale; `net` in minor units of `currency`."""

    id: str  # the sender's
    visitor: str | None
    currency: str
    net: int
    coupon: str | None
    at: datetime  # whole seconds, as of every fact here
    received_at: datetime


class PastRefund(NamedTuple):
    """What took back `amount` of the net of the order that the sender calls `order`. It may be too much."""

    id: str  # the sender's, for one refund only
    order: str
    amount: int
    reason: str
    at: datetime
    received_at: datetime


def bring_orders(
    session: Session, merchant_id: int, facts: Sequence[PastOrder], *, livemode: bool, now: datetime
) -> list[Verdict]:
    """Write those that are new, with the refunds that waited for them; what became of each, in order."""
    made: dict[str, str] = {}

    def insert(new: Mapping[str, PastOrder]) -> set[str]:
        rows = {new_id("ord", merchant_id, now): fact for fact in new.values()}
        written = insert_all_new(
            session, Order, [_order_row(merchant_id, *row, livemode=livemode) for row in rows.items()]
        )
        made.update((rows[order_id].id, order_id) for _, order_id in written)
        journal.note(session, merchant_id, "order.recorded", sorted(made.values()), now)
        return set(made)

    def find(standing: Mapping[str, PastOrder]) -> dict[str, Said]:
        rows = _ORDERS.ask(session, keys_of(merchant_id, standing))
        first = known.before(session, merchant_id, {row.order_id for row in rows}, known.NEVER)
        return {row.external_id: _said_first(row, first.get(row.order_id, {})) for row in rows}

    fields = ("visitor", "currency", "net", "coupon", "at")
    verdicts = judge(facts, fields, key=lambda fact: fact.id, said=_said_of_order, insert=insert, find=find)
    apply_waiting(session, merchant_id, made, now)
    return verdicts


def _said_of_order(fact: PastOrder) -> Said:
    return fact.visitor, fact.currency, fact.net, key_of(fact.coupon), fact.at


def _said_first(row: Row[*tuple[Any, ...]], corrected: Mapping[str, Any]) -> Said:
    """What was said of an order that stands, before it was corrected: telling it again tells nothing new."""
    coupon = key_of(corrected["coupon"]) if "coupon" in corrected else row.coupon_key
    visitor, net = corrected.get("visitor_id", row.visitor_id), corrected.get("net", row.net)
    return visitor, row.currency, net, coupon, _second(row.at)


def _order_row(merchant_id: int, order_id: str, fact: PastOrder, *, livemode: bool) -> dict[str, object]:
    return {
        "merchant_id": merchant_id,
        "order_id": order_id,
        "external_id": fact.id,
        "source": SOURCE,
        "fingerprint": hashlib.sha256(repr(_said_of_order(fact)).encode()).hexdigest(),
        "livemode": livemode,
        "currency": fact.currency,
        "gross": fact.net,
        "net": fact.net,
        "visitor_id": fact.visitor,
        "coupon": fact.coupon,
        "coupon_key": key_of(fact.coupon),
        "at": fact.at,
        "received_at": fact.received_at,
    }


def bring_refunds(session: Session, merchant_id: int, facts: Sequence[PastRefund], *, now: datetime) -> list[Verdict]:
    """Write those that are new; what became of each, in order. One whose order is not here yet waits for it
    (`apply_waiting`). None may be called as cancellations are."""
    orders = ids_of(session, merchant_id, {fact.order for fact in facts})

    def insert(new: Mapping[str, PastRefund]) -> set[str]:
        standing = _standing(session, merchant_id, new)
        fresh = [fact for fact in new.values() if fact.id not in standing]
        rows = {new_id("rfd", merchant_id, now): fact for fact in fresh if fact.order in orders}
        written = insert_all_new(
            session, Refund, [_refund_row(merchant_id, *row, orders[row[1].order]) for row in rows.items()]
        )
        journal.note(session, merchant_id, "order.refunded", sorted(refund_id for _, refund_id in written), now)
        early = [_waiting_row(merchant_id, fact) for fact in fresh if fact.order not in orders]
        waits = {external_id for _, external_id in insert_all_new(session, WaitingRefund, early)}
        return waits | {rows[refund_id].id for _, refund_id in written}

    def find(known: Mapping[str, PastRefund]) -> dict[str, Said]:
        return _standing(session, merchant_id, known)

    fields = ("order", "amount", "reason", "at")
    ours = [fact for fact in facts if fact.id != CANCELLED]
    judged = iter(judge(ours, fields, key=lambda fact: fact.id, said=lambda fact: fact[1:5], insert=insert, find=find))
    return [_NAMED_AS_OURS if fact.id == CANCELLED else next(judged) for fact in facts]


def apply_waiting(session: Session, merchant_id: int, orders: Mapping[str, str], now: datetime) -> None:
    """Give orders that are new (our id by external id) the refunds that came before them."""
    waiting = _WAITING_FOR.ask(session, keys_of(merchant_id, orders))
    facts = [PastRefund(*row) for row in waiting]
    rows = [_refund_row(merchant_id, new_id("rfd", merchant_id, now), fact, orders[fact.order]) for fact in facts]
    written = insert_all_new(session, Refund, rows)
    journal.note(session, merchant_id, "order.refunded", sorted(refund_id for _, refund_id in written), now)
    if facts:
        gone = WaitingRefund.external_id.in_([fact.id for fact in facts])
        session.execute(delete(WaitingRefund).where(WaitingRefund.merchant_id == merchant_id, gone))


def ids_of(session: Session, merchant_id: int, external_ids: Iterable[str]) -> dict[str, str]:
    """Our ids of the orders that their shop calls so."""
    return {row.external_id: row.order_id for row in _ORDERS.ask(session, keys_of(merchant_id, external_ids))}


def _standing(session: Session, merchant_id: int, facts: Mapping[str, PastRefund]) -> dict[str, Said]:
    """What is known under these ids, of refunds that stand and of those that wait.

    A shop may have told us of refunds of several orders under one id: then that of the order that is named now.
    Who told us of one by API said no time: the time of the telling stands for it, and any time agrees with it.
    """
    asked = keys_of(merchant_id, facts)
    known: dict[str, Said] = {}
    for external_id, order, amount, reason, at, received_at in (
        *_REFUNDS.ask(session, asked),
        *_WAITING.ask(session, asked),
    ):
        fact = facts[external_id]
        if external_id not in known or order == fact.order:
            known[external_id] = order, amount, reason, fact.at if at == received_at else _second(at)
    return known


def _refund_row(merchant_id: int, refund_id: str, fact: PastRefund, order_id: str) -> dict[str, object]:
    return {
        "merchant_id": merchant_id,
        "refund_id": refund_id,
        "order_id": order_id,
        "external_id": fact.id,
        "reason": fact.reason,
        "amount": fact.amount,
        "paid_back": fact.amount,
        "at": fact.at,
        "received_at": fact.received_at,
    }


def _waiting_row(merchant_id: int, fact: PastRefund) -> dict[str, object]:
    return {
        "merchant_id": merchant_id,
        "external_id": fact.id,
        "order_external_id": fact.order,
        "reason": fact.reason,
        "amount": fact.amount,
        "at": fact.at,
        "received_at": fact.received_at,
    }


def _second(at: datetime) -> datetime:
    return at.replace(microsecond=0)  # attribution counts in whole seconds


def _orders(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = and_(Order.merchant_id == given.c.merchant_id, Order.external_id == given.c.external_id)
    columns = (Order.external_id, Order.order_id, Order.visitor_id, Order.currency, Order.net, Order.coupon_key)
    return select(*columns, Order.at).join_from(given, Order, same)


def _refunds(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = and_(Refund.merchant_id == given.c.merchant_id, Refund.external_id == given.c.external_id)
    its_order = and_(Order.merchant_id == Refund.merchant_id, Order.order_id == Refund.order_id)
    columns = (Refund.external_id, Order.external_id, Refund.amount, Refund.reason, Refund.at, Refund.received_at)
    return select(*columns).join_from(given, Refund, same).join(Order, its_order).order_by(Refund.refund_id.desc())


_WAITING_COLUMNS = (
    *(WaitingRefund.external_id, WaitingRefund.order_external_id, WaitingRefund.amount, WaitingRefund.reason),
    *(WaitingRefund.at, WaitingRefund.received_at),
)
"""As the fields of `PastRefund`."""


def _waiting(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = and_(WaitingRefund.merchant_id == given.c.merchant_id, WaitingRefund.external_id == given.c.external_id)
    return select(*_WAITING_COLUMNS).join_from(given, WaitingRefund, same)


def _waiting_for(given: FromClause) -> Select[*tuple[Any, ...]]:
    waits = WaitingRefund.order_external_id == given.c.external_id
    same = and_(WaitingRefund.merchant_id == given.c.merchant_id, waits)
    return select(*_WAITING_COLUMNS).join_from(given, WaitingRefund, same).order_by(WaitingRefund.external_id)


_ORDERS = Question(_orders, merchant_id=BigInteger(), external_id=id_type(255))
_REFUNDS = Question(_refunds, merchant_id=BigInteger(), external_id=id_type(255))
_WAITING = Question(_waiting, merchant_id=BigInteger(), external_id=id_type(255))
_WAITING_FOR = Question(_waiting_for, merchant_id=BigInteger(), external_id=id_type(255))
