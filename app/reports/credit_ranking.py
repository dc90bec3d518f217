"""The rows of a report in the order that is asked for, sorted by the database: a page of them, or all of them one
after the other, so that however many there are, few are held at once.

From the kept sums, where they answer: what the ledger says beside them (credit_reading.py) changes few rows, which are
put in between. Else from the ledger.
"""

from collections.abc import Iterable, Iterator
from functools import cache
from heapq import merge
from itertools import chain, islice
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    BindParameter,
    FromClause,
    Integer,
    Result,
    Row,
    Select,
    String,
    and_,
    bindparam,
    case,
    cast,
    or_,
    select,
    tuple_,
)
from sqlalchemy.orm import Session
from sqlalchemy.types import TypeEngine

from app.kernel.database import id_type
from app.kernel.given import Question as AskedOfMany
from app.reports import ledger
from app.reports.credit_reading import KEY, Prepared, keys_of, named_by, prepared, sums_of
from app.reports.ledger import UNITS, Question, Sums
from app.reports.ranking import NUMBERS, Order, Place

_MOST_ALSO: Final = 2_000
"""Rows that are put in between; where there are more, all are read and sorted here."""
_AT_ONCE: Final = 1_000

Named = tuple[str, tuple[str, ...], Sums]
"""Currency, values of what is grouped by, and sums."""


class Ranked(NamedTuple):
    """Totals, and rows in their order, from the place on that is asked for: `limit` of them, or all."""

    totals: dict[str, Sums]
    rows: Iterator[Named]


def ranked(session: Session, question: Question) -> Ranked | None:
    """From the kept sums; None where they cannot answer, or not in this order, or where
    few rows are asked for by name.

    Rows are read as they are asked for, in the session, which sees one moment. Raises `Invalid` for a cursor of
    something else.
    """
    units = [name for name in question.group_by if name in UNITS]
    if question.order.by == "depth" or any(question.only.values()) or len(question.group_by) - len(units) > 1:
        return None
    found = prepared(session, question)
    if found is None or len(found.beside) > _MOST_ALSO:
        return None
    return Ranked(found.totals, islice(_merged(session, question, found), question.limit))


def _merged(session: Session, question: Question, found: Prepared) -> Iterator[Named]:
    indices = {label: index for index, label in enumerate(found.labels)}
    also = {_key(question, indices, names) for _, names in found.beside}
    named = named_by(question, found.labels)
    after = question.turn_of_place()

    def turn_of(row: Named) -> Any:
        currency, names, sums = row
        return question.turn(currency, names, sums)

    rows = _closed(_read(session, question, found, also, indices))
    rest: Iterator[Any] = iter(())
    for index, currency, value, *sums in rows:
        if (index, value) not in also:
            rest = chain([(index, currency, value, *sums)], rows)
            break
        key = currency, named(index, value)
        if key in found.beside:
            found.beside[key].add(*sums)
        else:
            found.beside[key] = Sums(*map(int, sums))
    few = sorted(((currency, names, sums) for (currency, names), sums in found.beside.items()), key=turn_of)
    many = ((currency, named(index, value), Sums(*map(int, sums))) for index, currency, value, *sums in rest)
    return (row for row in merge(few, many, key=turn_of) if after is None or after < turn_of(row))


def _closed(rows: Iterable[Row[*tuple[Any, ...]]]) -> Iterator[Any]:
    """The same rows; a database's cursor is closed when nobody reads on."""
    try:
        yield from rows
    finally:
        if isinstance(rows, Result):
            rows.close()


def _key(question: Question, indices: dict[str, int], names: tuple[str, ...]) -> tuple[int, str]:
    """The index of the period and the value by which the kept sums know a row."""
    index, value = 0, ""
    for dimension, name in zip(question.group_by, names, strict=True):
        if dimension in UNITS:
            index = indices[name]
        else:
            value = name
    return index, value


def _read(
    session: Session, question: Question, found: Prepared, also: set[tuple[int, str]], indices: dict[str, int]
) -> Any:
    after = question.after or Place("", 0, "")
    index, value = (0, "") if question.after is None else _place(question, question.after, indices)
    most = None if question.limit is None else question.limit + len(also) * (len(found.totals) + 1)
    is_by_time_first = bool(question.group_by) and question.group_by[0] in UNITS
    first, second = (index, value) if is_by_time_first else (value, index)
    by = question.order.by
    by = by if by in NUMBERS else "period" if by in UNITS else "value"
    is_lateral = session.get_bind().dialect.name != "sqlite"
    asked = _question(Order(by, question.order.descends), is_by_time_first, most is not None, is_lateral)
    return asked.stream(
        session,
        keys_of(question, found.dimension, found.spans),
        _AT_ONCE if most is None else None,
        also=[*also, (-1, "")],
        wanted=question.currency,
        after_currency=after.currency,
        after_number=after.number,
        after_first=first,
        after_second=second,
        **({} if most is None else {"most": most}),
    )


def _place(question: Question, after: Place, indices: dict[str, int]) -> tuple[int, str]:
    """A period that is no more was before all that are."""
    names = after.values(question.group_by)
    known = {name: -1 for dimension, name in zip(question.group_by, names, strict=True) if dimension in UNITS}
    return _key(question, {**known, **indices}, names)


@cache
def _question(order: Order, is_by_time_first: bool, is_limited: bool, is_lateral: bool) -> AskedOfMany:
    """By period, currency and value, in the order of one of `NUMBERS`, of the period or of the value."""
    first, second = ("period", "value") if is_by_time_first else ("value", "period")
    kinds: dict[str, TypeEngine[Any]] = {"period": Integer(), "value": id_type(255)}
    places: tuple[BindParameter[Any], ...] = (
        bindparam("after_first", type_=kinds[first]),
        bindparam("after_second", type_=kinds[second]),
    )
    at = {first: places[0], second: places[1]}.get(order.by, bindparam("after_number", type_=BigInteger()))

    def build(given: FromClause) -> Select[*tuple[Any, ...]]:
        sums = sums_of(given, lateral=is_lateral).subquery("found").c
        by = sums.gross - sums.refunded if order.by == "net" else sums[order.by]
        names = (sums[first], sums[second])
        is_also = tuple_(sums.period, sums.value).in_(bindparam("also", expanding=True))
        wanted = bindparam("wanted", type_=String())
        chosen = select(*sums).where(sums.orders != 0, or_(wanted.is_(None), sums.currency == wanted))
        later = or_(names[0] > places[0], and_(names[0] == places[0], names[1] > places[1]))
        later = or_(by < at if order.descends else by > at, and_(by == at, later))
        # No currency is less than the empty one, and everything comes after that.
        there = bindparam("after_currency", type_=String())
        comes_after = or_(sums.currency > there, and_(sums.currency == there, later))
        turn = (sums.currency, by.desc() if order.descends else by, *names)
        query = chosen.where(or_(is_also, comes_after)).order_by(case((is_also, 0), else_=1), *turn)
        return query.limit(bindparam("most", type_=Integer())) if is_limited else query

    return AskedOfMany(build, **KEY)


# From the ledger.


def of_ledger(session: Session, question: Question) -> Ranked | None:
    """From the ledger itself; None for days, weeks or months, which it does not know.

    Rows are read as they are asked for, in the session, which sees one moment. Raises `Invalid` for a cursor of
    something else.
    """
    if question.order.by == "depth" or any(name in UNITS for name in question.group_by):
        return None
    after = question.turn_of_place()
    totals = ledger.totals(session, question)
    query = _sorted(question).execution_options(yield_per=_AT_ONCE)
    width = len(question.group_by)
    found = _closed(session.execute(query))
    rows = ((row[width], tuple(row[:width]), Sums(*map(int, row[width + 1 :]))) for row in found)
    told = (row for row in rows if after is None or after < question.turn(*row))
    return Ranked(totals, islice(told, question.limit))


def _sorted(question: Question) -> Select[*tuple[Any, ...]]:
    """Values, currency and sums."""
    columns = [ledger.called(name) for name in question.group_by]
    sums = ledger.sums_by(question, columns).subquery().c
    *values, currency, orders, gross, refunded = sums
    names = dict(zip(question.group_by, (cast(value, id_type(255)) for value in values), strict=True))
    numbers = {"orders": orders, "gross": gross, "refunded": refunded, "net": gross - refunded}
    by = (names | numbers if question.order.by in NUMBERS else names)[question.order.by]
    first = by.desc() if question.order.descends else by
    return select(*names.values(), currency, orders, gross, refunded).order_by(currency, first, *names.values())
