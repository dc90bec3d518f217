"""How each kind of database is opened, for `database.py` and nobody else."""

from collections.abc import Sequence
from typing import Final, cast

from sqlalchemy import URL, Engine, create_engine, event, make_url
from sqlalchemy.engine import Connection
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.pool import ConnectionPoolEntry

PATIENCE = 30.0
"""Seconds that a writer waits for SQLite: for its turn among the writers of this process, then for other processes."""

_LINE: dict[str, int] = {
    "connect_timeout": 10,
    "keepalives_idle": 10,
    "keepalives_interval": 5,
    "keepalives_count": 4,
    "tcp_user_timeout": 30_000,
}
"""Seconds, and milliseconds of the last: without them a thread waits two hours for a machine that has gone silent.
The address in the settings may say otherwise."""

_DISCREET: Final = {"hide_parameters": True}
"""What was to be written is about people: it stands in no error's words, and so in no log."""

LASTING: Final = (
    "journal_mode=WAL",
    "synchronous=FULL",  # NORMAL may lose the last commits when the power goes
    "cache_size=-2000",  # of each connection: 2 MB; ten stand open, and the system keeps the file in its memory anyway
)
"""How a file is kept that is to last."""
DRAFT: Final = ("journal_mode=MEMORY", "synchronous=OFF", "cache_size=-64000")
"""How one is filled that is made anew if anything happens to it."""


def sqlite(url: str | URL, manner: Sequence[str]) -> Engine:
    """A file of SQLite, kept in a `manner`.

    What a question must sort and does not fit into a connection's cache goes to a temporary file: comparing a day's
    facts with their counts would else take hundreds of megabytes. Connections are used last in, first out, or each of
    them would fill its cache in time.
    """
    patience = {"timeout": PATIENCE}
    engine = create_engine(url, connect_args=patience, pool_size=20, max_overflow=30, pool_use_lifo=True, **_DISCREET)

    @event.listens_for(engine, "connect")
    def _configure(connection: DBAPIConnection, _: object) -> None:
        connection.isolation_level = None  # we say BEGIN ourselves, below
        cursor = connection.cursor()
        for pragma in (*manner, "foreign_keys=ON", f"busy_timeout={PATIENCE * 1000:.0f}", "temp_store=FILE"):
            cursor.execute(f"PRAGMA {pragma}")
        cursor.close()

    @event.listens_for(engine, "begin")
    def _begin(connection: Connection) -> None:
        connection.exec_driver_sql(cast("str", connection.get_execution_options().get("begin", "BEGIN")))

    return engine


def postgresql(url: str | URL, pool_size: int) -> Engine:
    """A server of PostgreSQL, on lines that notice when it is gone."""
    target = make_url(url).set(drivername="postgresql+psycopg")
    line = {name: value for name, value in _LINE.items() if name not in target.query}
    return create_engine(
        target, connect_args=line, pool_size=pool_size, max_overflow=10, pool_pre_ping=True, **_DISCREET
    )


def close(engine: Engine) -> None:
    """Close its connections: those that a thread still uses, such as one that reads for somebody who has hung up, when
    it gives them back. Nobody would close them later."""

    @event.listens_for(engine, "checkin")
    def _close(_: DBAPIConnection | None, given_back: ConnectionPoolEntry) -> None:
        given_back.close()

    engine.dispose()
