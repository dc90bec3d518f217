"""A report's rows as CSV or NDJSON: whole, or piece by piece, so that however many there are, few are held at once."""

import csv
import io
import json
from collections.abc import Generator, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Final

Cell = str | int | float | list[int] | list[float] | dict[str, int] | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r")
_AT_ONCE: Final = 200
"""Rows of a piece: small enough to come soon, large enough to cost little."""


def csv_pieces(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> Generator[str, None, None]:
    """RFC 4180, the names of the columns first. Text that a spreadsheet would run as a formula gets an apostrophe
    before it; what is more than one value is written as JSON."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for some in _by_pieces(rows):
        writer.writerows([_safe(row[column]) for column in columns] for row in some)
        yield text.getvalue()
        text.seek(0)
        text.truncate()
    if text.tell():
        yield text.getvalue()


def ndjson_pieces(rows: Iterable[Mapping[str, Cell]]) -> Generator[str, None, None]:
    """One JSON object a line."""
    for some in _by_pieces(rows):
        yield "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in some)


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> str:
    """All of it."""
    return "".join(csv_pieces(columns, rows))


def to_ndjson(rows: Iterable[Mapping[str, Cell]]) -> str:
    """All of it."""
    return "".join(ndjson_pieces(rows))


def _by_pieces(rows: Iterable[Mapping[str, Cell]]) -> Iterator[list[Mapping[str, Cell]]]:
    left = iter(rows)
    while some := list(islice(left, _AT_ONCE)):
        yield some


def _safe(cell: Cell) -> str | int | float | None:
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False)
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
