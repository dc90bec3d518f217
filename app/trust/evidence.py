"""Evidence about what happens all at once: visits, likes and shares of some minutes, counted in the database.

What is asked for is found by ids, which begin with their time, so it costs as much as there is of it and no more;
what comes back is bounded. Reads only, and judges nothing. Devices and blocks are compared and never told.
"""

from collections import defaultdict
from collections.abc import Collection, Mapping
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Select,
    SQLColumnExpression,
    Text,
    and_,
    bindparam,
    cast,
    exists,
    func,
    or_,
    select,
)
from sqlalchemy.orm import Session

from app.kernel.database import id_type
from app.kernel.given import Question, keys_of
from app.kernel.ids import beginning
from app.merchants.models import Merchant
from app.referrals import identities
from app.referrals.models import Claim, Referral, Visit
from app.trust.book import Book
from app.trust.found import About
from app.trust.models import Doubt
from app.trust.rules.click_stuffing import Crowd
from app.trust.rules.pace import Busy

MOST: Final = 200
"""Referrals that one look finds of a rule, the newest first. Those that are doubted already are passed over, so the
next look finds the next ones."""
COUNTED: Final = 100
"""How far `awake` counts."""
_A_SECOND: Final = timedelta(seconds=1)
_BUSIEST: Final = 20_000
"""Referrals whose visits are looked at, those with the most."""


class Span(NamedTuple):
    """From a moment until before another."""

    since: datetime
    until: datetime

    @classmethod
    def before(cls, until: datetime, time: timedelta) -> "Span":
        """The time before a moment, with its own second."""
        return cls(until - time, until + _A_SECOND)


class Tally(NamedTuple):
    """Who came through some `referrals`: devices and visitors are at least so many, since one may have come through
    several of them."""

    at_least: Crowd
    referrals: tuple[str, ...]


_NONE: Final = Tally(Crowd(0, 0, 0, 0, 0), ())


class Awake(NamedTuple):
    """A merchant of whom something is new, and what is done about doubts there; how many visits, and how many likes
    and shares, there were in all the time that is looked at, up to `COUNTED`."""

    merchant_id: int
    settings: Book
    visits: int
    referrals: int


def awake(session: Session, news: Span, all_of_it: Span) -> list[Awake]:
    """The merchants of whom something is new, by one statement that looks into an index once or twice for each."""
    visits, referrals = (_counted(kind, all_of_it) for kind in (_VISITS, _REFERRALS))
    asked = select(Merchant.merchant_id, Merchant.rules, visits, referrals)
    asked = asked.where(Merchant.closed_at.is_(None), or_(_any(_VISITS, news), _any(_REFERRALS, news)))
    return [Awake(merchant, Book.from_json(rules), *counts) for merchant, rules, *counts in session.execute(asked)]


def tallies(session: Session, merchant_id: int, span: Span) -> dict[str, Tally]:
    """Who came through whose likes and shares, by person: all of a person's are one."""
    claimed = (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id)
    visits = func.count().label("visits")
    came = (
        select(Visit.referral_id, visits, *_NUMBERS)
        .outerjoin(Claim, claimed)
        .where(_within(_VISITS, span, merchant_id), Visit.imported.is_(False))
        .group_by(Visit.referral_id)
        .order_by(visits.desc())
        .limit(_BUSIEST)
        .subquery("came")
    )
    whose = (Referral.merchant_id == merchant_id) & (Referral.referral_id == came.c.referral_id)
    rows = session.execute(select(Referral.visitor_id, came).join_from(came, Referral, whose)).all()
    people = identities.people_of(session, merchant_id, {row.visitor_id for row in rows})
    found: dict[str, Tally] = {}
    for visitor, referral_id, *numbers in rows:
        known = found.get(people[visitor], _NONE)
        found[people[visitor]] = Tally(known.at_least.with_others(Crowd(*numbers)), (*known.referrals, referral_id))
    return found


def crowds(session: Session, merchant_id: int, span: Span, tallies: Mapping[str, Tally]) -> dict[str, Crowd]:
    """Who came through the likes and shares of these people together, each counted once."""
    keys = {(merchant_id, referral, person) for person, tally in tallies.items() for referral in tally.referrals}
    bounds = {"since": beginning(_VISITS.prefix, span.since), "until": beginning(_VISITS.prefix, span.until)}
    found = _CROWDS.ask(session, keys, **bounds)
    return {person: Crowd(*numbers) for person, *numbers in found if person is not None}


def undoubted(session: Session, merchant_id: int, referral_ids: Collection[str], rule: str) -> list[str]:
    """Those of the referrals that the rule does not doubt yet, newest first, at most `MOST`."""
    doubted = {referral for (referral,) in _DOUBTED.ask(session, keys_of(merchant_id, referral_ids), rule=rule)}
    return sorted(set(referral_ids) - doubted, reverse=True)[:MOST]


def from_one_block(session: Session, merchant_id: int, span: Span, above: int, rule: str) -> list[tuple[str, int]]:
    """The referrals that more than so many visits reached from one block, with that number; not those that are
    doubted by the rule."""
    visits = func.count().label("visits")
    came = (
        select(Visit.referral_id, visits)
        .where(_within(_VISITS, span, merchant_id), Visit.imported.is_(False), Visit.block.is_not(None))
        .group_by(Visit.referral_id, Visit.block)
        .having(visits > above)
        .subquery("came")
    )
    asked = select(came.c.referral_id, func.max(came.c.visits)).group_by(came.c.referral_id)
    asked = asked.where(_undoubted(merchant_id, came.c.referral_id, rule))
    found = session.execute(asked.order_by(came.c.referral_id.desc()).limit(MOST))
    return [(referral_id, number) for referral_id, number in found]


def paces(session: Session, merchant_id: int, span: Span, kind: str, above: Busy, rule: str) -> list[tuple[str, Busy]]:
    """The likes or shares of whoever made more than so many, or of whose block more than so many came; each with both
    numbers; not those that are doubted by the rule."""
    own = func.count().over(partition_by=Referral.visitor_id).label("by_visitor")
    near = func.count().over(partition_by=Referral.block).label("by_block")
    made = select(Referral.referral_id, Referral.block, own, near)
    busy = made.where(_within(_REFERRALS, span, merchant_id), Referral.kind == kind, _is_ours()).subquery("busy")
    by_block = busy.c.block.is_not(None) & (busy.c.by_block > above.by_block)
    asked = select(busy.c.referral_id, busy.c.block, busy.c.by_visitor, busy.c.by_block)
    asked = asked.where(or_(busy.c.by_visitor > above.by_visitor, by_block))
    asked = asked.where(_undoubted(merchant_id, busy.c.referral_id, rule))
    found = session.execute(asked.order_by(busy.c.referral_id.desc()).limit(MOST))
    return [(id, Busy(own, near if block is not None else own)) for id, block, own, near in found]


def on_one_device(session: Session, merchant_id: int, span: Span, least: int, rule: str) -> list[tuple[str, int]]:
    """The likes and shares of one thing from one device, where at least so many people made some; each with that
    number; not those that are doubted by the rule. A device is known for a day."""
    within = and_(_within(_REFERRALS, span, merchant_id), Referral.device.is_not(None), _is_ours())
    crowded = (
        select(Referral.target, Referral.device)
        .where(within)
        .group_by(Referral.target, Referral.device)
        .having(func.count(Referral.visitor_id.distinct()) >= least)
        .order_by(func.max(Referral.referral_id).desc())
        .limit(MOST)
        .cte("crowded")
    )
    same = (Referral.target == crowded.c.target) & (Referral.device == crowded.c.device)
    doubted = ~_undoubted(merchant_id, Referral.referral_id, rule)
    asked = select(Referral.referral_id, Referral.visitor_id, Referral.target, Referral.device, doubted)
    rows = session.execute(asked.join(crowded, same).where(within)).all()
    people = identities.people_of(session, merchant_id, {row.visitor_id for row in rows})
    sharers: dict[tuple[str, str | None], set[str]] = defaultdict(set)
    for _, visitor, target, device, _ in rows:
        sharers[target, device].add(people[visitor])
    return [(id, len(sharers[target, device])) for id, _, target, device, is_doubted in rows if not is_doubted]


class _Timed(NamedTuple):
    """A table whose ids begin with their time."""

    merchant: SQLColumnExpression[int]
    id: SQLColumnExpression[str]
    prefix: str


_VISITS: Final = _Timed(Visit.merchant_id, Visit.visit_id, "clk")
_REFERRALS: Final = _Timed(Referral.merchant_id, Referral.referral_id, "ref")


def _within(kind: _Timed, span: Span, merchant: Any) -> ColumnElement[bool]:
    since, until = (beginning(kind.prefix, at) for at in span)
    return and_(kind.merchant == merchant, kind.id >= since, kind.id < until)


def _any(kind: _Timed, span: Span) -> ColumnElement[bool]:
    return exists().where(_within(kind, span, Merchant.merchant_id)).correlate(Merchant)


def _counted(kind: _Timed, span: Span) -> Any:
    some = select(kind.id).where(_within(kind, span, Merchant.merchant_id)).limit(COUNTED).correlate(Merchant)
    return select(func.count()).select_from(some.subquery()).scalar_subquery()


def _is_ours() -> ColumnElement[bool]:
    """Whether it was made here, and not brought in."""
    return Referral.code.is_not(None)


def _undoubted(merchant: Any, referral_id: Any, rule: Any) -> ColumnElement[bool]:
    return ~exists().where(
        Doubt.merchant_id == merchant, Doubt.about == About.REFERRAL, Doubt.subject == referral_id, Doubt.rule == rule
    )


def _crowds(given: FromClause) -> Select[*tuple[Any, ...]]:
    # Joined so that none of it can come before the visits: SQLite would read these again for each referral.
    referral = cast(given.c.referral_id, Text).label("referral_id")  # else SQLite makes no index of them
    asked = select(given.c.merchant_id, referral, given.c.person).cte("asked").prefix_with("MATERIALIZED")
    claimed = (Claim.merchant_id == Visit.merchant_id) & (Claim.visit_id == Visit.visit_id)
    found = select(asked.c.person, func.count(), *_NUMBERS).select_from(Visit)
    found = found.outerjoin(asked, asked.c.referral_id == Visit.referral_id).outerjoin(Claim, claimed)
    since, until = (bindparam(name, type_=id_type()) for name in ("since", "until"))
    whose = Visit.merchant_id == select(asked.c.merchant_id).limit(1).scalar_subquery()
    within = found.where(whose, Visit.visit_id >= since, Visit.visit_id < until, Visit.imported.is_(False))
    return within.group_by(asked.c.person)


def _doubted(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Doubt.merchant_id == given.c.merchant_id) & (Doubt.subject == given.c.referral_id)
    rule = Doubt.rule == bindparam("rule", type_=id_type())
    return select(Doubt.subject).join_from(given, Doubt, same).where(Doubt.about == About.REFERRAL, rule)


_NUMBERS: Final = (
    func.count(Visit.device).label("seen"),
    func.count(Visit.device.distinct()).label("devices"),
    func.count(Claim.visitor_id).label("claimed"),
    func.count(Claim.visitor_id.distinct()).label("visitors"),
)
_CROWDS = Question(_crowds, merchant_id=BigInteger(), referral_id=id_type(200), person=id_type(200))
_DOUBTED = Question(_doubted, merchant_id=BigInteger(), referral_id=id_type(200))
