"""Stripe's webhooks by HTTP: the signature is checked on the raw body before anything is believed."""

from typing import Annotated

from fastapi import APIRouter, Header, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool

from app.kernel.errors import BadRequest
from app.kernel.http.wire import Wire
from app.kernel.http.work import UnitOfWork
from app.orders.stripe import messages
from app.orders.stripe.gateway import Gateway, StripeGateway
from app.orders.webhooks.bookkeeper import Bookkeeper, ask_for_promotion

router = APIRouter(tags=["stripe"])

LARGEST_BODY = 1024 * 1024


class Received(Wire):
    """The message is kept, and what it says is in the books."""

    received: bool = True


@router.post(
    "/v1/stripe/webhook",
    response_model=Received,
    max_body_size=LARGEST_BODY,
    openapi_extra={"requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}}},
)
async def stripe_webhook(
    request: Request,
    work: UnitOfWork,
    gateway: StripeGateway,
    stripe_signature: Annotated[str | None, Header(description="Made by Stripe over the raw body.")] = None,
) -> Response:
    """Where Stripe sends its events. Each is kept once and applied in the same transaction; repetitions, and
    types that are of no use here, are answered alike."""
    payload = await request.body()
    return await run_in_threadpool(_receive, work, gateway, payload, stripe_signature)


def _receive(work: UnitOfWork, gateway: Gateway, payload: bytes, signature: str | None) -> Response:
    event = gateway.verify(payload, signature)
    try:
        message = messages.read(event)
        said = messages.session_of(message)
        promotion = ask_for_promotion(work.here, gateway, message, said)

        def receive(session: Session) -> Received:
            Bookkeeper(session, work.here, promotion).receive(message, said)
            return Received()

        return work.write(receive)
    except messages.NotAnEvent as reason:
        raise BadRequest(f"This is no event of Stripe's: {reason}.") from None
