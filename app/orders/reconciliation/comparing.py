"""Compares one account of Stripe's with our books, and writes what is missing. Knows the database and the gateway,
not HTTP, not when it is done (runs.py).

Everything that is found goes through the same `Bookkeeper` as a webhook, one transaction each, and is kept by an id
that is the same in every comparison. So it may be broken off anywhere and begun again, and two may run at once beside
the webhooks: nothing is written twice. What is in memory at a time is one page.

First the sales, then what takes them back: Stripe lists the newest first, and a refund is nobody's before its sale.
"""

import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from itertools import islice
from typing import Final

from sqlalchemy import ColumnElement, FromClause, Select, select, tuple_
from sqlalchemy.exc import DBAPIError, IntegrityError
from sqlalchemy.orm import Session

from app.kernel.database import id_type, lost_a_race
from app.kernel.errors import AppError
from app.kernel.given import Question
from app.kernel.ids import Malformed, merchant_of, new_id
from app.kernel.json_objects import JsonObject
from app.kernel.runtime import Runtime
from app.kernel.trouble import in_trouble
from app.orders import lifecycle, service
from app.orders.checkout import asked, ending
from app.orders.models import UNSETTLED, Checkout
from app.orders.reconciliation.models import Repair
from app.orders.stripe import messages
from app.orders.stripe.fields import NotAnEvent
from app.orders.stripe.gateway import Gateway
from app.orders.stripe.listing import PAGE
from app.orders.stripe.messages import Message, SessionSaid
from app.orders.stripe.promotion import Promotion
from app.orders.stripe.standing import of_dispute, of_refund, of_session
from app.orders.stripe_models import StripeEvent
from app.orders.webhooks.bookkeeper import Applied, Bookkeeper, ask_for_promotion

log = logging.getLogger(__name__)

VIA: Final = "reconciliation"
_SALES: Final = tuple(kind for kind in messages.INTERESTING if kind not in messages.TAKING)
_LONGEST_OPEN: Final = timedelta(hours=25)
"""Stripe lets a session live a day: one that was made so long before may have been paid since."""
LISTED: Final = timedelta(days=30)
"""How long Stripe lists events."""
_REFUNDS_TAKE: Final = timedelta(days=30)
_DISPUTES_TAKE: Final = timedelta(days=180)
"""How long it may take until a refund has failed, until a dispute is decided."""
_AFTER_ITS_END: Final = timedelta(minutes=10)
"""How long a checkout is over before it is looked at: its message may be under way, and clocks differ."""
_BY: Final = (Checkout.expires_at, Checkout.merchant_id, Checkout.checkout_id)
_TRIES: Final = 3
_A_MESSAGE: Final = "a message of Stripe's"
"""Which one is told to the log only: what was found is on the health page, which anybody may read."""


@dataclass
class Found:
    """What a comparison has seen so far. What was `left_out` can never be applied; what `failed` is tried again."""

    events: int = 0
    sessions: int = 0
    repaired: int = 0
    left_out: str | None = None
    failed: str | None = None


@dataclass(frozen=True)
class Seller:
    """An account, and whose checkouts are looked at with it: those of which the session is there. `sells`: whether
    somebody sells through it now."""

    account: str | None
    sells: bool
    accounts: Mapping[int, str | None]  # of each merchant

    def has(self, checkout: Checkout) -> bool:
        """Whether the checkout is one of theirs."""
        return asked.account_of(checkout, self.accounts.get(checkout.merchant_id)) == self.account


class Comparison:
    """Compares one account. `step` is called between any two things that are done; what it raises ends it."""

    def __init__(
        self, here: Runtime, gateway: Gateway, reconciliation_id: str, seller: Seller, step: Callable[[], None]
    ) -> None:
        self._here = here
        self._gateway = gateway
        self._id = reconciliation_id
        self._seller = seller
        self._account = seller.account
        self._step = step
        self.found = Found()

    def run(self, since: datetime) -> None:
        """Compare what happened from `since` on. Raises `CheckoutUnavailable`, `CheckoutRefused`, `InProgress` where
        Stripe cannot be asked; what was found until then is written."""
        self._events(since, _SALES)
        self._sessions(since - _LONGEST_OPEN)
        self._checkouts()
        self._events(since, messages.TAKING)
        if since < self._here.clock.now() - LISTED:
            self._takings(since)

    def let_go(self) -> None:
        """The account can never be asked again: whoever has a checkout there gets back what it holds. Should a sale
        be told of later, it counts all the same."""
        for checkout in self._over():
            self._step()
            self._end(checkout)

    def _events(self, since: datetime, types: Sequence[str]) -> None:
        """Events that were not kept yet."""
        for page in self._pages(self._gateway.events(since, types, self._account)):
            self.found.events += len(page)
            for event in self._unheard(page):
                self._take({**event, "account": self._account})

    def _sessions(self, since: datetime) -> None:
        """Paid sessions without an order: their events may be older than Stripe lists."""
        for page in self._pages(self._gateway.sessions(since, self._account)):
            self.found.sessions += len(page)
            standing = (of_session(each, self._account) for each in page)
            events = [event for event in standing if event is not None]
            for found in self._unheard(events):
                self._take(found, unless=self._is_booked)

    def _takings(self, since: datetime) -> None:
        """Refunds and disputes whose events are older than Stripe lists. What came of them may be younger than they."""
        refunds = self._gateway.refunds(since - _REFUNDS_TAKE, self._account)
        disputes = self._gateway.disputes(since - _DISPUTES_TAKE, self._account)
        for listed, event_of in ((refunds, of_refund), (disputes, of_dispute)):
            for page in self._pages(listed):
                for found in self._unheard([event_of(each, self._account) for each in page]):
                    self._take(found)

    def _checkouts(self) -> None:
        """Our own checkouts that are over, and of which nobody has told how they ended."""
        for checkout in self._over():
            self._step()
            if checkout.session_id is None:
                self._end(checkout)
                continue
            self.found.sessions += 1
            session = self._gateway.patiently(partial(self._gateway.session, checkout.session_id, self._account))
            event = None if session is None else of_session(session, self._account)
            if event is not None:
                self._take(event, unless=partial(_is_known, checkout))
            elif session is None:
                self._end(checkout)

    def _over(self) -> Iterator[Checkout]:
        """Unsettled checkouts past their end, oldest first, page by page."""
        now = self._here.watch.corrected(self._here.clock.now())
        query = select(Checkout).where(UNSETTLED, Checkout.expires_at < now - _AFTER_ITS_END).order_by(*_BY)
        last: Checkout | None = None
        while True:
            page_query = query if last is None else query.where(_is_after(last))
            with self._here.database.reading() as session:
                page = session.scalars(page_query.limit(PAGE)).all()
            yield from (checkout for checkout in page if self._seller.has(checkout))
            if len(page) < PAGE:
                return
            last = page[-1]

    def _end(self, checkout: Checkout) -> None:
        """Nobody can pay it any more, and of nobody who has can anything be heard: its stock is given back."""
        with self._here.database.transaction() as session:
            place = (checkout.merchant_id, checkout.checkout_id)
            row = session.get_one(Checkout, place, with_for_update=True, populate_existing=True)
            if (row.status, row.session_id, row.expires_at) != (
                checkout.status,
                checkout.session_id,
                checkout.expires_at,
            ):
                return  # somebody has just asked anew
            ending.go_on(session, row, "expired", self._here.clock.now())
        log.info("checkout %s is over: there is no session of it that can be asked for", checkout.checkout_id)

    def _unheard(self, events: Iterable[JsonObject]) -> list[JsonObject]:
        """Those events that are not kept yet."""
        ids = {(name,) for event in events if isinstance(name := event.get("id"), str)}
        with self._here.database.reading() as session:
            kept = {event_id for (event_id,) in _KEPT.ask(session, ids)}
        return [event for event in events if event.get("id") not in kept]

    def _take(self, event: JsonObject, unless: Callable[[SessionSaid], bool] = lambda _: False) -> None:
        """Apply what Stripe says, and note what it repaired. What cannot be applied is told, and hinders nothing else.
        Raises what `ask_for_promotion` raises, and where the database is away."""
        self._step()
        try:
            message = messages.read(event)
            said = messages.session_of(message)
        except NotAnEvent as reason:
            self._leave_out(event, reason)
            return
        if said is not None and unless(said):
            return
        promotion = ask_for_promotion(self._here, self._gateway, message, said)
        try:
            self._apply(message, said, promotion)
        except (NotAnEvent, AppError) as reason:
            self._leave_out(event, reason)
        except Exception as error:
            if in_trouble(error):
                raise
            log.exception("%s of Stripe's could not be applied; it is tried again", event.get("id"))
            self.found.failed = f"{_A_MESSAGE} could not be applied; it is tried again (see the log)"

    def _leave_out(self, event: JsonObject, reason: Exception) -> None:
        log.error("%s of Stripe's is left out: %s", event.get("id"), reason)
        self.found.left_out = f"{_A_MESSAGE} is left out (see the log)"

    def _apply(self, message: Message, said: SessionSaid | None, promotion: Promotion | None) -> None:
        def write(session: Session) -> Applied:
            applied = Bookkeeper(session, self._here, promotion).receive(message, said, VIA)
            if applied.changed and applied.merchant_id is not None:
                session.add(self._repair(message, applied, applied.merchant_id))
            return applied

        applied = self._in_a_transaction(write)
        if applied.changed:
            self.found.repaired += 1
            log.info("Stripe's %s of %s had not been told: repaired", message.type, applied.object_id)

    def _in_a_transaction(self, write: Callable[[Session], Applied]) -> Applied:
        """Done again where a webhook was quicker at the same thing."""
        for _ in range(_TRIES - 1):
            try:
                with self._here.database.transaction() as session:
                    return write(session)
            except DBAPIError as error:
                if not isinstance(error, IntegrityError) and not lost_a_race(error):
                    raise
        with self._here.database.transaction() as session:
            return write(session)

    def _repair(self, message: Message, applied: Applied, merchant_id: int) -> Repair:
        now = self._here.clock.now()
        return Repair(
            merchant_id=merchant_id,
            repair_id=new_id("rep", merchant_id, now),
            reconciliation_id=self._id,
            type=message.type,
            object_id=applied.object_id or message.id,
            order_id=applied.order_id,
            happened_at=message.created,
            repaired_at=now,
        )

    def _is_booked(self, said: SessionSaid) -> bool:
        """Whether nothing of a listed session is missing: it is not paid, not ours, or its order stands."""
        if said.status != "paid" or said.tags is None:
            return True
        try:
            merchant_id = merchant_of(said.tags.merchant, "mer")
        except Malformed:
            return True
        with self._here.database.reading() as session:
            return service.by_external_id(session, merchant_id, said.id) is not None

    def _pages(self, listed: Iterator[JsonObject]) -> Iterator[list[JsonObject]]:
        while page := list(islice(listed, PAGE)):
            yield page
            self._here.database.breathe()


def _is_known(checkout: Checkout, said: SessionSaid) -> bool:
    return lifecycle.furthest(checkout.status, said.status) == checkout.status


def _is_after(last: Checkout) -> ColumnElement[bool]:
    return tuple_(*_BY) > (last.expires_at, last.merchant_id, last.checkout_id)


def _kept(given: FromClause) -> Select[str]:
    return select(StripeEvent.event_id).join(given, StripeEvent.event_id == given.c.event_id)


_KEPT = Question(_kept, event_id=id_type(200))
