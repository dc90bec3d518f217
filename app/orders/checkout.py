"""Checkouts: what is wanted becomes a session at Stripe, once. Knows the database and the gateway, not HTTP.

First the attempt is kept, then Stripe is asked outside any transaction, then its answer is kept. A crash or a lost
answer in between is mended by asking again under the key that was kept: Stripe then gives the same session.
"""

from collections.abc import Callable
from dataclasses import asdict, dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.database import insert_new
from app.kernel.errors import IdempotencyConflict, Invalid, NotFound
from app.kernel.http.idempotency import KEPT_FOR
from app.kernel.ids import Malformed, merchant_of, new_id
from app.kernel.runtime import Runtime
from app.merchants.directory import Shop
from app.merchants.origins import allows_return
from app.orders import basket, lifecycle
from app.orders.models import Checkout
from app.orders.stripe.amounts import NotChargeable, to_stripe
from app.orders.stripe.gateway import Gateway
from app.orders.stripe.problems import CheckoutUnavailable, KeySpent
from app.orders.stripe.session import Item, NewSession
from app.orders.stripe.session import Session as StripeSession
from app.orders.stripe.tags import Tags
from app.orders.stripe_models import StripeObject
from app.referrals import visits
from app.walls import service as walls

LIVES = timedelta(hours=2)
"""How long a buyer has to pay. Stripe allows half an hour to a day."""
_SHORTEST = timedelta(minutes=31)
"""What must be left of it when Stripe is asked (half an hour, and a minute for clocks that differ)."""


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


def describe(session: Session, merchant_id: int, checkout_id: str) -> Purchase:
    """What was bought, for the thank-you page. Raises `NotFound`, `Malformed`."""
    if merchant_of(checkout_id, "chk") != merchant_id:
        raise NotFound
    checkout = session.get(Checkout, (merchant_id, checkout_id))
    if checkout is None:
        raise NotFound
    lines = tuple(basket.Line(**item) for item in checkout.items)
    return Purchase(checkout_id, checkout.status, checkout.currency, checkout.amount, lines, checkout.wall_id)


class Desk:
    """Where one shop's checkouts are opened."""

    def __init__(self, here: Runtime, gateway: Gateway, shop: Shop) -> None:
        self._here = here
        self._gateway = gateway
        self._shop = shop

    def open(self, wanted: Wanted, attempt: Attempt) -> Checkout:
        """The checkout of this attempt, with the session at which its buyer pays.

        Raises `Invalid` for what cannot be bought, `IdempotencyConflict`, and what `Gateway.create_session` raises.
        """
        checkout = self._known(attempt) or self._begin(wanted, attempt)
        return checkout if checkout.session_url is not None else self._ask(checkout)

    def _known(self, attempt: Attempt) -> Checkout | None:
        """The checkout of an attempt that was made before, ready to be asked for again."""
        if attempt.key is None:
            return None
        with self._here.database.reading() as session:
            checkout = _find(session, self._shop.merchant_id, attempt.key)
        if checkout is None:
            return None
        now = self._here.clock.now()
        if checkout.created_at < now - KEPT_FOR:  # the client's key means something new from now on
            self._change(checkout, lambda row: setattr(row, "attempt_key", row.checkout_id))
            return None
        if checkout.fingerprint != attempt.fingerprint:
            raise IdempotencyConflict
        if checkout.session_url is None and checkout.expires_at - now < _SHORTEST:
            return self._renew(checkout)
        return checkout

    def _begin(self, wanted: Wanted, attempt: Attempt) -> Checkout:
        """Keep the attempt before anybody else hears of it."""
        merchant_id, now = self._shop.merchant_id, self._here.clock.now()
        checkout_id = new_id("chk", merchant_id, now)
        with self._here.database.reading() as session:
            values = self._decide(session, wanted, checkout_id)
        key = attempt.key or checkout_id
        with self._here.database.transaction() as session:
            insert_new(
                session,
                Checkout,
                merchant_id=merchant_id,
                checkout_id=checkout_id,
                attempt_key=key,
                fingerprint=attempt.fingerprint,
                stripe_key=checkout_id,
                status="asking",
                created_at=now,
                expires_at=now + LIVES,
                **values,
            )
            checkout = _find(session, merchant_id, key)  # another process may have been quicker
        assert checkout is not None
        if checkout.fingerprint != attempt.fingerprint:
            raise IdempotencyConflict
        return checkout

    def _decide(self, session: Session, wanted: Wanted, checkout_id: str) -> dict[str, object]:
        """What is sold, at which price, and where the buyer comes back. Raises `Invalid`."""
        merchant_id, own = self._shop.merchant_id, self._here.settings.public_url
        filled = basket.fill(session, merchant_id, wanted.items)
        _must_be_chargeable(filled)
        if wanted.wall_id is not None:
            _must_be_wall(session, merchant_id, wanted.wall_id)
        here = f"w/{wanted.wall_id}" if wanted.wall_id is not None else f"p/{filled.lines[0].product}"
        return {
            "items": [asdict(line) for line in filled.lines],
            "currency": filled.currency,
            "amount": filled.amount,
            "click_id": wanted.click_id,
            "referral_id": _referral(session, merchant_id, wanted.click_id),
            "visitor_id": wanted.visitor_id,
            "wall_id": wanted.wall_id,
            "coupon": wanted.coupon,
            "success_url": self._return_url("/success_url", wanted.success_url) or f"{own}/thanks/{checkout_id}",
            "cancel_url": self._return_url("/cancel_url", wanted.cancel_url) or f"{own}/{here}",
        }

    def _return_url(self, pointer: str, address: str | None) -> str | None:
        if address is not None and not allows_return(self._shop.return_urls, address):
            raise Invalid.field(pointer, "is not one of the merchant's return_urls, nor below one")
        return address

    def _ask(self, checkout: Checkout) -> Checkout:
        """Have the session made, and keep it. Everything that is asked comes from what was kept: under one key,
        Stripe wants the same words."""
        try:
            made = self._gateway.create_session(self._new_session(checkout))
        except KeySpent:
            self._renew(checkout)
            raise CheckoutUnavailable("Stripe failed at this; ask again in a moment.") from None
        return self._change(checkout, lambda row: _keep(row, made), made.id)

    def _new_session(self, checkout: Checkout) -> NewSession:
        lines = [basket.Line(**item) for item in checkout.items]
        return NewSession(
            key=checkout.stripe_key,
            account=self._shop.stripe_account,
            currency=checkout.currency,
            items=[Item(line.title, line.price, line.quantity, line.image) for line in lines],
            tags=Tags(
                merchant=self._shop.public_id,
                checkout=checkout.checkout_id,
                click=checkout.click_id,
                referral=checkout.referral_id,
                wall=checkout.wall_id,
                visitor=checkout.visitor_id,
                coupon=checkout.coupon,
            ),
            success_url=checkout.success_url,
            cancel_url=checkout.cancel_url,
            expires_at=checkout.expires_at,
        )

    def _renew(self, checkout: Checkout) -> Checkout:
        """Take another key, and another end: what may stand under the old key was never shown to anybody, so
        nobody can pay it."""
        now, spent = self._here.clock.now(), checkout.stripe_key

        def renew(row: Checkout) -> None:
            if row.stripe_key == spent and row.session_url is None:
                row.stripe_key, row.expires_at = new_id("chk", row.merchant_id, now), now + LIVES

        return self._change(checkout, renew)

    def _change(
        self, checkout: Checkout, change: Callable[[Checkout], None], session_id: str | None = None
    ) -> Checkout:
        """Change the kept checkout, and note whose session `session_id` is."""
        merchant_id, checkout_id = checkout.merchant_id, checkout.checkout_id
        with self._here.database.transaction() as session:
            row = session.get_one(Checkout, (merchant_id, checkout_id), with_for_update=True)
            change(row)
            if session_id is not None:
                insert_new(
                    session, StripeObject, object_id=session_id, merchant_id=merchant_id, checkout_id=checkout_id
                )
        return row


def _find(session: Session, merchant_id: int, attempt_key: str) -> Checkout | None:
    return session.scalar(
        select(Checkout).where(Checkout.merchant_id == merchant_id, Checkout.attempt_key == attempt_key)
    )


def _keep(row: Checkout, made: StripeSession) -> None:
    if row.session_url is None:
        row.session_id, row.session_url, row.expires_at = made.id, made.url, made.expires_at
        row.status = lifecycle.furthest(row.status, "open")  # its webhook may have been quicker


def _must_be_chargeable(filled: basket.Basket) -> None:
    for position, line in enumerate(filled.lines):
        try:
            to_stripe(line.price, filled.currency)
        except NotChargeable as reason:
            raise Invalid.field(f"/items/{position}/variant", f"has a price that cannot be paid: {reason}") from None


def _must_be_wall(session: Session, merchant_id: int, wall_id: str) -> None:
    try:
        walls.get(session, merchant_id, wall_id)
    except (NotFound, Malformed):
        raise Invalid.field("/wall", "is not a wall of this merchant") from None


def _referral(session: Session, merchant_id: int, click_id: str | None) -> str | None:
    """The referral through which the buyer had come, where the click is known."""
    try:
        visit = visits.find(session, merchant_id, click_id) if click_id is not None else None
    except Malformed:
        return None
    return None if visit is None else visit.referral_id
