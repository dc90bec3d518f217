"""A kept checkout gets its session at Stripe, once. Knows the database and the gateway, not HTTP.

Stripe is asked outside any transaction, then its answer is kept. A crash or a lost answer in between is mended by
asking again under the key that was kept: Stripe then gives the same session. Where that key is of no more use, the
session that may have been made is looked for before another is asked for.

Stock is reserved while somebody may still pay: it is given back when Stripe refuses, and while Stripe cannot be asked
or is still at work on it, since then nobody was shown a page to pay on. Asking again reserves it anew; and so does
another request of the same attempt that gets the session meanwhile, before anybody hears of it (`_keep`).
"""

from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta

from sqlalchemy.orm import Session

from app.catalog import stock
from app.kernel.database import insert_new
from app.kernel.errors import AppError, InProgress
from app.kernel.ids import new_id
from app.kernel.runtime import Runtime
from app.merchants.directory import Shop
from app.merchants.selling import Selling
from app.orders import lifecycle
from app.orders.checkout import asked, basket, ending
from app.orders.models import Checkout
from app.orders.stripe.gateway import Gateway
from app.orders.stripe.problems import CheckoutRefused, CheckoutUnavailable, KeySpent
from app.orders.stripe.session import Session as StripeSession
from app.orders.stripe_models import StripeObject

_SHORTEST = timedelta(minutes=30, seconds=30)
"""What must be left of a session's time when Stripe is asked for it: half an hour, and a little for the way."""
_BEFORE = timedelta(minutes=5)
"""A session is looked for from so much before its checkout on, since clocks differ."""


class Asking:
    """Asks Stripe for one shop."""

    def __init__(self, here: Runtime, gateway: Gateway, shop: Shop) -> None:
        self._here = here
        self._gateway = gateway
        self._shop = shop

    def end_of(self, selling: Selling) -> datetime:
        """When a session that is asked for at this moment ends, by Stripe's clock where ours is known to be wrong."""
        return self._here.watch.corrected(self._here.clock.now()) + selling.lives

    def reserve(self, session: Session, checkout: Checkout, wanted: Sequence[basket.Wish] = ()) -> None:
        """Have its stock reserved, if it is not already. Raises `OutOfStock`, naming the item of what is `wanted`."""
        if checkout.session_url is not None:
            return  # its end is Stripe's to tell
        wishes = asked.wishes_of(checkout)
        try:
            stock.reserve(session, checkout.merchant_id, checkout.checkout_id, wishes, self._here.clock.now())
        except stock.NotEnough as short:
            told = wanted or [basket.Wish(variant, quantity) for variant, quantity in wishes.items()]
            raise basket.too_many(told, short.variant_id, short.left) from None

    def again(self, checkout: Checkout) -> Checkout:
        """Ask once more for a checkout that was kept by an earlier request. Raises what `ask` raises."""
        try:
            checkout = self._change(checkout, self.reserve)
        except basket.OutOfStock:
            self._fail(checkout)
            raise
        return checkout if checkout.session_url is not None else self.ask(checkout)

    def ask(self, checkout: Checkout) -> Checkout:
        """The checkout with the session at which its buyer pays. Its stock is reserved.

        Raises `CheckoutRefused` (it has failed then), `CheckoutUnavailable`, `InProgress`, `OutOfStock`.
        """
        try:
            made = self._session(checkout)
        except CheckoutRefused:
            self._fail(checkout)
            raise
        except (CheckoutUnavailable, InProgress):
            self._give_back(checkout)
            raise
        return self._keep(checkout, made)

    def _session(self, checkout: Checkout) -> StripeSession:
        """The session of this checkout: by its key; where that is spent or too old, the one that was made under it
        and never heard of; else one by a fresh key."""
        if checkout.expires_at - self._here.watch.corrected(self._here.clock.now()) >= _SHORTEST:
            with suppress(KeySpent):
                return self._gateway.create_session(asked.new_session(checkout, self._shop))
        since = self._here.watch.corrected(checkout.created_at) - _BEFORE
        account = asked.account_of(checkout, self._shop.stripe_account)
        found = self._gateway.find_session(checkout.checkout_id, since, account)
        if found is not None:
            return found
        try:
            return self._gateway.create_session(asked.new_session(self._renew(checkout), self._shop))
        except KeySpent:
            raise CheckoutUnavailable("Stripe failed at this; ask again in a moment.") from None

    def _keep(self, checkout: Checkout, made: StripeSession) -> Checkout:
        """Keep the answer. Of two requests that got one, the first to keep it decides."""

        def keep(session: Session, row: Checkout) -> None:
            if row.session_url is None:
                self.reserve(session, row)  # another request of this attempt may have given it back meanwhile
                row.session_id, row.session_url, row.expires_at = made.id, made.url, made.expires_at
                row.status = lifecycle.furthest(row.status, "open")  # its webhook may have been quicker
            place = {"merchant_id": row.merchant_id, "checkout_id": row.checkout_id}
            insert_new(session, StripeObject, object_id=made.id, **place)

        try:
            return self._change(checkout, keep)
        except basket.OutOfStock:
            with suppress(AppError):  # nobody was shown it, so nobody can pay it; and it expires by itself
                self._gateway.expire_session(made.id, asked.account_of(checkout, self._shop.stripe_account))
            self._fail(checkout)
            raise

    def _renew(self, checkout: Checkout) -> Checkout:
        """Take another key, and another end: what may stand under the old key is over, and nobody was shown it."""
        spent = checkout.stripe_key
        terms = asked.terms_of(checkout)
        end = self.end_of(Selling() if terms is None else terms.selling)

        def renew(_: Session, row: Checkout) -> None:
            if row.stripe_key == spent and row.session_url is None:
                row.stripe_key, row.expires_at = new_id("chk", row.merchant_id, self._here.clock.now()), end

        return self._change(checkout, renew)

    def _give_back(self, checkout: Checkout) -> None:
        """Nobody can pay for it now, so nobody else need wait. Without a key of the client's it is never asked for
        again either."""

        def give_back(session: Session, row: Checkout) -> None:
            if row.session_url is None:
                stock.release(session, row.merchant_id, row.checkout_id, self._here.clock.now())
                if row.attempt_key == row.checkout_id:
                    row.status = lifecycle.furthest(row.status, "failed")

        self._change(checkout, give_back)

    def _fail(self, checkout: Checkout) -> None:
        def fail(session: Session, row: Checkout) -> None:
            if row.session_url is None:
                ending.go_on(session, row, "failed", self._here.clock.now())

        self._change(checkout, fail)

    def _change(self, checkout: Checkout, change: Callable[[Session, Checkout], None]) -> Checkout:
        """Change the kept checkout, which is locked meanwhile."""
        with self._here.database.transaction() as session:
            row = session.get_one(Checkout, (checkout.merchant_id, checkout.checkout_id), with_for_update=True)
            change(session, row)
        return row
