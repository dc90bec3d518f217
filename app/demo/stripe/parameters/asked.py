"""What many requests have in common: metadata, numbers above zero, times to come, parameters nobody acts on. Pure."""

from collections.abc import Set
from typing import Final

from app.demo.stripe.errors import NotSimulated, StripeProblem, missing
from app.demo.stripe.parameters.values import Params

_MOST_KEYS, _LONGEST_NAME, _LONGEST_VALUE = 50, 40, 500
_NAME: Final = "metadata"
_LONGEST_AHEAD: Final = 5 * 366 * 24 * 60 * 60


def metadata(params: Params) -> dict[str, str]:
    """The metadata of a new object; an empty value leaves its key out."""
    given = params.mapping(_NAME)
    if len(given) > _MOST_KEYS:
        raise StripeProblem(f"You can specify up to {_MOST_KEYS} keys", param=params.param(_NAME))
    for name, value in given.items():
        if len(name) > _LONGEST_NAME or len(value) > _LONGEST_VALUE:
            raise StripeProblem(
                f"Metadata names can have up to {_LONGEST_NAME} characters, and values up to {_LONGEST_VALUE}",
                param=f"{params.param(_NAME)}[{name[:_LONGEST_NAME]}]",
            )
    return {name: value for name, value in given.items() if value != ""}


def changed_metadata(before: dict[str, str], params: Params) -> dict[str, str]:
    """`before`, with what is given. An empty value takes its key away, an empty text in place of the hash all."""
    if params.raw(_NAME) == "":
        return {}
    gone = {name for name, value in params.mapping(_NAME).items() if value == ""}
    kept = {name: value for name, value in before.items() if name not in gone}
    return metadata(Params({_NAME: {**kept, **metadata(params)}}))


def only(params: Params, names: Set[str]) -> None:
    """NotSimulated for a parameter that is not among `names`: better refused than half obeyed."""
    for name in params:
        if name not in names:
            raise NotSimulated(f"the parameter {params.param(name)}", params.param(name))


def required(params: Params, name: str) -> str:
    """The text of a parameter that must be there."""
    value = params.text(name)
    if value is None:
        raise missing(params.param(name))
    return value


def positive(params: Params, name: str) -> int | None:
    """A number above zero, where one is given."""
    value = params.integer(name)
    if value is not None and value < 1:
        raise StripeProblem("Invalid positive integer", code="parameter_invalid_integer", param=params.param(name))
    return value


def to_come(params: Params, name: str, now: int) -> int | None:
    """A time after `now`, and at most five years, where one is given."""
    at = params.integer(name)
    if at is not None and not now < at <= now + _LONGEST_AHEAD:
        raise StripeProblem(f"{name} must be in the future, at most 5 years from now", param=params.param(name))
    return at
