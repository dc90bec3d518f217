"""One device on which several visitors share or like the same thing on one day. Pure."""

from collections.abc import Mapping
from typing import Final

from app.trust.found import About, Evidence
from app.trust.rules.rule import Rule, Threshold

RULE: Final = Rule("duplicate_sharers", (About.REFERRAL,), thresholds={"sharers": Threshold(3, 2, 1000, "sharers")})


def judge(sharers: int, thresholds: Mapping[str, int]) -> Evidence | None:
    """Doubtful where at least so many shared the same from one device: a device is known for one day (UTC)."""
    return {"sharers": sharers} if sharers >= thresholds["sharers"] else None
