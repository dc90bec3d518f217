"""Where reports are read: the database itself, or a replica of it, of which is known up to when it has seen everything.

Knows no table. Of PostgreSQL's own streaming replicas alone, which play what the database has written in its order
(docs/decisions/0021-replica.md).
"""

import logging
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, datetime
from time import monotonic
from typing import Final

from sqlalchemy import make_url, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.trouble import in_trouble

log = logging.getLogger(__name__)

_REST: Final = 10.0
"""Seconds for which a replica that was away is not asked again."""
_CONNECTS_WITHIN: Final = "3"
"""Seconds, where its address does not say otherwise."""

_WRITTEN = text("SELECT pg_current_wal_flush_lsn()::text")
_REPLAYED = text(
    "SELECT pg_is_in_recovery(), pg_last_wal_replay_lsn() >= CAST(:written AS pg_lsn), pg_last_xact_replay_timestamp()"
)
_WHOSE = text("SELECT system_identifier, current_database() FROM pg_control_system()")


class Reports:
    """The way to what reports read. Threads may share it."""

    def __init__(self, database: Database, replica_url: str = "") -> None:
        self._database = database
        self._replica = _opened(replica_url) if replica_url else None
        self._rests_until = 0.0

    @contextmanager
    def view(self, now: datetime, *, exactly: bool = False) -> Iterator[tuple[Session, datetime]]:
        """A view to read from, and as of when it knows everything: `now`, or earlier, where a replica is behind.

        `exactly`: a view that knows everything as of `now`. Where the replica is away, or not as far, it is the
        database's own.
        """
        with ExitStack() as held:
            seen = self._of_replica(held, now)
            if seen is None or (exactly and seen[1] < now):
                held.close()
                seen = held.enter_context(self._database.reading()), now
            yield seen

    def close(self) -> None:
        if self._replica is not None:
            self._replica.close()

    def _of_replica(self, held: ExitStack, now: datetime) -> tuple[Session, datetime] | None:
        """A view of the replica, and up to when it has everything that was committed; None where it is of no use now.

        The moment is read in a view of its own, before: meanwhile the replica can only come to see more. Both are on
        one connection, since behind one address there may be several replicas.
        """
        if self._replica is None or monotonic() < self._rests_until:
            return None
        written = self._written()
        try:
            views = held.enter_context(self._replica.views())
            with views() as session:
                is_replica, has_all, upto = session.execute(_REPLAYED, {"written": written}).one()
        except SQLAlchemyError as error:
            self._is_away(error)
            return None
        if not is_replica:  # it was made a database of its own, and sees nothing more of this one
            self._rest("it is no replica any more")
            return None
        if not has_all and upto is None:
            return None
        return held.enter_context(views()), now if has_all else min(now, upto.astimezone(UTC))

    def _written(self) -> str | None:
        """How far the database has written; None where it is away."""
        try:
            with self._database.reading() as session:
                return str(session.scalars(_WRITTEN).one())
        except SQLAlchemyError as error:
            if not in_trouble(error):
                raise
            return None

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
