"""Whether anybody else has the database open: what a command asks before it takes the place of everything in it.

Asks outside of any transaction, on a connection that it only borrows. Knows no table.
"""

import sqlite3
import time
from typing import Final

from sqlalchemy.engine.interfaces import DBAPICursor

from app.kernel.database import Database

_LOOKS: Final = 10
_BETWEEN: Final = 0.1
"""Seconds."""


def is_alone(database: Database) -> bool:
    """Whether nobody else has this database open at this moment."""
    database.engine.dispose()  # connections of our own that wait for work
    connection = database.engine.raw_connection()
    try:
        return (_in_sqlite if database.is_sqlite else _in_postgresql)(connection.cursor())
    finally:
        connection.invalidate()


def _in_sqlite(cursor: DBAPICursor) -> bool:
    """SQLite leaves WAL, and comes back to it, only for who is alone: whoever has read holds a part of the lock."""
    cursor.execute("PRAGMA busy_timeout=0")
    try:
        cursor.execute("PRAGMA journal_mode=DELETE")
        cursor.execute("PRAGMA journal_mode=WAL")
    except sqlite3.OperationalError:
        return False
    return True


def _in_postgresql(cursor: DBAPICursor) -> bool:
    """Of another role's clients a role without privileges learns only that they are there. Connections that were closed
    a moment ago, our own among them, may be there for a moment more."""
    for _ in range(_LOOKS):
        cursor.execute(
            "SELECT NOT EXISTS (SELECT FROM pg_stat_activity WHERE datname = current_database()"
            " AND pid <> pg_backend_pid() AND usesysid IS NOT NULL"
            " AND coalesce(backend_type, 'client backend') = 'client backend')"
        )
        if cursor.fetchone() == (True,):
            return True
        cursor.execute("SELECT pg_stat_clear_snapshot()")
        time.sleep(_BETWEEN)
    return False
