"""The shapes of webhook endpoints and their deliveries in JSON."""

import json
from datetime import timedelta
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, ConfigDict, Field, model_validator
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.delivery import deliveries, endpoints, facts
from app.delivery.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.delivery.telling import Outcome
from app.kernel.http.pages import PageQuery
from app.kernel.http.wire import Body, PublicId, Text, Timestamp, Wire

ALL = "*"
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


def _known_type(name: str) -> str:
    if name != ALL and name not in facts.TYPES:
        raise PydanticCustomError("unknown_type", "is none of {types}", {"types": ", ".join((*facts.TYPES, ALL))})
    return name


Url = Annotated[
    Text,
    Field(
        min_length=1,
        max_length=2000,
        examples=["https://shop.example/grapevine"],
        description="Where to send: https, on the public internet. Redirects are not followed.",
    ),
]
Type = Annotated[str, AfterValidator(_known_type), Field(examples=["order.attributed"])]
Types = Annotated[
    list[Type],
    Field(
        min_length=1,
        max_length=50,
        description=f"What it is told of: any of {', '.join(f'`{each}`' for each in facts.TYPES)}; `*`: all, also "
        "those that are new one day.",
    ),
]
Description = Annotated[Text, Field(max_length=200, description="A note for people.")]


class EndpointIn(Body):
    """An address that is to be told of events. Which, is `order.attributed`, `order.refunded`, `referral.created`,
    `visit.recorded` and `import.finished` where nothing is said."""

    model_config = ConfigDict(
        json_schema_extra={
            "examples": [{"url": "https://shop.example/grapevine", "types": ["order.attributed", "order.refunded"]}]
        }
    )

    url: Url
    types: Types = list(endpoints.USUAL)
    description: Description | None = None


class EndpointPatch(Body):
    """What to change; what is left out stays."""

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    disabled: Annotated[
        bool | None,
        Field(description="`true`: send nothing until it is `false` again, and go on then with all that happened."),
    ] = None


class RotationIn(Body):
    """How a secret is exchanged."""

    overlap_hours: Annotated[
        int, Field(ge=0, le=168, description="How long the secret before signs along, so that receivers can change.")
    ] = 24

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.overlap_hours)


class EndpointOut(Wire):
    """An endpoint. `notice` says what its owner should know: why nothing is sent to it, or that nothing arrives."""

    id: str
    url: str
    types: list[str]
    description: str | None
    created_at: Timestamp
    disabled_at: Timestamp | None
    disabled_reason: Annotated[
        Literal["asked", "gone", "failing"] | None,
        Field(description="By a call; it answered 410; nothing arrived for three days."),
    ]
    failing_since: Timestamp | None
    former_secret_until: Timestamp | None
    notice: str | None

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> Self:
        return cls.model_validate(_fields(endpoint))

    @classmethod
    def with_secret(cls, endpoint: WebhookEndpoint, secret: str) -> "EndpointWithSecret":
        return EndpointWithSecret.model_validate({**_fields(endpoint), "secret": secret})


class EndpointWithSecret(EndpointOut):
    """The same with its secret, which is shown only here."""

    secret: Annotated[str | None, Field(examples=["whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"])]


class AttemptOut(Wire):
    """How an attempt went. `status` is the answer's, if there was one; `problem` says why it did not arrive."""

    id: str
    at: Timestamp
    took_ms: int
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

    body: Annotated[dict[str, Any], Field(description="What is sent, the same at each attempt.")]
    log: list[AttemptOut]

    @classmethod
    def showing(cls, delivery: WebhookDelivery, attempts: list[AttemptOut]) -> Self:
        body = json.loads(delivery.body)
        return cls.model_validate({**_of_delivery(delivery), "body": body, "log": attempts})


class DeliveriesQuery(PageQuery):
    """Which deliveries."""

    state: Annotated[deliveries.State | None, Field(description="Only those in this state.")] = None


class ReplayIn(Body):
    """What to tell again: exactly one of these."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"since": "2026-11-22T00:00:00Z"}]})

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
        if sum(each is not None for each in (self.since, self.cursor, self.events)) != 1:
            raise PydanticCustomError("one_of", "say exactly one of since, cursor, events")
        return self


class ReplayOut(Wire):
    """What is told again: so many events, or all after a cursor (of `GET /v1/events`)."""

    deliveries: int | None
    cursor: str | None


class TestOut(Wire):
    """What came back."""

    __test__ = False

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"delivered": True, "status": 204, "problem": None, "took_ms": 83}]}
    )

    delivered: bool
    status: int | None
    problem: str | None
    took_ms: int

    @classmethod
    def of(cls, outcome: Outcome) -> Self:
        return cls(
            delivered=outcome.arrived, status=outcome.status, problem=outcome.problem, took_ms=outcome.milliseconds
        )


def _fields(endpoint: WebhookEndpoint) -> dict[str, object]:
    same = ("url", "description", "created_at", "disabled_at", "disabled_reason", "failing_since")
    return {
        "id": endpoint.endpoint_id,
        "types": endpoint.types or [ALL],
        "former_secret_until": endpoint.former_until,
        "notice": endpoints.notice(endpoint),
        **{name: getattr(endpoint, name) for name in same},
    }


def _of_delivery(delivery: WebhookDelivery) -> dict[str, object]:
    same = ("type", "subject", "attempts", "created_at", "delivered_at", "given_up_at")
    return {
        "id": delivery.delivery_id,
        "event": delivery.event_id,
        "state": deliveries.state_of(delivery),
        "next_attempt_at": delivery.due_at,
        **{name: getattr(delivery, name) for name in same},
    }
