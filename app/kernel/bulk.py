"""Rows by the thousand, appended without a look at each: SQLite gets many in each statement, PostgreSQL by `COPY`.

Knows no table of ours. For rows that are new for sure; what may stand already goes through `database.insert_all_new`.
"""

from collections.abc import Sequence
from functools import cache
from itertools import chain
from typing import Any

from sqlalchemy import Table
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel.database import Base, table_of

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

    def insert(self, session: Session, rows: Sequence[Row]) -> None:
        """Insert all `rows`, in the transaction of `session`; all or none. Raises SQLAlchemy's errors, as any statement
        does: for a row whose key stands, `IntegrityError`."""
        if not rows:
            return
        connection = session.connection()
        fill = self._fill_sqlite if connection.dialect.name == "sqlite" else self._fill_postgresql
        driver = connection.dialect.loaded_dbapi
        cursor = connection.connection.cursor()
        try:
            fill(cursor, rows)
        except driver.Error as error:
            raise DBAPIError.instance(self._said, None, error, driver.Error, dialect=connection.dialect) from error
        finally:
            cursor.close()

    def _fill_sqlite(self, cursor: Any, rows: Sequence[Row]) -> None:
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


def _insert(place: str, values: str) -> str:
    return f"INSERT INTO {place} VALUES {values}"  # noqa: S608 - names of our own tables


def append(session: Session, mapped: type[Base], columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert all `rows`, which fill `columns`, as `Bulk` does."""
    _bulk(mapped, columns).insert(session, rows)


@cache
def _bulk(mapped: type[Base], columns: tuple[str, ...]) -> Bulk:
    return Bulk(table_of(mapped), columns)
