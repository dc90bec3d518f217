"""What the word of one visitor did, as they themselves may be told it: who came and what was bought, small groups as "a
few", and never who. Reads only.

It is about one browser's own likes and shares, whoever stands behind it. Amounts are told by whole groups of buyers, in
the order in which they were credited, so that nobody learns what a friend paid by looking again after each sale.
"""

from collections import Counter, defaultdict
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from operator import itemgetter
from typing import Final

from sqlalchemy import and_, func, select
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.attribution.policies import CURRENT
from app.catalog import service as catalog
from app.kernel.clock import to_micros
from app.orders.models import Order
from app.privacy import small_groups
from app.referrals import names
from app.referrals.models import Claim, Referral
from app.reports import outcome
from app.reports.forest import Node
from app.reports.people import Known, one_of
from app.reports.suppression import Figures, told_apart
from app.walls import service as walls

MOST: Final = 200
"""Likes and shares that are listed, the newest; all are counted."""


@dataclass(frozen=True)
class Count:
    """So many; None is "a few". `and_few`: there are some, or some more, that are not told of by number."""

    count: int | None
    and_few: bool = False


NOBODY: Final = Count(0)
A_FEW: Final = Count(None, and_few=True)


@dataclass(frozen=True)
class Sold:
    """Orders of one currency that are told of, and their net in minor units."""

    currency: str
    orders: int
    net: int


@dataclass(frozen=True)
class Passed:
    """A like or share that stands. Titles are None where what it was about is no longer there."""

    referral: Referral
    name: str | None
    product: str | None
    wall: str | None
    visits: Count


@dataclass(frozen=True)
class Word:
    """All of it. `name`: what the visitor is called now; `more`: likes and shares that are not listed."""

    name: str | None
    visits: Count
    orders: Count
    sold: Sequence[Sold]
    passed: Sequence[Passed]
    more: int


def of_visitor(
    session: Session, merchant_id: int, visitor_id: str, *, fewest: int, livemode: bool, now: datetime
) -> Word:
    """What the visitor may be told. `fewest`: of fewer people no number is told."""
    known = Known(merchant_id, now)
    made = _made(session, known, visitor_id)
    visits, through = _come(session, known, [referral for referral, _ in made], visitor_id, fewest)
    orders, sold = _bought(session, known, [referral.referral_id for referral, _ in made], livemode, fewest)
    standing = [(referral, name) for referral, name in made if referral.withdrawn_at is None]
    return Word(
        name=next((name for _, name in standing if name is not None), names.chosen(session, merchant_id, visitor_id)),
        visits=visits,
        orders=orders,
        sold=sold,
        passed=_passed(session, merchant_id, standing[:MOST], through),
        more=len(standing[MOST:]),
    )


def _made(session: Session, known: Known, visitor_id: str) -> Sequence[tuple[Referral, str | None]]:
    """Their likes and shares, each with the name under which it is shown; the newest first."""
    query = names.joined(select(Referral, names.SHOWN)).where(known(Referral), Referral.visitor_id == visitor_id)
    rows = session.execute(query.order_by(Referral.at.desc(), Referral.referral_id.desc()))
    return [(referral, name) for referral, name in rows]


def _come(
    session: Session, known: Known, made: Collection[Referral], visitor_id: str, fewest: int
) -> tuple[Count, Mapping[str, Count]]:
    """How often others came through all of these, and through each that somebody came through."""
    nodes = [Node(each.referral_id, each.parent_id, visitor_id, to_micros(each.at)) for each in made]
    themselves = known.people(session, [visitor_id]).get(visitor_id, visitor_id)
    visits: Counter[str] = Counter()
    people: Counter[str] = Counter()
    everybody = 0
    for who, came in groupby(outcome.arrivals(session, known, nodes), key=itemgetter(0)):
        if who != themselves:
            through = Counter(referral for _, referral in came)
            visits.update(through)
            people.update(through.keys())
            everybody += 1
    if small_groups.shown(everybody, fewest) is None:
        return A_FEW, dict.fromkeys(visits, A_FEW)
    by_referral = {referral: Figures(people[referral], (count,)) for referral, count in visits.items()}
    told = told_apart(by_referral, Figures(everybody, (visits.total(),)), fewest)
    return Count(visits.total()), {each: Count(visits[each]) if each in told else A_FEW for each in visits}


def _bought(
    session: Session, known: Known, made: Collection[str], livemode: bool, fewest: int
) -> tuple[Count, Sequence[Sold]]:
    """What was bought through these, by whole groups of buyers of a currency, as their credit came to be written."""
    found: dict[str, list[tuple[str, int]]] = defaultdict(list)
    for currency, buyer, net in _orders(session, known, made, livemode):
        found[currency].append((buyer, net))
    sold = []
    for currency, orders in sorted(found.items()):
        told = small_groups.whole_groups([buyer for buyer, _ in orders], fewest)
        if told:
            sold.append(Sold(currency, told, sum(net for _, net in orders[:told])))
    told_of = sum(each.orders for each in sold)
    if told_of == sum(map(len, found.values())):
        return Count(told_of), sold
    return Count(told_of or None, and_few=True), sold


def _orders(session: Session, known: Known, made: Collection[str], livemode: bool) -> Sequence[tuple[str, str, int]]:
    """Currency, buyer and net of each order that came through these. An order of whom nobody knows stands for one."""
    credit = (
        select(
            CreditLine.currency,
            CreditLine.order_id,
            func.sum(CreditLine.gross - CreditLine.reversed).label("net"),
            func.min(CreditLine.credit_id).label("first"),  # an id begins with the time of writing
        )
        .where(CreditLine.merchant_id == known.merchant_id, CreditLine.policy == CURRENT)
        .where(CreditLine.livemode == livemode, one_of(session, CreditLine.source_referral, made))
        .group_by(CreditLine.currency, CreditLine.order_id)
        .having(func.sum(CreditLine.gross) != 0)
        .subquery()
    )
    of_it = and_(Order.merchant_id == known.merchant_id, Order.order_id == credit.c.order_id)
    claimed = and_(Claim.merchant_id == Order.merchant_id, Claim.visit_id == Order.click_id)
    visitor_id = func.coalesce(Order.visitor_id, Claim.visitor_id)
    query = select(credit.c.currency, visitor_id, Order.customer_hash, Order.order_id, credit.c.net)
    found = query.join_from(credit, Order, of_it).outerjoin(Claim, claimed).order_by(credit.c.first)
    rows = session.execute(found).all()
    people = known.people(session, {visitor for _, visitor, *_ in rows if visitor is not None})
    return [
        (currency, people.get(visitor or "", visitor) or customer or order, int(net))
        for currency, visitor, customer, order, net in rows
    ]


def _passed(
    session: Session, merchant_id: int, standing: Sequence[tuple[Referral, str | None]], through: Mapping[str, Count]
) -> Sequence[Passed]:
    products = {(merchant_id, each.product_id) for each, _ in standing if each.product_id is not None}
    on_walls = {(merchant_id, each.wall_id) for each, _ in standing if each.wall_id is not None}
    faces, titles = catalog.faces(session, products), walls.titles(session, on_walls)
    return [
        Passed(
            referral=each,
            name=name,
            product=faces.get((merchant_id, each.product_id or ""), (None, None))[0],
            wall=titles.get((merchant_id, each.wall_id or "")),
            visits=through.get(each.referral_id, NOBODY),
        )
        for each, name in standing
    ]
