"""A report's rows as JSON, CSV or NDJSON."""

import csv
import io
import json
from collections.abc import Iterable, Mapping, Sequence

Cell = str | int | float | list[int] | list[float] | dict[str, int] | None

_FORMULA = ("=", "+", "-", "@", "\t", "\r")


def to_csv(columns: Sequence[str], rows: Iterable[Mapping[str, Cell]]) -> str:
    """RFC 4180. Text that a spreadsheet would run as a formula gets an apostrophe before it; what is more than one
    value is written as JSON."""
    text = io.StringIO()
    writer = csv.writer(text)
    writer.writerow(columns)
    for row in rows:
        writer.writerow([_safe(row[column]) for column in columns])
    return text.getvalue()


def to_ndjson(rows: Iterable[Mapping[str, Cell]]) -> str:
    """One JSON object a line."""
    return "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)


def _safe(cell: Cell) -> str | int | float | None:
    if isinstance(cell, list | dict):
        return json.dumps(cell, ensure_ascii=False)
    return f"'{cell}" if isinstance(cell, str) and cell.startswith(_FORMULA) else cell
