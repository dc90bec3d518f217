"""The shapes of webhook endpoints and their deliveries in JSON."""

from datetime import timedelta
from typing import Annotated, Literal, Self

from fastapi import Path
from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.delivery import endpoints, facts
from app.delivery.models import WebhookEndpoint
from app.delivery.telling import Outcome
from app.kernel.http.wire import Body, Text, Timestamp, Wire

ALL = "*"
_ENDPOINT: JsonDict = {
    "id": "whe_01k9xkq2v900000001defghjkmnpqr",
    "url": "https://shop.example/grapevine",
    "types": ["order.attributed", "order.refunded"],
    "description": "Our books",
    "created_at": "2026-11-22T09:00:00Z",
    "disabled_at": None,
    "disabled_reason": None,
    "failing_since": None,
    "former_secret_until": None,
    "notice": None,
}
_SECRET = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"  # noqa: S105  # an example


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
Description = Annotated[Text, Field(max_length=200, description="A note for people.", examples=["Our books"])]
EndpointId = Annotated[
    str, Path(description="The `id` of a webhook endpoint.", examples=["whe_01k9xkq2v900000001defghjkmnpqr"])
]


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

    model_config = ConfigDict(json_schema_extra={"examples": [{"types": ["*"]}, {"disabled": True}]})

    url: Url | None = None
    types: Types | None = None
    description: Description | None = None
    disabled: (
        Annotated[
            bool,
            Field(
                strict=True,
                description="`true`: send nothing until it is `false` again, and go on then with all that happened.",
            ),
        ]
        | None
    ) = None


class RotationIn(Body):
    """How a secret is exchanged."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})

    overlap_hours: Annotated[
        int,
        Field(
            ge=0,
            le=168,
            strict=True,
            description="How long the secret before signs along, so that receivers can change.",
        ),
    ] = 24

    @property
    def overlap(self) -> timedelta:
        return timedelta(hours=self.overlap_hours)


class EndpointOut(Wire):
    """An endpoint. `notice` says what its owner should know: why nothing is sent to it, or that nothing arrives."""

    model_config = ConfigDict(json_schema_extra={"examples": [_ENDPOINT]})

    id: str
    url: str
    types: Annotated[list[str], Field(description="What it is told of; `*`: all.")]
    description: str | None
    created_at: Timestamp
    disabled_at: Annotated[Timestamp | None, Field(description="Since when nothing is sent there.")]
    disabled_reason: Annotated[
        Literal["asked", "gone", "failing"] | None,
        Field(description="By a call; it answered 410; nothing arrived for three days."),
    ]
    failing_since: Annotated[Timestamp | None, Field(description="The first failure after which nothing arrived.")]
    former_secret_until: Annotated[
        Timestamp | None, Field(description="Until then events are signed with the secret before, too.")
    ]
    notice: str | None

    @classmethod
    def of(cls, endpoint: WebhookEndpoint) -> Self:
        return cls.model_validate(_fields(endpoint))

    @classmethod
    def with_secret(cls, endpoint: WebhookEndpoint, secret: str) -> "EndpointWithSecret":
        return EndpointWithSecret.model_validate({**_fields(endpoint), "secret": secret})


class EndpointWithSecret(EndpointOut):
    """The same with its secret, which is shown only here."""

    model_config = ConfigDict(json_schema_extra={"examples": [{**_ENDPOINT, "secret": _SECRET}]})

    secret: Annotated[
        str | None,
        Field(description="Sign and verify with it; null where a call is repeated by its `Idempotency-Key`."),
    ]


class TestOut(Wire):
    """What came back."""

    __test__ = False

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"delivered": True, "status": 204, "problem": None, "took_ms": 83}]}
    )

    delivered: bool
    status: Annotated[int | None, Field(description="Of the answer, if there was one.")]
    problem: Annotated[str | None, Field(description="Why it did not arrive, in words.")]
    took_ms: Annotated[int, Field(description="Milliseconds.")]

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
