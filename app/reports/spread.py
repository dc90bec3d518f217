"""How the word spread: the trees that began in a period, and all that became of them since.

A tree is in the row of its root, whole, so that every number of a row is about the same trees, and trees, referrals,
visits and sales of all rows add up to the totals. What the numbers mean: docs/attribution.md, "How the word spreads".
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from itertools import groupby
from operator import attrgetter, itemgetter

from sqlalchemy.orm import Session

from app.attribution.policies import CURRENT
from app.kernel.clock import from_micros
from app.kernel.periods import label
from app.reports import forest, outcome
from app.reports.asked import Asked
from app.reports.comparing import before
from app.reports.forest import Made, Node
from app.reports.ledger import UNITS, ledger
from app.reports.people import Known
from app.reports.ranking import Order, Place, Turn, page_of, turn
from app.reports.trees import ROOT, Forest, Shape, k_factor, median_wait, shapes

DIMENSIONS = ("network", "product", "wall", "sharer", "kind", *UNITS)
BY_REFERRALS = Order("referrals")
_ALL = -1
_TURN = attrgetter("at", "referral")  # as `Node.turn`
_AT_ONCE = 5_000
"""Trees that are looked for in one statement."""

Pair = tuple[int, str]
"""A row, and a sharer in it."""


@dataclass(frozen=True, kw_only=True)
class Question(Asked):
    """What is asked of this report; `only` and `without` are about roots."""

    group_by: tuple[str, ...]
    policy: str = CURRENT
    order: Order = BY_REFERRALS
    after: Place | None = None  # only the rows that come after
    limit: int | None = None  # so many rows, the first ones; None: all


@dataclass(frozen=True)
class Spread:
    """What is told of some trees. `net` is minor units by currency, 0 left out."""

    shape: Shape
    sharers: int
    visits: int
    invitations: int  # a person who came through some link of a sharer, once for each sharer
    converted: int  # of them, those who liked or shared on from there
    median_wait: float | None  # seconds until what was passed on was passed on again
    net: Mapping[str, int]

    @property
    def numbers(self) -> Mapping[str, int]:
        """What may be sorted by and compared."""
        shape = self.shape
        about = {"trees": shape.trees, "referrals": shape.referrals, "largest_tree": shape.largest}
        people = {"sharers": self.sharers, "invitations": self.invitations, "converted": self.converted}
        return {**about, **people, "visits": self.visits}

    @property
    def k(self) -> Fraction | None:
        """How many new sharers a sharer makes."""
        return k_factor(self.sharers, self.invitations, self.converted)

    @property
    def conversion(self) -> Fraction | None:
        """The part of the invitations that made a new sharer; None without any."""
        return Fraction(self.converted, self.invitations) if self.invitations else None


NUMBERS = ("trees", "referrals", "largest_tree", "sharers", "invitations", "converted", "visits")
"""What rows may be sorted by."""
_NOTHING = Spread(Shape(), 0, 0, 0, 0, None, {})


@dataclass(frozen=True)
class Row:
    """Some trees by the dimensions of their roots; `then`: those of the period before, where that is compared."""

    dimensions: Mapping[str, str]
    told: Spread
    then: Spread | None = None


@dataclass(frozen=True)
class Report:
    """Rows in the order that is asked for (by default, most referrals first), and all trees together; `then`: those
    of the period before, where that is compared."""

    rows: Sequence[Row]
    totals: Spread
    then: Spread | None = None


def answer(session: Session, question: Question) -> Report:
    """The report that `question` asks for."""
    rows, totals = _reckoned(session, question)
    return Report(_page(question, [Row(names, told) for names, told in rows]), totals)


def compared(session: Session, question: Question) -> Report:
    """The same beside the trees of the period before, with all that became of them since: a row stands where either
    has some."""
    since, until = before(question.since, question.until, question.zone)
    (now, totals), (earlier, totals_then) = (
        _reckoned(session, each) for each in (question, replace(question, since=since, until=until))
    )
    then = {tuple(names.values()): told for names, told in earlier}
    rows = [Row(names, told, then.pop(tuple(names.values()), _NOTHING)) for names, told in now]
    rows += (Row(dict(zip(question.group_by, names, strict=True)), _NOTHING, told) for names, told in then.items())
    return Report(_page(question, rows), totals, totals_then)


def place_of(question: Question, row: Row) -> Place:
    """Where a row of the report stands: the next page begins after it."""
    return Place.of("", row.told.numbers.get(question.order.by, 0), tuple(row.dimensions.values()))


def _page(question: Question, rows: Iterable[Row]) -> list[Row]:
    def turn_of(place: Place) -> Turn:
        return turn(question.order, question.group_by, *place[:2], place.values(question.group_by))

    after = question.after and turn_of(question.after)
    return page_of(((turn_of(place_of(question, row)), row) for row in rows), after, question.limit)


def _reckoned(session: Session, question: Question) -> tuple[list[tuple[Mapping[str, str], Spread]], Spread]:
    """Rows by their dimensions, and all trees together."""
    known = Known(question.merchant_id, question.as_of)
    begun = forest.begun(session, known, question.since, question.until)
    roots = [made for made in begun if forest.passes(question, made)]
    nodes = _nodes(session, known, roots)
    trees = _Trees(nodes, question, roots)
    trees.count_sales(outcome.sales(session, trees.positions, ledger(question, question.policy)))
    trees.count_people(outcome.counted(session, known, nodes))
    rows: list[tuple[Mapping[str, str], Spread]] = [
        (dict(zip(question.group_by, names, strict=True)), trees.spread(row)) for row, names in enumerate(trees.names)
    ]
    return rows, trees.spread(_ALL)


class _Trees:
    """Trees in memory, and what is counted of them: by row, and for `_ALL` of them."""

    def __init__(self, nodes: Sequence[Node], question: Question, roots: Sequence[Made]) -> None:
        self._nodes = nodes
        self._forest = Forest.of([(node.referral, node.parent) for node in nodes])
        self.positions = {node.referral: position for position, node in enumerate(nodes)}
        self.names: dict[tuple[str, ...], int] = {}
        row_of = {
            self.positions[made[0].referral]: self.names.setdefault(_names(question, made), len(self.names))
            for made in roots
        }
        self._row_of = [row_of[root] for root in self._forest.roots]
        self._shapes = shapes(self._forest, row_of)
        self._shapes[_ALL] = sum(self._shapes.values(), Shape())
        self._sharers: Counter[int] = Counter()
        self._visits: Counter[int] = Counter()
        self._invitations: Counter[int] = Counter()
        self._converted: Counter[int] = Counter()
        self._waits: dict[int, list[int]] = defaultdict(list)
        for position, wait in self._forest.waits([node.at for node in nodes]).items():
            for row in (self._row_of[position], _ALL):
                self._waits[row].append(wait)
        self._net: dict[int, Counter[str]] = defaultdict(Counter)
        _count(self._sharers, {(row, node.sharer) for node, row in zip(nodes, self._row_of, strict=True)})

    def count_sales(self, sales: outcome.Sales) -> None:
        """What was sold through the links of these trees."""
        for referral, net in sales.items():
            for row in (self._row_of[self.positions[referral]], _ALL):
                self._net[row].update(net)

    def count_people(self, arrivals: Iterable[tuple[str | None, str, int]]) -> None:
        """Who came through which links and how often, all of one person in a row, and who passed on what they
        found."""
        converted = self._passed_on()
        for who, visits in groupby(arrivals, key=itemgetter(0)):
            if who is None:
                self._count_unknown(visits)
                continue
            passed_on = converted.pop(who, ())
            invited = set(passed_on)
            for _, referral, times in visits:
                position = self.positions[referral]
                row, sharer = self._row_of[position], self._nodes[position].sharer
                self._visits[row] += times
                if sharer != who:
                    invited.add((row, sharer))
            _count(self._invitations, invited)
            _count(self._converted, passed_on)
        for pairs in converted.values():  # nobody told us of their visit, and yet they came
            _count(self._invitations, pairs)
            _count(self._converted, pairs)
        self._visits[_ALL] = self._visits.total()

    def _count_unknown(self, visits: Iterable[tuple[str | None, str, int]]) -> None:
        """Each is somebody else, who was invited once."""
        for _, referral, times in visits:
            row = self._row_of[self.positions[referral]]
            for counts in (self._visits, self._invitations):
                counts[row] += times
            self._invitations[_ALL] += times

    def _passed_on(self) -> dict[str, set[Pair]]:
        """From whom each person had what they passed on."""
        converted: dict[str, set[Pair]] = defaultdict(set)
        for node, row, above in zip(self._nodes, self._row_of, self._forest.parents, strict=True):
            if above != ROOT and self._nodes[above].sharer != node.sharer:
                converted[node.sharer].add((row, self._nodes[above].sharer))
        return converted

    def spread(self, row: int) -> Spread:
        """All that was counted of a row."""
        return Spread(
            shape=self._shapes[row],
            sharers=self._sharers[row],
            visits=self._visits[row],
            invitations=self._invitations[row],
            converted=self._converted[row],
            median_wait=median_wait(self._waits[row]),
            net={currency: net for currency, net in sorted(self._net[row].items()) if net},
        )


def _count(counts: Counter[int], pairs: Collection[Pair]) -> None:
    """Count pairs by row; in all rows together each sharer of them once."""
    if pairs:  # a look saves much: most people are in one row, or in none
        for row, _ in pairs:
            counts[row] += 1
        counts[_ALL] += 1 if len(pairs) == 1 else len({sharer for _, sharer in pairs})


def _nodes(session: Session, known: Known, roots: Sequence[Made]) -> list[Node]:
    """All referrals of the trees of these roots, in order of time."""
    ids = [made[0].referral for made in roots]
    nodes = [made[0] for made in roots]
    for begin in range(0, len(ids), _AT_ONCE):
        nodes += forest.below(session, known, ids[begin : begin + _AT_ONCE], themselves=False)
    return sorted(nodes, key=_TURN)


def _names(question: Question, made: Made) -> tuple[str, ...]:
    values, at = forest.values_of(made), from_micros(made[0].at)
    return tuple(label(at, question.zone, name) if name in UNITS else values[name] for name in question.group_by)
