"""The journeys of a period, for the aggregate models: those that led to an order, and those that have not yet.

Streams: what it holds does not grow with the number of orders or people. Reads the tables of referrals and orders.
"""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from sqlalchemy import Function, Select, and_, case, func, or_, select
from sqlalchemy.orm import Session, aliased

from app.attribution import loader
from app.attribution.engine import Line, Model, Policy, Settlement, Source, TouchType, Upline, settle
from app.attribution.loader import Loaded
from app.attribution.policies import Policies
from app.orders import history as sales
from app.orders.history import OrderRow
from app.orders.models import FormerBuyer, Order
from app.referrals.models import Claim, Visit
from app.referrals.reach import second_of
from app.reports.asked import Asked
from app.reports.ledger import NONE
from app.reports.people import Known

_BATCH: Final = 500


class Place(NamedTuple):
    """What a source of credit is reported by; `(none)` where it has no such thing."""

    network: str
    product: str
    wall: str
    sharer: str


class Sale(NamedTuple):
    """An order that was divided by the policy of its time, once under each touch model."""

    currency: str
    net: int  # minor units that are left of it
    journey: Sequence[Place]  # what may earn credit, earliest first; empty if nothing may
    credited: Mapping[Model, Sequence[tuple[Place, int]]]  # minor units; together the net, under each model


def sales_of(session: Session, asked: Asked, policies: Policies) -> Iterator[Sale]:
    """The orders of the period, as they were known at `asked.as_of`; all currencies, whatever is filtered."""
    after = None
    while page := sales.page(
        session,
        asked.merchant_id,
        after=after,
        most=_BATCH,
        since=asked.since,
        until=asked.until,
        livemode=asked.livemode,
        known_by=asked.as_of,
    ):
        after = page[-1].order_id
        resets = any(policies.current_at(order.at).policy.journey_reset for order in page)
        parts = loader.load_in_parts(session, asked.merchant_id, page, as_of=asked.as_of, purchases=resets)
        for orders, loaded in parts:
            for order in orders:
                yield _sale(order, loaded, policies.current_at(order.at).policy)


def unconverted(session: Session, asked: Asked, policies: Policies) -> Iterator[Sequence[Place]]:
    """The journeys that have led to no order yet: one of each person who was touched in the period, and has bought
    nothing since the last of these touches.

    It is judged as if they had bought at that moment, under the policy of that time: windows, own links and types
    count as they would for an order. What led to an order before is left out, whatever the policy says of that.
    """
    found = session.execute(_still_looking(asked), execution_options={"yield_per": _BATCH})
    people = iter(found)
    while batch := list(islice(people, _BATCH)):
        purchases = [_as_if(asked, visitor, at, number) for number, (visitor, at) in enumerate(batch)]
        parts = loader.load_in_parts(session, asked.merchant_id, purchases, as_of=asked.as_of, purchases=True)
        for orders, loaded in parts:
            for order in orders:
                policy = _as_new_journey(policies.current_at(order.at).policy)
                journey = _journey(settle(loaded.orders[order.order_id], loaded.facts, policy), loaded)
                if journey:
                    yield journey


def _sale(order: OrderRow, loaded: Loaded, policy: Policy) -> Sale:
    fact, facts = loaded.orders[order.order_id], loaded.facts
    settlement = settle(fact, facts, _as_journey(policy))
    journey = _journey(settlement, loaded)
    if len(journey) > 1:
        settled = {model: settle(fact, facts, _under(policy, model)) for model in Model}
    else:  # all models agree
        settled = dict.fromkeys(Model, settle(fact, facts, policy))
    credited = {
        model: [(_place(line, loaded), line.net) for line in found.lines if line.net]
        for model, found in settled.items()
    }
    return Sale(order.currency, settlement.net, journey, credited)


@lru_cache(maxsize=1024)
def _under(policy: Policy, model: Model) -> Policy:
    return replace(policy, model=model)


@lru_cache(maxsize=1024)
def _as_journey(policy: Policy) -> Policy:
    """The policy under which everything that may earn credit earns some, and the person who made the link all of
    it."""
    return replace(policy, model=Model.LINEAR, upline=Upline())


@lru_cache(maxsize=1024)
def _as_new_journey(policy: Policy) -> Policy:
    """`_as_journey`, with what led to an order before left out."""
    return replace(_as_journey(policy), journey_reset=True)


def _journey(settlement: Settlement, loaded: Loaded) -> list[Place]:
    """What earns credit under `_as_journey`: the touches that count, or the referral that a coupon speaks for."""
    lines = {line.touch: line for line in chain(settlement.lines, settlement.rounded_away)}
    if None in lines:
        only = lines[None]
        return [_place(only, loaded)] if only.source is Source.COUPON else []
    return [_place(lines[verdict.touch.id], loaded) for verdict in settlement.verdicts if verdict.counted]


def _place(line: Line, loaded: Loaded) -> Place:
    subject = None if line.source_referral is None else loaded.subjects[line.source_referral]
    product, wall = (None, None) if subject is None else (subject.product, subject.wall)
    return Place(line.network, product or NONE, wall or NONE, line.sharer)


def _as_if(asked: Asked, visitor: str, at: datetime, number: int) -> OrderRow:
    """An order that nobody made. Its ids are unlike any that are kept."""
    return OrderRow(
        order_id=f"(as if) {number}",
        external_id=f"\0{number}",
        visitor_id=visitor,
        click_id=None,
        currency="",
        net=0,
        coupon=None,
        livemode=asked.livemode,
        at=at,
        received_at=at,
    )


def _still_looking(asked: Asked) -> Select[*tuple[Any, ...]]:
    """A visitor of each such person, and when they were last touched in the period."""
    known = Known(asked.merchant_id, asked.as_of)
    touched = (
        select(known.sharer(Claim.visitor_id, Claim.merchant_id).label("person"), Claim.visitor_id, Visit.at)
        .join(Visit, and_(Visit.merchant_id == Claim.merchant_id, Visit.visit_id == Claim.visit_id))
        .where(known(Claim), known(Visit), Visit.type != TouchType.DIRECT)
        .where(Visit.at >= asked.since, Visit.at < asked.until)
        .subquery()
    )
    bought = _last_purchases(asked, known).subquery()
    last: Function[datetime] = func.max(touched.c.at)
    return (
        select(func.min(touched.c.visitor_id), last)
        .outerjoin(bought, bought.c.person == touched.c.person)
        .group_by(touched.c.person, bought.c.at)
        .having(or_(bought.c.at.is_(None), second_of(last) > second_of(bought.c.at)))
    )


def _last_purchases(asked: Asked, known: Known) -> Select[*tuple[Any, ...]]:
    """When each person who bought since the period began bought last, by what was known of who bought."""
    first, then = _corrected_later(known).subquery(), aliased(FormerBuyer)
    its_first = and_(first.c.merchant_id == Order.merchant_id, first.c.order_id == Order.order_id)
    its_then = and_(
        *(then.merchant_id == first.c.merchant_id, then.order_id == first.c.order_id),
        then.position == first.c.position,
    )
    click, visitor = (
        case((first.c.position.is_not(None), getattr(then, name)), else_=getattr(Order, name))
        for name in ("click_id", "visitor_id")
    )
    named = and_(Claim.merchant_id == Order.merchant_id, Claim.visit_id == click)
    claimed = and_(named, visitor.is_(None), Claim.received_at <= known.as_of)
    buyer = func.coalesce(visitor, Claim.visitor_id)
    orders = (
        select(known.sharer(buyer, Order.merchant_id).label("person"), Order.at)
        .outerjoin(first, its_first)
        .outerjoin(then, its_then)
        .outerjoin(Claim, claimed)
        .where(known(Order), Order.livemode == asked.livemode, buyer.is_not(None))
        .where(Order.at >= asked.since.replace(microsecond=0))
        .subquery()
    )
    return select(orders.c.person, func.max(orders.c.at).label("at")).group_by(orders.c.person)


def _corrected_later(known: Known) -> Select[*tuple[Any, ...]]:
    """The first correction of who bought that was not known yet, of each order that has one."""
    later = and_(FormerBuyer.merchant_id == known.merchant_id, FormerBuyer.until > known.as_of)
    position = func.min(FormerBuyer.position).label("position")
    return (
        select(FormerBuyer.merchant_id, FormerBuyer.order_id, position)
        .where(later)
        .group_by(FormerBuyer.merchant_id, FormerBuyer.order_id)
    )
