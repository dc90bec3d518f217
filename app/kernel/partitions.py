"""Tables whose rows' ids begin with their time, so that what is old can be dropped by the month. Knows no domain's.

On PostgreSQL such a table stands in parts (migrations/versions/0006): one for each month, `…_until_2027_01`; one for
all that comes after the last of them, `…_later`; and `…_others` for what no month has: ids of other systems, and what
was written before there were months. A row so always has its place, also where nobody made the months in time. That
`…_others` has nothing of the months is proven once (a CHECK), so that no part that is added later must look.
SQLite has one table, and drops rows.

All may be done by any number of processes and broken off anywhere: each step is one transaction, and begins with what
it finds.
"""

# ruff: noqa: S608 - the statements are made of names of our own tables and beginnings of ids

import re
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, NamedTuple

from sqlalchemy import Column, Table, text
from sqlalchemy.exc import DBAPIError, OperationalError
from sqlalchemy.orm import Session

from app.kernel.database import Base, Database, table_of
from app.kernel.forgetting import forget
from app.kernel.ids import beginning
from app.kernel.statistics import look_at

MONTHS_AHEAD: Final = 3
"""The present month counts as one."""
MOST_AT_ONCE: Final = 24
"""Months that are made in one step: whoever has a wrong clock must not fill the database with years to come."""
SLACK: Final = timedelta(days=1)
"""Between what is dropped and what is told to be whole: clocks differ, and a drop may be under way."""

_PATIENCE: Final = "SET LOCAL lock_timeout = '3s'"
"""Longer than PostgreSQL takes to call its own cleaning off, shorter than anybody would mind who waits behind us."""
_BOUNDS = re.compile(r"FOR VALUES FROM \('([^']+)'\) TO \('([^']+)'\)")
_PROOF: Final = "closing"


class Overtaken(Exception):
    """Another process has just changed the parts of this table: look again."""


@dataclass(frozen=True)
class Timed:
    """A table of such ids: those of `prefix` are ours, `keep` is how long they are kept (None: for ever)."""

    mapped: type[Base]
    prefix: str
    keep: timedelta | None = None

    @property
    def table(self) -> Table:
        return table_of(self.mapped)

    @property
    def key(self) -> Column[str]:
        """The id: the last column of the primary key, whose first is the merchant."""
        return list(self.table.primary_key.columns)[-1]

    def beginning(self, at: datetime) -> str:
        """How the ids of this moment begin; those of later ones are greater."""
        return beginning(self.prefix, at)


class Part(NamedTuple):
    """One month or more of a table: ids of `since <= id < until`."""

    name: str
    since: str
    until: str


def kept_since(keep: timedelta, now: datetime) -> datetime:
    """From when on facts that are kept so long are whole; before that, some may be dropped already."""
    return now - keep + SLACK


def keep_up(database: Database, timed: Sequence[Timed], now: datetime, step: Callable[[], None] = lambda: None) -> None:
    """Make the months to come and drop what is too old. `step` is called often, and may raise to break it off.

    Raises SQLAlchemy's `OperationalError` where a lock is not had in time: then it is tried another time.
    """
    for each in timed:
        if not database.is_sqlite:
            _make_ahead(database, each, _month(now, MONTHS_AHEAD))
            step()
        if each.keep is not None:
            _drop(database, each, now - each.keep, step)
    if not database.is_sqlite:
        for each in timed:
            _look_at(database, each)
            step()


def drop_months(database: Database, timed: Timed, before: datetime) -> datetime:
    """Drop the parts that hold nothing but ids of before the month of `before` (PostgreSQL only); when that begins."""
    edge = month_of(before)
    _drop_parts(database, timed, timed.beginning(edge))
    return edge


def month_of(at: datetime) -> datetime:
    """When the month of a moment began (UTC)."""
    return _month(at)


def parts(session: Session, table: str) -> list[Part]:
    """The parts of a table that have bounds, oldest first, `…_later` last. PostgreSQL only."""
    query = text(
        "SELECT c.relname, pg_get_expr(c.relpartbound, c.oid) FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid"
        " WHERE i.inhparent = to_regclass(:table)"
    )
    bounds = ((name, _BOUNDS.fullmatch(said)) for name, said in session.execute(query, {"table": table}))
    return sorted((Part(name, *said.groups()) for name, said in bounds if said), key=lambda part: part.since)


def _make_ahead(database: Database, timed: Timed, until: datetime) -> None:
    """See to it that there are parts for all ids before `until`, a month's beginning."""
    with database.reading() as session:
        if _later(session, timed, until) is None:
            return
    with _changing(database, timed) as session:
        later = _later(session, timed, until)
        if later is None:
            return
        if not _any(session, later.name):
            _cut(session, timed, later, until)
            return
    _close(database, timed, until)


def _cut(session: Session, timed: Timed, later: Part, until: datetime) -> None:
    """Take months off the beginning of `…_later`, which is empty."""
    _run(session, f"ALTER TABLE {timed.table.name} DETACH PARTITION {later.name}")
    since = later.since
    for month in _months(timed, since, until):
        end = timed.beginning(month)
        _add(session, timed, Part(_name(timed, month), since, end))
        since = end
    _attach(session, timed, Part(later.name, since, later.until))


def _close(database: Database, timed: Timed, until: datetime) -> None:
    """Nobody made the months in time: `…_later` becomes the part of all until then, as it is, and a new one follows
    it. That it holds nothing beyond is proven beside everybody's work."""
    end = timed.beginning(until)
    try:
        with _changing(database, timed) as session:
            later = _later(session, timed, until)
            if later is None:
                return
            within = f"{timed.key.name} >= '{later.since}' AND {timed.key.name} < '{end}'"
            _run(session, f"ALTER TABLE {later.name} DROP CONSTRAINT IF EXISTS {_PROOF}")
            _run(session, f"ALTER TABLE {later.name} ADD CONSTRAINT {_PROOF} CHECK ({within}) NOT VALID")
        with database.transaction() as session:
            _run(session, _PATIENCE)
            # Only ids of other systems can be of a time to come; the proof, once it is asked for, lets no more in.
            _run(session, f"CREATE TEMP TABLE beyond ON COMMIT DROP AS SELECT * FROM {later.name} WHERE NOT ({within})")  # nosec B608
            _run(session, f"DELETE FROM {later.name} WHERE NOT ({within})")  # nosec B608
            _run(session, f"ALTER TABLE {later.name} VALIDATE CONSTRAINT {_PROOF}")
            _follow(session, timed, later, until)
            _run(session, f"INSERT INTO {timed.table.name} SELECT * FROM beyond")  # nosec B608
    except BaseException:
        _give_up_closing(database, timed)
        raise


def _follow(session: Session, timed: Timed, later: Part, until: datetime) -> None:
    """Make `…_later` the part until then, with an empty one after it; unless somebody has just done so."""
    _lock(session, timed)
    if _later(session, timed, until) != later:
        raise Overtaken(timed.table.name)
    closed = Part(_name(timed, until), later.since, timed.beginning(until))
    _run(session, f"ALTER TABLE {timed.table.name} DETACH PARTITION {later.name}")
    _run(session, f"ALTER TABLE {later.name} RENAME TO {closed.name}")
    _attach(session, timed, closed)
    _run(session, f"ALTER TABLE {closed.name} DROP CONSTRAINT {_PROOF}")
    _add(session, timed, Part(later.name, closed.until, later.until))


def _give_up_closing(database: Database, timed: Timed) -> None:
    with suppress(DBAPIError), _changing(database, timed) as session:
        _run(session, f"ALTER TABLE {timed.table.name}_later DROP CONSTRAINT IF EXISTS {_PROOF}")


def _drop(database: Database, timed: Timed, before: datetime, step: Callable[[], None]) -> None:
    """Drop what is older: whole months on PostgreSQL, rows where there are none."""
    if not database.is_sqlite:
        _drop_parts(database, timed, timed.beginning(_month(before)))
        step()
        before = _month(before)
    forget(database, timed.key, f"{timed.prefix}_", timed.beginning(before), step)


def _drop_parts(database: Database, timed: Timed, edge: str) -> None:
    """Drop the parts that end there or before. One without rows takes their place: what is of that time, such as a
    restored backup, has its place in no other."""
    with database.reading() as session:
        old = _old(session, timed, edge)
        if len(old) < 2 and not any(_any(session, part.name) for part in old):
            return
    with _changing(database, timed) as session:
        old = _old(session, timed, edge)
        for part in old:
            _run(session, f"DROP TABLE {part.name}")
        _add(session, timed, Part(old[-1].name, old[0].since, old[-1].until))


def _old(session: Session, timed: Timed, edge: str) -> list[Part]:
    return [part for part in parts(session, timed.table.name) if part.until <= edge]


@contextmanager
def _changing(database: Database, timed: Timed) -> Iterator[Session]:
    """Nobody else reads or writes the table for a moment."""
    with database.transaction() as session:
        _run(session, _PATIENCE)
        _lock(session, timed)
        yield session


def _lock(session: Session, timed: Timed) -> None:
    _run(session, f"LOCK TABLE ONLY {timed.table.name} IN ACCESS EXCLUSIVE MODE")


def _look_at(database: Database, timed: Timed) -> None:
    """See how full the table is: PostgreSQL looks at each part by itself, and at the whole only when it is asked.

    Of a part that it has found empty it believes that reading it from end to end is best, and plans that were made so
    stay in use when its month has begun. What was just truncated it does not know, and expects rows.
    """
    with database.transaction() as session:
        look_at(session, timed.mapped)
    query = text(
        "SELECT c.oid::regclass::text FROM pg_inherits JOIN pg_class c ON c.oid = inhrelid"
        " WHERE inhparent = to_regclass(:table) AND c.reltuples = 0"
    )
    with database.reading() as session:
        empty = session.scalars(query, {"table": timed.table.name}).all()
    for name in empty:
        with suppress(OperationalError), database.transaction() as session:  # it matters little
            _run(session, _PATIENCE)
            _run(session, f"LOCK TABLE {name} IN ACCESS EXCLUSIVE MODE")
            if not _any(session, name):
                _run(session, f"TRUNCATE {name}")


def _later(session: Session, timed: Timed, until: datetime) -> Part | None:
    """The part of all that comes later, if it begins before `until`."""
    last = parts(session, timed.table.name)[-1]
    return last if last.since < timed.beginning(until) else None


def _any(session: Session, name: str) -> bool:
    return bool(session.scalar(text(f"SELECT EXISTS (SELECT FROM {name})")))  # nosec B608


def _add(session: Session, timed: Timed, part: Part) -> None:
    bounds = f"FROM ('{part.since}') TO ('{part.until}')"
    _run(session, f"CREATE TABLE {part.name} PARTITION OF {timed.table.name} FOR VALUES {bounds}")


def _attach(session: Session, timed: Timed, part: Part) -> None:
    bounds = f"FROM ('{part.since}') TO ('{part.until}')"
    _run(session, f"ALTER TABLE {timed.table.name} ATTACH PARTITION {part.name} FOR VALUES {bounds}")


def _run(session: Session, statement: str) -> None:
    session.execute(text(statement))


def _name(timed: Timed, until: datetime) -> str:
    return f"{timed.table.name}_until_{until:%Y_%m}"


def _month(at: datetime, ahead: int = 0) -> datetime:
    """When the month of `at` began, or one so many later begins (UTC)."""
    months = at.year * 12 + at.month - 1 + ahead
    return datetime(months // 12, months % 12 + 1, 1, tzinfo=UTC)


def _months(timed: Timed, since: str, until: datetime) -> list[datetime]:
    """The ends of the months after `since` up to `until`; where those are too many, the first is longer."""
    ends = (_month(until, -back) for back in range(MOST_AT_ONCE))
    return [end for end in ends if timed.beginning(end) > since][::-1]
