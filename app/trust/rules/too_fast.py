"""Bought so soon after the visit that nobody can have looked and paid meanwhile. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from app.trust.found import About, Evidence
from app.trust.rules.rule import Rule, Threshold

RULE: Final = Rule("too_fast", (About.VISIT,), thresholds={"seconds": Threshold(3, 1, 600, "seconds")})


class Pace(NamedTuple):
    """A visit, and the order that followed it. Whole seconds since 1970, as attribution counts."""

    order: str
    visited: int
    bought: int


def judge(seen: Pace, thresholds: Mapping[str, int]) -> Evidence | None:
    """Doubtful up to so many seconds between the two. An order of long before its visit is no proof: then a shop's
    clock is behind ours."""
    took = seen.bought - seen.visited
    return {"order": seen.order, "seconds": max(took, 0)} if abs(took) <= thresholds["seconds"] else None
