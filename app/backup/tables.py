"""The tables of a database, parents first, whatever revision they are of: as the database itself describes them.

They are read from a SQLite file, because our migrations made it just as they make every database; what is asked of
the other database is then known by name. Knows no table of ours but the one in which migrations are counted.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import JSON, Boolean, LargeBinary, column, delete, func, inspect, select, table, text
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app import migrate
from app.backup.seal import Refused
from app.kernel.database import Database

VERSIONS = "alembic_version"


@dataclass(frozen=True)
class Column:
    """`kind` only where a value is told otherwise than by its own text or number."""

    name: str
    kind: str  # "", "json", "boolean", "bytes"


@dataclass(frozen=True)
class Shape:
    """A table and its columns."""

    name: str
    columns: Sequence[Column]


def shapes(session: Session) -> list[Shape]:
    """The tables of a migrated SQLite database, in the order in which they can be filled."""
    found = inspect(session.connection())
    return [
        Shape(name, tuple(Column(each["name"], _kind(each["type"])) for each in found.get_columns(name)))
        for name, _ in found.get_sorted_table_and_fkc_names()
        if name is not None and name != VERSIONS
    ]


def _kind(kind: TypeEngine[object]) -> str:
    kinds = {JSON: "json", Boolean: "boolean", LargeBinary: "bytes"}
    return next((said for each, said in kinds.items() if isinstance(kind, each)), "")


def count(session: Session, name: str) -> int:
    """How many rows the table has."""
    return session.scalar(select(func.count()).select_from(table(name))) or 0


def revision(session: Session) -> str | None:
    """The newest migration of this database, one that this code knows; None where none was ever applied.

    Raises `Refused` where a newer Grapevine has been here.
    """
    if not inspect(session.connection()).has_table(VERSIONS):
        return None
    found = migrate.applied(session)
    if newer := found - migrate.known():
        raise Refused(f"the database is in use by a newer Grapevine (revision {', '.join(sorted(newer))})")
    return next(iter(found), None)


def still(database: Database, known: str) -> bool:
    """Whether the tables are of that revision now, whatever an older snapshot says."""
    with database.reading() as now:
        return revision(now) == known


def in_use(session: Session) -> list[str]:
    """The tables that have rows, whatever they are called and whoever made them."""
    names = set(inspect(session.connection()).get_table_names()) - {VERSIONS}
    any_row = select(text("1")).limit(1)
    return [name for name in sorted(names) if session.scalar(any_row.select_from(table(name))) is not None]


def set_counters(session: Session, tables: Sequence[Shape]) -> None:
    """Let PostgreSQL go on counting behind the highest number of each table that it counts up. SQLite looks itself."""
    if not is_postgresql(session):
        return
    for shape in tables:
        for each in shape.columns:
            sequence = session.scalar(select(func.pg_get_serial_sequence(shape.name, each.name)))
            if sequence is not None:
                highest = session.scalar(select(func.max(column(each.name))).select_from(table(shape.name)))
                session.execute(select(func.setval(sequence, highest or 1, highest is not None)))


def hold(session: Session, tables: Sequence[Shape], mode: str) -> None:
    """Let nobody else change these tables' form (ACCESS SHARE), or see or touch them (ACCESS EXCLUSIVE), until the
    transaction ends. SQLite's transactions do so anyway."""
    if is_postgresql(session):
        session.execute(text("SET LOCAL lock_timeout = '5s'"))
        session.execute(text(f"LOCK TABLE {', '.join(quoted(shape.name) for shape in tables)} IN {mode} MODE"))


def empty(session: Session, tables: Sequence[Shape]) -> None:
    """Take all rows out of the tables."""
    if is_postgresql(session):
        session.execute(text(f"TRUNCATE {', '.join(quoted(shape.name) for shape in tables)}"))
        return
    for shape in reversed(tables):
        session.execute(delete(table(shape.name)))


def quoted(name: str) -> str:
    """A name of ours in a statement that is written out."""
    return f'"{name}"'


def is_postgresql(session: Session) -> bool:
    return session.get_bind().dialect.name == "postgresql"
