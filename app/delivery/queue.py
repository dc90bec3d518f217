"""Which deliveries are due, who sends each, and what became of it. Knows the session and the tables, not how one sends.

Who takes a delivery has it for a lease: a crash only puts it off. In order for each subject: only the first that waits
has a time at which it is due; the next gets one when it is done. Between who makes out and who is done stands the
endpoint's row: else a delivery could come to stand behind one that is done already.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import BigInteger, ColumnElement, FromClause, Select, func, select, tuple_, update
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.delivery.models import WebhookAttempt, WebhookDelivery, WebhookEndpoint
from app.delivery.pauses import ATTEMPTS, FAILING_FOR, next_attempt
from app.delivery.receivers import Receiver
from app.delivery.telling import Outcome
from app.kernel.database import id_type
from app.kernel.given import Key, Question
from app.kernel.ids import new_id
from app.merchants.models import Merchant

LEASE: Final = timedelta(seconds=60)
"""Several times what an attempt may take."""


@dataclass(frozen=True)
class Task:
    """A delivery that was taken, and its endpoint as it was then. `attempt` tells whose it is: each taking counts it
    up."""

    endpoint: WebhookEndpoint
    delivery_id: str
    attempt: int
    event_id: str
    body: str

    @property
    def key(self) -> tuple[int, str]:
        """That of its endpoint."""
        return self.endpoint.merchant_id, self.endpoint.endpoint_id


Ended = tuple[Task, Outcome]


def due(session: Session, now: datetime) -> list[Receiver]:
    """The endpoints that can be told something now."""
    of_endpoint = (
        WebhookDelivery.merchant_id == WebhookEndpoint.merchant_id,
        WebhookDelivery.endpoint_id == WebhookEndpoint.endpoint_id,
    )
    # Not `exists`, which PostgreSQL may answer by reading all that is due, of all endpoints.
    one = select(WebhookDelivery.endpoint_id).where(*of_endpoint, WebhookDelivery.due_at <= now).limit(1)
    found = of_open_shops(WebhookEndpoint.merchant_id, WebhookEndpoint.endpoint_id, WebhookEndpoint.url)
    return [Receiver(*row) for row in session.execute(found.where(one.scalar_subquery().is_not(None)))]


def is_told() -> tuple[ColumnElement[bool], ...]:
    """What holds of endpoints that are told anything."""
    return WebhookEndpoint.withdrawn_at.is_(None), WebhookEndpoint.disabled_at.is_(None)


def of_open_shops(
    *columns: ColumnElement[Any] | InstrumentedAttribute[Any] | type[WebhookEndpoint],
) -> Select[*tuple[Any, ...]]:
    """These columns of the endpoints that are told anything, of merchants who are there."""
    is_theirs = (Merchant.merchant_id == WebhookEndpoint.merchant_id) & Merchant.closed_at.is_(None)
    return select(*columns).select_from(WebhookEndpoint).join(Merchant, is_theirs).where(*is_told())


def take(session: Session, receiver: Receiver, now: datetime, most: int) -> list[Task]:
    """Take what is due longest of an endpoint's, `most` at most; nothing, where that is elsewhere by now. What others
    are taking is passed over."""
    key = (receiver.merchant_id, receiver.endpoint_id)
    same = (WebhookEndpoint.merchant_id == key[0], WebhookEndpoint.endpoint_id == key[1])
    endpoint = session.scalar(of_open_shops(WebhookEndpoint).where(*same))
    if endpoint is None or endpoint.url != receiver.url:
        return []
    of_endpoint = (WebhookDelivery.merchant_id == key[0], WebhookDelivery.endpoint_id == key[1])
    found = (
        select(WebhookDelivery)
        .where(*of_endpoint, WebhookDelivery.due_at <= now)
        .order_by(WebhookDelivery.due_at)
        .limit(most)
        .with_for_update(skip_locked=True)
    )
    return [task for row in session.scalars(found) if (task := _taken(session, row, endpoint, now)) is not None]


def are_first(session: Session, endpoint: WebhookEndpoint, subjects: Sequence[str]) -> list[bool]:
    """Of new deliveries about these subjects, in this order: whether each has none before it. The others have no time
    at which they are due: they get it when the one before is done.

    Who asks holds the endpoint's row, so that none is done unseen meanwhile.
    """
    keys: set[Key] = {(endpoint.merchant_id, endpoint.endpoint_id, subject) for subject in subjects}
    taken = {subject for _, _, subject, _ in _FIRST.ask(session, keys)}
    firsts = []
    for subject in subjects:
        firsts.append(subject not in taken)
        taken.add(subject)
    return firsts


def is_waiting() -> tuple[ColumnElement[bool], ...]:
    """What holds of deliveries that are not done."""
    return WebhookDelivery.delivered_at.is_(None), WebhookDelivery.given_up_at.is_(None)


def record(session: Session, ended: Iterable[Ended], now: datetime) -> None:
    """Write down what became of attempts: of the endpoints first, then of the deliveries, each in order, so that two
    who do so never wait for each other in a circle."""
    of_endpoints: dict[tuple[int, str], list[Ended]] = defaultdict(list)
    in_order = sorted(ended, key=lambda each: (each[0].key, each[0].delivery_id))
    for each in in_order:
        of_endpoints[each[0].key].append(each)
    for key, those in of_endpoints.items():
        _note_how_it_answers(session, key, those, now)
    rows = _held(session, [task for task, _ in in_order])
    for task, outcome in in_order:
        row = rows.get(task.delivery_id)
        if row is not None:  # else dropped meanwhile
            session.add(_logged(task, outcome))
            _note(row, task, outcome, now)
    _let_next(session, [row for row in rows.values() if row.due_at is None], now)


def _taken(session: Session, row: WebhookDelivery, endpoint: WebhookEndpoint, now: datetime) -> Task | None:
    if row.attempts >= ATTEMPTS:  # each time, the process that had it ended
        if not _is_held(session, (row.merchant_id, row.endpoint_id)):
            return None
        row.due_at, row.given_up_at = None, now
        _let_next(session, [row], now)
        return None
    row.due_at, row.attempts = now + LEASE, row.attempts + 1
    return Task(endpoint, row.delivery_id, row.attempts, row.event_id, row.body)


def _note_how_it_answers(session: Session, key: tuple[int, str], ended: Sequence[Ended], now: datetime) -> None:
    """Most often there is nothing to note: then its row is held together with others who send."""
    changes = _answers_otherwise(session.get_one(WebhookEndpoint, key), ended, now)
    endpoint = _hold(session, key, share=not changes)
    of_this = [outcome for task, outcome in ended if task.endpoint.url == endpoint.url]  # it may have moved
    if not changes or endpoint.withdrawn_at is not None or endpoint.disabled_at is not None or not of_this:
        return
    if any(outcome.is_gone for outcome in of_this):
        endpoint.disabled_at, endpoint.disabled_reason = now, "gone"
    elif any(outcome.arrived for outcome in of_this):
        endpoint.failing_since = None
    elif endpoint.failing_since is None:
        endpoint.failing_since = now
    elif now - endpoint.failing_since >= FAILING_FOR:
        endpoint.disabled_at, endpoint.disabled_reason = now, "failing"


def _answers_otherwise(endpoint: WebhookEndpoint, ended: Sequence[Ended], now: datetime) -> bool:
    if any(outcome.is_gone for _, outcome in ended):
        return True
    if any(outcome.arrived for _, outcome in ended):
        return endpoint.failing_since is not None
    return endpoint.failing_since is None or now - endpoint.failing_since >= FAILING_FOR


def _hold(session: Session, key: tuple[int, str], *, share: bool) -> WebhookEndpoint:
    """The endpoint's row: for oneself, or together with others who send, but not with who makes out."""
    held = select(WebhookEndpoint).where(WebhookEndpoint.merchant_id == key[0], WebhookEndpoint.endpoint_id == key[1])
    locked = held.with_for_update(read=share).execution_options(populate_existing=True)
    return session.scalars(locked).one()


def _is_held(session: Session, key: tuple[int, str]) -> bool:
    """Hold the endpoint's row together with others who send, unless somebody has it for themselves: who holds a
    delivery must not wait for its endpoint, for others wait the other way round."""
    held = select(WebhookEndpoint.endpoint_id)
    held = held.where(WebhookEndpoint.merchant_id == key[0], WebhookEndpoint.endpoint_id == key[1])
    return session.scalar(held.with_for_update(read=True, skip_locked=True)) is not None


def _held(session: Session, tasks: Sequence[Task]) -> dict[str, WebhookDelivery]:
    """The rows of what was taken."""
    keys = [(task.key[0], task.delivery_id) for task in tasks]
    found = select(WebhookDelivery).where(tuple_(WebhookDelivery.merchant_id, WebhookDelivery.delivery_id).in_(keys))
    in_order = found.order_by(WebhookDelivery.merchant_id, WebhookDelivery.delivery_id).with_for_update()
    return {row.delivery_id: row for row in session.scalars(in_order)} if keys else {}


def _logged(task: Task, outcome: Outcome) -> WebhookAttempt:
    merchant_id, _ = task.key
    return WebhookAttempt(
        merchant_id=merchant_id,
        delivery_id=task.delivery_id,
        attempt_id=new_id("wha", merchant_id, outcome.at),
        at=outcome.at,
        took=outcome.milliseconds,
        status=outcome.status,
        problem=outcome.problem,
    )


def _note(row: WebhookDelivery, task: Task, outcome: Outcome, now: datetime) -> None:
    if row.due_at is None:  # done by another, who had it when our lease had run out; or withdrawn
        return
    if outcome.arrived:
        row.due_at, row.delivered_at = None, now
    elif row.attempts == task.attempt:
        row.due_at = next_attempt(row.attempts, now, outcome.asked_for)
        row.given_up_at = now if row.due_at is None else None


def _let_next(session: Session, done: Sequence[WebhookDelivery], now: datetime) -> None:
    """What is after these about the same is due now."""
    session.flush()
    subjects: set[Key] = {(each.merchant_id, each.endpoint_id, each.subject) for each in done}
    for merchant, _, _, first in _FIRST.ask(session, subjects):
        following = (WebhookDelivery.merchant_id == merchant) & (WebhookDelivery.delivery_id == first)
        unblocked = update(WebhookDelivery).where(following, WebhookDelivery.due_at.is_(None)).values(due_at=now)
        session.execute(unblocked, execution_options={"synchronize_session": False})


def _first(given: FromClause) -> Select[*tuple[Any, ...]]:
    """The first delivery that waits, of each endpoint about each subject that is given."""
    same = (
        (WebhookDelivery.merchant_id == given.c.merchant_id)
        & (WebhookDelivery.endpoint_id == given.c.endpoint_id)
        & (WebhookDelivery.subject == given.c.subject)
    )
    key = (given.c.merchant_id, given.c.endpoint_id, given.c.subject)
    first = func.min(WebhookDelivery.delivery_id)
    return select(*key, first).join_from(given, WebhookDelivery, same).where(*is_waiting()).group_by(*key)


_FIRST: Final = Question(_first, merchant_id=BigInteger(), endpoint_id=id_type(), subject=id_type(200))
