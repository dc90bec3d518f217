"""The promise that credit will follow the facts, kept in the outbox while a history is moving in.

Whoever moves in brings credit up to date at the end and then takes the promise back; it is due only when they have
been silent for a while, so that nobody else does the same work beside them, again and again.
"""

from datetime import timedelta

from sqlalchemy.orm import Session

from app.attribution import stale
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.outbox import Outbox, OutboxRow

SILENCE = timedelta(minutes=2)
"""Between two batches. A client that is slower has its credit brought up to date on the way, too."""


class Promise:
    """Of one who moves in. Made with their first batch, put off with each that follows."""

    def __init__(self, clock: Clock, outbox: Outbox, merchant_id: int) -> None:
        self._clock = clock
        self._outbox = outbox
        self._merchant_id = merchant_id
        self._message_id = ""

    def renew(self, session: Session) -> None:
        """In the transaction of a batch: what is stale will be brought up to date after a time of silence."""
        row = self._untaken(session)
        if row is None:  # there was none yet, or it was taken, and whoever did may be past what is written now
            self._message_id = stale.promise(session, self._outbox, self._merchant_id)
            session.flush()
            row = self._untaken(session)
            assert row is not None
        row.due_at = self._clock.now() + SILENCE

    def call_in(self, database: Database) -> None:
        """Nothing more will come: let the worker do it now."""
        with database.transaction() as session:
            row = self._untaken(session)
            if row is not None:
                row.due_at = self._clock.now()
        self._outbox.added.set()

    def take_back(self, database: Database) -> None:
        """It was done. Where a worker has the message, it finds nothing left to do."""
        with database.transaction() as session:
            row = self._untaken(session)
            if row is not None:
                session.delete(row)

    def _untaken(self, session: Session) -> OutboxRow | None:
        """The message, locked, as long as no worker had it."""
        row = session.get(OutboxRow, (self._merchant_id, self._message_id), with_for_update=True)
        return row if row is not None and not row.attempts else None
