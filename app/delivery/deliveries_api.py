"""The log of what webhook endpoints were told, by HTTP, and telling it again."""

from collections.abc import Sequence
from typing import Annotated

from fastapi import APIRouter, Query, Response
from sqlalchemy.orm import Session

from app.delivery import deliveries, endpoints
from app.delivery.delivery_wire import (
    AttemptOut,
    DeliveriesQuery,
    DeliveryId,
    DeliveryOut,
    DeliveryWithAttempts,
    ReplayIn,
    ReplayOut,
)
from app.delivery.models import WebhookDelivery
from app.delivery.webhook_wire import EndpointId
from app.kernel.errors import Invalid
from app.kernel.http.pages import Page, newest_first
from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey

router = APIRouter(prefix="/v1/webhook-endpoints/{endpoint_id}", tags=["webhooks"])


@router.get("/deliveries", response_model=Page[DeliveryOut])
def list_webhook_deliveries(
    endpoint_id: EndpointId, query: Annotated[DeliveriesQuery, Query()], caller: SecretKey, work: UnitOfWork
) -> Response:
    """What this endpoint is told and was told within thirty days, newest first."""

    def show(rows: Sequence[WebhookDelivery]) -> list[DeliveryOut]:
        return [DeliveryOut.of(row) for row in rows]

    def look(session: Session) -> Page[DeliveryOut]:
        endpoint = endpoints.get(session, caller.merchant_id, endpoint_id)
        found = deliveries.of_endpoint(endpoint, query.state)
        return newest_first(session, found, WebhookDelivery.delivery_id, query, show)

    return work.read(look)


@router.get("/deliveries/{delivery_id}", response_model=DeliveryWithAttempts)
def get_webhook_delivery(
    endpoint_id: EndpointId, delivery_id: DeliveryId, caller: SecretKey, work: UnitOfWork
) -> Response:
    """One delivery: what is sent, and how each attempt went."""

    def look(session: Session) -> DeliveryWithAttempts:
        endpoint = endpoints.get(session, caller.merchant_id, endpoint_id)
        delivery = deliveries.get(session, endpoint, delivery_id)
        log = [AttemptOut.of(each) for each in deliveries.attempts(session, delivery)]
        return DeliveryWithAttempts.showing(delivery, log)

    return work.read(look)


@router.post("/deliveries/{delivery_id}/retry", response_model=DeliveryOut)
def retry_webhook_delivery(
    endpoint_id: EndpointId, delivery_id: DeliveryId, caller: SecretKey, work: UnitOfWork
) -> Response:
    """Tell it again as soon as it is its turn, also what was delivered or given up."""

    def retry(session: Session) -> DeliveryOut:
        endpoint = endpoints.get(session, caller.merchant_id, endpoint_id, lock=True)
        delivery = deliveries.get(session, endpoint, delivery_id, lock=True)
        deliveries.retry(session, endpoint, delivery, work.here.clock.now())
        return DeliveryOut.of(delivery)

    answer = work.write(retry, owner=caller.owner)
    work.here.wakeups.ring("webhooks")
    return answer


@router.post("/replay", status_code=202, response_model=ReplayOut)
def replay_webhooks(endpoint_id: EndpointId, body: ReplayIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Tell it again: events by their ids, or everything since a time or after a cursor, in order, before what is new.
    Ids of events are the same as the first time."""

    def replay(session: Session) -> ReplayOut:
        endpoint = endpoints.get(session, caller.merchant_id, endpoint_id, lock=True)
        if body.events is not None:
            count = deliveries.tell_again(session, endpoint, body.events, work.here.clock.now())
            return ReplayOut(deliveries=count, cursor=None)
        cursor = body.cursor
        if body.since is not None:
            cursor = deliveries.cursor_at(session, caller.merchant_id, body.since)
        try:
            deliveries.send_back(session, endpoint, cursor or "")
        except Invalid:  # which names a parameter, as where the feed is read
            raise Invalid.field("/cursor", "is not a cursor of the feed of events") from None
        return ReplayOut(deliveries=None, cursor=cursor)

    answer = work.write(replay, status=202, owner=caller.owner)
    work.here.wakeups.ring("webhooks")
    return answer
