"""A buyer who gives back whatever they buy: rewards stay, sales do not. Pure."""

from collections.abc import Mapping
from typing import Final

from app.trust.found import About, Evidence
from app.trust.rules.rule import Rule, Threshold

RULE: Final = Rule(
    "refunds_in_series",
    (About.ORDER,),
    thresholds={"orders": Threshold(3, 1, 100, "orders"), "days": Threshold(90, 1, 365, "days")},
)


def judge(taken_back: int, thresholds: Mapping[str, int]) -> Evidence | None:
    """Doubtful where so many other orders of the buyer's within the days before were taken back whole."""
    if taken_back < thresholds["orders"]:
        return None
    return {"days": thresholds["days"], "taken_back": taken_back}
