"""Everything that is kept of a merchant, and where in it somebody is named."""

import json
from collections.abc import Collection, Iterator

from sqlalchemy import select

from app.kernel.database import Database
from app.tables import METADATA


def everything(database: Database, merchant_id: int | None = None) -> Iterator[tuple[str, str, str]]:
    """Table, column and text of every value that is kept of a merchant; of all, where none is said."""
    with database.reading() as session:
        for table in METADATA.sorted_tables:
            rows = select(table)
            if merchant_id is not None and "merchant_id" in table.c:
                rows = rows.where(table.c.merchant_id == merchant_id)
            for row in session.execute(rows).mappings():
                yield from ((table.name, name, said) for name, value in row.items() if (said := _text(value)))


def _text(value: object) -> str | None:
    if isinstance(value, dict | list):
        return json.dumps(value, ensure_ascii=False)
    return value.decode(errors="replace") if isinstance(value, bytes) else value if isinstance(value, str) else None


def places(database: Database, merchant_id: int, names: Collection[str]) -> set[tuple[str, str]]:
    """The tables and columns in which somebody is named: as a whole value, in JSON, or before a sign."""
    signs = [mark for name in names for mark in (f'"{name}"', f'"{name}@')]
    return {
        (table, column)
        for table, column, said in everything(database, merchant_id)
        if said in names or any(mark in said for mark in signs)
    }
