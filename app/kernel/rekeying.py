"""Puts other names in the place of names, in columns and in what is kept as JSON: for whoever must be forgotten where
their rows must stay. Knows no table of ours.

Tables without an index by such names are gone through by their keys, some rows to a transaction, while others go on.
"""

import json
from collections.abc import Callable, Collection, Iterator, Mapping
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, Text, and_, cast, func, or_, select, true, update

from app.kernel.database import Database

Names = Mapping[str, str]
"""Old names, each with the one that comes in its place."""

AT_ONCE: Final = 5000
"""Rows that are looked at in one go."""

FEW: Final = 200
"""Names that a database is asked for in one condition, and rows that are held in one go: SQLite knows no expression of
more than a thousand parts."""

UNDER: Final = frozenset({"visitor", "visitor_id", "sharer", "person", "before", "buyer"})
"""Under which keys JSON of ours says who somebody is: a merchant may call a person as they like, `paid` too."""

Step = Callable[[], None]
"""Called between two of them; may raise, to break it off."""


def renamed(value: Any, names: Names) -> Any:
    """A JSON value with other names wherever it says who somebody is (`UNDER`). Pure."""
    if isinstance(value, list):
        return [renamed(each, names) for each in value]
    if isinstance(value, dict):
        return {key: _new(each, names) if key in UNDER else renamed(each, names) for key, each in value.items()}
    return value


def _new(value: Any, names: Names) -> Any:
    return names.get(value, value) if isinstance(value, str) else renamed(value, names)


def says(column: ColumnElement[Any], names: Collection[str]) -> ColumnElement[bool]:
    """Whether JSON, or a text that holds some, may have one of the names in it, as a text of its own: whoever asks for
    very many looks at all there is."""
    if len(names) > FEW:
        return true()
    written = sorted({json.dumps(name, ensure_ascii=ascii) for name in names for ascii in (True, False)})
    said = cast(column, Text)
    return or_(*(said.contains(each, autoescape=True) for each in written))


def rename(
    database: Database,
    key: Column[str],
    column: Column[Any],
    merchant_id: int,
    names: Names,
    step: Step,
) -> None:
    """Rename in a column that no index knows; `key` is the table's, after the merchant's."""
    named = column.in_(names)
    for page in pages(database, key, merchant_id, step):
        with database.reading() as session:  # spares SQLite's writer
            found = session.scalar(select(key).where(page, named).limit(1))
        if found is not None:
            with database.transaction() as session:
                for old, new in names.items():
                    session.execute(update(key.table).where(page, column == old).values({column.name: new}))


def rename_in_json(
    database: Database,
    key: Column[str],
    column: Column[Any],
    merchant_id: int,
    names: Names,
    step: Step,
) -> None:
    """Rename in a column of JSON."""
    for page in pages(database, key, merchant_id, step):
        asked = select(key, column).where(page)
        with database.reading() as session:
            rows = session.execute(asked.where(says(column, names)), execution_options={"yield_per": FEW})
            found = [place for place, said in rows if renamed(said, names) != said]
        for begin in range(0, len(found), FEW):
            with database.transaction() as session:
                theirs = asked.where(key.in_(found[begin : begin + FEW])).order_by(key).with_for_update()
                for place, said in session.execute(theirs).all():
                    same = (key.table.c.merchant_id == merchant_id, key == place)
                    session.execute(update(key.table).where(*same).values({column.name: renamed(said, names)}))


def pages(database: Database, key: Column[str], merchant_id: int, step: Step) -> Iterator[ColumnElement[bool]]:
    """Condition by condition, all rows of a merchant's in a table, `AT_ONCE` at a time in the order of the key."""
    mine, after = key.table.c.merchant_id == merchant_id, ""
    while True:
        some = select(key).where(mine, key > after).order_by(key).limit(AT_ONCE).subquery()
        with database.reading() as session:
            last = session.scalar(select(func.max(some.c[key.name])))
        if last is None:
            return
        yield and_(mine, key > after, key <= last)
        after = last
        step()
        database.breathe()
