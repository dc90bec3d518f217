"""Rows by the thousand, appended without a look at each: SQLite gets many in each statement, PostgreSQL by `COPY`.

Knows no table of ours. For rows that are new for sure; what may stand already goes through `database.insert_all_new`.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cache, cached_property
from itertools import chain
from typing import Any

from sqlalchemy import Table
from sqlalchemy.dialects import postgresql
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel.database import Base, array_of, table_of

Row = tuple[object, ...]
"""Values as the database keeps them: times are microseconds, words are plain text without NUL."""

SIZES = (64, 32, 16, 8, 4, 2, 1)
"""Rows of one statement on SQLite, the largest that fits first: between two statements another thread may take the
interpreter and keep it for milliseconds, and each length of its own would be another statement to prepare."""


class Bulk:
    """Fills `columns` of a table. Built once, used by any thread."""

    def __init__(self, table: Table, columns: Sequence[str]) -> None:
        names = ", ".join(f'"{name}"' for name in columns)
        place = f'"{table.name}" ({names})'
        marks = "({})".format(", ".join("?" * len(columns)))
        self._lengths = {size: _insert(place, ", ".join([marks] * size)) for size in SIZES}
        self._one = _insert(place, "({})".format(", ".join(["%s"] * len(columns))))
        self._copy = f"COPY {place} FROM STDIN"
        self._said = f"INSERT INTO {place}"  # in errors
        self._kinds = [table.c[name].type for name in columns]

    @cached_property
    def from_arrays(self) -> str:
        """A statement of PostgreSQL's that inserts rows given as an array for each column, however many they are."""
        named = [array_of(kind).compile(dialect=postgresql.dialect()) for kind in self._kinds]  # type: ignore[no-untyped-call]
        arrays = ", ".join(f"%s::{name}" for name in named)
        return f"{self._said} SELECT * FROM unnest({arrays})"  # noqa: S608 - names of our own tables  # nosec B608

    def insert(self, session: Session, rows: Sequence[Row]) -> None:
        """Insert all `rows`, in the transaction of `session`; all or none. Raises SQLAlchemy's errors, as any statement
        does: for a row whose key stands, `IntegrityError`."""
        if not rows:
            return
        connection = session.connection()
        fill = self.fill_sqlite if connection.dialect.name == "sqlite" else self._fill_postgresql
        with driving(connection, self._said) as cursor:
            fill(cursor, rows)

    def fill_sqlite(self, cursor: Any, rows: Sequence[Row]) -> None:
        """Insert all `rows` by a cursor of SQLite's driver, in whatever transaction it is in."""
        begin = 0
        for size, statement in self._lengths.items():
            while len(rows) - begin >= size:
                cursor.execute(statement, tuple(chain.from_iterable(rows[begin : begin + size])))
                begin += size

    def _fill_postgresql(self, cursor: Any, rows: Sequence[Row]) -> None:
        if len(rows) == 1:  # one message instead of three
            cursor.execute(self._one, rows[0])
            return
        with cursor.copy(self._copy) as copy:
            for row in rows:
                copy.write_row(row)


Rows = Sequence[tuple[Bulk, Sequence[Row]]]
"""What goes into several tables."""


def insert_all(session: Session, rows: Rows) -> None:
    """Insert all `rows`, each into its table, in the transaction of `session`."""
    for bulk, some in rows:
        bulk.insert(session, some)


@contextmanager
def driving(connection: Connection, said: str) -> Iterator[Any]:
    """The driver's own cursor. What it raises becomes the error of SQLAlchemy's that any statement would raise, which
    tells what was `said`; a connection that is lost is not used again."""
    dialect, line = connection.dialect, connection.connection.dbapi_connection
    driver = dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        yield cursor
    except driver.Error as error:
        is_lost = dialect.is_disconnect(error, line, cursor)
        if is_lost:
            connection.invalidate(error)
        raise DBAPIError.instance(
            said, None, error, driver.Error, connection_invalidated=is_lost, dialect=dialect
        ) from error
    finally:
        cursor.close()


def _insert(place: str, values: str) -> str:
    return f"INSERT INTO {place} VALUES {values}"  # noqa: S608 - names of our own tables  # nosec B608


def append(session: Session, mapped: type[Base], columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert all `rows`, which fill `columns`, as `Bulk` does."""
    _bulk(mapped, columns).insert(session, rows)


@cache
def _bulk(mapped: type[Base], columns: tuple[str, ...]) -> Bulk:
    return Bulk(table_of(mapped), columns)
