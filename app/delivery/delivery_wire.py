"""The shapes of deliveries to webhook endpoints in JSON, and of telling them again."""

import json
from typing import Annotated, Any, Self

from fastapi import Path
from pydantic import ConfigDict, Field, model_validator
from pydantic.config import JsonDict

from app.delivery import deliveries
from app.delivery.models import WebhookAttempt, WebhookDelivery
from app.kernel.errors import FieldError, Invalid
from app.kernel.http.pages import PageQuery
from app.kernel.http.wire import Body, PublicId, Text, Timestamp, Wire

_MOST_EVENTS = 100
_EXAMPLE: JsonDict = {
    "id": "whd_01k9xkq2v900000001abcdefghjkmn",
    "event": "evt_01k9xkq2v900000001mnpqrstvwxyz",
    "type": "order.attributed",
    "subject": "ord_01k9xkq2v9000000010123456789ab",
    "state": "waiting",
    "attempts": 1,
    "created_at": "2026-11-22T09:30:00Z",
    "next_attempt_at": "2026-11-22T09:30:05Z",
    "delivered_at": None,
    "given_up_at": None,
}
_ATTEMPT: JsonDict = {
    "id": "wha_01k9xkq2v900000001vwxyz0123456",
    "at": "2026-11-22T09:30:00Z",
    "took_ms": 83,
    "status": 500,
    "problem": "answered 500: no such table",
}
_BODY: JsonDict = {
    "id": _EXAMPLE["event"],
    "type": "order.attributed",
    "timestamp": "2026-11-22T09:30:00Z",
    "data": {"order": _EXAMPLE["subject"], "net": 1999, "currency": "eur"},
}
DeliveryId = Annotated[str, Path(description="The `id` of a delivery to it.", examples=[_EXAMPLE["id"]])]


class AttemptOut(Wire):
    """How an attempt went. `status` is the answer's, if there was one; `problem` says why it did not arrive."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ATTEMPT]})

    id: str
    at: Timestamp
    took_ms: Annotated[int, Field(description="Milliseconds until the answer, or until it was given up.")]
    status: int | None
    problem: str | None

    @classmethod
    def of(cls, attempt: WebhookAttempt) -> Self:
        return cls(
            id=attempt.attempt_id,
            at=attempt.at,
            took_ms=attempt.took,
            status=attempt.status,
            problem=attempt.problem,
        )


class DeliveryOut(Wire):
    """An event that an endpoint is told. `subject` is the id of what it is about: what is about the same is told in
    order. `next_attempt_at`: not before then, while it waits; null where one before it waits too."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    event: str
    type: str
    subject: str
    state: deliveries.State
    attempts: int
    created_at: Timestamp
    next_attempt_at: Timestamp | None
    delivered_at: Timestamp | None
    given_up_at: Timestamp | None

    @classmethod
    def of(cls, delivery: WebhookDelivery) -> Self:
        return cls.model_validate(_of_delivery(delivery))


class DeliveryWithAttempts(DeliveryOut):
    """The same with what is sent, and each attempt; those of more than thirty days ago are not kept."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_EXAMPLE, "body": _BODY, "log": [_ATTEMPT]}]})

    body: Annotated[dict[str, Any], Field(description="What is sent, the same at each attempt.")]
    log: list[AttemptOut]

    @classmethod
    def showing(cls, delivery: WebhookDelivery, attempts: list[AttemptOut]) -> Self:
        body = json.loads(delivery.body)
        return cls.model_validate({**_of_delivery(delivery), "body": body, "log": attempts})


class DeliveriesQuery(PageQuery):
    """Which deliveries."""

    state: Annotated[deliveries.State | None, Field(description="Only those in this state.", examples=["given_up"])] = (
        None
    )


class ReplayIn(Body):
    """What to tell again: exactly one of these."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "2026-11-22T00:00:00Z"}, {"cursor": ""}]})

    since: Annotated[
        Timestamp | None, Field(description="All that was written since then, and what came in the minute before.")
    ] = None
    cursor: Annotated[
        Text | None,
        Field(max_length=2000, description="All after this cursor of `GET /v1/events`; empty: from the beginning."),
    ] = None
    events: Annotated[
        list[PublicId] | None,
        Field(
            min_length=1,
            max_length=_MOST_EVENTS,
            description="Events by their ids, which any endpoint of yours was to be told within thirty days.",
        ),
    ] = None

    @model_validator(mode="after")
    def _says_one_thing(self) -> Self:
        """Raises `Invalid` naming the first that is missing, or one too many."""
        said = [name for name in ("since", "cursor", "events") if getattr(self, name) is not None]
        if not said:
            raise Invalid.field("/since", "say from when on: this, or `cursor`, or `events`")
        if len(said) > 1:
            raise Invalid(*(FieldError(f"/{name}", f"cannot be said beside `{said[0]}`") for name in said[1:]))
        return self


class ReplayOut(Wire):
    """What is told again: so many events, or all after a cursor (of `GET /v1/events`)."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"deliveries": None, "cursor": "512-x7r2k9m4tq0w"}]})

    deliveries: Annotated[int | None, Field(description="How many events; null where all after `cursor` are.")]
    cursor: Annotated[str | None, Field(description="After which all is told; null where `events` were named.")]


def _of_delivery(delivery: WebhookDelivery) -> dict[str, object]:
    same = ("type", "subject", "attempts", "created_at", "delivered_at", "given_up_at")
    return {
        "id": delivery.delivery_id,
        "event": delivery.event_id,
        "state": deliveries.state_of(delivery),
        "next_attempt_at": delivery.due_at,
        **{name: getattr(delivery, name) for name in same},
    }
