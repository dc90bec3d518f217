"""Questions about many keys at once: the keys go in as a table, so the statement is the same however many they are.

Knows no table of ours. SQLite takes the keys as JSON, PostgreSQL as an array for each column: one parameter for
thousands of keys, a plan that is kept, and keys of several columns find their index in both.
"""

import json
from collections.abc import Callable, Collection, Iterable
from functools import cached_property
from typing import Any

from sqlalchemy import FromClause, Result, Row, Select, bindparam, func, literal_column, select
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.kernel.database import array_of

Key = tuple[int | str, ...]


class Question:
    """A statement about many keys, built once for the database that is asked, when it is asked first.

    `build` gets the keys as a table with the given columns, and joins it to what is asked for.
    """

    def __init__(self, build: Callable[[FromClause], Select[*tuple[Any, ...]]], **columns: TypeEngine[Any]) -> None:
        self._build = build
        self._types = columns
        self._columns = tuple(columns)

    @cached_property
    def _on_sqlite(self) -> Select[*tuple[Any, ...]]:
        return self._build(_from_json(self._types))

    @cached_property
    def _on_postgresql(self) -> Select[*tuple[Any, ...]]:
        return self._build(_from_arrays(self._types))

    def ask(self, session: Session, keys: Collection[Key], **more: object) -> Collection[Row[*tuple[Any, ...]]]:
        """The answer for `keys`, each of which may come once; `more` are the statement's other parameters."""
        found = self.stream(session, keys, None, **more)
        return found.all() if isinstance(found, Result) else ()

    def stream(
        self, session: Session, keys: Collection[Key], at_once: int | None = None, **more: object
    ) -> Iterable[Row[*tuple[Any, ...]]]:
        """The same, read `at_once` so many rows; by default, all."""
        if not keys:
            return ()
        manner = {} if at_once is None else {"yield_per": at_once}
        if session.get_bind().dialect.name == "sqlite":
            asked = {"given": json.dumps(list(keys)), **more}
            return session.execute(self._on_sqlite, asked, execution_options=manner)
        arrays = {name: list(column) for name, column in zip(self._columns, zip(*keys, strict=True), strict=True)}
        return session.execute(self._on_postgresql, {**arrays, **more}, execution_options=manner)


def keys_of(merchant_id: int, ids: Iterable[str]) -> set[Key]:
    """Keys of one merchant's. The merchant's number must come with each of them and never as a parameter beside them:
    a database that may begin with "all rows of this merchant" one day does."""
    return {(merchant_id, each) for each in ids}


def _from_json(columns: dict[str, TypeEngine[Any]]) -> FromClause:
    rows = func.json_each(bindparam("given")).table_valued("value", name="given_rows")
    parts = (func.json_extract(rows.c.value, literal_column(f"'$[{position}]'")) for position in range(len(columns)))
    return select(*(part.label(name) for part, name in zip(parts, columns, strict=True))).subquery("given")


def _from_arrays(columns: dict[str, TypeEngine[Any]]) -> FromClause:
    arrays = (bindparam(name, type_=array_of(kind)) for name, kind in columns.items())
    return func.unnest(*arrays).table_valued(*columns, name="given").render_derived()
