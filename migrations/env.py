"""Runs Alembic in the database that `app.migrate` hands over, or in the one of the environment's settings.

Those who start together take turns, and each looks at what is missing only once its turn has come.
"""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from alembic.runtime.migration import MigrationContext
from sqlalchemy import Column, Connection, Engine, String, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.types import TypeEngine

from app import settings, tables
from app.kernel.database import Database, Instant

_LOCK = {"key": 7239847192}
"""PostgreSQL: the advisory lock of whoever's turn it is."""
_PATIENCE = 60.0
"""Seconds to wait for a SQLite file that others are just making."""


def run() -> None:
    given = context.config.attributes.get("database")
    database = given or Database(settings.load().database)
    turn = _turn_in_sqlite if database.is_sqlite else _turn_in_postgresql
    with turn(database.engine) as connection:
        context.configure(
            connection=connection,
            target_metadata=tables.METADATA,
            render_as_batch=database.is_sqlite,
            transaction_per_migration=not database.is_sqlite,
            compare_type=_unlike,
            render_item=_render,
            include_name=_no_part(connection),
        )
        with context.begin_transaction():
            context.run_migrations()


@contextmanager
def _turn_in_sqlite(engine: Engine) -> Iterator[Connection]:
    """One transaction around all: SQLite has one writer, and whoever asks to be it waits for the one before."""
    with _connected(engine).execution_options(begin="BEGIN IMMEDIATE") as connection, connection.begin():
        yield connection


def _connected(engine: Engine) -> Connection:
    """Each connection turns WAL on. While another is just doing so in a new file, SQLite refuses and does not wait."""
    given_up_at = time.monotonic() + _PATIENCE
    while True:
        try:
            return engine.connect()
        except OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > given_up_at:
                raise
        time.sleep(0.02)


@contextmanager
def _turn_in_postgresql(engine: Engine) -> Iterator[Connection]:
    """The lock belongs to the connection, so that it outlasts the transaction of each migration."""
    with engine.connect() as connection:
        # Asked again and again: whoever waits within a statement stops another's CREATE INDEX CONCURRENTLY for good.
        while not connection.scalar(text("SELECT pg_try_advisory_lock(:key)"), _LOCK):
            connection.rollback()
            time.sleep(0.1)
        try:
            connection.execute(text("SET lock_timeout = '5s'"))
            connection.commit()
            yield connection
            connection.commit()
        finally:
            with suppress(DBAPIError):  # a connection that broke has lost the lock anyway
                connection.rollback()
                connection.execute(text("SELECT pg_advisory_unlock(:key)"), _LOCK)
            connection.invalidate()  # closed: neither lock nor time limit goes back into the pool


def _unlike(
    _: MigrationContext, __: Column[Any], ___: Column[Any], known: TypeEngine[Any], wanted: TypeEngine[Any]
) -> bool | None:
    """Lengths of text are nothing to SQLite: to change one there, a table would be made anew. The rest as usual."""
    both_text = isinstance(known, String) and isinstance(wanted, String)
    return False if both_text and context.get_context().dialect.name == "sqlite" else None


def _no_part(connection: Connection) -> Callable[[str | None, str, Any], bool]:
    """Whether something is to be compared with the models: parts of a table come and go by the month, and are what
    their table is."""
    if connection.dialect.name == "sqlite":
        return lambda *_: True
    is_part = text("SELECT relispartition FROM pg_class WHERE oid = to_regclass(:name)")
    return lambda name, kind, _: kind != "table" or not connection.scalar(is_part, {"name": name})


def _render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write our own types into migrations as what they are in a database, so that migrations outlive them."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


run()
