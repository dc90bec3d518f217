"""Visits that one program makes through somebody's links, so that they are the last touch of whoever buys. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from app.trust.found import About, Evidence
from app.trust.rules.rule import Rule, Threshold

RULE: Final = Rule(
    "click_stuffing",
    (About.REFERRAL,),
    thresholds={
        "visits": Threshold(100, 20, 100_000, "visits"),
        "minutes": Threshold(10, 1, 60, "minutes"),
        "per_device": Threshold(5, 2, 1000, "visits"),
    },
)


class Crowd(NamedTuple):
    """Who came through one person's links within some minutes: `seen` are visits of which the device is known,
    `claimed` those that visitors called theirs."""

    visits: int
    seen: int
    devices: int
    claimed: int
    visitors: int

    def with_others(self, other: "Crowd") -> "Crowd":
        """With those who came through another link of that person's: devices and visitors may be the same ones."""
        most = (max(self.devices, other.devices), max(self.visitors, other.visitors))
        claimed = self.claimed + other.claimed
        return Crowd(self.visits + other.visits, self.seen + other.seen, most[0], claimed, most[1])


def judge(crowd: Crowd, thresholds: Mapping[str, int]) -> Evidence | None:
    """Doubtful where many visits come from few devices; or, since each may come by another address, are claimed by
    few visitors: a visit earns by being claimed, and who claims shows a token that no address changes."""
    least, per = thresholds["visits"], thresholds["per_device"]
    few_devices = crowd.seen >= least and crowd.devices * per < crowd.seen
    few_visitors = crowd.claimed >= least and crowd.visitors * per < crowd.claimed
    if not (few_devices or few_visitors):
        return None
    return {"minutes": thresholds["minutes"], **crowd._asdict()}
