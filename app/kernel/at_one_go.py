"""Rows of several tables appended at one go, all or none: on PostgreSQL by one statement, with one wait for its answer,
on SQLite by its driver alone.

Knows no table of ours. For those who have nothing to ask before they write; whoever has needs a transaction
(docs/decisions/0019-hot-paths.md).
"""

import logging
import select
from collections.abc import Sequence
from functools import cache
from time import monotonic
from typing import TYPE_CHECKING, Any, Final, cast

from sqlalchemy.engine import Connection
from sqlalchemy.exc import NotSupportedError

from app.kernel.bulk import Bulk, Rows, driving, insert_all
from app.kernel.database import Database

if TYPE_CHECKING:
    import psycopg

log = logging.getLogger(__name__)

KEPT_FOR: Final = 0.5
"""Seconds without work after which a connection goes back to the pool, which looks whether it still lives."""


class AtOneGo:
    """Appends rows, again and again, on a connection that it keeps. For one thread."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._is_understood = True
        self._line: Connection | None = None
        self._used = 0.0

    def append(self, rows: Rows) -> None:
        """All `rows` stand, durably, when it comes back, or none. Raises SQLAlchemy's errors, as any statement does."""
        rows = [(bulk, some) for bulk, some in rows if some]
        if not rows:
            return
        if self._is_understood:
            try:
                self._execute(rows)
                return
            except NotSupportedError:  # Citus writes one table with a statement; nothing was written by this one
                log.info("rows of several tables are written one table after the other: the database wants it so")
                self._is_understood = False
        with self._database.transaction() as session:
            insert_all(session, rows)

    def close(self) -> None:
        """Give the connection back."""
        line, self._line = self._line, None
        if line is not None:
            line.close()

    def _has_hung_up(self) -> bool:
        """Whether the database said something although it was asked nothing: it does when it ends a connection. To ask
        it would be another wait."""
        if self._line is None or self._database.is_sqlite or not hasattr(select, "poll"):
            return False
        lines = select.poll()
        lines.register(cast("psycopg.Connection", self._line.connection.driver_connection).fileno(), select.POLLIN)
        return bool(lines.poll(0))

    def _execute(self, rows: Rows) -> None:
        try:
            if monotonic() > self._used + KEPT_FOR or self._has_hung_up():
                self.close()
            if self._line is None:
                self._line = self._database.straight()
            with driving(self._line, "INSERT at one go") as cursor:
                if self._database.is_sqlite:
                    self._fill(cursor, rows)
                else:
                    cursor.execute(*_statement_of(rows))
        except BaseException:
            self.close()
            raise
        self._used = monotonic()

    def _fill(self, cursor: Any, rows: Rows) -> None:
        with self._database.together(cursor):
            for bulk, some in rows:
                bulk.fill_sqlite(cursor, some)


def _statement_of(rows: Rows) -> tuple[str, Sequence[str]]:
    """The statement that appends all `rows`, and what is given to it."""
    values = [array(column) for _, some in rows for column in zip(*some, strict=True)]
    return _statement(tuple(bulk for bulk, _ in rows)), values


@cache
def _statement(bulks: tuple[Bulk, ...]) -> str:
    """PostgreSQL carries out what stands in WITH to the end, whether or not it is asked for (its manual, 7.8.4)."""
    *before, last = [bulk.from_arrays for bulk in bulks]
    named = ", ".join(f"written_{number} AS ({each})" for number, each in enumerate(before))
    return f"WITH {named} {last}" if named else last


def array(values: Sequence[object]) -> str:
    """Words, whole numbers and truth values, or None for those that are missing, as PostgreSQL reads an array (its
    manual, 8.15.6)."""
    kinds = set(map(type, values))
    if kinds == _NUMBERS:
        return "{" + ",".join(map(str, values)) + "}"
    if kinds == _WORDS:
        words = '","'.join(cast("Sequence[str]", values))
        if "\\" not in words and words.count('"') == 2 * (len(values) - 1):  # none has to be written otherwise
            return '{"' + words + '"}'
    return "{" + ",".join(map(_element, values)) + "}"


_NUMBERS: Final = {int}
_WORDS: Final = {str}


def _element(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, str):
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return str(value)
