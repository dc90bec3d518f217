"""What events say of sales: orders, what takes them back and corrects them, their credit; and of finished imports.

As these facts stand when asked, under the names that the API gives them. Knows no HTTP but its shapes.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime
from typing import Any, Final

from sqlalchemy import BigInteger, FromClause, Select, select
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.catalog.models import Import
from app.delivery.told import ById, Fact
from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.kernel.http.wire import Timestamp, Wire
from app.orders.corrections import correction_noted_as
from app.orders.models import Order, Refund
from app.orders.settling import given_back
from app.orders.wire import CorrectionOut, OrderOut, RefundOut


class CorrectedOut(OrderOut):
    """An order as it stands, and the correction that this is about."""

    correction: CorrectionOut


class RefundedOut(OrderOut):
    """An order as it stands, and the refund that this is about. `given_back`: it failed, was won, deleted, or counts
    with another amount now, and what it took is given back."""

    refund: RefundOut
    given_back: bool


class CreditLineOut(Wire):
    """A line that was appended, in minor units: a signed change of what a source and level earned. `level` is null for
    the house; `reason` says why nobody earned it."""

    credit: str
    policy: str
    policy_version: int
    source: str
    touch: str | None
    referral: str | None
    sharer: str
    network: str
    level: int | None
    reason: str | None
    gross: int
    refunded: int
    net: int

    @classmethod
    def of(cls, line: CreditLine) -> "CreditLineOut":
        same = {name: getattr(line, name) for name in cls.model_fields if name not in ("credit", "refunded", "net")}
        return cls(credit=line.credit_id, refunded=line.reversed, net=line.gross - line.reversed, **same)


class AttributedOut(Wire):
    """The lines of credit that were appended of an order at once. All lines of an order under one policy add up to its
    net; `current` is the policy in force. `net` and `refunded` are of the order as it stands."""

    order: str
    external_id: str
    test: bool
    currency: str
    net: int
    refunded: int
    placed_at: Timestamp
    credits: list[CreditLineOut]


class ImportedOut(Wire):
    """An import that has ended. The numbers count products; `GET /v1/imports/{id}` tells what was refused."""

    id: str
    format: str
    status: str
    created: int
    updated: int
    unchanged: int
    failed: int
    created_at: Timestamp
    finished_at: Timestamp

    @classmethod
    def of(cls, state: Import) -> "ImportedOut":
        fields = {name: getattr(state, name) for name in cls.model_fields if name != "id"}
        return cls(id=state.import_id, **fields)


def recorded(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Orders, by their ids."""
    return {
        id: Fact(order.received_at, id, OrderOut.of(order).model_dump(mode="json"))
        for id, order in _orders(session, merchant_id, ids).items()
    }


def corrected(session: Session, merchant_id: int, subjects: Collection[str]) -> Mapping[str, Fact]:
    """Corrections of orders (`orders.corrections.correction_noted_as`)."""
    found: dict[str, Fact] = {}
    for id, order in _orders(session, merchant_id, {subject.partition("/")[0] for subject in subjects}).items():
        told = OrderOut.of(order)
        for row, shown in zip(order.corrections, told.corrections, strict=True):
            out = CorrectedOut(**dict(told), correction=shown)
            found[correction_noted_as(id, row.position)] = Fact(row.received_at, id, out.model_dump(mode="json"))
    return {subject: fact for subject, fact in found.items() if subject in subjects}


def refunded(session: Session, merchant_id: int, subjects: Collection[str]) -> Mapping[str, Fact]:
    """Refunds by their ids, and those that were dropped (`orders.settling.given_back`)."""
    rows = {
        row.refund_id: row
        for row in _REFUNDS.rows(session, merchant_id, {each[:-1] if each.endswith("-") else each for each in subjects})
    }
    orders = _orders(session, merchant_id, {row.order_id for row in rows.values()})
    found: dict[str, Fact] = {}
    for id, row in rows.items():
        told = dict(OrderOut.of(orders[row.order_id]))
        for subject, at in ((id, row.received_at), (given_back(id), row.dropped_at)):
            if subject in subjects and at is not None:
                out = RefundedOut(**told, refund=RefundOut.of(row), given_back=subject != id)
                found[subject] = Fact(at, row.order_id, out.model_dump(mode="json"))
    return found


def attributed(session: Session, merchant_id: int, firsts: Collection[str]) -> Mapping[str, Fact]:
    """The lines that were appended of an order at once, by the id of the first of them."""
    begun = {row.credit_id: row for row in _CREDITS.rows(session, merchant_id, firsts)}
    ids = {row.order_id for row in begun.values()}
    orders, lines = _orders(session, merchant_id, ids), defaultdict(list)
    for (line,) in _LINES.ask(session, keys_of(merchant_id, ids)):
        lines[line.order_id, line.written_at].append(line)
    return {
        first: _attributed(
            orders[row.order_id],
            row.written_at,
            [line for line in lines[row.order_id, row.written_at] if line.credit_id >= first],
        )
        for first, row in begun.items()
    }


def imported(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Imports that have ended, by their ids."""
    return {
        row.import_id: Fact(row.finished_at, row.import_id, ImportedOut.of(row).model_dump(mode="json"))
        for row in _IMPORTS.rows(session, merchant_id, ids)
        if row.finished_at is not None
    }


def _attributed(order: Order, at: datetime, lines: list[CreditLine]) -> Fact:
    told = AttributedOut(
        order=order.order_id,
        external_id=order.external_id,
        test=not order.livemode,
        currency=order.currency,
        net=order.net,
        refunded=order.refunded,
        placed_at=order.at,
        credits=[CreditLineOut.of(line) for line in lines],
    )
    return Fact(at, order.order_id, told.model_dump(mode="json"))


def _orders(session: Session, merchant_id: int, ids: Collection[str]) -> dict[str, Order]:
    return {order.order_id: order for order in _ORDERS.rows(session, merchant_id, ids)}


def _lines_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    columns = table_of(CreditLine).c
    same = (columns.merchant_id == given.c.merchant_id) & (columns.order_id == given.c.order_id)
    return select(CreditLine).select_from(given).join(CreditLine, same).order_by(columns.credit_id)


_ORDERS: Final = ById(Order, Order.order_id, 40)
_REFUNDS: Final = ById(Refund, Refund.refund_id, 40)
_CREDITS: Final = ById(CreditLine, CreditLine.credit_id, 40)
_IMPORTS: Final = ById(Import, Import.import_id, 40)
_LINES: Final = Question(_lines_of, merchant_id=BigInteger(), order_id=id_type())
