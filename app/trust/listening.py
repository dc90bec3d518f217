"""What trust does when orders are told, or how their buyers came is: judges that, before attribution divides them.

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
from app.referrals.identities import IdentityJoined
from app.referrals.visits import VisitClaimed
from app.trust import book, coupon_uses, doubts, learnt_late, purchases
from app.trust.book import Book
from app.trust.found import About, Evidence, Found, doubtful
from app.trust.purchases import Gathering, Purchase, Sold, Terms, TooMuchAtOnce
from app.trust.rules import (
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
    """Told of orders, claims and identities. `terms` says what a merchant's policy in force says."""

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

    def on_visit_claimed(self, session: Session, event: VisitClaimed) -> None:
        """Judge how buyers came who had bought before they said so: it earns as if they had said so at once."""
        orders = learnt_late.by_visit(session, event.merchant_id, event.visit_id)
        self._judge(session, event.merchant_id, orders, late=True)

    def on_identity_joined(self, session: Session, event: IdentityJoined) -> None:
        """The same, where it is learnt that a buyer had come on another device."""
        orders = learnt_late.by_visitor(session, event.merchant_id, event.visitor_id)
        self._judge(session, event.merchant_id, orders, late=True)

    def _judge(self, session: Session, merchant_id: int, order_ids: Collection[str], *, late: bool = False) -> None:
        if not order_ids:
            return
        turns.share_facts(session, merchant_id)
        settings = book.book(session, merchant_id)
        if not any(settings.of(code).is_on for code in _CODES):
            return
        orders = purchases.live(session, merchant_id, order_ids)
        if not orders:
            return
        terms = self.terms(session, merchant_id)
        found: list[Found] = []
        for livemode in (True, False):
            alike = [order for order in orders if order.livemode is livemode]
            found += _found(session, merchant_id, settings, alike, terms, late=late)
        if found:
            doubts.record(session, self.events, merchant_id, found, writing_now(session, merchant_id, self.clock))


def _found(
    session: Session, merchant_id: int, settings: Book, orders: Sequence[Sold], terms: Terms, *, late: bool
) -> list[Found]:
    """What is doubtful of these orders; of those that were told before (`late`), only how their buyers came. They are
    looked at together, or where that is too much, in smaller parts."""
    if not orders:
        return []
    try:
        gathering = Gathering(session, merchant_id, orders, terms)
        found = [each for purchase in gathering.purchases for each in _of_one(purchase, settings)]
        return found if late else found + _beside_others(gathering, session, merchant_id, settings)
    except TooMuchAtOnce:
        middle = len(orders) // 2
        halves = (orders[:middle], orders[middle:])
        return [each for half in halves for each in _found(session, merchant_id, settings, half, terms, late=late)]


def _beside_others(gathering: Gathering, session: Session, merchant_id: int, settings: Book) -> list[Found]:
    """What is doubtful of orders beside others of the same code, or of the same buyer."""
    found: list[Found] = []
    if settings.of(coupon_site.RULE.code).is_on:
        found += _coupon_sites(session, merchant_id, settings, gathering.purchases)
    if settings.of(refunds_in_series.RULE.code).is_on:
        thresholds = settings.of(refunds_in_series.RULE.code).thresholds
        for order_id, count in gathering.taken_back(thresholds["days"]).items():
            evidence = refunds_in_series.judge(count, thresholds)
            found += doubtful(About.ORDER, order_id, refunds_in_series.RULE.code, evidence)
    return found


def _of_one(purchase: Purchase, settings: Book) -> Iterator[Found]:
    """What is doubtful of an order by itself."""
    for about, subject, sharer in _words(purchase):
        for code, evidence in _own(purchase, sharer):
            if settings.of(code).is_on:
                yield from doubtful(about, subject, code, evidence)
    last = purchase.named or next(iter(purchase.came), None)
    if last is not None and purchase.order.livemode and settings.of(too_fast.RULE.code).is_on:
        pace = Pace(purchase.order.order_id, last.at // _SECOND, purchase.order.at // _SECOND)
        evidence = too_fast.judge(pace, settings.of(too_fast.RULE.code).thresholds)
        yield from doubtful(About.VISIT, last.visit_id, too_fast.RULE.code, evidence)


def _words(purchase: Purchase) -> Iterator[tuple[About, str, str]]:
    """Whose words led to the order, and about what a doubt of each is: of a coupon's there is no visit, and a visit
    that led to a test may lead to what is live."""
    order = purchase.order
    for came in purchase.came:
        about, subject = (About.VISIT, came.visit_id) if order.livemode else (About.ORDER, order.order_id)
        yield about, subject, came.sharer
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
    mode, most = {"livemode": all(each.order.livemode for each in found)}, thresholds["latest"]
    latest = {coupon: coupon_uses.latest(session, merchant_id, coupon, **mode, most=most) for coupon in with_code}
    here = {order.order_id: coupon for coupon, orders in with_code.items() for order in orders}
    strangers = coupon_uses.strangers(session, merchant_id, {*here}.union(*latest.values()))
    sites = {
        coupon: coupon_site.judge(coupon_site.Uses(len(uses), len(strangers.intersection(uses))), thresholds)
        for coupon, uses in latest.items()
    }
    if any(sites.values()) and coupon_uses.says_who_came(session, merchant_id):
        for order_id in sorted(strangers.intersection(here)):
            yield from doubtful(About.ORDER, order_id, code, sites[here[order_id]])
