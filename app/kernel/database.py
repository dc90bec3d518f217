"""The database: SQLite in WAL or PostgreSQL behind the same two doors, `transaction` and `reading`.

Knows no table. Nobody else opens a connection, begins or commits (tests/unit/test_architecture.py).
"""

import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import cache
from typing import Any, ClassVar, cast

from sqlalchemy import (
    URL,
    BigInteger,
    ColumnElement,
    Dialect,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    UpdateBase,
    bindparam,
    func,
    make_url,
    select,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.engine import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.exc import TimeoutError as NoConnectionFree
from sqlalchemy.orm import DeclarativeBase, Session
from sqlalchemy.types import TypeDecorator, TypeEngine

from app.kernel import engines
from app.kernel.clock import from_micros, to_micros

BigNumber = BigInteger().with_variant(Integer(), "sqlite")
"""A 64-bit integer that SQLite can also count up by itself."""

_LOST_RACES = {"40001", "40P01"}
"""PostgreSQL: serialization failure, deadlock detected."""


class Instant(TypeDecorator[datetime]):
    """An aware UTC time, kept as microseconds since 1970: the same exact number in every database."""

    impl = BigInteger
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Dialect) -> int | None:  # noqa: ARG002
        return None if value is None else to_micros(value)

    def process_result_value(self, value: int | None, dialect: Dialect) -> datetime | None:  # noqa: ARG002
        return None if value is None else from_micros(value)


def id_type(length: int = 40) -> TypeEngine[str]:
    """Text that is compared as bytes in both databases, for ids and codes (attribution.md)."""
    return String(length).with_variant(String(length, collation="C"), "postgresql")


class Base(DeclarativeBase):
    """The mother of all tables; names constraints so that migrations can speak of them."""

    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "uq": "uq_%(table_name)s_%(column_0_N_name)s",
            "ck": "ck_%(table_name)s_%(constraint_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {datetime: Instant()}


_ONE_MOMENT = "REPEATABLE READ"
BREATH = 0.01
"""Seconds."""


class _FairLock:
    """A lock that is handed over in the order of asking, so that no writer starves."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._waiting: deque[threading.Event] = deque()
        self._taken = False

    def acquire(self, timeout: float) -> bool:
        """Whether the lock was had within so many seconds."""
        turn = threading.Event()
        with self._guard:
            if not self._taken:
                self._taken = True
                return True
            self._waiting.append(turn)
        if turn.wait(timeout):
            return True
        with self._guard:
            if turn.is_set():  # in this very moment
                return True
            self._waiting.remove(turn)
            return False

    def release(self) -> None:
        with self._guard:
            if self._waiting:
                self._waiting.popleft().set()
            else:
                self._taken = False


class Database:
    """One database and the only way to it. Threads may share it.

    A `draft` is a SQLite file of one process, thrown away where that ends too soon: it is filled fast, and nothing
    stands beside it. Who wants to keep it syncs it when all is written and closed.
    """

    def __init__(self, url: str | URL, *, pool_size: int = 20, draft: bool = False) -> None:
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        if self.is_sqlite:
            self.engine = engines.sqlite(url, engines.DRAFT if draft else engines.LASTING)
        else:
            self.engine = engines.postgresql(url, pool_size)
        self._writing = self.engine.execution_options(begin="BEGIN IMMEDIATE") if self.is_sqlite else self.engine
        # In WAL a reader sees one moment of SQLite's file anyway; PostgreSQL must be told.
        self._reading = self.engine if self.is_sqlite else self.engine.execution_options(isolation_level=_ONE_MOMENT)
        self._turns = _FairLock() if self.is_sqlite else None

    @contextmanager
    def transaction(self) -> Iterator[Session]:
        """A unit of work: committed when the block ends, rolled back when it raises.

        SQLite has one writer: writers of this process queue here in order, those of others wait in SQLite. What is
        raised where the database is the matter, and not what was asked of it, is known by `trouble.in_trouble`.
        """
        with self._turn(), Session(self._writing, expire_on_commit=False) as session, session.begin():
            yield session

    @contextmanager
    def reading(self) -> Iterator[Session]:
        """A consistent view to read from; whatever is written in it is thrown away."""
        with Session(self._reading, expire_on_commit=False) as session:
            yield session  # closing rolls back, and leaves what was read readable

    @contextmanager
    def views(self) -> Iterator[Callable[[], Session]]:
        """Views to read from, one after the other, all on one connection: behind a balancer, of one server."""
        with self._reading.connect() as connection:
            yield lambda: Session(connection, expire_on_commit=False)

    def straight(self) -> Connection:
        """A connection on whose driver's cursor each statement is a transaction of its own."""
        line = self.engine.connect()  # SQLite's driver does nothing by itself, see engines.py
        return line if self.is_sqlite else line.execution_options(isolation_level="AUTOCOMMIT")

    @contextmanager
    def together(self, cursor: Any) -> Iterator[None]:
        """What the cursor of a `straight` connection is told in the block is one transaction. Of SQLite alone."""
        with self._turn():
            cursor.execute("BEGIN IMMEDIATE")
            try:
                yield
                cursor.execute("COMMIT")
            except BaseException:
                cursor.connection.rollback()
                raise

    @contextmanager
    def _turn(self) -> Iterator[None]:
        if self._turns is None:
            yield
            return
        if not self._turns.acquire(engines.PATIENCE):  # so that those behind a lock of another process do not add up
            raise NoConnectionFree(f"no turn to write within {engines.PATIENCE:.0f} s")
        try:
            yield
        finally:
            self._turns.release()

    def breathe(self) -> None:
        """Let others write, between two transactions of long work: on SQLite, writers of other processes cannot queue
        and only look from time to time whether nobody is writing."""
        if self.is_sqlite:
            time.sleep(BREATH)

    def close(self) -> None:
        engines.close(self.engine)


def array_of(kind: TypeEngine[Any]) -> postgresql.ARRAY[Any]:
    """PostgreSQL's array of such values. Text has no length in it: a cast to a length would cut it without a word."""
    return postgresql.ARRAY(Text() if isinstance(kind, String) else kind)


def take_turn(session: Session, *names: str) -> None:
    """Hold these names until the transaction ends; another transaction that wants one of them waits.

    For what no row stands for yet. Taken in the order given. SQLite has one writer at a time anyway.
    """
    _hold(session, func.pg_advisory_xact_lock, names)


def share_turn(session: Session, *names: str) -> None:
    """Hold these names together with others who share them; who takes one of them for itself (`take_turn`) waits."""
    _hold(session, func.pg_advisory_xact_lock_shared, names)


def _hold(session: Session, lock: Callable[..., ColumnElement[Any]], names: Sequence[str]) -> None:
    if session.get_bind().dialect.name == "postgresql":
        for name in names:
            session.execute(select(lock(func.hashtextextended(name, 0))))


def lost_a_race(error: BaseException) -> bool:
    """Whether the database gave up this transaction for another one's sake: done again, it may well succeed."""
    return isinstance(error, DBAPIError) and getattr(error.orig, "sqlstate", None) in _LOST_RACES


def insert_new(session: Session, table: type[Base], **values: object) -> bool:
    """Insert a row unless one with the same unique key stands; whether it was inserted.

    This is how "once" is said: the unique key is the idempotency, and no race can get past it.
    """
    return bool(insert_all_new(session, table, [values]))


def insert_all_new(session: Session, table: type[Base], rows: Sequence[Mapping[str, object]]) -> set[tuple[Any, ...]]:
    """Insert those of `rows` that are new as in `insert_new`, in their order; the primary keys of the inserted.

    All rows fill the same columns. Several rows may fill no column with JSON that is a list: for PostgreSQL it would be
    an array of more dimensions.
    """
    if not rows:
        return set()
    if session.get_bind().dialect.name == "sqlite":
        return {tuple(row) for row in session.execute(_insert_new(table, sqlite.insert), rows)}
    if len(rows) == 1:
        return {tuple(row) for row in session.execute(_insert_new(table, postgresql.insert), rows)}
    names = tuple(rows[0])
    columns = {name: [row[name] for row in rows] for name in names}
    return {tuple(row) for row in session.execute(_insert_columns(table, names), columns)}


def table_of(mapped: type[Base]) -> Table:
    """The table itself, for statements that deal with rows and not with objects."""
    return cast("Table", mapped.__table__)


@cache
def _insert_new(mapped: type[Base], insert: Callable[[Table], sqlite.Insert | postgresql.Insert]) -> UpdateBase:
    table = table_of(mapped)
    return insert(table).on_conflict_do_nothing().returning(*table.primary_key)


@cache
def _insert_columns(mapped: type[Base], names: tuple[str, ...]) -> UpdateBase:
    """PostgreSQL takes many rows as an array for each column: one statement, kept prepared, however many they are."""
    table = table_of(mapped)
    arrays = [bindparam(name, type_=array_of(table.c[name].type)) for name in names]
    rows = select(func.unnest(*arrays).table_valued(*names, name="given").render_derived())
    return postgresql.insert(table).from_select(names, rows).on_conflict_do_nothing().returning(*table.primary_key)
