"""Orders and refunds by HTTP: sales that were made elsewhere."""

import hashlib
from datetime import timedelta

from fastapi import APIRouter, Response
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.kernel.http.pages import Page, Paging, newest_first
from app.kernel.http.work import Answer, UnitOfWork
from app.kernel.ids import Malformed, merchant_of
from app.kernel.runtime import Runtime
from app.kernel.signing import Signer
from app.merchants.access import SecretKey
from app.orders import service
from app.orders.models import Order
from app.orders.wire import OrderIn, OrderOut, RefundIn, RefundOut
from app.privacy import tokens

router = APIRouter(prefix="/v1/orders", tags=["orders"])

_SKEW = timedelta(days=1)
"""How far ahead of our clock a shop's may be."""


@router.post("", status_code=201, response_model=OrderOut, responses={200: {"model": OrderOut}})
def record_order(body: OrderIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Record a sale made elsewhere: 201; the same body again 200; another body under the same `external_id` 409.

    A click id that is unknown, too old or another merchant's never refuses a sale: it is kept, and the
    explanation of the order's attribution says so.
    """
    sale = _sale(body, caller.merchant_id, work.here)

    def record(session: Session) -> Answer:
        order, is_new = service.record(session, work.here.events, caller.merchant_id, sale, work.here.clock.now())
        return Answer(OrderOut.of(order), 201 if is_new else 200)

    return work.write(record, owner=caller.owner)


@router.get("", response_model=Page[OrderOut])
def list_orders(caller: SecretKey, paging: Paging, work: UnitOfWork) -> Response:
    """Orders with their refunds, newest first."""
    query = select(Order).where(Order.merchant_id == caller.merchant_id)
    return work.read(
        lambda session: newest_first(
            session, query, Order.order_id, paging, lambda orders: [OrderOut.of(order) for order in orders]
        )
    )


@router.get("/{order_id}", response_model=OrderOut)
def get_order(order_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """One order with its refunds."""
    return work.read(lambda session: OrderOut.of(service.get(session, caller.merchant_id, order_id)))


@router.post("/{order_id}/refunds", status_code=201, response_model=RefundOut, responses={200: {"model": RefundOut}})
def refund_order(order_id: str, body: RefundIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Take back a part of an order, or the whole. Credits are taken back in the same proportions."""

    def take_back(session: Session) -> Answer:
        now = work.here.clock.now()
        taking = service.TakingBack(body.external_id, body.reason, body.amount, body.amount, now)
        refund, is_new = service.take_back(session, work.here.events, caller.merchant_id, order_id, taking, now)
        return Answer(RefundOut.of(refund), 201 if is_new else 200)

    return work.write(take_back, owner=caller.owner)


@router.delete("/{order_id}/refunds/{refund_id}", status_code=204)
def undo_refund(order_id: str, refund_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """Undo a refund that was recorded by mistake or has failed: what it took is given back."""
    return work.write(
        lambda session: service.give_back(
            session, work.here.events, caller.merchant_id, order_id, refund_id, work.here.clock.now()
        )
    )


def _sale(body: OrderIn, merchant_id: int, here: Runtime) -> service.Sale:
    gross = body.net if body.gross is None else body.gross
    if gross < body.net:
        raise Invalid.field("/gross", "must not be less than net")
    if body.placed_at > here.clock.now() + _SKEW:
        raise Invalid.field("/placed_at", "lies in the future")
    return service.Sale(
        external_id=body.external_id,
        source="api",
        fingerprint=hashlib.sha256(body.model_dump_json().encode()).hexdigest(),
        livemode=not (body.test or here.settings.test_mode),
        currency=body.currency,
        gross=gross,
        net=body.net,
        at=body.placed_at,
        click_id=body.click_id or None,
        visitor_id=_visitor(body.visitor, merchant_id, here.signer),
        coupon=body.coupon or None,
        customer_hash=here.signer.customer_hash(merchant_id, body.customer) if body.customer else None,
        lines=tuple(service.LineData(**line.model_dump()) for line in body.lines),
    )


def _visitor(said: str | None, merchant_id: int, signer: Signer) -> str | None:
    """Who bought, by id or token. One who is not the merchant's is nobody: that must not refuse a sale."""
    if said is None or said.startswith("vt_"):
        return tokens.visitor_of(signer, said, merchant_id)
    try:
        return said if merchant_of(said, "vis") == merchant_id else None
    except Malformed:
        return None
