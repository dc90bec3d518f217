"""Loads share trees: whose referrals there are, where trees began, and all that is below. Reads only."""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    and_,
    case,
    func,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session, aliased

from app.attribution.engine import NONE, UNKNOWN_NETWORK
from app.kernel.database import id_type
from app.kernel.given import Question
from app.referrals.models import Referral
from app.reports.asked import Asked
from app.reports.people import Known, one_of
from app.reports.trees import Forest


class Node(NamedTuple):
    """A referral in a tree. `at` in microseconds."""

    referral: str
    parent: str | None
    sharer: str
    at: int

    @property
    def turn(self) -> tuple[int, str]:
        """What was made first comes first; of two that were made at once, the lesser id."""
        return self.at, self.referral


class About(NamedTuple):
    """What a referral was for. `name`: as its person gave it, as long as the referral stands."""

    kind: str
    network: str | None
    product: str | None
    wall: str | None
    name: str | None


Made = tuple[Node, About]
_NODE: Final = len(Node._fields)
_ABOUT: Final = (
    Referral.kind,
    Referral.network,
    func.coalesce(Referral.product_id, Referral.told_product),
    func.coalesce(Referral.wall_id, Referral.told_wall),
    case((Referral.withdrawn_at.is_(None), Referral.name)),
)


def values_of(made: Made) -> Mapping[str, str]:
    """A referral's values by the names of dimensions, as reports say them."""
    node, about = made
    return {
        "network": about.network or UNKNOWN_NETWORK,
        "product": about.product or NONE,
        "wall": about.wall or NONE,
        "sharer": node.sharer,
        "kind": about.kind,
    }


def passes(asked: Asked, made: Made) -> bool:
    """Whether a referral is one of those that the filters leave."""
    values = values_of(made)
    kept = all(values[name] in wanted for name, wanted in asked.only.items())
    return kept and not any(values[name] in unwanted for name, unwanted in asked.without.items())


def made_by(session: Session, known: Known, sharers: Collection[str]) -> list[Made]:
    """The referrals of all visitors who stand for one of `sharers`, in order of time."""
    visitors = known.possibly(session, sharers)
    query = select(*_node(known), *_ABOUT).where(known(Referral), one_of(session, Referral.visitor_id, visitors))
    wanted = set(sharers)
    made = (_made(columns) for columns in session.execute(query))
    return sorted(((node, about) for node, about in made if node.sharer in wanted), key=_turn)


def begun(session: Session, known: Known, since: datetime, until: datetime) -> list[Made]:
    """The roots of all trees that began in `since <= at < until`, in order of time.

    A root is a referral without a known parent. A loop, which has none, begins with the first of its members.
    """
    above = aliased(Referral)
    query = (
        select(above.referral_id, *_node(known), *_ABOUT)
        .select_from(Referral)
        .outerjoin(above, and_(known(above), above.referral_id == Referral.parent_id))
        .where(known(Referral), Referral.at >= since, Referral.at < until)
        # Whoever is first in a loop was made no later than what stands above.
        .where(or_(above.referral_id.is_(None), above.at >= Referral.at))
    )
    roots: list[Made] = []
    odd: list[Made] = []
    for parent, *columns in session.execute(query):
        (roots if parent is None else odd).append(_made(columns))
    first = _first_of_loops(session, known, [node.referral for node, _ in odd])
    roots += [made for made in odd if made[0].referral in first]
    return sorted(roots, key=_turn)


def below(session: Session, known: Known, referral_ids: Collection[str]) -> list[Node]:
    """The referrals with these ids and all that is below them, however deep, each once."""
    return _reached(session, known, referral_ids, come_from=Referral.parent_id, go_to=Referral.referral_id)


def about(session: Session, known: Known, referral_ids: Collection[str]) -> dict[str, About]:
    """What these referrals were for."""
    wanted = one_of(session, Referral.referral_id, referral_ids)
    query = select(Referral.referral_id, *_ABOUT).where(known(Referral), wanted)
    return {referral: About(*columns) for referral, *columns in session.execute(query)}


def _first_of_loops(session: Session, known: Known, referral_ids: Sequence[str]) -> set[str]:
    """Where the loops begin into which the parents of these lead."""
    above = _reached(session, known, referral_ids, come_from=Referral.referral_id, go_to=Referral.parent_id)
    above.sort(key=lambda node: node.turn)
    forest = Forest.of([(node.referral, node.parent) for node in above])
    return {above[min(loop)].referral for loop in forest.loops}


def _reached(
    session: Session,
    known: Known,
    referral_ids: Collection[str],
    *,
    come_from: InstrumentedAttribute[Any],
    go_to: InstrumentedAttribute[Any],
) -> list[Node]:
    """The referrals with these ids and all that is reached from them, going from one column to the other; what was
    reached before is not gone to again, so a loop ends it."""
    by_each = _by_lateral if session.get_bind().dialect.name == "postgresql" else _by_join

    def ask(given: FromClause) -> Select[*tuple[Any, ...]]:
        start = by_each(known, given, Referral.referral_id == given.c.referral_id, [Referral.referral_id])
        here = start.cte("reached", recursive=True)
        reached = here.union(by_each(known, here, come_from == here.c.referral_id, [go_to]))
        return by_each(known, reached, Referral.referral_id == reached.c.referral_id, _node(known))

    question = Question(ask, referral_id=id_type(200))
    return [Node(*row) for row in question.ask(session, [(each,) for each in set(referral_ids)])]


Columns = Sequence[SQLColumnExpression[Any]]


def _by_join(known: Known, each: FromClause, on: ColumnElement[bool], columns: Columns) -> Select[*tuple[Any, ...]]:
    """`columns` of the referrals for each row of `each`."""
    return select(*columns).join_from(each, Referral, and_(known(Referral), on))


def _by_lateral(known: Known, each: FromClause, on: ColumnElement[bool], columns: Columns) -> Select[*tuple[Any, ...]]:
    """The same, one look into the index for each row, whatever PostgreSQL believes of their number: while it has not
    counted a table yet, or for deep trees, it would read the whole table for each generation."""
    found = select(*columns).where(known(Referral), on).correlate(each).offset(0).lateral()
    return select(*found.c).join_from(each, found, true())


def _node(known: Known) -> Columns:
    at = type_coerce(Referral.at, BigInteger)
    return (Referral.referral_id, Referral.parent_id, known.sharer(Referral.visitor_id), at)


def _made(columns: Sequence[Any]) -> Made:
    return Node(*columns[:_NODE]), About(*columns[_NODE:])


def _turn(made: Made) -> tuple[int, str]:
    return made[0].turn
