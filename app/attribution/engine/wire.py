"""The policy's wire form (attribution.md, Wire forms): read with precise errors, written in full.

Pure: takes and gives what a JSON parser gives and takes; knows no parser and no HTTP.
"""

from collections.abc import Mapping
from dataclasses import fields
from enum import StrEnum
from typing import TypeVar

from app.attribution.engine.policy import (
    FieldError,
    InvalidPolicy,
    Model,
    Policy,
    Upline,
    Windows,
)

_Word = TypeVar("_Word", bound=StrEnum)
_AGGREGATE = ("markov", "shapley")
_FIELDS = frozenset(field.name for field in fields(Policy))
_WINDOWS = frozenset(("click", "like", "view"))
_UPLINE = frozenset(("mode", "alpha", "max_depth"))


def policy_from_wire(wire: object) -> Policy:
    """The policy that `wire` (parsed JSON) describes; what is left out has its default.

    InvalidPolicy with every error: unknown fields, wrong types (null, a number as text, true for 1, 7.0 for 7),
    words that do not exist, impossible numbers.
    """
    errors: list[FieldError] = []
    top = _Reader(wire, "", _FIELDS, errors)
    usual = Policy()
    try:
        policy = Policy(
            model=top.word("model", usual.model),
            windows=_windows(top, usual.windows),
            type_priority=top.word("type_priority", usual.type_priority),
            position=top.pair("position", usual.position),
            half_life=top.number("half_life", usual.half_life),
            upline=_upline(top, usual.upline),
            self_referral=top.word("self_referral", usual.self_referral),
            coupon_override=top.switch("coupon_override", usual.coupon_override),
            journey_reset=top.switch("journey_reset", usual.journey_reset),
        )
    except InvalidPolicy as impossible:
        raise InvalidPolicy([*errors, *impossible.errors]) from None
    if errors:
        raise InvalidPolicy(errors)
    return policy


def policy_to_wire(policy: Policy) -> dict[str, object]:
    """Every field of `policy` as JSON; `policy_from_wire` reads it back as the same policy."""
    return {
        "model": policy.model.value,
        "windows": {
            "click": policy.windows.click,
            "like": policy.windows.like,
            "view": policy.windows.view,
        },
        "type_priority": policy.type_priority.value,
        "position": list(policy.position),
        "half_life": policy.half_life,
        "upline": {
            "mode": policy.upline.mode.value,
            "alpha": policy.upline.alpha_bp,
            "max_depth": policy.upline.max_depth,
        },
        "self_referral": policy.self_referral.value,
        "coupon_override": policy.coupon_override,
        "journey_reset": policy.journey_reset,
    }


def _windows(top: "_Reader", usual: Windows) -> Windows:
    windows = top.inner("windows", _WINDOWS)
    return Windows(
        click=windows.number("click", usual.click),
        like=windows.number("like", usual.like),
        view=windows.number("view", usual.view),
    )


def _upline(top: "_Reader", usual: Upline) -> Upline:
    upline = top.inner("upline", _UPLINE)
    return Upline(
        mode=upline.word("mode", usual.mode),
        alpha_bp=upline.number("alpha", usual.alpha_bp),
        max_depth=upline.number("max_depth", usual.max_depth),
    )


class _Reader:
    """Reads the fields of one JSON object. What is wrong is noted, and its default goes on in its place."""

    def __init__(self, wire: object, pointer: str, fields: frozenset[str], errors: list[FieldError]) -> None:
        self._pointer = pointer
        self._errors = errors
        self._wire: Mapping[object, object] = {}
        if not isinstance(wire, Mapping):
            errors.append(FieldError(pointer, "must be an object"))
            return
        self._wire = wire
        for name in wire:
            if name not in fields:
                self._wrong(str(name), "is no field of a policy")

    def inner(self, name: str, fields: frozenset[str]) -> "_Reader":
        return _Reader(self._wire.get(name, {}), f"{self._pointer}/{name}", fields, self._errors)

    def number(self, name: str, usual: int) -> int:
        value = self._wire.get(name, usual)
        if type(value) is int:  # a bool is an int too, and not a number
            return value
        self._wrong(name, "must be a whole number")
        return usual

    def switch(self, name: str, usual: bool) -> bool:
        value = self._wire.get(name, usual)
        if isinstance(value, bool):
            return value
        self._wrong(name, "must be true or false")
        return usual

    def word(self, name: str, usual: _Word) -> _Word:
        value = self._wire.get(name, usual.value)
        words = type(usual)
        if isinstance(value, str) and value in words._value2member_map_:
            return words(value)
        if value in _AGGREGATE and words is Model:
            self._wrong(name, f"{value} is for aggregate reports: it divides a period, never one order")
        else:
            self._wrong(name, f"must be one of {', '.join(words)}")
        return usual

    def pair(self, name: str, usual: tuple[int, int]) -> tuple[int, int]:
        value = self._wire.get(name, usual)
        if isinstance(value, list | tuple) and len(value) == 2 and all(type(part) is int for part in value):
            return value[0], value[1]
        self._wrong(name, "must be two whole numbers: first, last")
        return usual

    def _wrong(self, name: str, detail: str) -> None:
        escaped = name.replace("~", "~0").replace("/", "~1")  # RFC 6901, section 3
        self._errors.append(FieldError(f"{self._pointer}/{escaped}", detail))
