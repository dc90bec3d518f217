"""Many sales that were made elsewhere, in one call."""

from collections.abc import Sequence
from typing import Annotated, Literal

from fastapi import APIRouter, Response
from pydantic import Field, ValidationError, WithJsonSchema
from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.errors import AppError
from app.kernel.http import problems
from app.kernel.http.wire import Body, Wire
from app.kernel.http.work import UnitOfWork
from app.kernel.runtime import Runtime
from app.merchants.access import SecretKey
from app.orders import bulk, buyers, told
from app.orders.bulk import Recorded
from app.orders.sales import Sale
from app.orders.wire import OrderIn

MOST = 1_000
"""Orders of one call."""

LARGEST_BODY = 8 * 1024 * 1024


class OrdersIn(Body):
    """Sales made elsewhere, each as for `POST /v1/orders`."""

    orders: Annotated[
        list[object],
        Field(min_length=1, max_length=MOST),
        WithJsonSchema(
            {
                "type": "array",
                "minItems": 1,
                "maxItems": MOST,
                "items": {"$ref": "#/components/schemas/OrderIn"},
            }
        ),
    ]


class OrderErrorOut(Wire):
    """A field that cannot be; `pointer` is a JSON pointer into the order."""

    pointer: str
    detail: str


class OrderResultOut(Wire):
    """What became of one order, in the place that it had in the call. A refused one has the `code`, `detail` and
    `errors` with which `POST /v1/orders` would have refused it."""

    external_id: str | None
    status: Literal["created", "unchanged", "refused"]
    id: str | None = None
    code: Annotated[str | None, Field(examples=["order_exists"])] = None
    detail: str | None = None
    errors: list[OrderErrorOut] = []


class OrdersOut(Wire):
    """How many were created, were there already (`unchanged`), or were refused; and what became of each, in the order
    of the call."""

    created: int
    unchanged: int
    refused: int
    results: list[OrderResultOut]


router = APIRouter(prefix="/v1/orders", tags=["orders"])


@router.post("/bulk", response_model=OrdersOut, max_body_size=LARGEST_BODY)
def record_orders(body: OrdersIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Record up to 1,000 sales made elsewhere. Each is answered for itself: a bad one never loses the others, and the
    same again is `unchanged`. All that is answered as created or unchanged is on disk."""
    read = [_read(order, caller.merchant_id, work.here) for order in body.orders]
    sales = [sale for sale in read if isinstance(sale, Sale)]

    def record(session: Session) -> OrdersOut:
        now = writing_now(session, caller.merchant_id, work.here.clock)
        told_of = buyers.kept(session, work.here.signer, caller.merchant_id, sales)
        recorded = bulk.record_all(session, work.here.events, caller.merchant_id, told_of, now)
        return _answer(body.orders, read, recorded)

    return work.write(record, owner=caller.owner)


def _read(order: object, merchant_id: int, here: Runtime) -> Sale | AppError:
    """The sale, or why it cannot be one."""
    try:
        return told.sale(OrderIn.model_validate(order), merchant_id, here)
    except ValidationError as error:
        found = error.errors(include_url=False, include_context=False, include_input=False)
        return problems.from_validation([{**each, "loc": ("body", *each["loc"])} for each in found], order)
    except AppError as refusal:
        return refusal


def _answer(said: Sequence[object], read: Sequence[Sale | AppError], recorded: Sequence[Recorded]) -> OrdersOut:
    outcomes = iter(recorded)
    results = [
        _result(order, next(outcomes) if isinstance(each, Sale) else Recorded(None, refusal=each))
        for order, each in zip(said, read, strict=True)
    ]
    counts = {status: sum(result.status == status for result in results) for status in ("created", "unchanged")}
    return OrdersOut(**counts, refused=len(results) - sum(counts.values()), results=results)


def _result(said: object, recorded: Recorded) -> OrderResultOut:
    name = said.get("external_id") if isinstance(said, dict) else None
    external_id = _sendable(name.strip()[:255]) if isinstance(name, str) else None
    if recorded.refusal is None:
        status: Literal["created", "unchanged"] = "created" if recorded.is_new else "unchanged"
        return OrderResultOut(external_id=external_id, status=status, id=recorded.order_id)
    errors = [OrderErrorOut(pointer=_sendable(each.pointer), detail=each.detail) for each in recorded.refusal.errors]
    return OrderResultOut(
        external_id=external_id,
        status="refused",
        code=recorded.refusal.code,
        detail=recorded.refusal.detail,
        errors=errors,
    )


def _sendable(said: str) -> str:
    """What was said as it can be said back: JSON may hold half a character, UTF-8 may not."""
    return said.encode("utf-8", "replace").decode()
