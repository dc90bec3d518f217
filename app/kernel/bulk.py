"""Rows by the thousand, appended without a look at each: SQLite gets them as they are, PostgreSQL by `COPY`.

Knows no table of ours. For rows that are new for sure; what may stand already goes through `database.insert_all_new`.
"""

from collections.abc import Sequence
from functools import cache

from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.kernel.database import Base, table_of

Row = tuple[int | str | bool | None, ...]
"""Values as the database keeps them: times are microseconds, words are plain text."""


def append(session: Session, mapped: type[Base], columns: tuple[str, ...], rows: Sequence[Row]) -> None:
    """Insert all `rows`, which fill `columns`; all or none. Raises SQLAlchemy's errors, as any statement does."""
    connection = session.connection()
    if not rows:
        return
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql(_insert(mapped, columns), list(rows))
        return
    statement, driver = _copy(mapped, columns), connection.dialect.loaded_dbapi
    cursor = connection.connection.cursor()
    try:
        with cursor.copy(statement) as copy:
            for row in rows:
                copy.write_row(row)
    except driver.Error as error:
        raise DBAPIError.instance(statement, None, error, driver.Error, dialect=connection.dialect) from error
    finally:
        cursor.close()


@cache
def _insert(mapped: type[Base], columns: tuple[str, ...]) -> str:
    marks = ", ".join("?" * len(columns))
    return f"INSERT INTO {_place(mapped, columns)} VALUES ({marks})"  # noqa: S608 - names of our own tables


@cache
def _copy(mapped: type[Base], columns: tuple[str, ...]) -> str:
    return f"COPY {_place(mapped, columns)} FROM STDIN"


def _place(mapped: type[Base], columns: tuple[str, ...]) -> str:
    names = ", ".join(f'"{name}"' for name in columns)
    return f'"{table_of(mapped).name}" ({names})'
