"""Where reports are read: the database itself, or a replica of it, and up to when everything is known there.

Knows no table. Of PostgreSQL's own streaming replicas alone, which play what the database has written in its order
(docs/decisions/0021-replica.md, 0027-as-of.md).
"""

import logging
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import datetime, timedelta
from time import monotonic
from typing import Final, NamedTuple

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.kernel import as_of
from app.kernel.database import Database
from app.kernel.trouble import in_trouble

log = logging.getLogger(__name__)

_REST: Final = 10.0
"""Seconds for which a replica that was away is not asked again."""
_CONNECTS_WITHIN: Final = "3"
"""Seconds, where its address does not say otherwise."""

_MOST_LOOKS: Final = 1000
_TOO_OLD: Final = timedelta(seconds=10)
"""Where a replica has seen so much more than at any look of ours, the database itself is asked."""

_WRITTEN = text("SELECT CAST(pg_current_wal_insert_lsn() - '0/0' AS bigint)")
_REPLAYED = text(
    "SELECT pg_is_in_recovery(), CAST(COALESCE(pg_last_wal_replay_lsn(), '0/0') - '0/0' AS bigint),"
    " pg_last_xact_replay_timestamp()"
)
_WHOSE = text("SELECT system_identifier, current_database() FROM pg_control_system()")


class _Look(NamedTuple):
    """A look at the database: whoever has replayed as far as it had written then has everything that was known `now`,
    but for what these were writing."""

    now: datetime
    writers: as_of.Writers
    written: int


class Reports:
    """The way to what reports read. Threads may share it."""

    def __init__(self, database: Database, replica_url: str = "") -> None:
        self._database = database
        self._replica = _opened(replica_url) if replica_url else None
        self._rests_until = 0.0
        self._looks: list[_Look] = []
        self._guard = threading.Lock()

    @contextmanager
    def view(self, now: datetime, merchant_id: int, *, exactly: bool = False) -> Iterator[tuple[Session, datetime]]:
        """A view to read from, and as of when it knows everything of the merchant: `now`, or earlier, where somebody
        is writing or a replica is behind.

        `exactly`: a view that knows what an earlier one knew, which was as of `now`.
        """
        with ExitStack() as held:
            seen = None if self._replica is None else self._of_replica(held, self._replica, now, merchant_id)
            if seen is None or (exactly and seen[1] < now):
                held.close()
                known = now if exactly else as_of.waited_for(lambda: self._writers(now), merchant_id, now)
                seen = held.enter_context(self._database.reading()), known
            yield seen

    def close(self) -> None:
        if self._replica is not None:
            self._replica.close()

    def _of_replica(
        self, held: ExitStack, replica: Database, now: datetime, merchant_id: int
    ) -> tuple[Session, datetime] | None:
        """A view of the replica, and up to when it has everything; None where it is of no use now.

        How far it has come is read in a view of its own, before: meanwhile it can only come to see more. Both are on
        one connection, since behind one address there may be several replicas.
        """
        self._look_at_database(now, merchant_id)
        if monotonic() < self._rests_until:
            return None
        try:
            views = held.enter_context(replica.views())
            with views() as session:
                is_replica, replayed, upto = session.execute(_REPLAYED).one()
        except SQLAlchemyError as error:
            self._is_away(error)
            return None
        if not is_replica:  # it was made a database of its own, and sees nothing more of this one
            self._rest("it is no replica any more")
            return None
        with self._guard:
            seen = [look for look in self._looks if look.written <= replayed]
        latest = max(seen, key=lambda look: look.now, default=None)
        if latest is None or (upto is not None and upto - latest.now > _TOO_OLD):
            return None
        return held.enter_context(views()), min(now, as_of.known(latest.writers, merchant_id, latest.now))

    def _look_at_database(self, now: datetime, merchant_id: int) -> None:
        """Remember who writes, and how far the database has written; nothing, where it is away."""
        try:
            as_of.waited_for(lambda: self._writers(now), merchant_id, now)
        except SQLAlchemyError as error:
            if not in_trouble(error):
                raise

    def _writers(self, now: datetime) -> as_of.Writers:
        found = as_of.writers(self._database, now)
        if self._replica is not None:
            with self._database.straight() as line:  # afterwards: whoever had ended by then is in what is written
                look = _Look(now, found, line.scalars(_WRITTEN).one())
            with self._guard:
                self._looks.append(look)
                if len(self._looks) > _MOST_LOOKS:
                    del self._looks[1::2]
        return found

    def _is_away(self, error: SQLAlchemyError) -> None:
        if not in_trouble(error):
            raise error
        self._rest(str(error).splitlines()[0])

    def _rest(self, why: str) -> None:
        self._rests_until = monotonic() + _REST
        log.warning("reports are read from the database itself, not from its replica: %s", why)


def why_not(url: str, replica_url: str) -> str | None:
    """Why what is named as a replica cannot be one; None where it is one, or is away, which hinders nothing."""
    ours, its = Database(url), _opened(replica_url)
    try:
        with ours.reading() as here, its.reading() as there:
            is_same = here.execute(_WHOSE).one() == there.execute(_WHOSE).one()
        return None if is_same else "it is no replica of the database at GRAPEVINE_DATABASE_URL"
    except SQLAlchemyError as error:
        if not in_trouble(error):
            raise
        return None
    finally:
        ours.close()
        its.close()


def _opened(url: str) -> Database:
    address = make_url(url)
    if "connect_timeout" not in address.query:
        address = address.update_query_dict({"connect_timeout": _CONNECTS_WITHIN})
    return Database(address)
