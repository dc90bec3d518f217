"""Loads what the engine must know to settle orders: the buyers' journeys, their referrals and all ancestors.

Any number of orders in the same few statements. Asks the domains of referrals, orders and trust; writes nothing,
decides nothing: who is whom, what counts and what a code speaks for is the engine's.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple, TypeVar

from sqlalchemy.orm import Session

from app.attribution.barring import bars_of
from app.attribution.engine import (
    Bars,
    Coupon,
    Facts,
    Identity,
    Order,
    Referral,
    Refund,
    Touch,
    TouchType,
    microseconds,
    whole_seconds,
)
from app.attribution.engine.identity import latest, stands_for
from app.kernel.codes import normalised
from app.orders import history as sales
from app.orders.history import OrderRow, RefundRow
from app.referrals import history, people
from app.referrals.history import CouponRow, ReferralRow, TouchRow

MOST: Final = 10_000
"""Touches of one journey that are looked at, the latest before the order first; and as many things that were said of
one buyer. A person makes a few; a program, or a customer id that stands for everybody, may make any number."""

_SECOND: Final = 1_000_000
_Row = TypeVar("_Row")
_TYPES: Final = {each.value: each for each in TouchType}


class TooMuchAtOnce(Exception):
    """The journeys of these orders together are longer than what is looked at for one: ask for fewer orders."""


class Subject(NamedTuple):
    """What a referral speaks for. `product` and `wall` are ours, else what another system called them."""

    kind: str
    network: str | None
    product: str | None
    wall: str | None


class Loaded(NamedTuple):
    """What concerns a batch of orders. `orders` by our id, in the order in which they were given."""

    facts: Facts
    orders: Mapping[str, Order]
    subjects: Mapping[str, Subject]


def load_in_parts(
    session: Session,
    merchant_id: int,
    orders: Sequence[OrderRow],
    *,
    as_of: datetime | None = None,
    purchases: bool = False,
) -> Iterator[tuple[Sequence[OrderRow], Loaded]]:
    """`load` for any orders of any length, in their order: where they are too much at once, in smaller parts."""
    try:
        yield orders, load(session, merchant_id, orders, as_of=as_of, purchases=purchases)
    except TooMuchAtOnce:
        middle = len(orders) // 2
        for half in (orders[:middle], orders[middle:]):
            yield from load_in_parts(session, merchant_id, half, as_of=as_of, purchases=purchases)


def load(
    session: Session,
    merchant_id: int,
    orders: Sequence[OrderRow],
    *,
    as_of: datetime | None = None,
    purchases: bool = False,
) -> Loaded:
    """What was known of these orders at `as_of` (now, if that is None), for each just what it would be alone.

    `purchases` loads what `journey_reset` needs: the other orders of the same people. A test order is nobody's
    previous order but a test order's, so the orders must then all be live or all be tests. Raises `TooMuchAtOnce`,
    never for one order alone.
    """
    known_by = history.FOR_EVER if as_of is None else microseconds(as_of)
    asking = _Asking(session, merchant_id, known_by, alone=len(orders) == 1)
    clicked = asking.clicks(orders)
    said, members = asking.buyers(orders, clicked)
    others = asking.purchases(members, orders[0].livemode) if purchases and orders else []
    touched = {**clicked, **asking.clicks(order for order in others if order.visitor_id is None)}
    touched.update((touch[0], touch) for touch in asking.touches(members))
    coupons = asking.coupons(orders)
    referrals, said_of_sharers = asking.referrals(touched.values(), coupons)
    settled = {order.order_id: _order(order) for order in orders}
    facts = Facts.of(
        referrals=[Referral(*row[:4], row[4] // _SECOND, row[5]) for row in referrals],
        touches=_touches(touched.values()),
        identities=map(_identity, (*said, *said_of_sharers)),
        coupons=[Coupon(code, referral, at // _SECOND, received) for code, referral, at, received in coupons],
        orders=(*settled.values(), *map(_order, others)) if purchases else (),
        refunds=refunds_of(sales.refunds(session, merchant_id, settled), settled),
        bars=asking.bars(touched, referrals, settled),
        as_of=None if as_of is None else known_by,
    )
    return Loaded(facts, settled, {row[0]: Subject(row[6], row[2], row[7], row[8]) for row in referrals})


class _Asking:
    """The questions about one batch; whatever has no end is cut for one order alone, and refused for several."""

    def __init__(self, session: Session, merchant_id: int, known_by: int, *, alone: bool) -> None:
        self._session = session
        self._merchant = merchant_id
        self._known_by = known_by
        self._alone = alone

    def clicks(self, orders: Iterable[OrderRow]) -> dict[str, TouchRow]:
        """What the orders name, by id."""
        named = {order.click_id for order in orders if order.click_id is not None}
        found = history.clicks(self._session, self._merchant, named, known_by=self._known_by)
        return {touch[0]: touch for touch in found}

    def buyers(
        self, orders: Iterable[OrderRow], clicked: Mapping[str, TouchRow]
    ) -> tuple[list[people.Said], dict[str, int]]:
        """What was said of those who bought, and all visitors who are the same people, each with the microsecond
        after the second of that person's latest order."""
        until: dict[str, int] = {}
        for order in orders:
            click = None if order.click_id is None else clicked.get(order.click_id)
            buyer = order.visitor_id or (click and click[1])
            if buyer:
                end = (whole_seconds(order.at) + 1) * _SECOND
                until[buyer] = max(until.get(buyer, end), end)
        said = people.said_around(self._session, self._merchant, until, known_by=self._known_by, most=MOST + 1)
        said = self._bounded(said)
        linked = latest(map(_identity, said))
        latest_of: dict[str, int] = {}
        for buyer, end in until.items():
            person = stands_for(buyer, linked)
            latest_of[person] = max(latest_of.get(person, end), end)
        candidates = {*until, *latest_of, *linked}
        return list(said), {
            each: latest_of[person] for each in candidates if (person := stands_for(each, linked)) in latest_of
        }

    def touches(self, members: Mapping[str, int]) -> Sequence[TouchRow]:
        """The journeys."""
        found = history.touches(self._session, self._merchant, members, known_by=self._known_by, most=MOST + 1)
        return self._bounded(found)

    def purchases(self, members: Mapping[str, int], livemode: bool) -> Sequence[OrderRow]:
        """All orders of these people, up to the latest of the batch."""
        clicks = self._bounded(history.claimed(self._session, self._merchant, members, most=MOST + 1))
        found = sales.purchases(
            *(self._session, self._merchant, members, clicks),
            livemode=livemode,
            most=MOST + 1,
            known_by=self._known_by,
        )
        return self._bounded(found)

    def coupons(self, orders: Iterable[OrderRow]) -> Sequence[CouponRow]:
        """Everything about the codes of the orders."""
        codes = {normalised(order.coupon) for order in orders if order.coupon is not None}
        return history.coupons(self._session, self._merchant, codes)

    def referrals(
        self, touches: Iterable[TouchRow], coupons: Iterable[CouponRow]
    ) -> tuple[list[ReferralRow], list[people.Said]]:
        """What the touches and coupons name, with all ancestors, and what was said of the sharers."""
        named = {touch[4] for touch in touches} | {coupon[1] for coupon in coupons}
        ids = {each for each in named if each is not None}
        return history.with_ancestors(self._session, self._merchant, ids)

    def bars(
        self, touches: Mapping[str, TouchRow], referrals: Iterable[ReferralRow], orders: Mapping[str, Order]
    ) -> Bars:
        """What of all this is held or refused."""
        return bars_of(
            *(self._session, self._merchant),
            touches=touches.keys(),
            referrals={row[0] for row in referrals},
            orders={order_id: order.id for order_id, order in orders.items()},
            known_by=self._known_by,
        )

    def _bounded(self, found: Sequence[_Row]) -> Sequence[_Row]:
        if len(found) > MOST and not self._alone:
            raise TooMuchAtOnce
        return found[:MOST]


def _order(row: OrderRow) -> Order:
    # By the shop's own id: it is what ties between orders of one second are decided by.
    return Order(
        id=row.external_id,
        visitor=row.visitor_id,
        currency=row.currency,
        net=row.net,
        coupon=row.coupon,
        at=whole_seconds(row.at),
        received_at=microseconds(row.received_at),
        click=row.click_id,
    )


def _identity(row: people.Said) -> Identity:
    visitor, person, at, received = row
    return Identity(visitor, person, at // _SECOND, received)


def _touches(rows: Iterable[TouchRow]) -> list[Touch]:
    return [
        Touch(touch_id, visitor, _TYPES[kind], network, referral, at // _SECOND, received)
        for touch_id, visitor, kind, network, referral, at, received in rows
    ]


def refunds_of(rows: Iterable[RefundRow], orders: Mapping[str, Order]) -> list[Refund]:
    """What was taken back of `orders` (by our id), as the engine asks for it."""
    # The engine's ids are one merchant's, a shop's are its order's own affair, and what counts anew counts under the
    # same: all together tell one from all others. The shop's comes first, so that refunds of one order are in the
    # order of the shop's ids (rule 11).
    return [
        Refund(
            f"{external_id}\0{orders[order_id].id}\0{refund_id}",
            orders[order_id].id,
            amount,
            at // _SECOND,
            received,
            dropped,
        )
        for order_id, refund_id, external_id, amount, at, received, dropped in rows
    ]
