"""Whether endpoints are told in time, for those who run the server. Knows the session and the tables, not HTTP."""

from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ScalarSelect, and_, func, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.delivery import facts
from app.delivery.models import WebhookDelivery, WebhookEndpoint
from app.delivery.queue import is_waiting, of_open_shops
from app.kernel.journal import JournalEnd

LATE: Final = timedelta(minutes=5)
"""After which what could have been sent should have been; and so long nothing may arrive."""
FAR: Final = 10_000
"""Journal entries that an endpoint may have before it: making out writes its place at least once in a thousand."""
MOST: Final = 10_000
"""So far it is counted what waits."""
_OF_ENDPOINT: Final = (
    WebhookDelivery.merchant_id == WebhookEndpoint.merchant_id,
    WebhookDelivery.endpoint_id == WebhookEndpoint.endpoint_id,
)


class Backlog(NamedTuple):
    """At how many endpoints nothing arrives, and how many others are told late; when what is next for one of these was
    made out, where something is; how many deliveries wait in all, counted up to `MOST`.

    What is disabled, and of merchants who are gone, is told nothing, and cannot be behind.
    """

    failing: int
    late: int
    oldest: datetime | None
    waiting: int

    @property
    def warnings(self) -> list[str]:
        """In words, where somebody should look."""
        since = "" if self.oldest is None else f", since {self.oldest:%Y-%m-%d %H:%M} UTC at the longest"
        failing = [f"webhooks: nothing arrives at {_endpoints(self.failing)}{since}"] if self.failing else []
        late = [f"webhooks: {_endpoints(self.late)} told late{since}: does a worker run?"] if self.late else []
        return late + failing


def look(session: Session, now: datetime) -> Backlog:
    """How it stands: two short questions, each to an index, however much waits."""
    until, failing, late, oldest = now - LATE, 0, 0, list[datetime]()
    ends = JournalEnd.merchant_id == WebhookEndpoint.merchant_id
    read = (WebhookEndpoint.failing_since, WebhookEndpoint.place, func.coalesce(JournalEnd.position, 0))
    rows = of_open_shops(*read, _next(WebhookDelivery.due_at), _next(WebhookDelivery.created_at))
    for failing_since, place, end, due_at, created_at in session.execute(rows.outerjoin(JournalEnd, ends)):
        fails = failing_since is not None and failing_since <= until
        is_late = not fails and ((due_at is not None and due_at <= until) or _unread(place, end) > FAR)
        failing, late = failing + fails, late + is_late
        if created_at is not None and (fails or is_late):
            oldest.append(created_at)
    return Backlog(failing, late, min(oldest, default=None), _waiting(session))


def _next(column: InstrumentedAttribute[Any]) -> ScalarSelect[Any]:
    """Of the delivery of an endpoint's that is due first."""
    due = select(column).where(*_OF_ENDPOINT, WebhookDelivery.due_at.is_not(None))
    return due.order_by(WebhookDelivery.due_at).limit(1).scalar_subquery()


def _unread(place: str, end: int) -> int:
    """Entries that a place has before it; in the snapshot there is none."""
    position = facts.position_of(place)
    return 0 if position is None else end - position


def _waiting(session: Session) -> int:
    some = of_open_shops(WebhookDelivery.delivery_id).join(WebhookDelivery, and_(*_OF_ENDPOINT))
    return session.scalar(select(func.count()).select_from(some.where(*is_waiting()).limit(MOST).subquery())) or 0


def _endpoints(count: int) -> str:
    return "1 endpoint" if count == 1 else f"{count} endpoints"
