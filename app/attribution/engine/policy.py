"""The policy: by which rules a merchant's sales are divided. Its defaults are those of attribution.md.

Pure. `wire` reads it from JSON; nothing here knows JSON. A policy that exists is possible: impossible numbers
are refused when it is made.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from fractions import Fraction
from typing import Final, NamedTuple

WHOLE: Final = 10_000  # basis points in the whole
LONGEST: Final = 100 * 365 * 86_400  # longest window and half-life in seconds: a century is as good as for ever
DEEPEST: Final = 100  # most people of one chain that may earn


class Model(StrEnum):
    """How the touches of one journey share an order (rule 4)."""

    LAST_TOUCH = "last_touch"
    FIRST_TOUCH = "first_touch"
    LINEAR = "linear"
    POSITION_BASED = "position_based"
    TIME_DECAY = "time_decay"


class TypePriority(StrEnum):
    """Whether only the strongest type of touch that is present counts, or all count."""

    STRICT = "strict"
    NONE = "none"


class SelfReferral(StrEnum):
    """Whether buyers may earn credit for their own orders."""

    EXCLUDE = "exclude"
    INCLUDE = "include"


class UplineMode(StrEnum):
    """How the people of one chain share what their source earned (rule 9)."""

    DIRECT = "direct"
    GEOMETRIC = "geometric"
    EQUAL = "equal"
    ROOT = "root"
    RECURSIVE = "recursive"
    HALVING = "halving"


# Rule 9: in a chain, nobody gains by pretending to be several people. Rewards may use only these.
REWARDABLE: Final = frozenset({UplineMode.DIRECT, UplineMode.HALVING})


class FieldError(NamedTuple):
    """One thing that is wrong with a policy, and where."""

    pointer: str  # JSON pointer (RFC 6901) into the policy's wire form
    detail: str


class InvalidPolicy(ValueError):
    """A policy that cannot be read or followed. `errors` names every field that is wrong."""

    def __init__(self, errors: Iterable[FieldError]) -> None:
        self.errors = tuple(errors)
        super().__init__("; ".join(f"{error.pointer or 'policy'}: {error.detail}" for error in self.errors))


@dataclass(frozen=True, slots=True)
class Windows:
    """How long before an order a touch still counts, in seconds, inclusive."""

    click: int = 30 * 86_400
    like: int = 7 * 86_400
    view: int = 86_400


@dataclass(frozen=True, slots=True)
class Upline:
    """How far, and in which proportions, credit travels from the sharer up the chain."""

    mode: UplineMode = UplineMode.DIRECT
    alpha_bp: int = 5_000  # basis points
    max_depth: int = 5  # people, the direct sharer included

    @property
    def alpha(self) -> Fraction:
        """The part that is passed on at each step."""
        return Fraction(self.alpha_bp, WHOLE)


@dataclass(frozen=True, slots=True)
class Policy:
    """One version of a merchant's policy. InvalidPolicy for numbers that no sale could be divided by."""

    model: Model = Model.LAST_TOUCH
    windows: Windows = field(default_factory=Windows)
    type_priority: TypePriority = TypePriority.STRICT
    position: tuple[int, int] = (4_000, 4_000)  # basis points: first, last
    half_life: int = 7 * 86_400  # seconds
    upline: Upline = field(default_factory=Upline)
    self_referral: SelfReferral = SelfReferral.EXCLUDE
    coupon_override: bool = True
    journey_reset: bool = False

    def __post_init__(self) -> None:
        errors = tuple(_impossible(self))
        if errors:
            raise InvalidPolicy(errors)


def _impossible(policy: Policy) -> Iterator[FieldError]:
    windows, upline = policy.windows, policy.upline
    first, last = policy.position
    for pointer, number, least, most in (
        ("/windows/click", windows.click, 0, LONGEST),
        ("/windows/like", windows.like, 0, LONGEST),
        ("/windows/view", windows.view, 0, LONGEST),
        ("/position/0", first, 0, WHOLE),
        ("/position/1", last, 0, WHOLE),
        ("/half_life", policy.half_life, 1, LONGEST),
        ("/upline/alpha", upline.alpha_bp, 0, WHOLE),
        ("/upline/max_depth", upline.max_depth, 1, DEEPEST),
    ):
        if not least <= number <= most:
            yield FieldError(pointer, f"must be from {least} to {most}")
    if min(first, last) >= 0 and not 0 < first + last <= WHOLE:
        yield FieldError("/position", f"first and last together must be more than 0 and at most {WHOLE}")
