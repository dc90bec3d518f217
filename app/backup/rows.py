"""Rows on their way from one database to another, as a stream: a few rows in memory, however many there are.

Values go as the driver has them, without SQLAlchemy's types: a time is its number, JSON its text, letter for letter.
PostgreSQL streams by COPY, SQLite by its cursor. Knows no table.
"""

import sqlite3
from collections.abc import Callable, Generator, Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from typing import Any

import psycopg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.orm import Session

from app.backup.seal import Refused
from app.backup.tables import Column, Shape, count, is_postgresql, quoted

Row = tuple[Any, ...]
Told = Callable[[str, int, int], None]
"""Is told which table it is, how many rows have come so far, and how many there are in all."""

_STEP = 1000
"""Rows between two words of how far it is."""


def carry(source: Session, target: Session, tables: Sequence[Shape], told: Told) -> dict[str, int]:
    """Bring all rows of these tables from `source`, which sees one moment, to `target`; how many, by table.

    Raises `Refused` where a row cannot be read, or has no place in the other database.
    """
    rows = {shape.name: count(source, shape.name) for shape in tables}
    counter = _Counter(sum(rows.values()), told)
    for shape in tables:
        before = counter.passed
        with said_plainly(shape.name), closing(_read(source, shape)) as found:  # left half-way, a COPY must be ended
            _write(target, shape, counter.count(shape.name, found))
        if counter.passed - before != rows[shape.name]:
            raise Refused(f"{shape.name}: {counter.passed - before} rows came where {rows[shape.name]} were seen")
    return rows


class _Counter:
    """Counts rows as they pass, and tells how far it is."""

    def __init__(self, total: int, told: Told) -> None:
        self._total, self._told = total, told
        self.passed = 0

    def count(self, name: str, rows: Iterable[Row]) -> Iterator[Row]:
        for row in rows:
            yield row
            self.passed += 1
            if not self.passed % _STEP:
                self._told(name, self.passed, self._total)
        self._told(name, self.passed, self._total)


@contextmanager
def said_plainly(what: str) -> Iterator[None]:
    """Errors of either driver, with or without SQLAlchemy around them, become `Refused`: one line about `what`."""
    try:
        yield
    except DBAPIError as error:
        raise Refused(f"{what}: {_first_line(error.orig)}") from error
    except (sqlite3.Error, psycopg.Error) as error:
        raise Refused(f"{what}: {_first_line(error)}") from error


def _first_line(error: BaseException | None) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


def _read(session: Session, shape: Shape) -> Generator[Row]:
    """Every row, in an order that the database chooses."""
    asked = f"SELECT {', '.join(_asked(each) for each in shape.columns)} FROM {quoted(shape.name)}"  # noqa: S608  # nosec B608
    if is_postgresql(session):
        kinds = ["bytea" if each.kind == "bytes" else "text" for each in shape.columns]
        with _cursor(session).copy(f"COPY ({asked}) TO STDOUT") as copy:
            copy.set_types(kinds)
            yield from copy.rows()
    else:
        yield from _cursor(session).execute(asked)


def _asked(each: Column) -> str:
    """What both databases understand: SQLite has no booleans, and takes numbers from text where a column holds such."""
    kind = {"json": "TEXT", "boolean": "INTEGER"}.get(each.kind)
    return f"CAST({quoted(each.name)} AS {kind})" if kind else quoted(each.name)


def _write(session: Session, shape: Shape, rows: Iterable[Row]) -> None:
    names = ", ".join(quoted(each.name) for each in shape.columns)
    if is_postgresql(session):
        with _cursor(session).copy(f"COPY {quoted(shape.name)} ({names}) FROM STDIN") as copy:
            for row in rows:
                copy.write_row(row)
    else:
        marks = ", ".join("?" for _ in shape.columns)
        _cursor(session).executemany(f"INSERT INTO {quoted(shape.name)} ({names}) VALUES ({marks})", rows)  # noqa: S608  # nosec B608


def _cursor(session: Session) -> Any:
    """The driver's own, in the transaction of this session."""
    return session.connection().connection.cursor()
