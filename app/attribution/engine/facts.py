"""What happened: the facts that attribution is computed from, and the index that finds those of one order.

Pure. `Facts.of` takes any pile of facts, in any order, with repetitions: those of one order, or a merchant's
whole history. `at` is in whole seconds since 1970 (`times.whole_seconds`), `received_at` in microseconds. Ids are
compared as Python compares text, by code point, which is also the order of their UTF-8 bytes.
"""

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum
from operator import itemgetter
from typing import NamedTuple, Protocol, TypeVar

from app.attribution.engine.bars import NONE_BARRED, Bars
from app.attribution.engine.identity import Identity, latest, stands_for
from app.kernel.codes import normalised


class TouchType(StrEnum):
    """What a touch was. All but `direct` may earn credit."""

    CLICK = "click"
    LIKE = "like"
    VIEW = "view"
    DIRECT = "direct"


# Rules 2 and 3: view < like < click; `direct` never counts.
STRENGTH: Mapping[TouchType, int] = {
    TouchType.DIRECT: 0,
    TouchType.VIEW: 1,
    TouchType.LIKE: 2,
    TouchType.CLICK: 3,
}


class Referral(NamedTuple):
    """A like or a share by `visitor`, found through `parent`."""

    id: str
    visitor: str
    network: str | None
    parent: str | None
    at: int
    received_at: int


class Touch(NamedTuple):
    """Something in a journey. `visitor` is None for a click that nobody claimed."""

    id: str
    visitor: str | None
    type: TouchType
    network: str | None
    referral: str | None
    at: int
    received_at: int
    bot: bool = False


class Coupon(NamedTuple):
    """From `at` on, `code` speaks for `referral`; for nobody where that is None (the code was withdrawn)."""

    code: str
    referral: str | None
    at: int
    received_at: int


class Order(NamedTuple):
    """A sale. `visitor` bought, else whoever claimed `click`, the touch that the order names."""

    id: str
    visitor: str | None
    currency: str
    net: int  # minor units, never negative
    coupon: str | None
    at: int
    received_at: int
    click: str | None = None


class Refund(NamedTuple):
    """What takes back: a refund, or a dispute whose funds were withdrawn. `dropped_at` is when it was learnt
    (microseconds, like `received_at`) that it failed or was won: from then on it takes nothing."""

    id: str
    order: str
    amount: int  # minor units of the order's net, never negative
    at: int
    received_at: int
    dropped_at: int | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """Facts as they were known at `as_of`, indexed. Made by `Facts.of`; read only."""

    as_of: int | None
    people: Mapping[str, str]  # visitor -> person, where linked
    referrals: Mapping[str, Referral]
    touches: Mapping[str, Touch]
    journeys: Mapping[str, Sequence[Touch]]  # person -> touches in the order of rule 3
    coupons: Mapping[str, Sequence[Coupon]]  # normalised code -> earliest first
    orders: Mapping[str, Order]
    purchases: Mapping[str, Sequence[tuple[int, str]]]  # person -> (at, id) of their orders, earliest first
    refunds: Mapping[str, Sequence[Refund]]  # order -> in order of (received_at, id), dropped ones too
    bars: Bars

    @classmethod
    def of(
        cls,
        *,
        referrals: Iterable[Referral] = (),
        touches: Iterable[Touch] = (),
        identities: Iterable[Identity] = (),
        coupons: Iterable[Coupon] = (),
        orders: Iterable[Order] = (),
        refunds: Iterable[Refund] = (),
        bars: Bars = NONE_BARRED,
        as_of: int | None = None,
    ) -> "Facts":
        """Index what was received by `as_of` (microseconds, inclusive; None: everything). `bars` are as they stood
        then.

        A repeated id changes nothing: the one received first stands (of two in the same microsecond, the one
        given first). ValueError for a refund below zero.
        """
        people = latest(_received(identities, as_of))
        known_touches = _first_of_each(touches, as_of)
        known_orders = _first_of_each(orders, as_of)
        return cls(
            as_of=as_of,
            people=people,
            referrals=_first_of_each(referrals, as_of),
            touches=known_touches,
            journeys=_journeys(known_touches.values(), people),
            coupons=_coupons(_received(coupons, as_of)),
            orders=known_orders,
            purchases=_purchases(known_orders.values(), known_touches, people),
            refunds=_refunds(_first_of_each(refunds, as_of).values(), as_of),
            bars=bars,
        )

    def buyer(self, order: Order) -> str | None:
        """The person who bought, or None where the order says neither who nor through which claimed click."""
        return _buyer(order, self.touches, self.people)

    def sharer(self, referral: Referral) -> str:
        """The person who made `referral`."""
        return stands_for(referral.visitor, self.people)

    def referral_of(self, touch: Touch) -> Referral | None:
        """The referral of `touch`, or None where it has none or an unknown one (rule 2)."""
        return None if touch.referral is None else self.referrals.get(touch.referral)

    def journey(self, order: Order, buyer: str | None) -> Sequence[Touch]:
        """Every touch of the buyer, in the order of rule 3, and the click that the order names, whoever claimed
        it, at `min(click.at, order.at)`."""
        touches = () if buyer is None else self.journeys.get(buyer, ())
        click = None if order.click is None else self.touches.get(order.click)
        if click is None:
            return touches
        named = click._replace(at=min(click.at, order.at))
        return sorted([*(touch for touch in touches if touch.id != click.id), named], key=place)

    def previous_order_at(self, order: Order, buyer: str | None) -> int | None:
        """When the buyer's previous order was made: the one before `order` by (at, id). None for a first one."""
        if buyer is None:
            return None
        purchases = self.purchases.get(buyer, ())
        index = bisect_left(purchases, (order.at, order.id))
        return purchases[index - 1][0] if index else None

    def coupon(self, code: str, at: int) -> Coupon | None:
        """The latest coupon of `code` (any case, spaces around it) that was made no later than `at`."""
        known = self.coupons.get(normalised(code), ())
        index = bisect_right(known, at, key=itemgetter(Coupon._fields.index("at")))
        return known[index - 1] if index else None

    def knows_coupon(self, code: str) -> bool:
        """Whether `code` was ever given to a referral, at any time."""
        return normalised(code) in self.coupons

    def lineage(self, referral: str) -> Iterator[Referral]:
        """`referral` and its ancestors, nearest first; ends at a root, an unknown parent or a loop."""
        seen: set[str] = set()
        known = self.referrals
        found = known.get(referral)
        while found is not None and found.id not in seen:
            seen.add(found.id)
            yield found
            found = None if found.parent is None else known.get(found.parent)


def place(touch: Touch) -> tuple[int, int, str]:
    """Where `touch` stands in its journey (rule 3): by at, then view < like < click, then id."""
    return touch.at, STRENGTH[touch.type], touch.id


class _Received(Protocol):
    @property
    def received_at(self) -> int: ...


class _Identified(_Received, Protocol):
    @property
    def id(self) -> str: ...


_R = TypeVar("_R", bound=_Received)
_I = TypeVar("_I", bound=_Identified)


def _received(facts: Iterable[_R], as_of: int | None) -> Iterator[_R]:
    return (fact for fact in facts if as_of is None or fact.received_at <= as_of)


def _first_of_each(facts: Iterable[_I], as_of: int | None) -> dict[str, _I]:
    firsts: dict[str, _I] = {}
    for fact in _received(facts, as_of):
        other = firsts.setdefault(fact.id, fact)
        if fact.received_at < other.received_at:
            firsts[fact.id] = fact
    return firsts


def _journeys(touches: Iterable[Touch], people: Mapping[str, str]) -> dict[str, list[Touch]]:
    journeys: dict[str, list[Touch]] = {}
    for touch in touches:
        if touch.visitor is not None:
            journeys.setdefault(stands_for(touch.visitor, people), []).append(touch)
    for journey in journeys.values():
        journey.sort(key=place)
    return journeys


def _coupons(coupons: Iterable[Coupon]) -> dict[str, list[Coupon]]:
    by_code: dict[str, list[Coupon]] = {}
    for coupon in coupons:
        by_code.setdefault(normalised(coupon.code), []).append(coupon)
    for same in by_code.values():
        same.sort(key=lambda coupon: (coupon.at, coupon.received_at, coupon.referral or ""))
    return by_code


def _purchases(
    orders: Iterable[Order], touches: Mapping[str, Touch], people: Mapping[str, str]
) -> dict[str, list[tuple[int, str]]]:
    purchases: dict[str, list[tuple[int, str]]] = {}
    for order in orders:
        buyer = _buyer(order, touches, people)
        if buyer is not None:
            purchases.setdefault(buyer, []).append((order.at, order.id))
    for same in purchases.values():
        same.sort()
    return purchases


def _buyer(order: Order, touches: Mapping[str, Touch], people: Mapping[str, str]) -> str | None:
    visitor = order.visitor
    if visitor is None and order.click is not None and order.click in touches:
        visitor = touches[order.click].visitor
    return None if visitor is None else stands_for(visitor, people)


def _refunds(refunds: Iterable[Refund], as_of: int | None) -> dict[str, list[Refund]]:
    by_order: dict[str, list[Refund]] = {}
    for refund in refunds:
        if refund.amount < 0:
            raise ValueError(f"refund {refund.id} is below zero")
        if as_of is not None and refund.dropped_at is not None and refund.dropped_at > as_of:
            refund = refund._replace(dropped_at=None)
        by_order.setdefault(refund.order, []).append(refund)
    for same in by_order.values():
        same.sort(key=lambda refund: (refund.received_at, refund.id))
    return by_order
