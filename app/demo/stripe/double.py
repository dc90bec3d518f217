"""The simulated Stripe as an object: its world, its ASGI app, and what a test or the demonstration can make happen.

No module-level state: two doubles in one process know nothing of each other. More to simulate is a new file of
functions over `World`, its operations and parameters, and a method here.
"""

from collections.abc import Callable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Final

from starlette.applications import Starlette

from app.demo.stripe.api import Api
from app.demo.stripe.asgi import build_app
from app.demo.stripe.control_page import ControlPage
from app.demo.stripe.coupons import create_coupon, create_promotion_code, update_promotion_code
from app.demo.stripe.discounts import enter_code, ship
from app.demo.stripe.disputes import close, escalate, open_dispute
from app.demo.stripe.errors import no_such
from app.demo.stripe.faults import Faults
from app.demo.stripe.methods import card_of
from app.demo.stripe.parameters.document import StripeDocument
from app.demo.stripe.parameters.values import JsonObject, Params
from app.demo.stripe.pay_page import PayPage
from app.demo.stripe.payments import decline, expire, pay, pay_later, settle, sweep
from app.demo.stripe.records.payments import Charge, Event, Record, Refund, Session
from app.demo.stripe.records.transfers import Dispute
from app.demo.stripe.refunds import complete, fail, refund
from app.demo.stripe.transfers import create_account
from app.demo.stripe.webhooks import Message, Webhooks
from app.demo.stripe.world import World
from app.kernel.clock import Clock, SystemClock

API_KEY: Final = "sk_test_simulated"
_BUYER: Final = "buyer@example.com"


class StripeDouble:
    """A Stripe account in memory. Thread-safe. Objects are given as Stripe's API gives them.

    `spec` is Stripe's OpenAPI document (or where it is): with it each request and each object sent is checked;
    without it requests are checked by a smaller list. `violations` names what the double itself sent wrongly:
    a test asserts that it is empty. `settles_after`: seconds (by `clock`) until a payment settles that was made on
    the pay page by a method that settles later. `tax_basis_points` is charged where a session asks for tax.
    `sweeps_every`: seconds between two looks of the served double at what is due by its clock.
    """

    def __init__(
        self,
        *,
        api_key: str = API_KEY,
        clock: Clock | None = None,
        spec: Path | StripeDocument | None = None,
        webhooks: Webhooks | None = None,
        tax_basis_points: int = 2_000,
        settles_after: int = 5,
        sweeps_every: float = 1.0,
    ) -> None:
        document = StripeDocument(spec) if isinstance(spec, Path) else spec
        self.api_key = api_key
        self.webhooks = webhooks or Webhooks()
        self.faults = Faults()
        self.webhooks.ahead = lambda: self.faults.clock_ahead.total_seconds()
        self._world = World(
            clock or SystemClock(),
            self.webhooks,
            document,
            tax_basis_points=tax_basis_points,
            settles_after=settles_after,
        )
        self.app: Starlette = build_app(
            Api(self._world, api_key, self.faults),
            PayPage(self._world),
            ControlPage(self._world, self.faults, self.webhooks),
            self.sweep,
            sweeps_every,
        )

    @property
    def violations(self) -> list[str]:
        """What was sent against Stripe's own document, in words."""
        return list(self._world.violations)

    @property
    def base_url(self) -> str:
        """Where the double is served, without a slash at the end: sessions' addresses begin with it."""
        return self._world.base_url

    @base_url.setter
    def base_url(self, url: str) -> None:
        self._world.base_url = url.rstrip("/")

    # What the buyer does. StripeProblem where the session's state does not allow it.

    def pay(
        self, session_id: str, email: str = _BUYER, *, promotion_code: str | None = None, card: str | None = None
    ) -> JsonObject:
        """Pay by the card of `email` (each person has one), or that of somebody else (`card`: their mail), after typing
        a promotion code. The completed session."""
        if promotion_code is not None:
            self.enter_code(session_id, promotion_code)
        return self._on_session(session_id, lambda session: pay(self._world, session, email, card_of(card or email)))

    def enter_code(self, session_id: str, code: str) -> JsonObject:
        """Type a promotion code on the pay page, where the session allows it; an empty one takes it away."""
        return self._on_session(session_id, lambda session: enter_code(self._world, session, code))

    def ship(self, session_id: str, option: int) -> JsonObject:
        """Choose another way of shipping, counted from 0."""
        return self._on_session(session_id, lambda session: ship(self._world, session, option))

    def pay_later(self, session_id: str, email: str = _BUYER) -> JsonObject:
        """Pay by a method that settles later: complete and unpaid until `settle`."""
        return self._on_session(session_id, lambda session: pay_later(self._world, session, email))

    def settle(self, session_id: str, *, succeeded: bool) -> JsonObject:
        """The later payment arrives, or fails."""
        return self._on_session(session_id, lambda session: settle(self._world, session, succeeded=succeeded))

    def decline(self, session_id: str, email: str = _BUYER) -> JsonObject:
        """The buyer's card is refused; the session stays open."""
        return self._on_session(session_id, lambda session: decline(self._world, session, email))

    def expire(self, session_id: str) -> JsonObject:
        """The session's time is over."""
        return self._on_session(session_id, lambda session: expire(self._world, session))

    # What the merchant and the banks do.

    def coupon(
        self,
        *,
        percent_off: float | str | None = None,
        amount_off: int | None = None,
        currency: str | None = None,
        id: str | None = None,
        account: str | None = None,
        **more: object,
    ) -> JsonObject:
        """A coupon as a merchant makes it in Stripe's dashboard; `more` as the API names it (`max_redemptions`)."""
        percent = None if percent_off is None else Decimal(str(percent_off))
        given = {"percent_off": percent, "amount_off": amount_off, "currency": currency, "id": id, **more}
        with self._world.lock:
            return self._world.show(create_coupon(self._world, _params(given), account))

    def promotion_code(
        self, code: str | None, coupon_id: str, *, account: str | None = None, **more: object
    ) -> JsonObject:
        """A promotion code for a coupon; `more` as the API names it (`max_redemptions`, `expires_at`)."""
        given = {"code": code, "promotion": {"type": "coupon", "coupon": coupon_id}, **more}
        with self._world.lock:
            return self._world.show(create_promotion_code(self._world, _params(given), account))

    def switch_promotion_code(self, promotion_code_id: str, *, active: bool) -> JsonObject:
        """Take a promotion code out of use, or put it back."""
        with self._world.lock:
            found = self._world.promotion_codes.get(promotion_code_id)
            if found is None:
                raise no_such("promotion code", promotion_code_id, "promotion_code")
            return self._world.show(update_promotion_code(self._world, found, Params({"active": active})))

    def refund(self, payment_intent: str, amount: int | None = None, *, pending: bool = False) -> JsonObject:
        """Give back `amount` minor units (all that is left), as a merchant does in Stripe's dashboard."""
        with self._world.lock:
            charge = self._charge(payment_intent)
            return self._world.show(refund(self._world, charge, amount, pending=pending))

    def complete_refund(self, refund_id: str) -> JsonObject:
        """A pending refund arrives."""
        return self._on_refund(refund_id, lambda found: complete(self._world, found))

    def fail_refund(self, refund_id: str) -> JsonObject:
        """A refund cannot be given after all: the charge counts it no more."""
        return self._on_refund(refund_id, lambda found: fail(self._world, found))

    def dispute(
        self,
        payment_intent: str,
        amount: int | None = None,
        *,
        reason: str = "fraudulent",
        inquiry: bool = False,
    ) -> JsonObject:
        """The buyer's bank takes back `amount` minor units (all that is left), or, as an `inquiry`, only asks."""
        with self._world.lock:
            charge = self._charge(payment_intent)
            return self._world.show(open_dispute(self._world, charge, amount, reason=reason, inquiry=inquiry))

    def escalate(self, dispute_id: str) -> JsonObject:
        """An inquiry becomes a dispute: the bank takes the money."""
        return self._on_dispute(dispute_id, lambda found: escalate(self._world, found))

    def close_dispute(self, dispute_id: str, *, won: bool) -> JsonObject:
        """The bank decides. An inquiry is closed either way, and no money moves."""
        return self._on_dispute(dispute_id, lambda found: close(self._world, found, won=won))

    def account(self, account_id: str | None = None) -> JsonObject:
        """A connected account, to which transfers can be made."""
        with self._world.lock:
            return self._world.show(create_account(self._world, account_id))

    def sweep(self) -> None:
        """Let happen what is due by the clock. The served double does so by itself, and every request does."""
        sweep(self._world)

    # What is.

    def session(self, session_id: str) -> JsonObject:
        return self._show(self._session(session_id))

    def charge_of(self, payment_intent: str) -> JsonObject:
        """The latest charge of a payment intent."""
        with self._world.lock:
            intent = self._world.payment_intents.get(payment_intent)
            charge: Charge | None = self._world.charges.get(intent.latest_charge or "") if intent else None
            if charge is None:
                raise no_such("charge", payment_intent, "payment_intent")
            return self._world.show(charge)

    def events(self, kind: str | None = None) -> list[JsonObject]:
        """Events so far, oldest first; all, or those of one type."""
        with self._world.lock:
            found = [event for event in self._world.events.values() if kind in (None, event.type)]
            return [self._world.show(event) for event in found]

    def message(self, event_id: str) -> Message:
        """An event as a webhook carries it, for `webhooks.deliver` and `webhooks.publish`."""
        with self._world.lock:
            event: Event | None = self._world.events.get(event_id)
            if event is None:
                raise no_such("event", event_id, "id")
            return self._world.message(event)

    def close(self) -> None:
        """End the threads that deliver webhooks."""
        self.webhooks.close()

    def _show(self, record: Record) -> JsonObject:
        with self._world.lock:
            return self._world.show(record)

    def _session(self, session_id: str) -> Session:
        session = self._world.sessions.get(session_id)
        if session is None:
            raise no_such("checkout.session", session_id, "session")
        return session

    def _charge(self, payment_intent: str) -> Charge:
        """The charge by which a payment intent was paid."""
        intent = self._world.payment_intents.get(payment_intent)
        charge = self._world.charges.get(intent.latest_charge or "") if intent else None
        if charge is None or charge.status != "succeeded":
            raise no_such("succeeded payment_intent", payment_intent, "payment_intent")
        return charge

    def _on_session(self, session_id: str, act: Callable[[Session], None]) -> JsonObject:
        with self._world.lock:
            session = self._session(session_id)
            act(session)
            return self._world.show(session)

    def _on_refund(self, refund_id: str, act: Callable[[Refund], None]) -> JsonObject:
        with self._world.lock:
            found = self._world.refunds.get(refund_id)
            if found is None:
                raise no_such("refund", refund_id, "id")
            act(found)
            return self._world.show(found)

    def _on_dispute(self, dispute_id: str, act: Callable[[Dispute], None]) -> JsonObject:
        with self._world.lock:
            found = self._world.disputes.get(dispute_id)
            if found is None:
                raise no_such("dispute", dispute_id, "dispute")
            act(found)
            return self._world.show(found)


def _params(given: Mapping[str, object]) -> Params:
    return Params({name: value for name, value in given.items() if value is not None})
