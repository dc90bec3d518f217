"""Journeys that are settled whole, order by order, by attribution itself: the few that hold too much to be looked at
beside others, or of which more is asked than which touches earn. Decides nothing of its own.
"""

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from itertools import chain
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from app.attribution import loader
from app.attribution.engine import Line, Model, Policy, Settlement, Source, Upline, settle
from app.attribution.loader import Loaded, Subject
from app.attribution.policies import Policies
from app.orders import history as sales
from app.orders.history import OrderRow
from app.reports.asked import Asked
from app.reports.ledger import NONE


class Place(NamedTuple):
    """What a source of credit is reported by; `(none)` where it has no such thing."""

    network: str
    product: str
    wall: str
    sharer: str
    kind: str
    shared_to: str
    seen_from: str


class Sale(NamedTuple):
    """An order that was divided by the policy of its time, once under each touch model."""

    currency: str
    net: int  # minor units that are left of it
    journey: Sequence[Place]  # what may earn credit, earliest first; empty if nothing may
    alike: Sequence[tuple[Place, int]]  # minor units that all models give to the same; together the net
    credited: Mapping[Model, Sequence[tuple[Place, int]]]  # the same under each model, where they differ: else empty


class Looked(NamedTuple):
    """A visitor who stands for somebody that has bought nothing since they were last touched, `at` that moment."""

    visitor: str
    at: datetime


def sales_of(session: Session, asked: Asked, policies: Policies, order_ids: Collection[str]) -> Iterator[Sale]:
    """These orders, as they were known at `asked.as_of`."""
    orders = sales.rows(session, asked.merchant_id, order_ids, known_by=asked.as_of)
    resets = any(policies.current_at(order.at).policy.journey_reset for order in orders)
    parts = loader.load_in_parts(session, asked.merchant_id, orders, as_of=asked.as_of, purchases=resets)
    for some, loaded in parts:
        for order in some:
            yield _sale(order, loaded, policies.current_at(order.at).policy)


def unconverted(
    session: Session, asked: Asked, policies: Policies, looked: Sequence[Looked]
) -> Iterator[Sequence[Place]]:
    """The journeys of these people, as if they had bought when they were last touched; those in which nothing could
    have earned are left out."""
    purchases = [_as_if(asked, each, number) for number, each in enumerate(looked)]
    parts = loader.load_in_parts(session, asked.merchant_id, purchases, as_of=asked.as_of, purchases=True)
    for orders, loaded in parts:
        for order in orders:
            policy = as_new_journey(policies.current_at(order.at).policy)
            journey = _journey(settle(loaded.orders[order.order_id], loaded.facts, policy), loaded)
            if journey:
                yield journey


@lru_cache(maxsize=1024)
def under(policy: Policy, model: Model) -> Policy:
    """The policy with this model in the place of its own."""
    return replace(policy, model=model)


@lru_cache(maxsize=1024)
def as_new_journey(policy: Policy) -> Policy:
    """The policy under which everything that may earn credit earns some, the person who made the link all of it, and
    nothing that led to an order before."""
    return replace(_as_journey(policy), journey_reset=True)


@lru_cache(maxsize=1024)
def _as_journey(policy: Policy) -> Policy:
    return replace(policy, model=Model.LINEAR, upline=Upline())


def _sale(order: OrderRow, loaded: Loaded, policy: Policy) -> Sale:
    fact, facts = loaded.orders[order.order_id], loaded.facts
    settlement = settle(fact, facts, _as_journey(policy))
    journey = _journey(settlement, loaded)
    if len(journey) < 2:  # all models agree
        return Sale(order.currency, settlement.net, journey, _credited(settle(fact, facts, policy), loaded), {})
    credited = {model: _credited(settle(fact, facts, under(policy, model)), loaded) for model in Model}
    return Sale(order.currency, settlement.net, journey, [], credited)


def _credited(settlement: Settlement, loaded: Loaded) -> list[tuple[Place, int]]:
    return [(_place(line, loaded), line.net) for line in settlement.lines if line.net]


def _journey(settlement: Settlement, loaded: Loaded) -> list[Place]:
    """What earns credit under `_as_journey`: the touches that count, or the referral that a coupon speaks for."""
    lines = {line.touch: line for line in chain(settlement.lines, settlement.rounded_away)}
    if None in lines:
        only = lines[None]
        return [_place(only, loaded)] if only.source is Source.COUPON else []
    return [_place(lines[verdict.touch.id], loaded) for verdict in settlement.verdicts if verdict.counted]


def _place(line: Line, loaded: Loaded) -> Place:
    seen_from = None if line.touch is None else loaded.facts.touches[line.touch].network
    subject = _NOTHING if line.source_referral is None else loaded.subjects[line.source_referral]
    about = (subject.product, subject.wall, line.sharer, subject.kind, subject.network, seen_from)
    return Place(line.network, *(each or NONE for each in about))


_NOTHING: Final = Subject("", None, None, None)


def _as_if(asked: Asked, looked: Looked, number: int) -> OrderRow:
    """An order that nobody made. Its ids are unlike any that are kept."""
    return OrderRow(
        order_id=f"(as if) {number}",
        external_id=f"\0{number}",
        visitor_id=looked.visitor,
        click_id=None,
        currency="",
        net=0,
        coupon=None,
        livemode=asked.livemode,
        at=looked.at,
        received_at=looked.at,
    )
