"""Databases to back up: empty places of either kind, a world in which every table has rows that are hard to carry, and
all that a database holds, table by table."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import JSON, Boolean, Column, ForeignKeyConstraint, LargeBinary, String, Table, insert, select
from sqlalchemy.types import TypeEngine

from app import migrate
from app.backup import putting, taking
from app.backup.seal import About
from app.kernel.clock import from_micros
from app.kernel.database import BigNumber, Database, Instant
from app.tables import METADATA
from tests import postgres
from tests.clock import START
from tests.conftest import SECRET

Contents = dict[str, list[tuple[Any, ...]]]
NewPlace = Callable[[str], str]
NOTHING: Contents = {name: [] for name in METADATA.tables}
CARRIED = set(METADATA.tables) - {"salts"}
"""The tables of which a backup holds the rows."""
HARD = "é\t\\N\\.\"'%s\r\n; 😀 "
_numbers = itertools.count(1)


def new_place(request: pytest.FixtureRequest, folder: Path) -> NewPlace:
    """Gives the address of a database of this kind in which there is nothing, not even tables."""

    def new(kind: str) -> str:
        name = f"place-{next(_numbers)}"
        if kind == "sqlite":
            return f"sqlite:///{folder / name}.db"
        return postgres.new_database(request.getfixturevalue("postgres_url"), name)

    return new


def fill(url: str, rows: int = 3) -> None:
    """Rows in every table that is carried: the first as empty as may be, the others full of what is hard to carry."""
    database = Database(url)
    migrate.upgrade(database)
    made: dict[str, list[dict[str, Any]]] = {}
    with database.transaction() as session:
        for table in (each for each in METADATA.sorted_tables if each.name in CARRIED):
            made[table.name] = [_row(table, number, made) for number in range(1, rows + 1)]
            for row in made[table.name]:
                session.execute(insert(table), row)
    database.close()


def _row(table: Table, number: int, made: dict[str, list[dict[str, Any]]]) -> dict[str, Any]:
    row = {column.name: _value(column, number) for column in table.columns}
    for key in table.constraints:
        if isinstance(key, ForeignKeyConstraint):
            parent = made[key.referred_table.name][number - 1]
            row |= {mine.name: parent[its.column.name] for mine, its in zip(key.columns, key.elements, strict=True)}
    return row


def _value(column: Column[Any], number: int) -> Any:
    if column.nullable and number == 1:
        return None
    return _of(column.type, number)


def _of(kind: TypeEngine[Any], number: int) -> Any:
    match kind:
        case Instant():
            return from_micros(number * 10**15 + 1)
        case JSON():
            return {"null": None, HARD: [number, 1.5, True, "\0"], "none": {}}
        case Boolean():
            return number % 2 == 0
        case LargeBinary():
            return bytes(range(256)) * number
        case String():
            return f"{number}{HARD}"[: kind.length]
    return number if kind is BigNumber else number + (2**40 if str(kind) == "BIGINT" else 0)


def filled(url: str, rows: int = 3) -> str:
    """The address of the database that was filled."""
    fill(url, rows)
    return url


class Broken(Exception):
    """Stands for whatever ends the work half-way."""


def contents(url: str) -> Contents:
    """All rows of all tables, as the application sees them."""
    database = Database(url)
    with database.reading() as session:
        found = {
            table.name: sorted((tuple(row) for row in session.execute(select(table))), key=repr)
            for table in METADATA.sorted_tables
        }
    database.close()
    return found


def back_up(url: str, file: Path, **options: Any) -> About:
    """A backup of this database."""
    database = Database(url)
    try:
        return taking.back_up(database, file, **{"secret": SECRET, "at": START, "told": lambda *_: None, **options})
    finally:
        database.close()


def restore(file: Path, url: str, **options: Any) -> About:
    """Put it back into this one."""
    database = Database(url)
    try:
        return putting.restore(database, file, **{"told": lambda *_: None, **options})
    finally:
        database.close()
