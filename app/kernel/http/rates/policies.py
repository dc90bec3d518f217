"""What is counted, and how much of it is let through: `GRAPEVINE_RATE_LIMITS`. Pure.

Generous to people: a school, an office or the telephones of a town may stand behind one block, and a merchant's backend
tells its orders one by one. Strict to who tries keys and codes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

SECONDS: Final[Mapping[str, int]] = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
OFF: Final = "off"


@dataclass(frozen=True)
class Policy:
    """So many in so many seconds."""

    name: str
    most: int
    seconds: int

    @property
    def header(self) -> str:
        """An item of `RateLimit-Policy` (draft-ietf-httpapi-ratelimit-headers-10, 3)."""
        return f'"{self.name}";q={self.most};w={self.seconds}'


_USUAL: Final = (
    Policy("key", 12_000, 60),
    Policy("visitor", 600, 60),
    Policy("network", 3_000, 60),
    Policy("beacons", 30_000, 60),
    Policy("checkouts", 300, 60),
    Policy("wrong_keys", 60, 60),
    Policy("misses", 120, 60),
)


def policies_of(setting: str) -> dict[str, Policy]:
    """The usual ones, with what the setting says instead: `key=100/second, misses=off`; none where it says `off`."""
    if setting.strip() == OFF:
        return {}
    policies = {policy.name: policy for policy in _USUAL}
    for entry in filter(None, (part.strip() for part in setting.split(","))):
        name, _, rate = entry.partition("=")
        if rate == OFF:
            policies.pop(name, None)
        else:
            most, _, unit = rate.partition("/")
            policies[name] = Policy(name, int(most), SECONDS[unit])
    return policies
