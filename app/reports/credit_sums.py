"""Sums of credit that are kept, so that a report of years costs what it shows: the ledger added up by quarters of an
hour, and these by hours, days and sixteen days.

Whoever writes credit marks the quarters of its orders in the same transaction (attribution/marks.py). Here a quarter is
added up again, and its marks go with that: so in any view a quarter without a mark is what the ledger says, and one
with a mark is asked of the ledger itself (credit_reading.py). Why these are not counted up as visits are:
docs/decisions/0022-kept-sums-of-credit.md.
"""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    Executable,
    Select,
    SQLColumnExpression,
    String,
    Table,
    bindparam,
    case,
    delete,
    func,
    insert,
    literal,
    or_,
    select,
    tuple_,
    type_coerce,
)
from sqlalchemy.dialects import postgresql, sqlite
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine, CreditMark
from app.kernel.database import id_type, table_of, take_turn
from app.kernel.rollups.tables import QUARTER, SPANS
from app.reports.ledger import COLUMNS, called
from app.reports.models import CreditSum

TOTAL: Final = "total"
"""The dimension under which all stands, without a value."""


class Ledger(NamedTuple):
    """Whose credit, under which policy, of real or of test orders."""

    merchant_id: int
    policy: str
    livemode: bool


class Marked(NamedTuple):
    """A quarter of an hour that is to be added up; `starts` is in microseconds since 1970."""

    ledger: Ledger
    starts: int


def marked(session: Session, after: Marked | None, most: int) -> list[Marked]:
    """What is to be added up, in order, each quarter once; at most so many after the one given."""
    query = select(*_MARK).distinct().order_by(*_MARK).limit(most)
    if after is not None:
        query = query.where(tuple_(*_MARK) > tuple_(*map(literal, (*after.ledger, after.starts))))
    return [Marked(Ledger(*ledger), starts) for *ledger, starts in session.execute(query)]


def marks(session: Session, ledger: Ledger, since: int, until: int) -> Sequence[int]:
    """The quarters of a ledger that are not to be believed, in order."""
    asked = {**ledger._asdict(), "since": since, "until": until}
    return session.scalars(_QUARTERS_MARKED, asked).all()


def add_up(session: Session, ledger: Ledger, since: int, until: int) -> None:
    """Add up the quarters that begin in `since <= t < until`, and whatever wider spans they are part of.

    The marks go first: whatever is written from then on is marked again.
    """
    take_turn(session, "credit-sums/{}/{}/{}".format(*ledger))
    asked = {**ledger._asdict(), "since": since, "until": until}
    for statement in _statements(session.get_bind().dialect.name == "sqlite"):
        session.execute(statement, asked)


@cache
def _statements(on_sqlite: bool) -> Sequence[Executable]:
    """What adds up, in this order, built once: building takes longer than a quarter of a quiet shop."""
    return (
        delete(_marks).where(*_of(_marks)),
        *_widened(on_sqlite, -1),
        delete(_sums).where(*_kept_quarters()),
        *(insert(_sums).from_select(_NAMES, _quarters(dimension, value)) for dimension, value in _values()),
        *_widened(on_sqlite, 1),
    )


def _widened(on_sqlite: bool, times: int) -> Iterator[Executable]:
    """Add what the quarters say to the wider spans that they are part of, or take it away from them."""
    new = (sqlite if on_sqlite else postgresql).insert(_sums)
    for wide in SPANS[1:]:
        adding = new.from_select(_NAMES, _wider(wide, times))
        added = {name: _sums.c[name] + adding.excluded[name] for name in _NUMBERS}
        yield adding.on_conflict_do_update(index_elements=list(_sums.primary_key), set_=added)


def _of(table: Table) -> list[ColumnElement[bool]]:
    same = [table.c[name] == value for name, value in _LEDGER.items()]
    return [*same, table.c.starts >= _SINCE, table.c.starts < _UNTIL]


def _kept_quarters() -> list[ColumnElement[bool]]:
    """Under every dimension, each named: or a database would read all that is kept to find these."""
    dimensions = _sums.c.dimension.in_([TOTAL, *COLUMNS])
    return [*_of(_sums), dimensions, _sums.c.span == QUARTER]


def _values() -> Iterator[tuple[str, SQLColumnExpression[Any]]]:
    yield TOTAL, literal("", String)
    for dimension in COLUMNS:
        yield dimension, called(dimension)


def _quarters(dimension: str, value: SQLColumnExpression[Any]) -> Select[*tuple[Any, ...]]:
    """The ledger's lines by quarter. First by order: one that was moved away to another value does not count here."""
    at = type_coerce(CreditLine.order_at, BigInteger)
    theirs = [getattr(CreditLine, name) == same for name, same in _LEDGER.items()]
    columns = [(at - at % QUARTER).label("starts"), CreditLine.currency, value.label("value"), CreditLine.order_id]
    sums = [func.sum(CreditLine.gross).label("gross"), func.sum(CreditLine.reversed).label("refunded")]
    by_order = (
        select(*columns, *sums, func.count().label("lines"))
        .where(*theirs, at >= _SINCE, at < _UNTIL)
        .group_by(*columns)
        .subquery()
    )
    counts = case((or_(by_order.c.gross != 0, by_order.c.refunded != 0), 1), else_=0)
    key = (by_order.c.starts, by_order.c.currency, by_order.c.value)
    about = (*_LEDGER.values(), literal(dimension), literal(QUARTER, BigInteger))
    numbers = (func.sum(each) for each in (counts, by_order.c.gross, by_order.c.refunded, by_order.c.lines))
    return select(*about, *key, *numbers).group_by(*key)


def _wider(wide: int, times: int) -> Select[*tuple[Any, ...]]:
    """An order lies in one quarter, so the wider spans are plain sums."""
    starts = (_sums.c.starts - _sums.c.starts % wide).label("starts")
    key = (_sums.c.dimension, starts, _sums.c.currency, _sums.c.value)
    numbers = (times * func.sum(_sums.c[name]) for name in _NUMBERS)
    about = (*_LEDGER.values(), _sums.c.dimension, literal(wide, BigInteger))
    found = select(*about, starts, _sums.c.currency, _sums.c.value, *numbers)
    return found.where(*_kept_quarters()).group_by(*key)


_LEDGER: Final[dict[str, ColumnElement[Any]]] = {
    "merchant_id": bindparam("merchant_id", type_=BigInteger()),
    "policy": bindparam("policy", type_=id_type()),
    "livemode": bindparam("livemode", type_=Boolean()),
}
_SINCE, _UNTIL = (bindparam(name, type_=BigInteger()) for name in ("since", "until"))
_marks, _sums = table_of(CreditMark), table_of(CreditSum)
_MARK: Final = (*(_marks.c[name] for name in Ledger._fields), _marks.c.starts)
_NUMBERS: Final = ("orders", "gross", "refunded", "lines")
_NAMES: Final = (
    *Ledger._fields,
    *("dimension", "span", "starts", "currency", "value"),
    *_NUMBERS,
)
_QUARTERS_MARKED: Final = select(_marks.c.starts).where(*_of(_marks)).distinct().order_by(_marks.c.starts)
