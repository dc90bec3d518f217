"""Policies as JSON: read with a pointer to what is wrong, and written in full (attribution.md, Wire forms)."""

from typing import Annotated, Any, Self

from fastapi import Body
from pydantic import JsonValue, WithJsonSchema

from app.attribution.engine import (
    InvalidPolicy,
    Model,
    Policy,
    SelfReferral,
    TypePriority,
    UplineMode,
    policy_from_wire,
    policy_to_wire,
)
from app.kernel.errors import FieldError, Invalid
from app.kernel.http.wire import Wire

MOST_ERRORS = 100
"""Errors that are told of one policy."""


class WindowsOut(Wire):
    """How long before an order a touch still counts, in seconds."""

    click: int
    like: int
    view: int


class UplineOut(Wire):
    """How credit travels up a chain; `alpha` in basis points, `max_depth` in people."""

    mode: UplineMode
    alpha: int
    max_depth: int


class PolicyOut(Wire):
    """A policy in full. Times in seconds, parts in basis points: 4000 are 40 %."""

    model: Model
    windows: WindowsOut
    type_priority: TypePriority
    position: list[int]
    half_life: int
    upline: UplineOut
    self_referral: SelfReferral
    coupon_override: bool
    journey_reset: bool

    @classmethod
    def of(cls, policy: Policy, **more: Any) -> Self:
        """`policy`, and `more` fields of a subclass."""
        return cls.model_validate({**policy_to_wire(policy), **more})


def _numbers(*names: str) -> dict[str, JsonValue]:
    return {name: {"type": "integer"} for name in names}


def _object(**properties: JsonValue) -> dict[str, JsonValue]:
    return {"type": "object", "additionalProperties": False, "properties": properties}


PolicyIn = Annotated[
    dict[str, JsonValue],
    WithJsonSchema(
        _object(
            model={"enum": [*Model]},
            windows=_object(**_numbers("click", "like", "view")),
            type_priority={"enum": [*TypePriority]},
            position={"type": "array", "items": {"type": "integer"}, "minItems": 2, "maxItems": 2},
            half_life={"type": "integer"},
            upline=_object(mode={"enum": [*UplineMode]}, **_numbers("alpha", "max_depth")),
            self_referral={"enum": [*SelfReferral]},
            coupon_override={"type": "boolean"},
            journey_reset={"type": "boolean"},
        )
    ),
    Body(
        description="A policy; what is left out has its default. Times in seconds, parts in basis points.",
        examples=[policy_to_wire(Policy())],
    ),
]
"""A policy as it is sent: the engine reads it, since it alone knows what is possible."""


def policy_of(wire: object, pointer: str = "") -> Policy:
    """The policy that was sent. Raises `Invalid` naming every field that is wrong; `pointer` is where it stands."""
    try:
        return policy_from_wire(wire)
    except InvalidPolicy as wrong:
        raise Invalid(
            *(FieldError(pointer + each.pointer, each.detail) for each in wrong.errors[:MOST_ERRORS])
        ) from None
