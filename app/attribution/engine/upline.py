"""The upline: who stands in the chain above a touched referral, and how they share (rules 8 and 9).

Pure.
"""

from functools import lru_cache
from itertools import compress
from math import gcd
from typing import NamedTuple

from app.attribution.engine.facts import Facts, Referral
from app.attribution.engine.policy import WHOLE, Policy, SelfReferral, Upline, UplineMode

NONE = "(none)"
HOUSE = "(house)"


class Seat(NamedTuple):
    """One place in a chain: a person at their level, or the house, whose level is None."""

    sharer: str
    referral: str | None
    level: int | None


# A touch or an order without anybody's referral: there is no chain, and nobody to pass anything on to.
NOBODY = (Seat(NONE, None, 0),)
_HOUSE_SEAT = Seat(HOUSE, None, None)


def chain(referral: Referral, facts: Facts, policy: Policy, buyer: str | None) -> tuple[Seat, ...]:
    """The people from `referral` up, nearest to the purchase first, at most `max_depth`.

    Each person once, with the referral nearest to the purchase; without the buyer where self referral is
    excluded, and without referrals that are barred; up to a root, an unknown parent or a loop. Under `direct` only
    the first: nobody else earns.
    """
    depth = 1 if policy.upline.mode is UplineMode.DIRECT else policy.upline.max_depth
    skipped = buyer if policy.self_referral is SelfReferral.EXCLUDE else None
    seats: list[Seat] = []
    seen: set[str | None] = {skipped}
    barred = facts.bars.referrals
    for ancestor in facts.lineage(referral.id):
        person = facts.sharer(ancestor)
        if person not in seen and ancestor.id not in barred:
            seen.add(person)
            seats.append(Seat(person, ancestor.id, len(seats)))
            if len(seats) == depth:
                break
    return tuple(seats)


def seats_and_weights(people: tuple[Seat, ...], upline: Upline) -> tuple[tuple[Seat, ...], tuple[int, ...]]:
    """Who shares one source's credit, level 0 first and the house last, and their exact proportions.

    A place that weighs nothing is left out. `NOBODY` keeps everything, under every mode.
    """
    if people is NOBODY:
        return people, (1,)
    weights, positive = level_weights(upline.mode, upline.alpha_bp, len(people))
    return tuple(compress((*people, _HOUSE_SEAT), weights)), positive


@lru_cache(maxsize=4096)
def level_weights(mode: UplineMode, alpha_bp: int, people: int) -> tuple[tuple[int, ...], tuple[int, ...]]:
    """Proportions of `people` levels, level 0 first, and of the house, which comes last (rule 9); and the same
    without those that are 0."""
    weights = _level_weights(mode, alpha_bp, people)
    common = gcd(*weights)  # small numbers are faster
    weights = tuple(weight // common for weight in weights)
    return weights, tuple(filter(None, weights))


def _level_weights(mode: UplineMode, alpha_bp: int, people: int) -> tuple[int, ...]:
    last = people - 1
    kept, passed = WHOLE - alpha_bp, alpha_bp
    match mode:
        case UplineMode.DIRECT:
            return (1, *[0] * last, 0)
        case UplineMode.ROOT:
            return (*[0] * last, 1, 0)
        case UplineMode.EQUAL:
            return (*[1] * people, 0)
        case UplineMode.GEOMETRIC:
            return (*(passed**level * WHOLE ** (last - level) for level in range(people)), 0)
        case UplineMode.RECURSIVE:
            levels = (kept * passed**level * WHOLE ** (last - level) for level in range(people))
            return (*levels, passed**people)
        case _:  # halving
            return (*[1] * people, 2**last - people)
