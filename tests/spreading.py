"""How the word spreads, counted a second time: slow, plain, pair by pair, without a line in common with the reports.

Works on the facts of histories in their wire form (tests/moving.py) and on the reference implementation's credit.
"""

from collections import Counter
from dataclasses import dataclass, field
from itertools import pairwise
from statistics import median
from typing import Any

from tests.unit.attribution.histories import Fact
from tests.unit.attribution.reference import Reference


@dataclass
class Counted:
    """What is counted of some trees."""

    trees: int = 0
    generations: Counter[int] = field(default_factory=Counter)
    largest: int = 0
    distances: list[int] = field(default_factory=list)
    waits: list[int] = field(default_factory=list)
    sharers: set[str] = field(default_factory=set)
    visits: int = 0
    invitations: set[tuple[str, str]] = field(default_factory=set)
    converted: set[tuple[str, str]] = field(default_factory=set)
    net: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, Any]:
        """As the report tells it."""
        breadth = [self.generations[level] for level in sorted(self.generations)]
        waits = [wait for wait in self.waits if wait >= 0]
        return {
            "trees": self.trees,
            "referrals": sum(breadth),
            "depth": len(breadth) - 1 if breadth else None,
            "breadth": breadth,
            "branching": [round(after / before, 6) for before, after in pairwise(breadth)],
            "structural_virality": _part(sum(self.distances), len(self.distances)),
            "largest_tree": self.largest,
            "median_seconds_to_reshare": median(waits) if waits else None,
            "sharers": len(self.sharers),
            "visits": self.visits,
            "invitations": len(self.invitations),
            "converted": len(self.converted),
            "conversion": _part(len(self.converted), len(self.invitations)),
            "k": _part(len(self.converted), len(self.sharers)),
            "net": {currency: net for currency, net in sorted(self.net.items()) if net},
        }


class Plain:
    """One world's trees."""

    def __init__(self, reference: Reference) -> None:
        self.reference = reference
        self.referrals = {fact["id"]: fact for fact in reference.all("referral")}
        self.first = {min(loop, key=self.turn) for loop in map(self._loop, self.referrals) if loop}

    def turn(self, name: str) -> tuple[int, bytes]:
        return self.referrals[name]["at"], name.encode()

    def _loop(self, name: str) -> list[str]:
        """The loop on which a referral stands; nothing if it is on none."""
        seen = [name]
        above = self.referrals[name]["parent"]
        while above in self.referrals and above not in seen:
            seen.append(above)
            above = self.referrals[above]["parent"]
        return seen if above == name else []

    def parent(self, name: str) -> str | None:
        above = self.referrals[name]["parent"]
        return None if name in self.first or above not in self.referrals else str(above)

    def chain(self, name: str) -> list[str]:
        """From a referral up to its root."""
        found = [name]
        while (above := self.parent(found[-1])) is not None:
            found.append(above)
        return found

    def sharer(self, name: str) -> str:
        return str(self.reference.person(self.referrals[name]["visitor"]))

    def distance(self, one: str, other: str) -> int | None:
        """Edges between two; None where they are in different trees."""
        up, down = self.chain(one), self.chain(other)
        common = [name for name in up if name in down]
        return up.index(common[0]) + down.index(common[0]) if common else None

    def sales(self) -> dict[str, Counter[str]]:
        """The net by currency that came directly through each referral."""
        found: dict[str, Counter[str]] = {name: Counter() for name in self.referrals}
        for order in self.reference.all("order"):
            for line in self.reference.settle(order):
                if line["top"] in found:
                    found[line["top"]][order["currency"]] += line["net"]
        return found

    def count(self, into: Counted, names: list[str]) -> None:
        """Count the referrals of whole trees."""
        roots = Counter(self.chain(name)[-1] for name in names)
        into.trees += len(roots)
        into.largest = max(into.largest, *roots.values(), 0)
        sales = self.sales()
        for place, name in enumerate(names):
            fact, above = self.referrals[name], self.parent(name)
            into.generations[len(self.chain(name)) - 1] += 1
            into.sharers.add(self.sharer(name))
            into.distances += [each for other in names[:place] if (each := self.distance(name, other)) is not None]
            into.net.update(sales[name])
            if above is not None:
                into.waits.append(fact["at"] - self.referrals[above]["at"])
                self._invited(into.converted, above, self.sharer(name))
                self._invited(into.invitations, above, self.sharer(name))
            for touch in self.arrivals(name):
                into.visits += 1
                self._invited(into.invitations, name, str(self.reference.person(touch["visitor"])))

    def arrivals(self, name: str) -> list[Fact]:
        touches = self.reference.all("touch")
        return [each for each in touches if each["referral"] == name and each["type"] in ("click", "like")]

    def _invited(self, pairs: set[tuple[str, str]], name: str, who: str) -> None:
        if who != self.sharer(name):
            pairs.add((self.sharer(name), who))


def _part(part: int, whole: int) -> float | None:
    return round(part / whole, 6) if whole else None
