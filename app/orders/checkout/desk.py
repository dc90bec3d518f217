"""Checkouts: what is wanted becomes a session at Stripe, once. Knows the database and the gateway, not HTTP.

First the attempt is kept and its stock is reserved, in one transaction; then Stripe is asked (asking.py).
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel.database import insert_new, lost_a_race
from app.kernel.errors import IdempotencyConflict, Invalid, NotFound
from app.kernel.http.idempotency import KEPT_FOR
from app.kernel.ids import Malformed, merchant_of, new_id
from app.kernel.rollups.appending import Counted, append
from app.kernel.runtime import Runtime
from app.merchants.directory import Shop
from app.merchants.origins import allows_return
from app.merchants.selling import Selling
from app.orders.checkout import asked, basket, returning
from app.orders.checkout.asking import Asking
from app.orders.models import Checkout
from app.orders.promotions import known as known_promotions
from app.orders.promotions import service as promotions
from app.orders.stripe.amounts import NotChargeable, to_stripe
from app.orders.stripe.gateway import Gateway
from app.orders.stripe.languages import AUTO
from app.orders.stripe.promotion import Promotion
from app.orders.stripe.session import Terms
from app.privacy import standing
from app.privacy.modes import Touchpoint
from app.referrals import counting, visits
from app.referrals import service as referrals
from app.walls import service as walls


@dataclass(frozen=True)
class Wanted:
    """What somebody wants to buy. The click is any text: an unknown one never refuses a sale."""

    items: tuple[basket.Wish, ...]
    wall_id: str | None = None
    click_id: str | None = None
    coupon: str | None = None
    success_url: str | None = None
    cancel_url: str | None = None
    visitor_id: str | None = None
    device: str | None = None
    unknown: bool = False  # they want nothing remembered of them, also not what Stripe will tell
    locale: str = AUTO


@dataclass(frozen=True)
class Attempt:
    """The client's attempt: the same `key` (where it named one) with the same content is the same checkout."""

    key: str | None
    fingerprint: str


@dataclass(frozen=True)
class Purchase:
    """A checkout as its buyer may see it again; nothing in it tells who that is."""

    checkout_id: str
    status: str
    currency: str
    amount: int
    lines: tuple[basket.Line, ...]
    wall_id: str | None
    click_id: str | None
    """What the buyer's page called its click: any text."""


def describe(session: Session, merchant_id: int, checkout_id: str) -> Purchase:
    """What was bought, for the thank-you page. Raises `NotFound`, `Malformed`."""
    if merchant_of(checkout_id, "chk") != merchant_id:
        raise NotFound
    checkout = session.get(Checkout, (merchant_id, checkout_id))
    if checkout is None:
        raise NotFound
    lines = tuple(basket.Line(**item) for item in checkout.items)
    sum_of = (checkout.status, checkout.currency, checkout.amount)
    return Purchase(checkout_id, *sum_of, lines, checkout.wall_id, checkout.click_id)


class Desk:
    """Where one shop's checkouts are opened."""

    def __init__(self, here: Runtime, gateway: Gateway, shop: Shop) -> None:
        self._here = here
        self._gateway = gateway
        self._shop = shop
        self._asking = Asking(here, gateway, shop)

    def open(self, wanted: Wanted, attempt: Attempt) -> Checkout:
        """The checkout of this attempt, with the session at which its buyer pays.

        Raises `Invalid` for what cannot be bought, `IdempotencyConflict`, and what `Asking.ask` raises.
        """
        known = self._known(attempt)
        if known is not None:
            return known if known.session_url is not None else self._asking.again(known)
        begun = self._begin(wanted, attempt)
        return begun if begun.session_url is not None else self._asking.ask(begun)

    def _known(self, attempt: Attempt) -> Checkout | None:
        """The checkout of an attempt that was made before."""
        if attempt.key is None:
            return None
        with self._here.database.reading() as session:
            checkout = _find(session, self._shop.merchant_id, attempt.key)
        if checkout is None:
            return None
        forgotten = checkout.created_at < self._here.clock.now() - KEPT_FOR  # the client's key means something new now
        if not forgotten and checkout.fingerprint != attempt.fingerprint:
            raise IdempotencyConflict
        if not forgotten and (checkout.session_url is not None or checkout.status == "asking"):
            return checkout
        self._free(checkout)
        return None

    def _free(self, over: Checkout) -> None:
        """Let the client's key begin something new: what it stood for is over, or too long ago."""
        with self._here.database.transaction() as session:
            row = session.get_one(Checkout, (over.merchant_id, over.checkout_id), with_for_update=True)
            row.attempt_key = row.checkout_id

    def _begin(self, wanted: Wanted, attempt: Attempt) -> Checkout:
        """Keep the attempt, and reserve its stock, before anybody else hears of it. Raises `Invalid`."""
        try:
            return self._attempt(wanted, attempt)
        except basket.OutOfStock:
            variants = [wish.variant for wish in wanted.items]
            if wanted.visitor_id is None or not returning.let_go(
                self._here, self._gateway, self._shop, wanted.visitor_id, variants
            ):
                raise
        return self._attempt(wanted, attempt)

    def _attempt(self, wanted: Wanted, attempt: Attempt) -> Checkout:
        checkout_id = new_id("chk", self._shop.merchant_id, self._here.clock.now())
        promotion = self._promotion(wanted.coupon)
        terms = Terms(wanted.locale, self._shop.selling, None if promotion is None else promotion.id)
        with self._here.database.reading() as session:
            values = self._decide(session, wanted, checkout_id)
        values |= {"terms": asked.kept_terms(self._shop, terms, unknown_buyer=wanted.unknown)}
        values |= {"attempt_key": attempt.key or checkout_id}
        values |= {"checkout_id": checkout_id, "fingerprint": attempt.fingerprint}
        try:
            return self._write(wanted, promotion, values)
        except DBAPIError as error:
            if not lost_a_race(error):
                raise
        return self._write(wanted, promotion, values)

    def _write(self, wanted: Wanted, promotion: Promotion | None, values: Mapping[str, Any]) -> Checkout:
        """The attempt as it is kept now: another process may have been quicker. Raises `OutOfStock`."""
        merchant_id, now = self._shop.merchant_id, self._here.clock.now()
        made = {"stripe_key": values["checkout_id"], "status": "asking", "created_at": now}
        end = self._asking.end_of(self._shop.selling)
        with self._here.database.transaction() as session:
            values = self._of_nobody_who_left(session, values)
            if insert_new(session, Checkout, merchant_id=merchant_id, expires_at=end, **made, **values):
                append(session, {_counted(session, merchant_id, values, now): 1})
            checkout = _find(session, merchant_id, values["attempt_key"])
            assert checkout is not None
            if checkout.fingerprint != values["fingerprint"]:
                raise IdempotencyConflict
            if promotion is not None:
                known_promotions.keep(session, merchant_id, promotion, now)
            self._asking.reserve(session, checkout, wanted.items)
        return checkout

    def _of_nobody_who_left(self, session: Session, values: Mapping[str, Any]) -> Mapping[str, Any]:
        """The same, without its buyer where they left while Stripe was asked for the promotion."""
        about = (self._here.signer, Touchpoint.CHECKOUT, self._shop.privacy, self._shop.merchant_id)
        visitor = values["visitor_id"]
        if visitor is None or standing.is_remembered(session, *about, visitor):
            return values
        return {**values, "visitor_id": None, "device": None}

    def _promotion(self, coupon: str | None) -> Promotion | None:
        """The promotion code that buyers type in so, if it works and is this merchant's. Raises
        `CheckoutUnavailable`."""
        if coupon is None or not promotions.is_possible(coupon):
            return None
        found = promotions.working(self._gateway, self._shop, coupon)
        if found is None:
            return None
        with self._here.database.reading() as session:
            return found if promotions.belongs_to(session, self._shop, found) else None

    def _decide(self, session: Session, wanted: Wanted, checkout_id: str) -> dict[str, Any]:
        """What is sold, at which price, and where the buyer comes back. Raises `Invalid`."""
        merchant_id, own = self._shop.merchant_id, self._here.settings.public_url
        filled = basket.fill(session, merchant_id, wanted.items)
        _must_be_chargeable(filled)
        _must_be_shippable(filled, self._shop.selling)
        if wanted.wall_id is not None:
            _must_be_wall(session, merchant_id, wanted.wall_id)
        here = f"w/{wanted.wall_id}" if wanted.wall_id is not None else f"p/{filled.lines[0].product}"
        return {
            "items": [asdict(line) for line in filled.lines],
            "currency": filled.currency,
            "amount": filled.amount,
            "click_id": wanted.click_id,
            **_came(session, merchant_id, wanted.click_id),
            "visitor_id": wanted.visitor_id,
            "device": wanted.device,
            "wall_id": wanted.wall_id,
            "coupon": wanted.coupon,
            "success_url": self._return_url("/success_url", wanted.success_url) or f"{own}/thanks/{checkout_id}",
            "cancel_url": self._return_url("/cancel_url", wanted.cancel_url) or f"{own}/{here}",
        }

    def _return_url(self, pointer: str, address: str | None) -> str | None:
        if address is not None and not allows_return(self._shop.return_urls, address):
            raise Invalid.field(pointer, "is not one of the merchant's return_urls, nor below one")
        return address


def _find(session: Session, merchant_id: int, attempt_key: str) -> Checkout | None:
    return session.scalar(
        select(Checkout).where(Checkout.merchant_id == merchant_id, Checkout.attempt_key == attempt_key)
    )


def _must_be_chargeable(filled: basket.Basket) -> None:
    for position, line in enumerate(filled.lines):
        try:
            to_stripe(line.price, filled.currency)
        except NotChargeable as reason:
            raise Invalid.field(f"/items/{position}/variant", f"has a price that cannot be paid: {reason}") from None


def _must_be_shippable(filled: basket.Basket, selling: Selling) -> None:
    """What has ways of shipping, but none in this currency, would be sent for nothing."""
    if selling.shipping is None or not selling.shipping.options:
        return
    options = selling.shipping.options_in(filled.currency)
    if not options:
        raise Invalid.field("/items/0/variant", f"cannot be shipped: shipping has no price in {filled.currency}")
    for option in options:
        try:
            to_stripe(option.amount, filled.currency)
        except NotChargeable as reason:
            raise Invalid.field("/items/0/variant", f"cannot be shipped: {option.name}: {reason}") from None


def _must_be_wall(session: Session, merchant_id: int, wall_id: str) -> None:
    try:
        walls.get(session, merchant_id, wall_id)
    except (NotFound, Malformed):
        raise Invalid.field("/wall", "is not a wall of this merchant") from None


def _came(session: Session, merchant_id: int, click_id: str | None) -> dict[str, str | None]:
    """The referral through which the buyer had come, and from where, as far as the click is known."""
    try:
        visit = visits.find(session, merchant_id, click_id) if click_id is not None else None
    except Malformed:
        visit = None
    return {
        "referral_id": None if visit is None else visit.referral_id,
        "seen_from": None if visit is None else visit.seen_from,
    }


def _counted(session: Session, merchant_id: int, values: Mapping[str, Any], now: datetime) -> Counted:
    referral_id = values["referral_id"]
    referral = None if referral_id is None else referrals.get(session, merchant_id, referral_id)
    return counting.of_checkout(
        merchant_id,
        now,
        shared_to=None if referral is None else referral.network,
        seen_from=values["seen_from"],
        product_id=values["items"][0]["product"],
        wall_id=values["wall_id"],
        kind=None if referral is None else referral.kind,
    )
