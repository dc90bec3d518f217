"""Bought on the device from which the link was shared on the same day. Pure."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from app.trust.found import About, Evidence
from app.trust.rules.rule import Rule
from app.trust.rules.same_buyer import MOST_TOLD

RULE: Final = Rule("own_device", (About.VISIT, About.ORDER))


class SameDevice(NamedTuple):
    """An order, and those likes and shares of its sharer's that were made on its device."""

    order: str
    same_person: bool
    referrals: Sequence[str]


def judge(seen: SameDevice) -> Evidence | None:
    """Doubtful where the sharer passed the word on this device and is not known to be its buyer."""
    if seen.same_person or not seen.referrals:
        return None
    told = sorted(seen.referrals)[:MOST_TOLD]
    return {"order": seen.order, "alike": len(seen.referrals), "referrals": told}
