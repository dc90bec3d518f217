"""What a settlement does not say by itself: the whole chain above a referral, and what each refund took from whom.

Pure. It follows the engine's decisions and makes none: a test compares its chains with the engine's.
"""

from collections.abc import Iterator
from enum import StrEnum
from itertools import groupby
from typing import Final, NamedTuple

from app.attribution.engine import (
    DOUBTED,
    Bar,
    Facts,
    Line,
    Policy,
    Reason,
    Referral,
    SelfReferral,
    Settlement,
    Source,
    UplineMode,
    Verdict,
)
from app.attribution.engine.cents import take_back

LONGEST: Final = 200
"""Places of one chain that are told: as many people as may ever earn, and as many who are left out."""


class LeftOut(StrEnum):
    """Why somebody above a referral is not in its chain (rule 8), or their referral is barred."""

    SELF_REFERRAL = "self_referral"
    AGAIN = "again"
    HELD = Reason.HELD.value
    REFUSED = Reason.REFUSED.value
    DIRECT = "direct"
    TOO_DEEP = "too_deep"


class End(StrEnum):
    """Where a chain ends (rule 8); `too_long`: it goes on, but is not told to its end."""

    ROOT = "root"
    UNKNOWN_PARENT = "unknown_parent"
    LOOP = "loop"
    CUT = "cut"
    TOO_LONG = "too_long"


class Place(NamedTuple):
    """One referral on the way up: its person stands at `level`, or is left out."""

    referral: str
    sharer: str
    level: int | None
    left_out: LeftOut | None


class Chain(NamedTuple):
    """Places from the touched referral up; `above` is the parent at which it ends, known or not."""

    places: tuple[Place, ...]
    end: End
    above: str | None


def chain(referral: Referral, facts: Facts, policy: Policy, buyer: str | None) -> Chain:
    """Everybody above `referral`, who of them stands in the chain, and why it ends where it does."""
    direct = policy.upline.mode is UplineMode.DIRECT
    depth = 1 if direct else policy.upline.max_depth
    own = buyer if policy.self_referral is SelfReferral.EXCLUDE else None
    places: list[Place] = []
    people: list[str] = []
    above: str | None = None
    for ancestor in facts.lineage(referral.id):
        person, above = facts.sharer(ancestor), ancestor.parent
        if len(places) == LONGEST:
            return Chain(tuple(places), End.TOO_LONG, ancestor.id)
        if person == own:
            places.append(Place(ancestor.id, person, None, LeftOut.SELF_REFERRAL))
        elif person in people:
            places.append(Place(ancestor.id, person, None, LeftOut.AGAIN))
        elif len(people) < depth and (bar := facts.bars.referrals.get(ancestor.id)) is not None:
            places.append(Place(ancestor.id, person, None, LeftOut(bar.reason)))
        elif len(people) < depth:
            places.append(Place(ancestor.id, person, len(people), None))
            people.append(person)
        else:
            places.append(Place(ancestor.id, person, None, LeftOut.DIRECT if direct else LeftOut.TOO_DEEP))
            return Chain(tuple(places), End.CUT, above)
    end = End.ROOT if above is None else End.LOOP if above in facts.referrals else End.UNKNOWN_PARENT
    return Chain(tuple(places), end, above)


def every_line(settlement: Settlement) -> tuple[Line, ...]:
    """The lines, and those that rounding left with nothing."""
    return (*settlement.lines, *settlement.rounded_away)


def by_coupon(settlement: Settlement) -> str | None:
    """The referral to which the order's coupon gave the whole order, if it did."""
    first = every_line(settlement)[0]
    return first.source_referral if first.source is Source.COUPON else None


def bar_of_touch(verdict: Verdict, settlement: Settlement, facts: Facts) -> Bar | None:
    """What bars a touch of the order's journey, where nothing else stands against it."""
    if verdict.reason not in DOUBTED:
        return None
    return facts.bars.of_touch(verdict.touch.id, verdict.touch.referral, settlement.order.id)


def bar_of_coupon(settlement: Settlement, facts: Facts) -> Bar | None:
    """What bars the referral that the order's coupon speaks for, where nothing else stands against it."""
    order = settlement.order
    spoken = None if order.coupon is None else facts.coupon(order.coupon, order.at)
    if spoken is None or settlement.coupon_reason not in DOUBTED:
        return None
    return facts.bars.of_coupon(spoken.referral, order.id)


def takings_by_line(settlement: Settlement) -> Iterator[list[tuple[Line, int]]]:
    """For each refund in turn, what it took from which lines, by the engine's own arithmetic (rule 11)."""
    sources = [list(lines) for _, lines in groupby(settlement.lines, key=lambda line: (line.source, line.touch))]
    left = [[line.gross for line in lines] for lines in sources]
    for taking in settlement.takings:
        before = left
        left, _ = take_back(before, taking.taken)
        yield [
            (line, was - now)
            for lines, all_were, are in zip(sources, before, left, strict=True)
            for line, was, now in zip(lines, all_were, are, strict=True)
            if was != now
        ]
