"""The salts of days (UTC): made ahead, the same in all processes, and destroyed. Knows their table, and no other.

A salt is random and kept nowhere but there and in the memory of processes: when it is gone, nobody can tell any more
what was hashed with it, even who has the whole database, its secret, and guesses every address and agent.
"""

import secrets
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, time, timedelta
from functools import partial
from typing import Final

from sqlalchemy import delete, or_, select
from sqlalchemy.orm import Session

from app.kernel.clock import Clock
from app.kernel.database import Database, insert_new
from app.kernel.periodic import Periodic
from app.privacy.models import Salt

KEPT_FOR: Final = timedelta(hours=47)
"""After a day began; with the time between two turns of the job less than 48 hours, which is what people are told."""
_EVERY: Final = timedelta(minutes=15)
_A_DAY: Final = timedelta(days=1)
_BYTES: Final = 32


def in_force(database: Database, now: datetime) -> Mapping[int, bytes]:
    """The salts that there are, by the number of their day (`date.toordinal`), today's and tomorrow's among them: made
    where they are missing, by whoever is first. Who is second has the same."""
    today = datetime.combine(now.date(), time.min, UTC)
    wanted = (today, today + _A_DAY)  # tomorrow's too, or a database that is away at midnight would be missed
    with database.reading() as session:
        known = _known(session)
    if all(day in known for day in wanted):
        return _by_number(known)
    with database.transaction() as session:
        for day in wanted:
            insert_new(session, Salt, day=day, salt=secrets.token_hex(_BYTES))
        return _by_number(_known(session))


def _known(session: Session) -> dict[datetime, str]:
    return dict(session.execute(select(Salt.day, Salt.salt)).all())


def _by_number(known: Mapping[datetime, str]) -> Mapping[int, bytes]:
    return {day.toordinal(): bytes.fromhex(salt) for day, salt in known.items()}


def destroy(database: Database, now: datetime) -> None:
    """Destroy the salts whose time is over, and those of days to come that only a wrong clock can have named."""
    over = or_(Salt.day <= now - KEPT_FOR, Salt.day > now + 2 * _A_DAY)
    with database.reading() as session:  # spares SQLite's writer where there is nothing to do
        if session.scalar(select(Salt.day).where(over).limit(1)) is None:
            return
    with database.transaction() as session:
        if database.is_sqlite:  # which else leaves in its file what it has deleted
            session.connection().exec_driver_sql("PRAGMA secure_delete=ON").close()
        session.execute(delete(Salt).where(over))


def periodic(database: Database, clock: Clock) -> Periodic:
    """The job that destroys them."""
    return Periodic("destroy-salts", _EVERY, partial(_destroy, database, clock))


def _destroy(database: Database, clock: Clock, _: Callable[[], None]) -> None:
    destroy(database, clock.now())
