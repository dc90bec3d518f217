"""Deletes rows whose ids begin with their time, row by row and some at a time. Knows no table."""

from collections.abc import Callable
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, delete, func, select

from app.kernel.database import Database

AT_ONCE: Final = 2000
"""Rows to one transaction: a few milliseconds of SQLite's writer."""


def forget(
    database: Database, key: Column[str], since: str, until: str, step: Callable[[], None], *only: ColumnElement[bool]
) -> None:
    """Delete the rows with ids of `since <= id < until`, one merchant's after the other's; `only` those for which this
    holds, too. `step` is called after each transaction, and may raise to break it off."""
    merchant, whose = key.table.c.merchant_id, 0
    while True:
        with database.reading() as session:
            following = select(merchant).where(merchant > whose).order_by(merchant).limit(1)
            found = session.scalar(following)
        if found is None:
            return
        whose = found
        forget_of(database, key, whose, since, until, step, *only)


def forget_of(
    database: Database,
    key: Column[str],
    merchant_id: int,
    since: str,
    until: str,
    step: Callable[[], None],
    *only: ColumnElement[bool],
) -> None:
    """`forget` for one merchant alone."""
    while _forget_some(database, key, (key.table.c.merchant_id == merchant_id, key >= since, key < until, *only)):
        step()
        database.breathe()


def _forget_some(database: Database, key: Column[str], old: tuple[Any, ...]) -> bool:
    """Delete the first of them; whether there were any."""
    some = select(key).where(*old).order_by(key).limit(AT_ONCE).subquery()
    with database.reading() as session:  # spares SQLite's writer
        last = session.scalar(select(func.max(some.c[key.name])))
    if last is None:
        return False
    with database.transaction() as session:
        session.execute(delete(key.table).where(*old, key <= last))
    return True
