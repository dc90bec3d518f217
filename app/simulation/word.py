"""How the word of a world was passed on, as plain sums of what was decided: trees, people, what came of each. Pure.

Written to be plain, and with other formulas than reports have. Whoever likes or shares in a world is joined to nobody,
so the visitor is the person.
"""

from collections import Counter, defaultdict
from collections.abc import Callable, Hashable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from itertools import pairwise
from statistics import median
from typing import Final, NamedTuple, TypeVar

from app.simulation.columns import SHARE
from app.simulation.life import Day
from app.simulation.networks import NETWORKS
from app.simulation.seasons import SECOND, label
from app.simulation.shops import Shop

NONE: Final = "(none)"
Value = TypeVar("Value", bound=Hashable)
Nets = Mapping[str, Mapping[str, int]]
"""What was sold through each referral, without what was taken back: minor units by currency."""


class Passed(NamedTuple):
    """A like or share: what was decided of it. `depth` is 0 where it began a tree, `at` in microseconds."""

    id: str
    parent: str | None
    root: str
    depth: int
    sharer: str
    at: int
    day: date
    kind: str
    network: str
    product: str
    wall: str
    name: str | None

    def called(self, dimension: str) -> str:
        """Its value, as reports say it."""
        if dimension in ("day", "week", "month"):
            return label(self.day, dimension)
        return str(getattr(self, dimension))


class Came(NamedTuple):
    """A visit: through which referral, on which day, and who that was; where nobody said so, somebody of their own."""

    visit: str
    referral: str
    day: date
    who: str


class Done(NamedTuple):
    """What somebody did: likes and shares that they made, visits through them."""

    referrals: int
    visits: int


@dataclass
class Trees:
    """Some trees, whole, and all that became of them."""

    made: list[Passed] = field(default_factory=list)
    below: Mapping[str, int] = field(default_factory=dict)
    waits: list[int] = field(default_factory=list)
    visits: int = 0
    invited: set[tuple[str, str]] = field(default_factory=set)
    """Who came through some link of whom."""
    converted: set[tuple[str, str]] = field(default_factory=set)
    net: Counter[str] = field(default_factory=Counter)

    def told(self) -> dict[str, object]:
        """As `GET /v1/reports/spread` must say it."""
        breadth = [count for _, count in sorted(Counter(each.depth for each in self.made).items())]
        sizes = [1 + self.below[each.id] for each in self.made if each.depth == 0]
        people = len({each.sharer for each in self.made})
        invitations, converted = len(self.invited), len(self.converted)
        return {
            "trees": len(sizes),
            "referrals": len(self.made),
            "depth": len(breadth) - 1 if breadth else None,
            "breadth": breadth,
            "branching": [_ratio(after, before) for before, after in pairwise(breadth)],
            "structural_virality": _ratio(self._distances(), sum(size * (size - 1) // 2 for size in sizes)),
            "largest_tree": max(sizes, default=0),
            "median_seconds_to_reshare": median(self.waits) if self.waits else None,
            "sharers": people,
            "visits": self.visits,
            "invitations": invitations,
            "converted": converted,
            "conversion": _ratio(converted, invitations),
            "k": _ratio(converted, people),
            "net": {currency: net for currency, net in self.net.items() if net},
        }

    def _distances(self) -> int:
        """Between all pairs of each tree: both depths, less twice that of the last from whom both had it."""
        found = 0
        for each in self.made:
            size = 1 + self.below[each.id]
            found -= 2 * (size * (size - 1) // 2) if each.depth else 0
            found += each.depth * self.below[each.root]
        return found


@dataclass
class Word:
    """The word about one merchant's things. Memory grows with referrals and visits."""

    shop: Shop
    made: dict[str, Passed] = field(default_factory=dict)
    came: list[Came] = field(default_factory=list)
    people: dict[str, str] = field(default_factory=dict)
    """Who visitors are that are somebody on another device too."""

    def add(self, day: Day) -> None:
        """The next day."""
        shop, each = self.shop, day.referrals
        names = (each.id, each.parent, each.depth, each.visitor, each.at, each.kind, each.network, each.product)
        columns = (column.tolist() for column in (*names, each.wall, each.name))
        for id_, parent, depth, sharer, at, kind, network, product, wall, name in zip(*columns, strict=True):
            root = id_ if parent is None else self.made[parent].root
            about = "share" if kind == SHARE else "like", NETWORKS[network]
            where = shop.products[product] or NONE, shop.walls[wall] or NONE
            self.made[id_] = Passed(id_, parent, root, depth, sharer, at, day.span.date, *about, *where, name)
        columns = (column.tolist() for column in (day.visits.id, day.visits.referral, day.visits.visitor))
        for visit, referral, visitor in zip(*columns, strict=True):
            self.came.append(Came(visit, referral, day.span.date, visitor or visit))
        self.people.update((identity.visitor, identity.person) for identity in day.identities)

    def spread(
        self, group_by: Sequence[str], nets: Nets, begun: Callable[[Passed], bool]
    ) -> dict[tuple[str, ...], Trees]:
        """The trees whose first referral has `begun` so, by what that was: each whole. Under `()` all of them."""
        found: dict[tuple[str, ...], Trees] = defaultdict(Trees)
        below = self.below()
        for each in self.made.values():
            for trees in self._of(found, each, group_by, begun):
                trees.below = below
                trees.made.append(each)
                trees.net.update(nets.get(each.id, {}))
                above = None if each.parent is None else self.made[each.parent]
                if above is not None:
                    trees.waits.append(each.at // SECOND - above.at // SECOND)
                    trees.converted.add((each.sharer, above.sharer))
        for came in self.came:
            through = self.made[came.referral]
            for trees in self._of(found, through, group_by, begun):
                trees.visits += 1
                if came.who != through.sharer:
                    trees.invited.add((came.who, through.sharer))
        return dict(found)

    def _of(
        self,
        found: Mapping[tuple[str, ...], Trees],
        each: Passed,
        group_by: Sequence[str],
        begun: Callable[[Passed], bool],
    ) -> Iterator[Trees]:
        root = self.made[each.root]
        if begun(root):
            for key in {(), tuple(map(root.called, group_by))}:
                yield found[key]

    def below(self) -> Counter[str]:
        """How many referrals were made from each, from these, and so on."""
        found: Counter[str] = Counter()
        for each in self.made.values():
            found.update(above.id for above in self.above(each))
        return found

    def above(self, each: Passed) -> Iterator[Passed]:
        """From whose it was made, from whose that was, and so on."""
        while each.parent is not None:
            each = self.made[each.parent]
            yield each

    def done(self, of: Callable[[Passed], Value], since: date = date.min, until: date = date.max) -> dict[Value, Done]:
        """What was done on the days of `since <= day < until`, by whatever is said `of` a referral."""
        made = Counter(of(each) for each in self.made.values() if since <= each.day < until)
        came = Counter(of(self.made[each.referral]) for each in self.came if since <= each.day < until)
        return {name: Done(made[name], came[name]) for name in {*made, *came}}

    def names(self) -> dict[str, str]:
        """What sharers said last that they are called."""
        return {each.sharer: each.name for each in self.made.values() if each.name is not None}

    def subtrees(self, nets: Nets) -> dict[str, Counter[str]]:
        """What was sold through each referral and all below it."""
        found: dict[str, Counter[str]] = defaultdict(Counter)
        for referral, net in nets.items():
            each = self.made[referral]
            for one in (each, *self.above(each)):
                found[one.id].update(net)
        return found


def in_all(nets: Iterable[Mapping[str, int]]) -> dict[str, int]:
    """Together, without currencies of which there is nothing."""
    total: Counter[str] = Counter()
    for net in nets:
        total.update(net)
    return {currency: net for currency, net in total.items() if net}


def _ratio(part: int, whole: int) -> float | None:
    """As reports round it."""
    return float(round(Fraction(part, whole), 6)) if whole else None
