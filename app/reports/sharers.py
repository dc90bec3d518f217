"""People by what their word brought, and one of them. Reads the ledger and the referrals.

A person is known by their id alone, and by name where they gave one with a share and have not taken it back.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from itertools import islice
from typing import Any, Final, NamedTuple

from sqlalchemy import Select, and_, or_, select
from sqlalchemy.orm import Session

from app.attribution.engine import HOUSE
from app.attribution.models import CreditLine
from app.kernel.clock import from_micros, to_micros
from app.kernel.errors import NotFound
from app.reports import credit_ranking, forest, ledger, outcome, ranking
from app.reports.forest import Made
from app.reports.ledger import NONE, Question, Sums
from app.reports.people import Known

_NOBODY: Final = 10
"""Rows of credit that is nobody's: at most two in each currency, and seldom more than five currencies."""


class Place(NamedTuple):
    """Where a row stands in the list: by currency, then the largest net first, then by id."""

    currency: str
    net: int
    sharer: str


class Activity(NamedTuple):
    """Referrals that were made in the period, and visits through links of all times that were made in it."""

    referrals: int = 0
    visits: int = 0


@dataclass(frozen=True)
class Row:
    """What one person brought in one currency."""

    sharer: str
    name: str | None
    currency: str
    sums: Sums
    activity: Activity

    @property
    def place(self) -> Place:
        return Place(self.currency, self.sums.net, self.sharer)


@dataclass(frozen=True)
class Sharer:
    """One person. `sums` are their credit by currency. `own` is the whole net that came directly through their links,
    whatever the upline gave to whom; `subtree` also what came through all that was passed on from there: minor
    units by currency."""

    sharer: str
    name: str | None
    sums: Mapping[str, Sums]
    own: Mapping[str, int]
    subtree: Mapping[str, int]
    activity: Activity
    by_network: Mapping[str, Activity]
    by_product: Mapping[str, Activity]
    first_at: datetime
    last_at: datetime


def page(session: Session, question: Question, after: Place | None, limit: int) -> list[Row]:
    """The next people after a place, by credit."""
    found = _first(session, question, after, limit)
    made = forest.made_by(session, known(question), {sharer for sharer, *_ in found})
    names = newest_names(made)
    activity = _added(_worked(session, question, made), "sharer")
    return [
        Row(sharer, names.get(sharer), currency, sums, activity.get(sharer, Activity()))
        for sharer, currency, sums in found
    ]


def one(session: Session, question: Question, sharer: str) -> Sharer:
    """All about one person. Raises `NotFound` where nobody of that id ever liked or shared."""
    made = made_by(session, question, sharer)
    mine = [node.referral for node, _ in made]
    below = [node.referral for node in forest.below(session, known(question), mine)]
    sales = outcome.sales(session, below, ledger.conditions(question))
    worked = _worked(session, question, made)
    rows = session.execute(ledger.sums_by(_narrowed(question, sharer), []))
    return Sharer(
        sharer=sharer,
        name=newest_names(made).get(sharer),
        sums={currency: _sums(*sums) for currency, *sums in sorted(rows)},
        own=outcome.added_up(sales, mine),
        subtree=outcome.added_up(sales, below),
        activity=_added(worked, "sharer").get(sharer, Activity()),
        by_network=_added(worked, "network"),
        by_product=_added(worked, "product"),
        first_at=from_micros(made[0][0].at),
        last_at=from_micros(made[-1][0].at),
    )


def made_by(session: Session, question: Question, sharer: str) -> list[Made]:
    """The referrals of one person, in order of time. Raises `NotFound` where there are none."""
    made = forest.made_by(session, known(question), [sharer])
    if not made:
        raise NotFound
    return made


def newest_names(made: Iterable[Made]) -> dict[str, str]:
    """By sharer, the name that was given last, of those that were not taken back. `made` is in order of time."""
    return {node.sharer: about.name for node, about in made if about.name is not None}


def known(question: Question) -> Known:
    """What the question may see."""
    return Known(question.merchant_id, question.as_of)


def _first(session: Session, question: Question, after: Place | None, limit: int) -> list[tuple[str, str, Sums]]:
    """Sharer, currency and sums, of those after a place; from the kept sums where they can answer."""
    place = None if after is None else ranking.Place.of(after.currency, after.net, (after.sharer,))
    for most in (limit + _NOBODY, None):  # with a limit, the database sorts no more than that
        kept = credit_ranking.ranked(session, replace(question, after=place, limit=most))
        if kept is None:
            break
        people = ((names[0], currency, sums) for currency, names, sums in kept.rows if names[0] not in (NONE, HOUSE))
        first = list(islice(people, limit))
        if len(first) == limit or most is None or next(kept.rows, None) is None:
            return first
    found = session.execute(_ranked(question, after).limit(limit))
    return [(sharer, currency, _sums(*sums)) for sharer, currency, *sums in found]


def _ranked(question: Question, after: Place | None) -> Select[Any]:
    sums = ledger.sums_by(question, [CreditLine.sharer]).subquery()
    sharer, currency, _, gross, refunded = sums.c
    net = gross - refunded
    query = select(sums).where(sharer.not_in((NONE, HOUSE)))
    if after is not None:
        later = or_(net < after.net, and_(net == after.net, sharer > after.sharer))
        query = query.where(or_(currency > after.currency, and_(currency == after.currency, later)))
    return query.order_by(currency, net.desc(), sharer)


def _narrowed(question: Question, sharer: str) -> Question:
    """The question about one sharer, unless it leaves them out."""
    wanted = [each for each in question.only.get("sharer", [sharer]) if each == sharer]
    return replace(question, only={**question.only, "sharer": wanted})


def _worked(session: Session, question: Question, made: Sequence[Made]) -> list[tuple[Made, Activity]]:
    """What each referral that passes the filters did in the period."""
    chosen = [each for each in made if forest.passes(question, each)]
    nodes = [node for node, _ in chosen]
    visits = outcome.visits(session, known(question), nodes, question.since, question.until)
    since, until = to_micros(question.since), to_micros(question.until)
    return [(each, Activity(int(since <= each[0].at < until), visits[each[0].referral])) for each in chosen]


def _added(worked: Iterable[tuple[Made, Activity]], dimension: str) -> dict[str, Activity]:
    """Activity by the values of a dimension, the busiest first; without those who did nothing."""
    found: dict[str, Activity] = defaultdict(Activity)
    for made, (referrals, visits) in worked:
        value = forest.values_of(made)[dimension]
        if referrals or visits:
            found[value] = Activity(found[value].referrals + referrals, found[value].visits + visits)
    return dict(sorted(found.items(), key=lambda each: (-each[1].referrals, -each[1].visits, each[0])))


def _sums(orders: int, gross: int, refunded: int) -> Sums:
    return Sums(orders, int(gross), int(refunded))
