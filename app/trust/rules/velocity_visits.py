"""More visits of one referral from one network block than people who know each other make. Pure."""

from collections.abc import Mapping
from typing import Final

from app.trust.found import About, Evidence
from app.trust.rules.rule import Rule, Threshold

RULE: Final = Rule(
    "velocity_visits",
    (About.REFERRAL,),
    thresholds={"visits": Threshold(60, 10, 100_000, "visits"), "minutes": Threshold(10, 1, 60, "minutes")},
)


def judge(visits: int, thresholds: Mapping[str, int]) -> Evidence | None:
    """Doubtful where `visits` came through the referral from one block within the minutes."""
    if visits <= thresholds["visits"]:
        return None
    return {"minutes": thresholds["minutes"], "visits": visits}
