"""The log of what endpoints were told: looked at, told again, dropped by age. Knows the session and the tables."""

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from sqlalchemy import Select, or_, select
from sqlalchemy.orm import Session

from app.delivery import facts
from app.delivery.making_out import ids_after
from app.delivery.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.delivery.queue import LEASE, are_first, is_waiting
from app.kernel.clock import Clock
from app.kernel.database import Database, table_of
from app.kernel.errors import FieldError, Invalid, NotFound
from app.kernel.feed_places import BEGINNING
from app.kernel.forgetting import forget
from app.kernel.ids import beginning, merchant_of
from app.kernel.journal import JournalEntry
from app.kernel.periodic import Periodic

State = Literal["waiting", "delivered", "given_up"]

KEPT: Final = timedelta(days=30)
"""How long it can be seen what an endpoint was told, and how."""
_TIDIED_EVERY: Final = timedelta(hours=6)
_LATE: Final = timedelta(minutes=1)
"""So long after its time a fact may have got its place in the journal."""
_SOME: Final = 1000
_FIRST_TIME: Final = datetime(1970, 1, 1, tzinfo=UTC)


def of_endpoint(endpoint: WebhookEndpoint, state: State | None) -> Select[WebhookDelivery]:
    """Its deliveries, or those in a state."""
    query = select(WebhookDelivery).where(
        WebhookDelivery.merchant_id == endpoint.merchant_id, WebhookDelivery.endpoint_id == endpoint.endpoint_id
    )
    if state == "waiting":
        return query.where(*is_waiting())
    if state == "delivered":
        return query.where(WebhookDelivery.delivered_at.is_not(None))
    if state == "given_up":
        return query.where(WebhookDelivery.given_up_at.is_not(None))
    return query


def state_of(delivery: WebhookDelivery) -> State:
    """What became of it so far."""
    if delivery.delivered_at is not None:
        return "delivered"
    return "waiting" if delivery.given_up_at is None else "given_up"


def get(session: Session, endpoint: WebhookEndpoint, delivery_id: str, *, lock: bool = False) -> WebhookDelivery:
    """One of its deliveries. Raises `NotFound`."""
    key = (endpoint.merchant_id, delivery_id)
    is_ours = merchant_of(delivery_id, "whd") == endpoint.merchant_id
    found = session.get(WebhookDelivery, key, with_for_update=lock) if is_ours else None
    if found is None or found.endpoint_id != endpoint.endpoint_id:
        raise NotFound
    return found


def attempts(session: Session, delivery: WebhookDelivery) -> Sequence[WebhookAttempt]:
    """How it was tried, in order."""
    same = (
        WebhookAttempt.merchant_id == delivery.merchant_id,
        WebhookAttempt.delivery_id == delivery.delivery_id,
    )
    return session.scalars(select(WebhookAttempt).where(*same).order_by(WebhookAttempt.attempt_id)).all()


def retry(session: Session, endpoint: WebhookEndpoint, delivery: WebhookDelivery, now: datetime) -> None:
    """Tell it again as soon as it is its turn, whatever became of it. What is done begins its attempts anew.

    Who asks holds the endpoint's row.
    """
    if state_of(delivery) != "waiting":
        (is_first,) = are_first(session, endpoint, [delivery.subject])
        delivery.due_at, delivery.attempts = now if is_first else None, 0
        delivery.delivered_at = delivery.given_up_at = None
    elif delivery.due_at is not None and delivery.due_at > now + LEASE:  # else somebody may be telling it
        delivery.due_at = now


def tell_again(session: Session, endpoint: WebhookEndpoint, events: Sequence[str], now: datetime) -> int:
    """Make out these events again; all were made out for an endpoint of this merchant within `KEPT`. How many.

    Who asks holds the endpoint's row. Raises `Invalid` naming those that were not.
    """
    of_merchant = WebhookDelivery.merchant_id == endpoint.merchant_id
    found = select(WebhookDelivery).where(of_merchant, WebhookDelivery.event_id.in_(set(events)))
    known = {row.event_id: row for row in session.scalars(found.order_by(WebhookDelivery.delivery_id))}
    wrong = [number for number, event in enumerate(events) if event not in known]
    if wrong:
        raise Invalid(*(FieldError(f"/events/{number}", "was not told within thirty days") for number in wrong))
    again = sorted(known.values(), key=lambda row: row.delivery_id)
    ids, at = ids_after(session, endpoint, len(again), now)
    firsts = are_first(session, endpoint, [row.subject for row in again])
    for delivery_id, row, is_first in zip(ids, again, firsts, strict=True):
        session.add(
            WebhookDelivery(
                merchant_id=endpoint.merchant_id,
                delivery_id=delivery_id,
                endpoint_id=endpoint.endpoint_id,
                **{name: getattr(row, name) for name in ("event_id", "type", "subject", "body")},
                created_at=at,
                due_at=now if is_first else None,
                attempts=0,
            )
        )
    return len(again)


def send_back(session: Session, endpoint: WebhookEndpoint, cursor: str) -> None:
    """Tell it everything again after a cursor of the feed of facts. Raises as `facts.read` does."""
    facts.read(session, endpoint.merchant_id, cursor, 1)
    endpoint.place = cursor


def cursor_at(session: Session, merchant_id: int, since: datetime) -> str:
    """A cursor after which comes all that was written since then, and a little from before; but nothing that was
    written before the journal began, which the beginning of all has."""
    of_merchant = (JournalEntry.merchant_id == merchant_id, JournalEntry.position.is_not(None))
    bound = beginning("jrn", max(since - _LATE, _FIRST_TIME))
    in_time = select(JournalEntry.position).where(*of_merchant).order_by(JournalEntry.entry_id)
    first = session.scalar(in_time.where(JournalEntry.entry_id < bound).limit(1))
    after = session.scalars(in_time.where(JournalEntry.entry_id >= bound).limit(_SOME)).all()
    if not after:
        return facts.end(session, merchant_id)
    if first is None:
        return str(BEGINNING)
    return str(facts.place_before(session, merchant_id, min(position for position in after if position is not None)))


def periodic(database: Database, clock: Clock) -> Periodic:
    """The job that drops what is older than `KEPT`: attempts, and deliveries that are done."""

    def run(extend: Callable[[], None]) -> None:
        until = beginning("whd", clock.now() - KEPT)
        forget(database, table_of(WebhookAttempt).c.delivery_id, "whd_", until, extend)
        done = or_(WebhookDelivery.delivered_at.is_not(None), WebhookDelivery.given_up_at.is_not(None))
        forget(database, table_of(WebhookDelivery).c.delivery_id, "whd_", until, extend, done)

    return Periodic("webhooks", _TIDIED_EVERY, run)
