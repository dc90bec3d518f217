"""What a rule is: a code, what its doubts are about, what becomes of those, and the numbers it goes by. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal, NamedTuple

from app.trust.found import About


class Do(StrEnum):
    """What becomes of what a rule doubts: nothing at all, a word in the queue, credit that waits, or none."""

    OFF = "off"
    FLAG = "flag"
    HOLD = "hold"
    REFUSE = "refuse"


class Threshold(NamedTuple):
    """A number that a rule goes by: what it is as long as nobody says another, from `least` to `most`, of `unit`."""

    default: int
    least: int
    most: int
    unit: str


@dataclass(frozen=True)
class Rule:
    """A rule by its stable reason code. `usual` is what it does as long as the merchant says nothing else.

    One that is `fixed` cannot be told otherwise here, and makes no doubts: it is kept elsewhere, by attribution's
    policy (`self_referral`), or always.
    """

    code: str
    about: tuple[About, ...]
    usual: Do = Do.FLAG
    thresholds: Mapping[str, Threshold] = field(default_factory=dict)
    fixed: Literal["policy", "always"] | None = None

    def usual_thresholds(self) -> dict[str, int]:
        """The numbers it goes by as long as the merchant says no others."""
        return {name: threshold.default for name, threshold in self.thresholds.items()}
