"""Waits until whoever was at work at a moment has ended: for what must see all that others began before they could know
better. Knows no table.

SQLite has one writer at a time: whoever comes to write sees all that was written before.
"""

from collections.abc import Callable
from time import monotonic, sleep
from typing import Final

from sqlalchemy import text

from app.kernel.database import Database

PATIENCE: Final = 5.0
"""Seconds: ten times as long as a batch takes. What is open for longer only reads, as a backup does."""
_BETWEEN: Final = 0.02

_NOW = text("SELECT clock_timestamp()")
_BEFORE = text(
    "SELECT 1 FROM pg_stat_activity WHERE datname = current_database() AND pid <> pg_backend_pid()"
    " AND backend_type = 'client backend' AND xact_start < :moment LIMIT 1"
)


def wait_out(database: Database, step: Callable[[], None] = lambda: None, patience: float = PATIENCE) -> bool:
    """Return when every transaction has ended that is open now; whether they have, within so many seconds. `step` is
    called between two looks, and may raise to break it off."""
    if database.is_sqlite:
        return True
    deadline = monotonic() + patience
    with database.straight() as line:  # each look is a transaction of its own, and sees what is open then
        moment = line.scalar(_NOW)
        while line.scalar(_BEFORE, {"moment": moment}) is not None:
            if monotonic() > deadline:
                return False
            step()
            sleep(_BETWEEN)
    return True
