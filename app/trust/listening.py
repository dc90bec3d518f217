"""What trust does when orders are told: judges how their buyers came, before attribution divides them.

In the transaction of what happened, or again after it (docs/decisions/0004-events.md): a doubt is raised once. Of
orders that were brought in from another system's past nothing is judged, for what it was is settled there.
"""

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.clock import Clock
from app.kernel.codes import normalised
from app.kernel.events import Events
from app.orders.news import OrderChanged, OrdersRecorded
from app.referrals import turns
from app.trust import book, coupon_uses, doubts, purchases
from app.trust.book import Book
from app.trust.found import About, Evidence, Found
from app.trust.purchases import Gathering, Purchase, Sold, Terms, TooMuchAtOnce
from app.trust.rules import (
    Do,
    coupon_site,
    own_card,
    own_device,
    own_mail,
    refunds_in_series,
    too_fast,
)
from app.trust.rules.own_device import SameDevice
from app.trust.rules.same_buyer import SameBuyer
from app.trust.rules.too_fast import Pace

_SECOND: Final = 1_000_000
_RULES: Final = (own_mail, own_card, own_device, too_fast, coupon_site, refunds_in_series)
_CODES: Final = {rule.RULE.code for rule in _RULES}


@dataclass(frozen=True)
class Listeners:
    """Told of orders. `terms` says what a merchant's policy in force says."""

    clock: Clock
    events: Events
    terms: Callable[[Session, int], Terms]

    def on_order_changed(self, session: Session, event: OrderChanged) -> None:
        """Judge an order that is new, or of whose buyer something else is known now."""
        if event.is_new or event.buyer_changed or event.buyer_known:
            self._judge(session, event.merchant_id, [event.order_id])

    def on_orders_recorded(self, session: Session, event: OrdersRecorded) -> None:
        """Judge orders that are new."""
        self._judge(session, event.merchant_id, event.order_ids)

    def _judge(self, session: Session, merchant_id: int, order_ids: Collection[str]) -> None:
        turns.share_facts(session, merchant_id)
        settings = book.book(session, merchant_id)
        if all(settings.of(code).do is Do.OFF for code in _CODES):
            return
        orders = purchases.live(session, merchant_id, order_ids)
        if not orders:
            return
        terms = self.terms(session, merchant_id)
        found: list[Found] = []
        for livemode in (True, False):
            alike = [order for order in orders if order.livemode is livemode]
            found += _found(session, merchant_id, settings, alike, terms)
        if found:
            doubts.record(session, self.events, merchant_id, found, writing_now(session, merchant_id, self.clock))


def _found(session: Session, merchant_id: int, settings: Book, orders: Sequence[Sold], terms: Terms) -> list[Found]:
    """What is doubtful of these orders. They are looked at together, or where that is too much, in smaller parts."""
    if not orders:
        return []
    try:
        return _among(Gathering(session, merchant_id, orders, terms), session, merchant_id, settings)
    except TooMuchAtOnce:
        middle = len(orders) // 2
        halves = (orders[:middle], orders[middle:])
        return [each for half in halves for each in _found(session, merchant_id, settings, half, terms)]


def _among(gathering: Gathering, session: Session, merchant_id: int, settings: Book) -> list[Found]:
    found = [each for purchase in gathering.purchases for each in _of_one(purchase, settings)]
    if _is_on(settings, coupon_site.RULE.code):
        found += _coupon_sites(session, merchant_id, settings, gathering.purchases)
    if _is_on(settings, refunds_in_series.RULE.code):
        thresholds = settings.of(refunds_in_series.RULE.code).thresholds
        for order_id, count in gathering.taken_back(thresholds["days"]).items():
            evidence = refunds_in_series.judge(count, thresholds)
            found += _told(About.ORDER, order_id, refunds_in_series.RULE.code, evidence)
    return found


def _of_one(purchase: Purchase, settings: Book) -> Iterator[Found]:
    """What is doubtful of an order by itself."""
    for about, subject, sharer in _words(purchase):
        for code, evidence in _own(purchase, sharer):
            if _is_on(settings, code):
                yield from _told(about, subject, code, evidence)
    last = purchase.named or next(iter(purchase.came), None)
    if last is not None and _is_on(settings, too_fast.RULE.code):
        pace = Pace(purchase.order.order_id, last.at // _SECOND, purchase.order.at // _SECOND)
        evidence = too_fast.judge(pace, settings.of(too_fast.RULE.code).thresholds)
        yield from _told(About.VISIT, last.visit_id, too_fast.RULE.code, evidence)


def _words(purchase: Purchase) -> Iterator[tuple[About, str, str]]:
    """Whose words led to the order, and about what a doubt of each is: of a coupon's there is no visit."""
    for came in purchase.came:
        yield About.VISIT, came.visit_id, came.sharer
    if purchase.coupon_of is not None:
        yield About.ORDER, purchase.order.order_id, purchase.coupon_of


def _own(purchase: Purchase, sharer: str) -> Iterator[tuple[str, Evidence | None]]:
    """What the rules of one's own word say of this sharer's."""
    order, same = purchase.order.order_id, sharer == purchase.person
    yield own_mail.RULE.code, own_mail.judge(SameBuyer(order, same, purchase.mail.get(sharer, ())))
    yield own_card.RULE.code, own_card.judge(SameBuyer(order, same, purchase.card.get(sharer, ())))
    yield own_device.RULE.code, own_device.judge(SameDevice(order, same, purchase.device.get(sharer, ())))


def _coupon_sites(session: Session, merchant_id: int, settings: Book, found: Sequence[Purchase]) -> Iterator[Found]:
    """Those of the orders that are strangers', with a code that mostly strangers use."""
    code, thresholds = coupon_site.RULE.code, settings.of(coupon_site.RULE.code).thresholds
    with_code: dict[str, list[Sold]] = defaultdict(list)
    for each in found:
        if each.order.coupon is not None and each.coupon_of is not None and not each.came:
            with_code[normalised(each.order.coupon)].append(each.order)
    for coupon, orders in with_code.items():
        mode, most = orders[0].livemode, thresholds["latest"]
        latest = coupon_uses.latest(session, merchant_id, coupon, livemode=mode, most=most)
        here = {order.order_id for order in orders}
        strangers = coupon_uses.strangers(session, merchant_id, here.union(latest))
        evidence = coupon_site.judge(coupon_site.Uses(len(latest), len(strangers.intersection(latest))), thresholds)
        if evidence is not None and coupon_uses.says_who_came(session, merchant_id):
            for order_id in sorted(strangers & here):
                yield from _told(About.ORDER, order_id, code, evidence)


def _is_on(settings: Book, code: str) -> bool:
    return settings.of(code).do is not Do.OFF


def _told(about: About, subject: str, rule: str, evidence: Evidence | None) -> list[Found]:
    return [] if evidence is None else [Found(about, subject, rule, evidence)]
