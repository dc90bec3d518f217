"""What was counted in periods: read from what is folded, and from what is not folded yet, in one view.

A period is a few spans, some added and some taken away, so an answer costs what it shows and not what happened: a day
of Paris is a day of UTC and an hour, less an hour. Knows no domain.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    Table,
    and_,
    bindparam,
    cast,
    func,
    select,
    true,
)
from sqlalchemy.orm import Session

from app.kernel.database import id_type, table_of
from app.kernel.given import Key, Question
from app.kernel.rollups.tables import MEASURES, QUARTER, SPANS, Dimension, Rollup, RollupDelta, run_uncompiled

Period = tuple[int, int]
"""Half-open, microseconds since 1970, whole quarters of an hour."""


class Counts(NamedTuple):
    """So many of each, in the order of `MEASURES`."""

    wall_views: int = 0
    card_views: int = 0
    card_opens: int = 0
    share_opens: int = 0
    checkout_opens: int = 0
    likes: int = 0
    shares: int = 0
    visits: int = 0
    checkouts: int = 0


class Part(NamedTuple):
    """All spans of one width that begin between the two, counted `times` (1 or -1)."""

    width: int
    since: int
    until: int
    times: int


def sums(
    session: Session,
    merchant_id: int,
    dimension: Dimension,
    periods: Sequence[Period],
    only: Collection[str] | None = None,
) -> dict[tuple[int, str], Counts]:
    """What was counted in each of `periods` (by its index) under each value of `dimension`; nothing is left out.

    The periods follow each other and none overlap. `only` are values; the empty one is "none". The session
    sees one moment (`Database.reading`). Raises `ValueError` for a period that is not whole quarters.
    """
    run_uncompiled(session)
    found: dict[tuple[int, str], list[int]] = defaultdict(lambda: [0] * len(MEASURES))
    for index, value, *counts in _folded(session, merchant_id, dimension, periods, only):
        _add(found[index, value], counts)
    for starts, value, *counts in _unfolded(session, merchant_id, dimension, periods, only):
        index = bisect_right(periods, (starts, _END)) - 1
        if index >= 0 and starts < periods[index][1]:
            _add(found[index, value], counts)
    return {key: Counts(*counts) for key, counts in found.items() if any(counts)}


def extent(session: Session, merchant_id: int) -> Period | None:
    """A period outside of which nothing of this merchant's was counted; None where nothing was."""
    folded = select(func.min(_rollups.c.starts), func.max(_rollups.c.starts)).where(
        _rollups.c.merchant_id == merchant_id, _rollups.c.dimension == "total", _rollups.c.span == SPANS[-1]
    )
    waiting = select(func.min(_deltas.c.starts), func.max(_deltas.c.starts)).where(_deltas.c.merchant_id == merchant_id)
    widths = ((folded, SPANS[-1]), (waiting, QUARTER))
    found = [(*session.execute(query).one(), width) for query, width in widths]
    ends = [(first, last + width) for first, last, width in found if first is not None]
    return (min(first for first, _ in ends), max(last for _, last in ends)) if ends else None


def parts(since: int, until: int) -> list[Part]:
    """The spans of `since <= t < until`, as few as possible: from some width on, ends are rounded to the nearest span,
    and the narrower ones mend what that added or left out. Raises `ValueError` for what is not whole quarters."""
    if since % QUARTER or until % QUARTER:
        raise ValueError("periods are whole quarters of an hour")
    ends = [(_nearest(since, width), _nearest(until, width)) for width in SPANS]
    widest, least, mending = 0, _END, 0
    for place, (width, (first, last)) in enumerate(zip(SPANS, ends, strict=True)):
        if (spans := (last - first) // width + mending) < least and (first < last or not place):
            widest, least = place, spans
        wider = ends[min(place + 1, len(ends) - 1)]
        mending += (abs(first - wider[0]) + abs(last - wider[1])) // width
    found = list(_signed(SPANS[widest], *ends[widest], 1))
    for place in reversed(range(widest)):
        inner, outer = ends[place + 1], ends[place]
        found += _signed(SPANS[place], outer[0], inner[0], 1)
        found += _signed(SPANS[place], inner[1], outer[1], 1)
    return found


def _nearest(at: int, width: int) -> int:
    return (at + width // 2) // width * width


def _signed(width: int, since: int, until: int, times: int) -> Iterator[Part]:
    if since < until:
        yield Part(width, since, until, times)
    elif until < since:
        yield Part(width, until, since, -times)


def signed_sums(
    given: FromClause,
    table: Table,
    same: Collection[str],
    by: Mapping[str, ColumnElement[Any]],
    numbers: Collection[str],
    *,
    lateral: bool,
    where: Sequence[ColumnElement[bool]] = (),
) -> Select[*tuple[Any, ...]]:
    """What the spans of `table` come to that are `given`, as keys with the columns of `Part` and a `period`: sums of
    its `numbers` by period and by the columns `by`, each with its name. The columns `same` are those of the key.

    `lateral` is for PostgreSQL, which then looks up each key by itself whatever its planner thinks of how many there
    are; SQLite does so anyway.
    """
    named = [column.label(name) for name, column in by.items()]
    asked = [*(table.c[name] == given.c[name] for name in same), table.c.span == given.c.width]
    asked += [table.c.starts >= given.c.since, table.c.starts < given.c.until, *where]
    if not lateral:
        sums = (func.sum(given.c.times * table.c[name]).label(name) for name in numbers)
        found = select(given.c.period, *named, *sums).join_from(given, table, and_(*asked))
        return found.group_by(given.c.period, *named)
    spans = select(*named, *(func.sum(table.c[name]).label(name) for name in numbers)).where(*asked)
    theirs = spans.group_by(*named).lateral("theirs")
    names = [theirs.c[name] for name in by]
    # Sums of whole numbers have any length there, and come slowly; what is kept has 64 bits as well.
    sums = (cast(func.sum(given.c.times * theirs.c[name]), BigInteger).label(name) for name in numbers)
    return select(given.c.period, *names, *sums).join_from(given, theirs, true()).group_by(given.c.period, *names)


def _add(sums: list[int], counts: Sequence[Any]) -> None:
    for position, count in enumerate(counts):
        sums[position] += int(count)


_END: Final = 2**63
_MOST_KEYS: Final = 5_000
"""Where there would be more, spans are asked for alone: a key for each value of each would make half a million."""
_rollups, _deltas = table_of(Rollup), table_of(RollupDelta)


def _folded(
    session: Session, merchant_id: int, dimension: Dimension, periods: Sequence[Period], only: Collection[str] | None
) -> Collection[Any]:
    """Rows of period, value and sums."""
    keys: list[Key] = [
        (merchant_id, dimension, *part, index)
        for index, (since, until) in enumerate(periods)
        for part in parts(since, until)
    ]
    lateral = session.get_bind().dialect.name != "sqlite"
    if only is None:
        return _QUESTIONS["all", lateral].ask(session, keys)
    values = sorted(set(only))
    if len(keys) * len(values) > _MOST_KEYS:
        return _QUESTIONS["some", lateral].ask(session, keys, only=values)
    return _QUESTIONS["each", lateral].ask(session, [(*key, value) for key in keys for value in values])


def _unfolded(
    session: Session, merchant_id: int, dimension: Dimension, periods: Sequence[Period], only: Collection[str] | None
) -> Collection[Any]:
    """Rows of quarter, value and sums."""
    if not periods:
        return ()
    columns = (_deltas.c.starts, _deltas.c.value)
    query = select(*columns, *(func.sum(_deltas.c[name]) for name in MEASURES)).where(
        _deltas.c.merchant_id == merchant_id,
        _deltas.c.dimension == dimension,
        _deltas.c.starts >= periods[0][0],
        _deltas.c.starts < periods[-1][1],
    )
    if only is not None:
        query = query.where(_deltas.c.value.in_(list(only)))
    return session.execute(query.group_by(*columns)).all()


Values = Literal["all", "each", "some"]
"""Of all values, of one in each key, or of those in a list beside the keys."""


def _question(given: FromClause, values: Values, *, lateral: bool) -> Select[*tuple[Any, ...]]:
    """The index over values is for keys with a value: without one it would be read from end to end, or once for each
    value, so other questions do not name that column as it is."""
    same = ("merchant_id", "dimension", *(["value"] if values == "each" else []))
    value = _rollups.c.value if values == "each" else _rollups.c.value + ""
    chosen = [(_rollups.c.value + "").in_(bindparam("only", expanding=True))] if values == "some" else []
    return signed_sums(given, _rollups, same, {"value": value}, MEASURES, lateral=lateral, where=chosen)


def _questions() -> Mapping[tuple[Values, bool], Question]:
    columns: dict[str, Any] = {
        "merchant_id": BigInteger(),
        "dimension": String(),
        **{name: BigInteger() for name in ("width", "since", "until")},
        "times": Integer(),
        "period": Integer(),
    }

    def question(values: Values, *, lateral: bool) -> Question:
        more = {"value": id_type(255)} if values == "each" else {}
        return Question(lambda given: _question(given, values, lateral=lateral), **columns, **more)

    kinds: tuple[Values, ...] = get_args(Values)
    return {(values, lateral): question(values, lateral=lateral) for values in kinds for lateral in (False, True)}


_QUESTIONS: Final = _questions()
