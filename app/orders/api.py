"""Orders and refunds by HTTP: sales that were made elsewhere."""

from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.http.pages import Page, newest_first
from app.kernel.http.work import Answer, UnitOfWork
from app.merchants.access import SecretKey
from app.merchants.audit import difference, note
from app.orders import buyers, corrections, service, told
from app.orders.lifecycle import Taking
from app.orders.models import Order
from app.orders.wire import OrderIn, OrderOut, OrderPatch, OrderQuery, RefundIn, RefundOut

router = APIRouter(prefix="/v1/orders", tags=["orders"])


@router.post("", status_code=201, response_model=OrderOut, responses={200: {"model": OrderOut}})
def record_order(body: OrderIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Record a sale made elsewhere: 201; the same body again 200; another body under the same `external_id` 409.

    A click id that is unknown, too old or another merchant's never refuses a sale: it is kept, and the
    explanation of the order's attribution says so.
    """
    sale = told.sale(body, caller.merchant_id, work.here)

    def record(session: Session) -> Answer:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        (told_of,) = buyers.kept(session, work.here.signer, caller.merchant_id, [sale])
        order, is_new = service.record_with_coupon(session, work.here.events, caller.merchant_id, told_of, now)
        return Answer(OrderOut.of(order), 201 if is_new else 200)

    return work.write(record, owner=caller.owner)


@router.get("", response_model=Page[OrderOut])
def list_orders(caller: SecretKey, query: Annotated[OrderQuery, Query()], work: UnitOfWork) -> Response:
    """Orders with their refunds and corrections, newest first."""
    matching = service.matching(
        caller.merchant_id, external_id=query.external_id, click_id=query.click_id, coupon=query.coupon
    )
    return work.read(
        lambda session: newest_first(
            session, matching, Order.order_id, query, lambda orders: [OrderOut.of(order) for order in orders]
        )
    )


@router.get("/{order_id}", response_model=OrderOut)
def get_order(order_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """One order with its refunds and with what was corrected of it."""
    return work.read(lambda session: OrderOut.of(service.get(session, caller.merchant_id, order_id)))


@router.patch("/{order_id}", response_model=OrderOut)
def correct_order(order_id: str, body: OrderPatch, caller: SecretKey, work: UnitOfWork) -> Response:
    """Cancel an order, call it back, or correct it. Credit follows at once, by appending; what the order said before
    is kept, so what was known at any time can still be told. The same again changes nothing.

    Whether an order is a test cannot be corrected.
    """
    asked = told.amendment(body, caller.merchant_id, work.here.signer)

    def correct(session: Session) -> OrderOut:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        buyers.must_be_kept(session, work.here.signer, caller.merchant_id, asked)
        before = OrderOut.of(service.get(session, caller.merchant_id, order_id)).model_dump(exclude={"corrections"})
        after = OrderOut.of(corrections.amend(session, work.here.events, caller.merchant_id, order_id, asked, now))
        fields = [*difference(before, after.model_dump(exclude={"corrections"}))]  # what they were says the order
        note(session, caller, "order.corrected", order_id, {"fields": fields} if fields else {})
        return after

    return work.write(correct)


@router.post("/{order_id}/refunds", status_code=201, response_model=RefundOut, responses={200: {"model": RefundOut}})
def refund_order(order_id: str, body: RefundIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Take back a part of an order, or the whole: 201; the same again 200. Credits are taken back in the same
    proportions."""

    def take_back(session: Session) -> Answer:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        taking = Taking(body.external_id, body.reason, now, body.amount, body.amount)
        refund, is_new = service.take_back(session, work.here.events, caller.merchant_id, order_id, taking, now)
        return Answer(RefundOut.of(refund), 201 if is_new else 200)

    return work.write(take_back, owner=caller.owner)


@router.delete("/{order_id}/refunds/{refund_id}", status_code=204)
def undo_refund(order_id: str, refund_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """Undo a refund that was recorded by mistake or has failed: what it took is given back. Twice is once."""

    def give_back(session: Session) -> None:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        corrections.give_back(session, work.here.events, caller.merchant_id, order_id, refund_id, now)

    return work.write(give_back)
