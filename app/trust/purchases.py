"""Evidence about orders: how their buyers came, through whom, and what they have in common with these.

Any number of orders in the same few statements; writes nothing and judges nothing. It reads who people are, so as to
tell whether two are one; none of that is in what rules find.
"""

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import timedelta
from typing import Any, Final, NamedTuple, TypeVar

from sqlalchemy import BigInteger, FromClause, Select, select, type_coerce
from sqlalchemy.orm import Session

from app.kernel.codes import normalised
from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.orders import alike
from app.orders import history as sales
from app.orders.bringing import SOURCE as HISTORY
from app.orders.models import Order
from app.referrals import coupons, history, identities, people
from app.referrals.history import CouponRow, TouchRow
from app.referrals.models import Referral

MOST: Final = 10_000
"""Touches of one journey that are looked at, the latest first; and as many other orders of one buyer."""
_SECOND: Final = 1_000_000
_DAY: Final = 24 * 3600 * _SECOND

_Row = TypeVar("_Row")

Others = Mapping[str, Sequence[str]]
"""By person: ids of what is theirs."""


class Sold(NamedTuple):
    """An order, as it is asked for here: `is_known` is whether its mail or card is. `at` in microseconds."""

    order_id: str
    visitor_id: str | None
    click_id: str | None
    coupon: str | None
    device: str | None
    livemode: bool
    is_known: bool
    at: int


class Came(NamedTuple):
    """A visit of the buyer's of before they bought, and through whose word. `at` in microseconds."""

    visit_id: str
    sharer: str
    at: int


class Purchase(NamedTuple):
    """What is known of an order: which `person` bought it (None: nobody knows), how they `came`, newest first, and
    which of those visits it names. Whose word its coupon is. And, by person, the other orders of the same mail or card,
    and what was liked or shared on the device on which it was bought."""

    order: Sold
    person: str | None
    came: Sequence[Came]
    named: Came | None
    coupon_of: str | None
    mail: Others
    card: Others
    device: Others


class Terms(NamedTuple):
    """What a merchant's policy says that matters here: how long a visit can earn, and whether a coupon does."""

    click_window: timedelta
    coupons_count: bool


def live(session: Session, merchant_id: int, order_ids: Collection[str]) -> list[Sold]:
    """Those of the orders that were told as they happened, and not brought in from another system afterwards."""
    return [Sold(*row) for row in _SOLD.ask(session, keys_of(merchant_id, order_ids))]


class TooMuchAtOnce(Exception):
    """The journeys of these orders together are longer than what is looked at for one: ask for fewer orders."""


class Gathering:
    """What is known of some orders, all live or all tests: of one that is a test, other tests are others of its
    buyer's. Raises `TooMuchAtOnce`, never for one order alone."""

    def __init__(self, session: Session, merchant_id: int, orders: Sequence[Sold], terms: Terms) -> None:
        self._session = session
        self._merchant = merchant_id
        self._alone = len(orders) == 1
        self._terms = terms
        self._same = alike.same_buyers(session, merchant_id, [each.order_id for each in orders if each.is_known])
        self._alike: dict[tuple[str, str], list[alike.Alike]] = defaultdict(list)
        for each in self._same:
            self._alike[each.order_id, each.by].append(each)
        self._clicks = self._named([*(each.click_id for each in orders), *(each.click_id for each in self._same)])
        self._buyer = {order.order_id: self._visitor(order) for order in orders}
        self._person = self._people([*self._buyer.values(), *(self._visitor(each) for each in self._same)])
        self._touches = self._journeys(orders)
        self._spoke = self._coupons(orders) if terms.coupons_count else {}
        named = {touch.referral_id for touches in self._touches.values() for touch in touches}
        named |= {touch.referral_id for touch in self._clicks.values()}
        named |= {row.referral_id for rows in self._spoke.values() for row in rows}
        self._sharer = coupons.sharers(session, merchant_id, named) if named - {None} else {}
        known = [self._purchase(order) for order in orders]
        devices = self._devices(known)
        self.purchases = [each._replace(device=devices.get(each.order.order_id, {})) for each in known]

    def taken_back(self, days: int) -> dict[str, int]:
        """For each of the orders, how many others of its buyer's were taken back whole within so many days before it:
        bought by the same person, told with the same mail, paid with the same card."""
        bought = self._bought()
        for each in self._same:
            bought[each.order_id].add(each.other)
        asked = {other for others in bought.values() for other in others}
        since = {each.order.order_id: each.order.at - days * _DAY for each in self.purchases}
        whole = alike.wholly_taken_back(self._session, self._merchant, asked, min(since.values())) if asked else {}
        return {
            order_id: sum(other != order_id and whole.get(other, -1) >= begins for other in bought[order_id])
            for order_id, begins in since.items()
        }

    def _named(self, click_ids: Iterable[str | None]) -> dict[str, TouchRow]:
        ids = {click for click in click_ids if click is not None}
        found = history.clicks(self._session, self._merchant, ids, known_by=history.FOR_EVER)
        return {touch[0]: TouchRow(*touch) for touch in found}

    def _visitor(self, bought: "Sold | alike.Alike") -> str | None:
        """Who bought it: as it says, else whoever claimed the visit that it names."""
        click = None if bought.click_id is None else self._clicks.get(bought.click_id)
        return bought.visitor_id or (None if click is None else click.visitor)

    def _people(self, visitors: Iterable[str | None]) -> dict[str, str]:
        """The person of each of these, and of all who are the same people: what was said of them last counts."""
        named = {visitor for visitor in visitors if visitor is not None}
        manner = {"known_by": history.FOR_EVER, "most": MOST + 1}
        said = self._bounded(people.said_around(self._session, self._merchant, named, **manner))
        standing = {each: each for each in (*named, *(row[1] for row in said))}
        order = sorted(said, key=lambda row: (row[3], row[2] // _SECOND, row[1]))
        return standing | {row[0]: row[1] for row in order}

    def _journeys(self, orders: Iterable[Sold]) -> dict[str, list[TouchRow]]:
        """The touches of each person, newest first."""
        until: dict[str, int] = {}
        for order in orders:
            buyer = self._buyer[order.order_id]
            if buyer is not None:
                person = self._person[buyer]
                until[person] = max(until.get(person, 0), (order.at // _SECOND + 1) * _SECOND)
        members = {each: until[person] for each, person in self._person.items() if person in until}
        manner = {"known_by": history.FOR_EVER, "most": MOST + 1}
        found = self._bounded(history.touches(self._session, self._merchant, members, **manner))
        journeys: dict[str, list[TouchRow]] = defaultdict(list)
        for touch in map(TouchRow._make, found):
            if touch.visitor is not None and touch.referral_id is not None:
                journeys[self._person[touch.visitor]].append(touch)
        return journeys

    def _coupons(self, orders: Iterable[Sold]) -> dict[str, list[CouponRow]]:
        """What was said of each code, in its order."""
        codes = {normalised(order.coupon) for order in orders if order.coupon is not None}
        spoke: dict[str, list[CouponRow]] = defaultdict(list)
        rows = map(CouponRow._make, history.coupons(self._session, self._merchant, codes))
        for row in sorted(rows, key=lambda row: (row.at // _SECOND, row.received_at, row.referral_id or "")):
            spoke[row.code].append(row)
        return spoke

    def _purchase(self, order: Sold) -> Purchase:
        buyer = self._buyer[order.order_id]
        person = None if buyer is None else self._person[buyer]
        named = None if order.click_id is None else self._clicks.get(order.click_id)
        second = order.at - order.at % _SECOND
        begins = second - self._terms.click_window // timedelta(microseconds=1)
        touches = {} if person is None else {touch.touch_id: touch for touch in self._touches.get(person, ())}
        journey = [touch for touch in touches.values() if begins <= touch.at < second + _SECOND]
        if named is not None and named.touch_id not in touches and named.at >= begins:
            journey.insert(0, named)  # it counts as if it had been no later than the order (attribution.md, rule 1)
        came = {touch.touch_id: each for touch in journey if (each := self._came(touch)) is not None}
        return Purchase(
            order=order,
            person=person,
            came=list(came.values()),
            named=None if named is None else came.get(named.touch_id),
            coupon_of=self._coupon_of(order),
            mail=self._others(order, "mail"),
            card=self._others(order, "card"),
            device={},
        )

    def _came(self, touch: TouchRow) -> Came | None:
        sharer = None if touch.referral_id is None else self._sharer.get(touch.referral_id)
        return None if sharer is None else Came(touch.touch_id, sharer, touch.at)

    def _coupon_of(self, order: Sold) -> str | None:
        """The person whose word the order's code was when it was made (attribution.md, rule 5)."""
        if order.coupon is None:
            return None
        rows = self._spoke.get(normalised(order.coupon), ())
        speaks_for = next((row.referral_id for row in reversed(rows) if row.at // _SECOND <= order.at // _SECOND), None)
        return None if speaks_for is None else self._sharer.get(speaks_for)

    def _others(self, order: Sold, by: str) -> Others:
        """The other orders of the same mail or card, by who bought them."""
        found: dict[str, list[str]] = defaultdict(list)
        for each in self._alike.get((order.order_id, by), ()):
            visitor = self._visitor(each)
            if visitor is not None:
                found[self._person[visitor]].append(each.other)
        return found

    def _devices(self, known: Iterable[Purchase]) -> dict[str, Others]:
        """For each of the orders: what those through whom its buyer came liked and shared on its very device."""
        asked = {
            (sharer, each.order.device)
            for each in known
            if each.order.device is not None
            for sharer in {*(came.sharer for came in each.came), each.coupon_of} - {each.person, None}
        }
        if not asked:
            return {}
        members = self._members({person for person, _ in asked if person is not None})
        pairs = ((visitor, device) for visitor, person in members.items() for own, device in asked if own == person)
        keys = {(self._merchant, *pair) for pair in pairs}
        found: dict[str, dict[str, list[str]]] = defaultdict(lambda: defaultdict(list))
        for referral_id, visitor, device in _ON_DEVICE.ask(self._session, keys):
            found[device][members[visitor]].append(referral_id)
        return {each.order.order_id: found[each.order.device] for each in known if each.order.device in found}

    def _members(self, persons: Collection[str]) -> dict[str, str]:
        """All visitors who are these people, each with the person."""
        ever = {*identities.ever(self._session, self._merchant, persons), *persons}
        stand = identities.people_of(self._session, self._merchant, ever)
        return {visitor: person for visitor, person in stand.items() if person in persons}

    def _bought(self) -> dict[str, set[str]]:
        """By order: what the same person bought up to then."""
        bought: dict[str, set[str]] = defaultdict(set)
        latest: dict[str, int] = {}
        for each in self.purchases:
            if each.person is not None:
                latest[each.person] = max(latest.get(each.person, 0), each.order.at + 1)
        until = {visitor: latest[person] for visitor, person in self._person.items() if person in latest}
        visits = {touch.touch_id: person for person in latest for touch in self._touches.get(person, ())}
        if not until:
            return bought
        rows = sales.purchases(
            *(self._session, self._merchant, until, list(visits)),
            livemode=self.purchases[0].order.livemode,
            most=MOST + 1,
        )
        theirs: dict[str, list[str]] = defaultdict(list)
        for row in self._bounded(rows):
            person = self._person.get(row.visitor_id) if row.visitor_id else visits.get(row.click_id or "")
            if person is not None:
                theirs[person].append(row.order_id)
        return bought | {each.order.order_id: {*theirs[each.person]} for each in self.purchases if each.person}

    def _bounded(self, found: Sequence[_Row]) -> Sequence[_Row]:
        if len(found) > MOST and not self._alone:
            raise TooMuchAtOnce
        return found[:MOST]


_orders, _referrals = table_of(Order), table_of(Referral)


def _sold(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (_orders.c.merchant_id == given.c.merchant_id) & (_orders.c.order_id == given.c.order_id)
    is_known = _orders.c.mail_hash.is_not(None) | _orders.c.card_hash.is_not(None)
    columns = (_orders.c[name] for name in Sold._fields[:-2])
    found = select(*columns, is_known, type_coerce(_orders.c.at, BigInteger)).join_from(given, _orders, same)
    return found.where(_orders.c.source != HISTORY).order_by(_orders.c.order_id)


def _on_device(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (_referrals.c.merchant_id == given.c.merchant_id) & (_referrals.c.visitor_id == given.c.visitor_id)
    found = select(_referrals.c.referral_id, _referrals.c.visitor_id, _referrals.c.device)
    return found.join_from(given, _referrals, same).where(_referrals.c.device == given.c.device)


_SOLD = Question(_sold, merchant_id=BigInteger(), order_id=id_type())
_ON_DEVICE = Question(_on_device, merchant_id=BigInteger(), visitor_id=id_type(200), device=id_type(16))
