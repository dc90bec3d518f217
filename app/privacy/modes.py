"""What may be remembered of a person, at each place where they and the server touch. Pure.

A merchant has one of three modes, and what a person says comes before it: Global Privacy Control, Do Not Track, having
opted out. What may not be remembered of somebody is counted all the same, as nobody's (docs/privacy.md has the table).
"""

from enum import StrEnum
from typing import Final, NamedTuple

NONE: Final = "none"
COUNTS: Final = "counts"
CONSENTED: Final = "consented"


class Touchpoint(StrEnum):
    """Where something of a person comes in."""

    CLAIM = "claim"  # a visit is said to have been theirs
    BEACON = "beacon"  # what they saw and opened
    VIEW = "view"  # they saw the card of a referral, which may earn it credit
    CHECKOUT = "checkout"  # they go to the till here
    SALE = "sale"  # somebody else's till tells that they bought
    IDENTITY = "identity"  # the merchant's server tells which customer they are
    LIKE = "like"
    SHARE = "share"
    CONSENT = "consent"  # the receipt for what they agreed to


_DELIBERATE: Final = frozenset({Touchpoint.LIKE, Touchpoint.SHARE})
"""Acts that are meant to be known: to like is to be counted as one person, to share is to have a link of one's own."""


class Said(NamedTuple):
    """What a person said of being remembered."""

    no: bool = False
    """By their browser, with this request."""
    opted_out: bool = False
    """Earlier, for as long as they do not come back."""
    consented: bool = False
    """By a receipt that stands."""


def remembers(touchpoint: Touchpoint, mode: str, said: Said) -> bool:
    """Whether who it was may be kept beside what happened here."""
    if mode == NONE:
        return False
    if touchpoint in _DELIBERATE:
        return True
    if said.no or said.opted_out:
        return False
    if touchpoint is Touchpoint.CONSENT:
        return True
    return said.consented if mode == CONSENTED else touchpoint is not Touchpoint.BEACON


def might_remember(touchpoint: Touchpoint, mode: str, says_no: bool) -> bool:
    """Whether it depends on the person at all, so that they must be looked up; else nobody need be."""
    return remembers(touchpoint, mode, Said(no=says_no, consented=True))
