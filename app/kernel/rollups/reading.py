"""What was counted in periods: read from what is folded, and from what is not folded yet, in one view.

A period is a few spans, some added and some taken away, so an answer costs what it shows and not what happened: a day
of Paris is a day of UTC and an hour, less an hour. Knows no domain.
"""

from bisect import bisect_right
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, get_args

from sqlalchemy import BigInteger, FromClause, Integer, Select, String, and_, bindparam, func, select, true
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


def parts(since: int, until: int, spans: Sequence[int] = SPANS) -> list[Part]:
    """The spans of `since <= t < until`, as few as possible: from some width on, ends are rounded to the nearest span,
    and the narrower ones mend what that added or left out. Raises `ValueError` for what is not whole spans."""
    if since % spans[0] or until % spans[0]:
        raise ValueError("periods are whole spans: quarters of an hour, where nothing else is said")
    ways = (_parts(since, until, spans[: widest + 1]) for widest in range(len(spans)))
    return min(ways, key=_spans)


def _parts(since: int, until: int, widths: Sequence[int]) -> list[Part]:
    found: list[Part] = []
    wider = 0, 0
    for width in reversed(widths):
        ends = _nearest(since, width), _nearest(until, width)
        if wider[0] == wider[1]:
            found += _signed(width, *ends, 1)
        else:
            found += [*_signed(width, ends[0], wider[0], 1), *_signed(width, wider[1], ends[1], 1)]
        wider = ends
    return found


def _spans(found: Sequence[Part]) -> int:
    return sum((part.until - part.since) // part.width for part in found)


def _nearest(at: int, width: int) -> int:
    return (at + width // 2) // width * width


def _signed(width: int, since: int, until: int, times: int) -> Iterator[Part]:
    if since < until:
        yield Part(width, since, until, times)
    elif until < since:
        yield Part(width, until, since, -times)


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
    """On PostgreSQL, each key is looked up by itself whatever the planner thinks of how many there are; SQLite does
    so anyway. The index over values is for keys with a value: without one it would be read from end to end, or once for
    each value, so other questions do not name that column as it is."""
    names = ("merchant_id", "dimension", *(["value"] if values == "each" else []))
    asked = [_rollups.c[name] == given.c[name] for name in names]
    asked += [_rollups.c.span == given.c.width]
    asked += [_rollups.c.starts >= given.c.since, _rollups.c.starts < given.c.until]
    value = _rollups.c.value if values == "each" else (_rollups.c.value + "").label("value")
    if values == "some":
        asked.append((_rollups.c.value + "").in_(bindparam("only", expanding=True)))
    if not lateral:
        numbers = (func.sum(given.c.times * _rollups.c[name]) for name in MEASURES)
        found = select(given.c.period, value, *numbers).join_from(given, _rollups, and_(*asked))
        return found.group_by(given.c.period, value)
    spans = select(value, *(func.sum(_rollups.c[name]).label(name) for name in MEASURES)).where(*asked)
    theirs = spans.group_by(value).lateral("theirs")
    numbers = (func.sum(given.c.times * theirs.c[name]) for name in MEASURES)
    found = select(given.c.period, theirs.c.value, *numbers).join_from(given, theirs, true())
    return found.group_by(given.c.period, theirs.c.value)


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
