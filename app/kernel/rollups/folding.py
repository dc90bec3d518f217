"""Adds up what was appended: deltas become counts, in a thread that lives beside a worker. Knows no domain.

A fold is one transaction: deltas are taken, added to the counts of every span, and gone. Broken off it has not
happened; two at once take different deltas, and touch counts in the order of their keys, so neither waits in a circle.

On SQLite all wait for its one writer. So there deltas are added up while others write, and only what they came to is
written, in small transactions; a delta that somebody else has folded meanwhile calls such a transaction off.
"""

import json
from collections.abc import Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.repeated import Repeated
from app.kernel.rollups.tables import MEASURES, SPANS, run_uncompiled

LOOKS_EVERY: Final = 1.0
"""Seconds between two looks. What is appended meanwhile is added up at once, and costs reports next to nothing."""
AT_ONCE: Final = 20_000
"""Deltas that are added up at once: the more there are, the more of them are of the same count."""
_PIECE, _DELTAS = 150, 1_000
"""The most in one transaction of SQLite's: counts that are changed, each in all spans, and deltas that are taken."""


class Taken(Exception):
    """Another has folded some of these deltas."""


class Sum(NamedTuple):
    """What some deltas of one count came to, at most `_DELTAS`."""

    merchant_id: int
    dimension: str
    value: str
    starts: int
    counts: Sequence[int]
    deltas: Sequence[str]


class Folding(Repeated):
    """Folds. Any number of processes may do so at once; what one leaves is folded by another, or after the next
    start."""

    def __init__(self, database: Database) -> None:
        self._database = database
        super().__init__(
            "folding", self._look, every=LOOKS_EVERY, trouble="counts cannot be added up", waits_first=True
        )

    def fold_all(self) -> int:
        """Fold what was committed, in this thread; how many deltas that were. Leaves those that another is folding, and
        what is appended meanwhile: a crowd appends something by the millisecond."""
        folded, taken = 0, AT_ONCE
        while taken >= AT_ONCE and not self.is_stopping:
            taken = self._fold_some()
            folded += taken
        return folded

    def _fold_some(self) -> int:
        if not self._database.is_sqlite:
            with self._database.transaction() as session:
                return fold(session)
        with self._database.reading() as session:
            pieces = list(_pieces(session))
        folded = 0
        for piece in pieces:
            try:
                with self._database.transaction() as session:
                    folded += _write(session, piece)
            except Taken:
                break
            self._database.breathe()
        return folded

    def _look(self) -> float:
        self.fold_all()
        return 0


def fold(session: Session) -> int:
    """Fold some deltas in the transaction of `session`; how many."""
    if session.get_bind().dialect.name == "sqlite":
        return sum(_write(session, piece) for piece in list(_pieces(session)))
    run_uncompiled(session)
    return session.scalar(_FOLD, {"most": AT_ONCE}) or 0


def _pieces(session: Session) -> Iterator[list[Sum]]:
    """Some deltas of SQLite's added up, as much in a piece as may be written at once."""
    piece: list[Sum] = []
    deltas = 0
    limits = {"most": AT_ONCE, "of_one_count": _DELTAS}
    for merchant, dimension, value, starts, ids, *counts in session.execute(_ADDED_UP, limits):
        found = Sum(merchant, dimension, value, starts, counts, ids.split())
        if len(piece) == _PIECE or deltas + len(found.deltas) > _DELTAS:
            yield piece
            piece, deltas = [], 0
        piece.append(found)
        deltas += len(found.deltas)
    if piece:
        yield piece


def _write(session: Session, piece: Sequence[Sum]) -> int:
    """Take the deltas of `piece` away and add what they came to; how many they were. Raises `Taken`."""
    taken = [(each.merchant_id, delta_id) for each in piece for delta_id in each.deltas]
    connection = session.connection()
    gone = connection.exec_driver_sql(_TAKE, (json.dumps(taken),)).rowcount
    if gone != len(taken):
        raise Taken
    rows: list[tuple[Any, ...]] = [
        (each.merchant_id, each.dimension, span, each.starts - each.starts % span, each.value, *each.counts)
        for span in SPANS
        for each in piece
    ]
    connection.exec_driver_sql(_ADD_TO, rows)
    return gone


# ruff: noqa: S608 - the statements are made of names of our own
_KEY = "merchant_id, dimension, span, starts, value"
_COLUMNS = f"{_KEY}, {', '.join(MEASURES)}"
_SUMS = ", ".join(f"sum({name})" for name in MEASURES)
_ADD = ", ".join(f"{name} = rollups.{name} + excluded.{name}" for name in MEASURES)
_ON_CONFLICT = f"ON CONFLICT ({_KEY}) DO UPDATE SET {_ADD}"  # nosec B608
_WIDTHS = " UNION ALL ".join(f"SELECT CAST({span} AS BIGINT) AS width" for span in SPANS)

_ADDED_UP = text(
    f"SELECT merchant_id, dimension, value, starts, group_concat(delta_id, ' '), {_SUMS}"  # nosec B608
    " FROM (SELECT *, (row_number() OVER (PARTITION BY merchant_id, dimension, starts, value) - 1) / :of_one_count"
    " AS part FROM (SELECT * FROM rollup_deltas ORDER BY merchant_id, delta_id LIMIT :most))"
    " GROUP BY merchant_id, dimension, starts, value, part"
)
_TAKE = (
    "DELETE FROM rollup_deltas WHERE (merchant_id, delta_id) IN"
    " (SELECT json_extract(value, '$[0]'), json_extract(value, '$[1]') FROM json_each(?))"
)
_ADD_TO = f"INSERT INTO rollups ({_COLUMNS}) VALUES ({', '.join('?' * (5 + len(MEASURES)))}) {_ON_CONFLICT}"  # nosec B608

_FOLD = text(
    "WITH chosen AS (SELECT merchant_id, delta_id FROM rollup_deltas LIMIT :most FOR UPDATE SKIP LOCKED),"  # nosec B608
    " taken AS (DELETE FROM rollup_deltas USING chosen WHERE rollup_deltas.merchant_id = chosen.merchant_id"
    " AND rollup_deltas.delta_id = chosen.delta_id RETURNING rollup_deltas.*),"
    f" folded AS (INSERT INTO rollups ({_COLUMNS})"
    f" SELECT merchant_id, dimension, width, starts - starts % width, value, {_SUMS}"
    f" FROM taken CROSS JOIN ({_WIDTHS}) AS spans"
    " GROUP BY merchant_id, dimension, width, starts - starts % width, value ORDER BY 1, 2, 3, 4, 5"
    f" {_ON_CONFLICT})"
    " SELECT count(*) FROM taken"
)
