"""Loads share trees: whose referrals there are, where trees began, and all that is below. Reads only."""

from collections.abc import Callable, Collection, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    and_,
    func,
    null,
    or_,
    select,
    true,
    type_coerce,
)
from sqlalchemy.orm import Session, aliased

from app.attribution.engine import NONE, UNKNOWN_NETWORK
from app.kernel.clock import to_micros
from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.referrals import names
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
    """What a referral was for. `name` is the one under which it may be shown now (referrals/names.py), where asked."""

    kind: str
    network: str | None
    product: str | None
    wall: str | None
    name: str | None


Made = tuple[Node, About]
Rows = Collection[Sequence[Any]]
_REFERRALS: Final = table_of(Referral).c  # the table's own: the mapping's would look at each row by itself
_NODE: Final = (
    _REFERRALS.referral_id,
    _REFERRALS.parent_id,
    _REFERRALS.visitor_id,
    type_coerce(_REFERRALS.at, BigInteger).label("at"),
)
_ABOUT: Final = (
    Referral.kind,
    Referral.network,
    func.coalesce(Referral.product_id, Referral.told_product),
    func.coalesce(Referral.wall_id, Referral.told_wall),
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
        "shared_to": about.network or NONE,
    }


def passes(asked: Asked, made: Made) -> bool:
    """Whether a referral is one of those that the filters leave; those that are about credit alone leave all."""
    values = values_of(made)
    kept = all(values[name] in wanted for name, wanted in asked.only.items() if name in values)
    return kept and not any(values[name] in unwanted for name, unwanted in asked.without.items() if name in values)


def made_by(session: Session, known: Known, sharers: Collection[str]) -> list[Made]:
    """The referrals of all visitors who stand for one of `sharers`, in order of time."""
    visitors = known.possibly(session, sharers)
    query = names.joined(select(*_NODE, *_ABOUT, names.SHOWN))
    query = query.where(known(Referral), one_of(session, Referral.visitor_id, visitors))
    wanted = set(sharers)
    made = _made(session, known, session.execute(query).all())
    return sorted((each for each in made if each[0].sharer in wanted), key=_turn)


def begun(session: Session, known: Known, since: datetime, until: datetime) -> list[Made]:
    """The roots of all trees that began in `since <= at < until`, in order of time.

    A root is a referral without a known parent. A loop, which has none, begins with the first of its members.
    """
    above = aliased(Referral)
    same = and_(above.merchant_id == Referral.merchant_id, above.referral_id == Referral.parent_id)
    query = (
        select(*_NODE, *_ABOUT, null(), above.referral_id)
        .select_from(Referral)
        .outerjoin(above, and_(same, above.received_at <= known.as_of))
        .where(known(Referral), Referral.at >= since, Referral.at < until)
        # Whoever is first in a loop was made no later than what stands above.
        .where(or_(above.referral_id.is_(None), above.at >= Referral.at))
    )
    found = session.execute(query).all()
    odd = [row.referral_id for row in found if row[-1] is not None]
    first = _first_of_loops(session, known, odd)
    roots = [row[:-1] for row in found if row[-1] is None or row.referral_id in first]
    return sorted(_made(session, known, roots), key=_turn)


def below(session: Session, known: Known, referral_ids: Collection[str], *, themselves: bool = True) -> list[Node]:
    """The referrals with these ids (or without `themselves`) and all that is below them, however deep, each once."""

    def ask(given: FromClause, each: Each) -> Select[*tuple[Any, ...]]:
        # Each has one parent, so each is reached once; and only from inside can a loop be entered, so it ends where it
        # comes back to one of the given.
        new = _REFERRALS.referral_id.not_in(select(given.c.referral_id))
        first = _REFERRALS.referral_id == given.c.referral_id
        if not themselves:
            first = and_(_REFERRALS.parent_id == given.c.referral_id, new)
        here = each(given, first).cte("below", recursive=True)
        below = here.union_all(each(here, and_(_REFERRALS.parent_id == here.c.referral_id, new)))
        return select(*(below.c[column.key] for column in _NODE))

    return _nodes(session, known, _asked(session, known, referral_ids, ask))


def about(session: Session, known: Known, referral_ids: Collection[str]) -> dict[str, About]:
    """What these referrals were for."""
    wanted = one_of(session, Referral.referral_id, referral_ids)
    query = names.joined(select(Referral.referral_id, *_ABOUT, names.SHOWN)).where(known(Referral), wanted)
    return {referral: About._make(columns) for referral, *columns in session.execute(query)}


def _first_of_loops(session: Session, known: Known, referral_ids: Sequence[str]) -> set[str]:
    """Where the loops begin into which the parents of these lead."""

    def ask(given: FromClause, each: Each) -> Select[*tuple[Any, ...]]:
        here = each(given, _REFERRALS.referral_id == given.c.referral_id).cte("above", recursive=True)
        above = here.union(each(here, _REFERRALS.referral_id == here.c.parent_id))
        return select(*(above.c[column.key] for column in _NODE))

    above = sorted(_nodes(session, known, _asked(session, known, referral_ids, ask)), key=lambda node: node.turn)
    forest = Forest.of([(node.referral, node.parent) for node in above])
    return {above[min(loop)].referral for loop in forest.loops}


Each = Callable[[FromClause, ColumnElement[bool]], Select[*tuple[Any, ...]]]
"""The referrals that belong `on` a condition to each row of another table."""


def _asked(
    session: Session,
    known: Known,
    referral_ids: Collection[str],
    ask: Callable[[FromClause, Each], Select[*tuple[Any, ...]]],
) -> Rows:
    """The answer about these ids, as rows of `_NODE`."""
    each = partial(_by_lateral if session.get_bind().dialect.name == "postgresql" else _by_join, known)
    question = Question(lambda given: ask(given, each), merchant_id=BigInteger(), referral_id=id_type(200))
    return question.ask(session, keys_of(known.merchant_id, referral_ids))


def _by_join(known: Known, rows: FromClause, on: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    return select(_REFERRALS.merchant_id, *_NODE).join_from(rows, table_of(Referral), and_(_mine(known, rows), on))


def _by_lateral(known: Known, rows: FromClause, on: ColumnElement[bool]) -> Select[*tuple[Any, ...]]:
    """With one look into the index for each row, whatever PostgreSQL believes of their number: while it has not
    counted a table yet, and for deep trees, it would read the whole table for each generation."""
    found = select(_REFERRALS.merchant_id, *_NODE).where(_mine(known, rows), on).correlate(rows).offset(0).lateral()
    return select(*found.c).join_from(rows, found, true())


def _mine(known: Known, each: FromClause) -> ColumnElement[bool]:
    micros = to_micros(known.as_of)
    # The merchant comes with each row: `keys_of` says why.
    return and_(_REFERRALS.merchant_id == each.c.merchant_id, type_coerce(_REFERRALS.received_at, BigInteger) <= micros)


def _nodes(session: Session, known: Known, rows: Rows) -> list[Node]:
    """Rows that begin with `_NODE`, with the sharer in the place of the visitor."""
    people: Mapping[str, str] = known.people(session, {row[2] for row in rows})
    return [Node(row[0], row[1], people.get(row[2], row[2]), row[3]) for row in rows]


def _made(session: Session, known: Known, rows: Rows) -> list[Made]:
    """Rows of `_NODE` and `_ABOUT`."""
    about = (About(*row[len(_NODE) :]) for row in rows)
    return list(zip(_nodes(session, known, rows), about, strict=True))


def _turn(made: Made) -> tuple[int, str]:
    return made[0].turn
