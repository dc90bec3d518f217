"""Makes out what endpoints are to be told: reads the facts after each one's place, and writes a delivery for each.

An endpoint's new place and its deliveries are written in one transaction, by whoever finds the place as it was read:
so nothing is made out twice or left out, however many processes do this. Knows no HTTP, and sends nothing.
"""

import json
import logging
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.delivery import facts
from app.delivery.endpoints import waiting
from app.delivery.facts import Event
from app.delivery.glancing import Span, glance
from app.delivery.models import WebhookDelivery, WebhookEndpoint
from app.delivery.queue import are_first, is_told, of_open_shops
from app.kernel.bulk import Bulk
from app.kernel.clock import Clock, rfc3339, to_micros
from app.kernel.database import Database, table_of
from app.kernel.feed_places import Place
from app.kernel.ids import new_ids
from app.kernel.journal import JournalEnd
from app.kernel.repeated import Repeated
from app.kernel.trouble import in_trouble, tell_of

log = logging.getLogger(__name__)

LOOKS_EVERY: Final = 1.0
"""Seconds between two looks at what was placed elsewhere."""
AT_ONCE: Final = 500
"""Events to one transaction."""
BACKLOG: Final = 10_000
"""Deliveries that wait for an endpoint before no more are made out: the rest stays in the journal, which loses none."""
_REST: Final = 0.2
"""Seconds between two rounds: each that made something out is a commit."""
_IDLE: Final = 1000
"""Journal entries with nothing for an endpoint, after which its place is written all the same: so far is read again
after a restart."""
_FAR: Final = 200
"""Entries behind which an endpoint that does not want all is led past what it does not want before anything is read."""
_STEP: Final = timedelta(milliseconds=1)

_DELIVERIES: Final = Bulk(
    table_of(WebhookDelivery),
    (
        *("merchant_id", "delivery_id", "endpoint_id", "event_id", "type", "subject"),
        *("body", "created_at", "due_at", "attempts"),
    ),
)


class _Seen(NamedTuple):
    """How far an endpoint's events of these types were read since its place was written, while there was nothing for
    it; and where the journal ended then."""

    types: list[str]
    place: str
    read_to: str
    end: int


class _Stands(NamedTuple):
    """An endpoint that is told something, and where its merchant's journal ends."""

    merchant_id: int
    endpoint_id: str
    types: list[str]
    place: str
    end: int


class _Read(NamedTuple):
    """What comes next for an endpoint; `is_anew` where its place is not in the journal any more."""

    events: Sequence[Event]
    cursor: str
    more: bool
    is_anew: bool = False


class MakingOut(Repeated):
    """Does so again and again. `made` is called after each commit by which there is something to send."""

    def __init__(self, database: Database, clock: Clock, made: Callable[[], None] = lambda: None) -> None:
        self._database = database
        self._clock = clock
        self._made = made
        self._seen: dict[str, _Seen] = {}
        super().__init__("webhook-makers", self._look, every=LOOKS_EVERY, trouble="webhooks cannot be made out")

    def make_out_all(self) -> int:
        """Make out all that is there, in this thread; how many deliveries that were."""
        made = 0
        while not self.is_stopping:
            behind = self._behind()
            some = [self._go_on(endpoint, end) for endpoint, end in behind]
            made += sum(count for count, _ in some)
            if not any(more for _, more in some):
                break
        return made

    def _look(self) -> float:
        return _REST if self.make_out_all() else 0

    def _behind(self) -> list[tuple[WebhookEndpoint, int]]:
        """The endpoints for which there may be something, each with where its merchant's journal ends."""
        with self._database.reading() as session:
            ends = JournalEnd.merchant_id == WebhookEndpoint.merchant_id
            columns = (WebhookEndpoint.merchant_id, WebhookEndpoint.endpoint_id)
            read = (WebhookEndpoint.types, WebhookEndpoint.place, func.coalesce(JournalEnd.position, 0))
            all_told = of_open_shops(*columns, *read).outerjoin(JournalEnd, ends)
            rows = [_Stands(*row) for row in session.execute(all_told)]
            self._seen = {row.endpoint_id: seen for row in rows if (seen := self._seen.get(row.endpoint_id))}
            self._pass_over(session, [row for row in rows if not self._is_read(row)])
            behind = [row for row in rows if not self._is_read(row)]
            return [(session.get_one(WebhookEndpoint, row[:2]), row.end) for row in behind]

    def _pass_over(self, session: Session, behind: Sequence[_Stands]) -> None:
        """Note of all at once how far those have read for whom nothing came since they were looked at."""
        spans: dict[str, Span] = {}
        for row in behind:
            seen = self._seen_as(row.endpoint_id, row.types, row.place)
            at = None if seen is None else Place.of(seen.read_to)
            if at is not None and row.types and not _is_far(row.place, row.end):
                spans[row.endpoint_id] = Span(row.merchant_id, at, row.end)
        found = glance(session, set(spans.values()))
        for row in behind:
            some = found.get(spans[row.endpoint_id]) if row.endpoint_id in spans else None
            if some is not None and some.types.isdisjoint(row.types):
                self._seen[row.endpoint_id] = _Seen(row.types, row.place, str(some.end), row.end)

    def _is_read(self, row: _Stands) -> bool:
        seen = self._seen_as(row.endpoint_id, row.types, row.place)
        return seen is not None and seen.end == row.end

    def _seen_as(self, endpoint_id: str, types: list[str], place: str) -> _Seen | None:
        """What is known of the endpoint, if it stands as it did."""
        seen = self._seen.get(endpoint_id)
        return seen if seen is not None and (seen.types, seen.place) == (types, place) else None

    def _go_on(self, endpoint: WebhookEndpoint, end: int) -> tuple[int, bool]:
        """How many deliveries were made out, and whether there is more. One that cannot be read holds up no other."""
        try:
            return self._make_out_some(endpoint, end)
        except Exception as error:
            if in_trouble(error):
                raise
            tell_of(log, f"what {endpoint.endpoint_id} is to be told cannot be read", error)
            return 0, False

    def _make_out_some(self, endpoint: WebhookEndpoint, end: int) -> tuple[int, bool]:
        seen = self._seen_as(endpoint.endpoint_id, endpoint.types, endpoint.place)
        after = endpoint.place if seen is None else seen.read_to
        with self._database.reading() as session:
            if waiting(session, endpoint, BACKLOG) >= BACKLOG:
                return 0, False
            read = _read(session, endpoint, after, end)
        place = endpoint.place
        if read.events or read.is_anew or _is_far(place, facts.position_of(read.cursor)):
            with self._database.transaction() as session:
                if not _moved(session, endpoint, read.cursor):
                    return 0, True  # another was faster, or it was sent back: look again
                _write(session, endpoint, read.events, self._clock.now())
            place = read.cursor
        if read.events:
            self._made()
        self._seen[endpoint.endpoint_id] = _Seen(endpoint.types, place, read.cursor, -1 if read.more else end)
        return len(read.events), read.more


def body_of(event_id: str, kind: str, at: datetime, data: dict[str, Any]) -> str:
    """What is sent: the event as `GET /v1/events` tells it, without its cursor."""
    event = {"id": event_id, "type": kind, "timestamp": rfc3339(at), "data": data}
    return json.dumps(event, ensure_ascii=False, separators=(",", ":"))


def ids_after(session: Session, endpoint: WebhookEndpoint, count: int, now: datetime) -> tuple[list[str], datetime]:
    """So many ids of deliveries, after all that the endpoint has, whatever a clock says; and their time."""
    of_endpoint = (
        WebhookDelivery.merchant_id == endpoint.merchant_id,
        WebhookDelivery.endpoint_id == endpoint.endpoint_id,
    )
    last = select(WebhookDelivery.created_at).where(*of_endpoint).order_by(WebhookDelivery.delivery_id.desc()).limit(1)
    before = session.scalar(last)
    at = now if before is None else max(now, before + _STEP)
    return new_ids("whd", endpoint.merchant_id, at, count), at


def _read(session: Session, endpoint: WebhookEndpoint, after: str, end: int) -> _Read:
    """What comes after a place. Where the database was put back to before it, nothing tells what was told: it goes on
    from now."""
    merchant_id, types, position = endpoint.merchant_id, endpoint.types, facts.position_of(after)
    if types and position is not None and end - position >= _FAR:
        after = facts.before_next(session, merchant_id, after, types)
    try:
        return _Read(*facts.read(session, merchant_id, after, AT_ONCE, types))
    except facts.CursorGone:
        log.warning("the database was put back: %s is told what happens from now on", endpoint.endpoint_id)
        return _Read((), facts.end(session, merchant_id), more=False, is_anew=True)


def _is_far(place: str, end: int | None) -> bool:
    """Whether a place is to be written though there was nothing up to that position: each time would be a commit for
    all that an endpoint does not want to know."""
    begin = facts.position_of(place)
    return end is not None and (begin is None or end - begin >= _IDLE)


def _moved(session: Session, endpoint: WebhookEndpoint, place: str) -> bool:
    """Whether the endpoint stood where we have read, for the types that we have read, and now stands at `place`."""
    key = (WebhookEndpoint.merchant_id == endpoint.merchant_id, WebhookEndpoint.endpoint_id == endpoint.endpoint_id)
    as_read = (WebhookEndpoint.place == endpoint.place, *is_told())
    found = session.scalar(select(WebhookEndpoint).where(*key, *as_read).with_for_update(key_share=True))
    if found is None or found.types != endpoint.types:
        return False
    found.place = place
    session.flush()
    return True


def _write(session: Session, endpoint: WebhookEndpoint, events: Sequence[Event], now: datetime) -> None:
    ids, at = ids_after(session, endpoint, len(events), now)
    firsts = are_first(session, endpoint, [event.subject for event in events])
    micros, due = to_micros(at), to_micros(now)
    rows = [
        (
            *(endpoint.merchant_id, delivery_id, endpoint.endpoint_id, event.id, event.type, event.subject),
            *(body_of(event.id, event.type, event.at, event.data), micros, due if is_first else None, 0),
        )
        for delivery_id, event, is_first in zip(ids, events, firsts, strict=True)
    ]
    _DELIVERIES.insert(session, rows)
