"""Writes what other shops say into the books. Knows the session and the tables, not HTTP, no shop's format.

Each message is added to what was told of its order before (`connectors.facts`), and the order in the books is brought
to what holds then: made, corrected, partly given back, cancelled, called back to life. So it does not matter in which
order messages come, nor how often.

Two messages of one order at the same moment: both first lock the order's row in `shop_orders`, so the second sees all
that the first has written. Locks are taken in the order shop order, facts (`app.referrals.turns`), order.
"""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, replace

from sqlalchemy.orm import Session

from app.kernel.as_of import writing_now
from app.kernel.clock import from_micros
from app.kernel.database import insert_new
from app.kernel.errors import NotFound
from app.kernel.ids import is_of
from app.kernel.runtime import Runtime
from app.orders import buyers, corrections, service
from app.orders.buyer_hashes import mail_hash
from app.orders.connectors import facts
from app.orders.connectors.facts import Holds
from app.orders.connectors.models import ShopOrder
from app.orders.connectors.said import NotAnOrder, ShopSaid, Version
from app.orders.lifecycle import takings
from app.orders.models import Order
from app.orders.sales import Sale
from app.orders.settling import settle
from app.referrals import coupons, turns


@dataclass(frozen=True)
class Shop:
    """A merchant's shop in another system."""

    merchant_id: int
    system: str


class Shopkeeper:
    """Writes what one shop says, in one transaction."""

    def __init__(self, session: Session, here: Runtime, shop: Shop) -> None:
        self._session = session
        self._here = here
        self._shop = shop
        self._now = writing_now(session, shop.merchant_id, here.clock)

    def receive(self, said: ShopSaid, message_id: str) -> bool:
        """Keep what was said and bring the order to it; whether anything was new. `message_id` tells two deletions of
        an order apart. Raises `NotAnOrder` where another order has its name, or it is in another currency now."""
        row = self._row(said.order_id)
        mail = mail_hash(self._here.signer, self._shop.merchant_id, said.mail)
        said = self._without_name(said, row)
        told = facts.grown(row.told, said, message_id)
        if told == row.told:
            return False
        before, after = (facts.holds(each, self._shop.system) for each in (row.told, told))
        row.told, row.changed_at = told, self._now
        if after is not None:
            self._bring(row, before, after, mail if said.version == after.version else None)
        return True

    def _row(self, shop_order_id: str) -> ShopOrder:
        place = {"merchant_id": self._shop.merchant_id, "system": self._shop.system, "shop_order_id": shop_order_id}
        insert_new(self._session, ShopOrder, **place, order_id=None, told={}, changed_at=self._now)
        return self._session.get_one(ShopOrder, tuple(place.values()), with_for_update=True, populate_existing=True)

    def _without_name(self, said: ShopSaid, row: ShopOrder) -> ShopSaid:
        """The same without the buyer's mail, with a keyed hash instead of their name; with neither, where they were
        forgotten or no buyer is kept."""
        version, merchant_id = said.version, self._shop.merchant_id
        if version is None or version.customer is None:
            return replace(said, mail=None)
        known = None if row.order_id is None else service.get(self._session, merchant_id, row.order_id)
        is_nobody = known is not None and known.fingerprint == service.FORGOTTEN
        if is_nobody or not buyers.might_be_kept(self._session, merchant_id):
            return replace(said, mail=None, version=replace(version, customer=None))
        hashed = self._here.signer.customer_hash(merchant_id, version.customer)
        return replace(said, mail=None, version=replace(version, customer=hashed))

    def _bring(self, row: ShopOrder, before: Holds | None, after: Holds, mail: str | None) -> None:
        """Bring the order in the books to what holds after a message; `mail` is the hash of its buyer's, where that
        message told it. What the merchant has corrected or cancelled here stays, until the shop says something else of
        it."""
        signer, events, system = self._here.signer, self._here.events, self._shop.system
        if row.order_id is not None:  # before anything is held that others share
            buyers.learn(self._session, signer, events, self._shop.merchant_id, row.order_id, mail_hash=mail)
        through = {} if before is not None and _same_buyer(before.version, after.version) else self._through(row, after)
        order = self._order(row, after.version, through, mail)
        changes = {"net": after.version.net, "gross": after.version.paid, "lines": after.version.lines, **through}
        corrections.correct(self._session, events, order, changes, self._now, f"from {system}")
        wanted = takings(after.version.net, after.version.paid, after.taken_back)
        settle(self._session, events, order, wanted, facts.refund_ids(row.told, system), self._now)
        if after.is_cancelled and not (before and before.is_cancelled):
            corrections.cancel(self._session, events, order, self._now, f"from {system}")
        elif before and before.is_cancelled and not after.is_cancelled:
            corrections.uncancel(self._session, events, order, self._now, f"from {system}")

    def _order(self, row: ShopOrder, version: Version, through: Mapping[str, str | None], mail: str | None) -> Order:
        """The order of the row, locked; made where there is none."""
        if row.order_id is None:
            told = self._sale(row.shop_order_id, version, through, mail)
            (sale,) = buyers.kept(self._session, self._here.signer, self._shop.merchant_id, [told])
            try:
                order, _ = service.record(self._session, self._here.events, self._shop.merchant_id, sale, self._now)
            except service.OrderExists:
                raise NotAnOrder(f"Another order is called {sale.external_id} already.") from None
            row.order_id = order.order_id
        order = service.get(self._session, self._shop.merchant_id, row.order_id, lock=True)
        if order.currency != version.currency:
            raise NotAnOrder(f"Its currency was {order.currency} before, and is {version.currency} now.")
        return order

    def _sale(self, shop_order_id: str, version: Version, through: Mapping[str, str | None], mail: str | None) -> Sale:
        external_id = f"{self._shop.system}:{shop_order_id}"
        return Sale(
            external_id=external_id,
            source=self._shop.system,
            fingerprint=hashlib.sha256(external_id.encode()).hexdigest(),
            livemode=not (version.test or self._here.settings.test_mode),
            currency=version.currency,
            gross=version.paid,
            net=version.net,
            at=from_micros(version.placed),
            click_id=through.get("click_id"),
            coupon=through.get("coupon"),
            customer_hash=version.customer,
            mail_hash=mail,
            lines=version.lines,
        )

    def _through(self, row: ShopOrder, holds: Holds) -> dict[str, str | None]:
        """Through whom the buyer had come: the first click of this merchant's, or code of a link that stands.

        Where no click is one of ours the first is kept as it came, so that the explanation can say so.
        """
        if row.order_id is not None:  # it is to be another's: nobody else may say anything of both meanwhile
            turns.hold_facts(self._session, self._shop.merchant_id)
        hints = holds.version.hints
        clicks = [hint.text for hint in hints if hint.kind == "click"]
        good = [click for click in clicks if is_of(click, self._shop.merchant_id, "clk")]
        click = next(iter(good or clicks), None)
        for hint in hints:
            if hint.text in good:
                break
            if hint.kind == "code" and self._speaks(hint.text):
                return {"click_id": click, "coupon": hint.text}
        codes = holds.version.coupons
        return {"click_id": click, "coupon": next(filter(self._speaks, codes), next(iter(codes), None))}

    def _speaks(self, code: str) -> bool:
        """Whether the code speaks for somebody, as a coupon or because it is that of a link."""
        coupons.speak_for_link(self._session, self._here.events, self._shop.merchant_id, code, self._now)
        try:
            coupons.get(self._session, self._shop.merchant_id, code, self._now)
        except NotFound:
            return False
        return True


def _same_buyer(one: Version, other: Version) -> bool:
    """Whether both say the same of how the buyer had come."""
    return (one.hints, one.coupons) == (other.hints, other.coupons)
