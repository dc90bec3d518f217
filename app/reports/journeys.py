"""The journeys of a period, for the models side by side: those that led to an order, and those that have not yet.

Most are short, so they are judged and divided by the engine's parts, some thousands in a few statements, without whole
settlements and the chains above referrals. Where that is not enough, `journeys_at_length` is asked. Streams: what it
holds grows neither with the number of orders nor of people.
"""

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from operator import itemgetter
from typing import Final, NamedTuple

from sqlalchemy.orm import Session

from app.attribution import loader
from app.attribution.barring import bars_of
from app.attribution.engine import (
    DIRECT_NETWORK,
    UNKNOWN_NETWORK,
    Coupon,
    Facts,
    Model,
    Order,
    Policy,
    Referral,
    Refund,
    SelfReferral,
    Touch,
    TouchType,
    UplineMode,
)
from app.attribution.engine.cents import over_sources, take_back
from app.attribution.engine.facts import place as turn_of
from app.attribution.engine.journey import judge, judge_coupon
from app.attribution.engine.models import weights
from app.attribution.policies import Policies
from app.kernel.clock import from_micros, to_micros
from app.kernel.codes import normalised
from app.orders import history as sales
from app.referrals import history
from app.reports import buyers, journeys_at_length
from app.reports.asked import Asked
from app.reports.buyers import SECOND, Person, SaleRow, TouchRow
from app.reports.journeys_at_length import Looked, Place, Sale, as_new_journey, under
from app.reports.ledger import NONE
from app.reports.people import Known

DIRECT: Final = Place(DIRECT_NETWORK, *(NONE,) * (len(Place._fields) - 1))
_TYPES: Final = {each.value: each for each in TouchType}
_MODELS: Final = tuple(Model)
_AT: Final = Touch._fields.index("at")


@dataclass(frozen=True)
class Rules:
    """The versions of the policy in force, and all under which any order may be divided."""

    policies: Policies
    every: Sequence[Policy]

    @cached_property
    def longest(self) -> int:
        """Seconds before an order in which anything may count."""
        return max(max(each.windows.click, each.windows.like, each.windows.view) for each in self.every)

    @cached_property
    def _only(self) -> Policy | None:
        return self.every[0] if len(self.every) == 1 else None

    def at(self, micros: int) -> Policy:
        """What divides an order of this moment."""
        return self._only or self.policies.current_at(from_micros(micros)).policy

    @cached_property
    def passes_on(self) -> bool:
        """Whether anybody but the person who made a link may earn."""
        return any(each.upline.mode is not UplineMode.DIRECT for each in self.every)


class Found(NamedTuple):
    """Some of the period's orders, of all currencies; and some journeys that have led to no order yet, each with how
    many of it there are: one of each person who was touched in the period, and has bought nothing since the last of
    these touches.

    Such a journey is judged as if they had bought at that moment, under the policy of that time: windows, own links
    and types count as they would for an order. What led to an order before is left out, whatever the policy says.
    """

    sales: Sequence[Sale]
    unconverted: Sequence[tuple[Sequence[Place], int]]


def journeys(session: Session, asked: Asked, rules: Rules) -> Iterator[Found]:
    """All journeys of the period as they were known at `asked.as_of`, whatever is filtered, some at a time."""
    earliest = (to_micros(asked.since) // SECOND - rules.longest) * SECOND
    for some in buyers.people(session, asked, earliest):
        yield _Some(session, asked, rules, some).found()


class _Some:
    """Some people, and what must be known of all that they came through."""

    def __init__(self, session: Session, asked: Asked, rules: Rules, some: buyers.Some) -> None:
        self._session = session
        self._asked = asked
        self._rules = rules
        self._people, self._once = some
        self._period = to_micros(asked.since), to_micros(asked.until)
        self._places: dict[tuple[str | None, str | None], Place] = {}
        self._orders: dict[str, Order] = {}  # those of the period, by our id
        self._subjects: Mapping[str, buyers.ReferralRow] = {}
        self._facts = self._known()

    def found(self) -> Found:
        """What became of them."""
        sold: list[Sale] = []
        unsold: list[tuple[Sequence[Place], int]] = self._touched_once()
        odd_sales, odd_people = list[str](), list[Looked]()
        all_are_odd = self._rules.passes_on and ("sharer" in self._asked.only or "sharer" in self._asked.without)
        for person in self._people:
            is_long = person.is_too_long
            touches = [] if is_long else sorted(map(_touch, person.touches), key=turn_of)
            for sale in person.sales:
                if sale.order_id in self._orders:
                    if is_long or all_are_odd or sale.is_corrected:
                        odd_sales.append(sale.order_id)
                    else:
                        sold.append(self._sale(sale, touches))
            last = self._still_looking(person)
            if last is not None and is_long:
                odd_people.append(Looked(last.visitor, from_micros(last.at)))
            elif last is not None and (journey := self._as_if(last, touches)):
                unsold.append((journey, 1))
        at_length = (self._session, self._asked, self._rules.policies)
        if odd_sales:
            sold += journeys_at_length.sales_of(*at_length, odd_sales)
        if odd_people:
            unsold += ((journey, 1) for journey in journeys_at_length.unconverted(*at_length, odd_people))
        return Found(sold, unsold)

    def _known(self) -> Facts:
        session, merchant_id, as_of = self._session, self._asked.merchant_id, to_micros(self._asked.as_of)
        sold = [sale for person in self._people for sale in person.sales if self._is_of_period(sale)]
        codes = {normalised(sale.coupon) for sale in sold if sale.coupon is not None}
        coupons = [
            Coupon(code, referral, at // SECOND, received)
            for code, referral, at, received in history.coupons(session, merchant_id, codes)
        ]
        touches = [*self._once, *(touch for person in self._people for touch in person.touches)]
        named = {touch.referral_id for touch in touches}
        named |= {sale.click_referral for sale in sold} | {coupon.referral for coupon in coupons}
        rows = buyers.referrals(session, merchant_id, {each for each in named if each is not None})
        self._subjects = {row.referral_id: row for row in rows}
        self._orders = orders = {sale.order_id: _order(sale) for sale in sold}
        facts = Facts.of(
            referrals=[Referral(*row[:3], None, row.at // SECOND, row.received_at) for row in rows],
            coupons=coupons,
            refunds=loader.refunds_of(sales.refunds(session, merchant_id, orders), orders),
            bars=bars_of(
                *(session, merchant_id),
                touches={each.touch_id for each in touches} | {each.click_id for each in sold if each.click_id},
                referrals=self._subjects.keys(),
                orders={order_id: order.id for order_id, order in orders.items()},
                known_by=as_of,
            ),
            as_of=as_of,
        )
        sharers = Known(merchant_id, self._asked.as_of).people(session, {row.visitor for row in rows})
        return replace(facts, people=sharers, purchases=self._purchases())

    def _purchases(self) -> dict[str, list[tuple[int, str]]]:
        """When each person who was touched bought anything, earliest first."""
        return {
            person.sales[0].person: sorted(
                (sale.at // SECOND, sale.external_id) for sale in person.sales if sale.buyer_is_known
            )
            for person in self._people
            if person.sales and person.touches
        }

    def _is_of_period(self, row: SaleRow | TouchRow) -> bool:
        since, until = self._period
        return since <= row.at < until

    def _still_looking(self, person: Person) -> TouchRow | None:
        """The last touch of somebody who was touched in the period, and has bought nothing since."""
        if not person.touches:
            return None
        last, since = person.touches[0], self._period[0] // SECOND * SECOND
        bought = max((sale.at for sale in person.sales if sale.at >= since), default=None)
        has_bought = bought is not None and bought // SECOND >= last.at // SECOND
        return last if self._is_of_period(last) and not has_bought else None

    def _touched_once(self) -> list[tuple[Sequence[Place], int]]:
        """The journeys of those who did nothing else. At that moment it is in every window, and of the strongest type
        that there is: only one's own link does not count, nor what is barred."""
        counts: Counter[tuple[str | None, str | None]] = Counter()
        sharers = {name: self._facts.sharer(referral) for name, referral in self._facts.referrals.items()}
        for touch in self._once:
            is_barred = self._facts.bars.of_touch(touch.touch_id, touch.referral_id, "") is not None
            is_own = touch.referral_id is not None and sharers.get(touch.referral_id) == touch.person
            if not is_barred and not (is_own and self._rules.at(touch.at).self_referral is SelfReferral.EXCLUDE):
                counts[touch.network, touch.referral_id] += 1
        return [([self._place(*place)], times) for place, times in counts.items()]

    def _as_if(self, last: TouchRow, touches: Sequence[Touch]) -> list[Place]:
        """What would have earned if somebody had bought when they were last touched."""
        policy = as_new_journey(self._rules.at(last.at))
        # No id of an order is less, so that none of that second comes before.
        order = Order("", last.person, "", 0, None, last.at // SECOND, last.at)
        return [self._place_of(touch) for touch in self._eligible(order, touches, policy, last.person)]

    def _sale(self, sale: SaleRow, touches: Sequence[Touch]) -> Sale:
        order, policy = self._orders[sale.order_id], self._rules.at(sale.at)
        buyer = sale.person if sale.buyer_is_known else None
        taken = self._facts.refunds.get(order.id, ())
        by_coupon, _ = judge_coupon(order, self._facts, policy, buyer)
        if by_coupon is not None:
            return _alike(order, [self._place(None, by_coupon.id)], taken)
        touches = _with_click(sale, touches if buyer else ())
        counted = self._eligible(order, touches, policy, buyer) if touches else ()
        journey = [self._place_of(touch) for touch in counted]
        if len(journey) < 2:
            return _alike(order, journey, taken)
        ages = [order.at - touch.at for touch in counted]
        credited: dict[Model, list[tuple[Place, int]]] = {}
        for model in _MODELS:
            parts = weights(under(policy, model), ages)
            earning = [place for place, part in zip(journey, parts, strict=True) if part]
            left = _left(over_sources(order.net, [part for part in parts if part]), taken)
            credited[model] = [(place, net) for place, net in zip(earning, left, strict=True) if net]
        return Sale(order.currency, sum(left), journey, [], credited)

    def _eligible(self, order: Order, touches: Sequence[Touch], policy: Policy, buyer: str | None) -> Sequence[Touch]:
        """What may earn. Of a long journey, what lies outside of all windows is not even judged."""
        first = bisect_left(touches, order.at - self._rules.longest, key=itemgetter(_AT))
        touches = touches[first : bisect_right(touches, order.at, lo=first, key=itemgetter(_AT))]
        reasons = judge(order, touches, self._facts, policy, buyer)
        return [touch for touch, reason in zip(touches, reasons, strict=True) if reason is None]

    def _place_of(self, touch: Touch) -> Place:
        return self._place(touch.network, touch.referral)

    def _place(self, network: str | None, referral_id: str | None) -> Place:
        found = self._places.get((network, referral_id))
        if found is None:
            referral = None if referral_id is None else self._facts.referrals.get(referral_id)
            about: tuple[str | None, ...] = (None,) * 5
            if referral is not None:
                subject = self._subjects[referral.id]
                of_link = (subject.kind, referral.network)
                about = (subject.product, subject.wall, self._facts.sharer(referral), *of_link)
            shared_to = None if referral is None else referral.network
            found = Place(network or shared_to or UNKNOWN_NETWORK, *(each or NONE for each in (*about, network)))
            self._places[network, referral_id] = found
        return found


def _order(sale: SaleRow) -> Order:
    person = sale.person or None
    about = (sale.currency, sale.net, sale.coupon, sale.at // SECOND, sale.received_at)
    return Order(sale.external_id, person, *about, sale.click_id)


def _touch(row: TouchRow) -> Touch:
    _, visitor, touch_id, kind, network, referral, at, received = row
    return Touch(touch_id, visitor, _TYPES[kind], network, referral, at // SECOND, received)


def _with_click(sale: SaleRow, touches: Sequence[Touch]) -> Sequence[Touch]:
    """The journey with the touch that the order names, whoever claimed it, no later than the order."""
    if sale.click_id is None or sale.click_type is None or sale.click_at is None or sale.click_received_at is None:
        return touches
    at = min(sale.click_at, sale.at) // SECOND
    about = (_TYPES[sale.click_type], sale.click_network, sale.click_referral, at, sale.click_received_at)
    named = Touch(sale.click_id, None, *about)
    if not touches:
        return [named]
    return sorted([*(touch for touch in touches if touch.id != named.id), named], key=turn_of)


def _alike(order: Order, journey: Sequence[Place], taken: Sequence[Refund]) -> Sale:
    """An order that all models give to the same."""
    [net] = _left([order.net], taken)
    credited = [(journey[0] if journey else DIRECT, net)] if net else []
    return Sale(order.currency, net, journey, credited, {})


def _left(cents: list[int], taken: Sequence[Refund]) -> list[int]:
    """What is left of each source's part."""
    if not taken:
        return cents
    left = [[each] for each in cents]
    for refund in taken:
        left, _ = take_back(left, 0 if refund.dropped_at is not None else refund.amount)
    return [each for [each] in left]
