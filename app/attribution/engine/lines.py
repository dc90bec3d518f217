"""Credit lines: what the engine answers with, and the difference between lines that were written and lines wanted.

Pure.
"""

from collections.abc import Iterable
from enum import StrEnum
from fractions import Fraction
from typing import NamedTuple

from app.attribution.engine.facts import Order, Refund, Touch
from app.attribution.engine.reasons import Reason


class Source(StrEnum):
    """Where a line's credit comes from."""

    TOUCH = "touch"
    COUPON = "coupon"
    DIRECT = "direct"


class LineKey(NamedTuple):
    """What makes two lines of one order the same line. People who are joined later change `sharer`: their line
    is taken back under the old key and written under the new one. So it is with a coupon that came to speak for
    another referral, also for those who stand above both."""

    source: Source
    touch: str | None
    referral: str | None
    level: int | None
    sharer: str
    network: str
    source_referral: str | None


class Amounts(NamedTuple):
    """Minor units of a line, or signed changes of it."""

    gross: int
    reversed: int

    @property
    def net(self) -> int:
        """What remains."""
        return self.gross - self.reversed


class Line(NamedTuple):
    """One credit. `level` is None for the house; `reason` says why nobody earned it, where nobody did."""

    source: Source
    touch: str | None
    referral: str | None
    network: str
    sharer: str
    level: int | None
    gross: int
    reversed: int
    reason: Reason | None
    source_referral: str | None  # the touched (or the coupon's) referral, on every level; None if unknown
    source_gross: int  # cents of the whole source, of which this line is a part
    source_part: int  # the source's weight is source_part / source_whole
    source_whole: int
    level_part: int  # the level's weight inside its source is level_part / level_whole
    level_whole: int

    @property
    def net(self) -> int:
        """What is left after refunds; never below zero."""
        return self.gross - self.reversed

    @property
    def key(self) -> LineKey:
        """The natural key of this line within its order."""
        return LineKey(
            self.source, self.touch, self.referral, self.level, self.sharer, self.network, self.source_referral
        )

    @property
    def amounts(self) -> Amounts:
        """Gross and reversed together."""
        return Amounts(self.gross, self.reversed)

    @property
    def source_weight(self) -> Fraction:
        """The part of the order that this line's source earned."""
        return Fraction(self.source_part, self.source_whole)

    @property
    def level_weight(self) -> Fraction:
        """The part of its source that this level earned."""
        return Fraction(self.level_part, self.level_whole)

    @property
    def rounding(self) -> Fraction:
        """What rounding to whole minor units added (or took away, below zero) inside the source; under 1."""
        return self.gross - self.source_gross * self.level_weight


class Verdict(NamedTuple):
    """What became of one touch of a journey. `reason` is None if it counted, else why it did not."""

    touch: Touch  # with the `at` it was counted at
    age: int  # seconds before the order; below zero for a touch after it
    reason: Reason | None
    part: int  # the weight is part / whole
    whole: int
    cents: int  # gross minor units of all its lines together
    of: int  # the order's net, which was split

    @property
    def counted(self) -> bool:
        """Whether it was a source of credit."""
        return self.reason is None

    @property
    def weight(self) -> Fraction:
        """Its part of the order."""
        return Fraction(self.part, self.whole)

    @property
    def rounding(self) -> Fraction:
        """What rounding to whole minor units added (or took away, below zero); under 1."""
        return self.cents - self.of * self.weight


class Taking(NamedTuple):
    """What one refund took back: less than its amount where the order had less left, 0 where it dropped out."""

    refund: Refund
    taken: int
    dropped: bool


class Settlement(NamedTuple):
    """How one order is divided, and everything needed to explain it.

    `lines` come source by source, earliest first, each from level 0 to the house. Lines that rounding left with
    nothing are in `rounded_away` instead. Lines sum to the order's net less what was taken back, always.
    """

    order: Order
    buyer: str | None
    lines: tuple[Line, ...]
    rounded_away: tuple[Line, ...]
    verdicts: tuple[Verdict, ...]  # every touch of the journey, in the order of rule 3
    takings: tuple[Taking, ...]  # every refund, in order of (received_at, id)
    reason: Reason | None  # why nobody is credited; None if somebody is
    coupon_reason: Reason | None  # why the order's coupon decided nothing; None if it did, or there is none

    @property
    def refunded(self) -> int:
        """Minor units that were taken back."""
        return sum(taking.taken for taking in self.takings)

    @property
    def net(self) -> int:
        """What is left of the order, and what the lines sum to."""
        return self.order.net - self.refunded


def difference(written: Iterable[tuple[LineKey, Amounts]], wanted: Iterable[Line]) -> dict[LineKey, Amounts]:
    """What to append so that everything written for one order adds up to the lines wanted (rule 11).

    `written` may name a key many times: its amounts are added up. The changes are signed, none is 0 and 0; first
    come those of wanted lines in their order, then the taking back of keys that are wanted no more. Nothing to
    append is an empty dict, so writing the same twice writes nothing.
    """
    changes = {line.key: line.amounts for line in wanted}
    for key, amounts in written:
        before = changes.get(key, Amounts(0, 0))
        changes[key] = Amounts(before.gross - amounts.gross, before.reversed - amounts.reversed)
    return {key: change for key, change in changes.items() if any(change)}
