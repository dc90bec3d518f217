"""The share tree of one person: their referrals and all that is below, with the sales of each subtree. Reads only."""

from bisect import bisect_right
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.kernel.errors import NotFound
from app.reports import forest, ledger, outcome, sharers
from app.reports.forest import About, Node
from app.reports.ledger import Question
from app.reports.trees import Forest, Shape, median_wait, shapes


class Place(NamedTuple):
    """Where a node stands in the list: by level, then by time (microseconds), then by id; parents before children."""

    level: int
    at: int
    referral: str


class Branch(NamedTuple):
    """A node, and what is below it. `net` came directly through its link, `subtree` through all below it too: minor
    units by currency."""

    node: Node
    about: About
    level: int
    below: int
    visits: int
    net: Mapping[str, int]
    subtree: Mapping[str, int]

    @property
    def place(self) -> Place:
        return Place(self.level, *self.node.turn)


@dataclass(frozen=True)
class ShareTree:
    """All of a person's tree in numbers, and some of its nodes. `own` is what came directly through their links,
    `subtree` what came through all of the tree: minor units by currency, each sale once."""

    sharer: str
    name: str | None
    shape: Shape
    sharers: int
    median_wait: float | None
    own: Mapping[str, int]
    subtree: Mapping[str, int]
    branches: Sequence[Branch]


def share_tree(
    session: Session,
    question: Question,
    sharer: str,
    *,
    of: str | None = None,
    depth: int,
    after: Place | None,
    limit: int,
) -> ShareTree:
    """The tree of `sharer`, with the next nodes after a place, down to level `depth`: all of it, or what became `of`
    one referral of theirs. Raises `NotFound`.

    A referral that is below another of theirs stands there, not beside it. A loop of referrals from another system
    is cut above the first of theirs.
    """
    known = sharers.known(question)
    made = sharers.made_by(session, question, sharer)
    mine = [node for node, _ in made if of in (None, node.referral)]
    if not mine:
        raise NotFound
    given = {node.referral for node in mine}
    below = forest.below(session, known, list(given))
    nodes = [*mine, *(node for node in below if node.referral not in given)]
    trees = Forest.of([(node.referral, node.parent) for node in nodes])
    sales = outcome.sales(session, [node.referral for node in nodes], ledger.conditions(question))
    chosen = _next(trees, nodes, depth, after, limit)
    return ShareTree(
        sharer=sharer,
        name=sharers.newest_names(made).get(sharer),
        shape=shapes(trees, dict.fromkeys(trees.generations[0], sharer))[sharer],
        sharers=len({node.sharer for node in nodes}),
        median_wait=median_wait(trees.waits([node.at for node in nodes]).values()),
        own=outcome.added_up(sales, [node.referral for node in mine]),
        subtree=outcome.added_up(sales, sales),
        branches=_branches(session, question, nodes, trees, sales, chosen),
    )


def _next(trees: Forest, nodes: Sequence[Node], depth: int, after: Place | None, limit: int) -> list[int]:
    """The positions of the next nodes after a place, at most `limit`."""

    def turn(position: int) -> tuple[int, str]:
        return nodes[position].turn

    chosen: list[int] = []
    for level, generation in enumerate(trees.generations[: depth + 1]):
        if len(chosen) == limit or (after is not None and level < after.level):
            continue
        listed = sorted(generation, key=turn)
        begin = bisect_right(listed, after[1:], key=turn) if after is not None and level == after.level else 0
        chosen += listed[begin : begin + limit - len(chosen)]
    return chosen


def _branches(
    session: Session,
    question: Question,
    nodes: Sequence[Node],
    trees: Forest,
    sales: outcome.Sales,
    chosen: Sequence[int],
) -> list[Branch]:
    shown = [nodes[position] for position in chosen]
    known = sharers.known(question)
    about = forest.about(session, known, [node.referral for node in shown])
    visits = outcome.visits(session, known, shown, question.since, question.until)
    sizes = trees.subtree_sums([1] * len(nodes))
    sums = {
        currency: trees.subtree_sums([sales.get(node.referral, {}).get(currency, 0) for node in nodes])
        for currency in sorted({currency for net in sales.values() for currency in net})
    }
    return [
        Branch(
            node=node,
            about=about[node.referral],
            level=trees.levels[position],
            below=sizes[position] - 1,
            visits=visits[node.referral],
            net=outcome.added_up(sales, [node.referral]),
            subtree={currency: of[position] for currency, of in sums.items() if of[position]},
        )
        for position, node in zip(chosen, shown, strict=True)
    ]
