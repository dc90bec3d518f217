"""Answers from the kept sums of credit, and from the ledger where they do not hold: at the ends of a period, which need
not be whole quarters of an hour, for quarters that are marked, and where something was written after `as_of`.

An order lies in one quarter, so what is asked of either adds up. Of such a quarter the kept sum is taken away again (a
day is always the sum of its quarters, right or not), and the ledger's taken instead, which knows what was when.
"""

from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    Boolean,
    ColumnElement,
    FromClause,
    Integer,
    Select,
    String,
    and_,
    func,
    or_,
    select,
    type_coerce,
)
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import id_type, table_of
from app.kernel.given import Key
from app.kernel.given import Question as AskedOfMany
from app.kernel.partitions import Timed
from app.kernel.periods import cut
from app.kernel.rollups.reading import Part, Period, parts, signed_sums
from app.kernel.rollups.tables import QUARTER
from app.reports import credit_sums, ledger
from app.reports.credit_sums import TOTAL, Ledger
from app.reports.ledger import COLUMNS, UNITS, Grouped, Question, Sums
from app.reports.models import CreditSum

_MOST_RANGES: Final = 50
"""Where more than so many pieces of the ledger would be asked for, all of it is asked for at once."""
_MOST_SINCE: Final = 2_000
"""Lines that are looked at of those that were written after `as_of`: seconds of a busy shop."""


class _Labelled(NamedTuple):
    """A period, in microseconds since 1970, and how it is called in the report."""

    label: str
    since: int
    until: int


class _Plan(NamedTuple):
    """What answers for some periods: kept spans, each for the period of that index, and what to ask the ledger for."""

    spans: list[tuple[int, Part]]
    beside: list[Period]


class Prepared(NamedTuple):
    """What is known before the kept sums are asked for rows: the totals, what the ledger says for where they do not
    hold, and which of them to ask for, under which dimension, with the labels of their periods."""

    dimension: str
    totals: dict[str, Sums]
    beside: Grouped
    spans: list[tuple[int, Part]]
    labels: Sequence[str]


def answering(session: Session, question: Question) -> tuple[dict[str, Sums], Grouped] | None:
    """Totals and all rows; None for a question that the kept sums cannot answer: of what was known before much was
    written, by several dimensions at once, or by one for what has several values of another.

    The session sees one moment (`Database.reading`).
    """
    found = prepared(session, question)
    if found is None:
        return None
    named = named_by(question, found.labels)
    for index, currency, value, *sums in _kept(session, question, found.dimension, found.spans):
        key = currency, named(index, value)
        if key in found.beside:
            found.beside[key].add(*sums)
        else:
            found.beside[key] = Sums(*sums)
    return found.totals, found.beside


def prepared(session: Session, question: Question) -> Prepared | None:
    """What answers, but for the rows; None where nothing does."""
    dimension = _dimension(question)
    later = None if dimension is None else _written_since(session, question)
    if dimension is None or later is None:
        return None
    since, until = to_micros(question.since), to_micros(question.until)
    theirs = ledger_of(question)
    whole = _clipped(session, theirs, since, until)
    marked = credit_sums.marks(session, theirs, whole.since - whole.since % QUARTER, whole.until)
    wrong = _runs(sorted({*marked, *later}))
    shown = _shown(question, whole)
    plans = _plan([whole], wrong), _plan(shown, wrong)
    if max(len(plan.beside) for plan in plans) > _MOST_RANGES:
        return None
    by_value = any(question.only.values())
    totals = ledger.totals(session, question, _within(plans[0])) if plans[0].beside else defaultdict(Sums)
    for _, currency, _, *sums in _kept(session, question, dimension if by_value else TOTAL, plans[0].spans):
        totals[currency].add(*sums)
    beside: Grouped = ledger.grouped(session, question, _within(plans[1])) if plans[1].beside else defaultdict(Sums)
    return Prepared(dimension, totals, beside, plans[1].spans, [each.label for each in shown])


def answers(session: Session, question: Question) -> bool:
    """Whether the kept sums may answer; where too much of them is marked, they do not all the same."""
    return _dimension(question) is not None and _written_since(session, question) is not None


def ledger_of(question: Question) -> Ledger:
    """Whose sums are asked for."""
    return Ledger(question.merchant_id, question.policy, question.livemode)


def _written_since(session: Session, question: Question) -> list[int] | None:
    """The quarters of which something was written after `as_of`, so that kept sums may say more than was known; in
    order, and only of the period. None for more than the ledger is asked for apart.

    Ids sort by when they were made, so this looks at the end of an index.
    """
    at = type_coerce(CreditLine.order_at, BigInteger)
    columns = (CreditLine.policy, CreditLine.livemode, (at - at % QUARTER).label("starts"))
    later = (CreditLine.credit_id >= _TIMED.beginning(question.as_of), CreditLine.written_at > question.as_of)
    lines = select(*columns).where(CreditLine.merchant_id == question.merchant_id, *later)
    found = lines.order_by(CreditLine.credit_id).limit(_MOST_SINCE).subquery().c
    about = [*session.execute(select(*found, func.count()).group_by(*found))]
    first, last = to_micros(question.since) - QUARTER, to_micros(question.until)
    mine = {(policy, livemode, starts) for policy, livemode, starts, _ in about if first < starts < last}
    quarters = sorted(each[2] for each in mine if each[:2] == (question.policy, question.livemode))
    is_much = sum(lines for *_, lines in about) == _MOST_SINCE or len(_runs(quarters)) > _MOST_RANGES
    return None if is_much else quarters


def _dimension(question: Question) -> str | None:
    """Under which dimension the sums stand that answer, if there is one."""
    columns = [name for name in question.group_by if name in COLUMNS]
    units = [name for name in question.group_by if name in UNITS]
    several = any(len(values) > 1 for values in question.only.values())
    named = {*columns, *question.only}
    if question.without or several or len(units) > 1 or len(named) > 1:
        return None
    return named.pop() if named else TOTAL


def _clipped(session: Session, theirs: Ledger, since: int, until: int) -> _Labelled:
    """The period, as far as there is credit: of whatever lies beyond, nothing need be planned."""
    at = type_coerce(CreditLine.order_at, BigInteger)
    mine = [getattr(CreditLine, name) == value for name, value in theirs._asdict().items()]
    first, last = (session.scalar(select(end).where(*mine)) for end in (func.min(at), func.max(at)))
    if first is None or last is None:
        return _Labelled("", since, since)
    return _Labelled("", max(since, first - first % QUARTER), max(since, min(until, last - last % QUARTER + QUARTER)))


def _shown(question: Question, whole: _Labelled) -> list[_Labelled]:
    """The periods that are told apart."""
    unit = next((name for name in question.group_by if name in UNITS), None)
    if unit is None:
        return [whole]
    days = cut(from_micros(whole.since), from_micros(whole.until), question.zone, unit)
    return [_Labelled(label, to_micros(since), to_micros(until)) for label, since, until in days]


def named_by(question: Question, labels: Sequence[str]) -> Callable[[int, str], tuple[str, ...]]:
    """How a row is called: by the index of its period and its value, in the order that is asked for."""
    match [name in UNITS for name in question.group_by]:
        case [True]:
            return lambda index, _: (labels[index],)
        case [True, False]:
            return lambda index, value: (labels[index], value)
        case [False, True]:
            return lambda index, value: (value, labels[index])
        case [False]:
            return lambda _, value: (value,)
        case _:
            return lambda _, __: ()


def _runs(quarters: Sequence[int]) -> list[Period]:
    """Quarters of an hour, in order, as few periods."""
    runs: list[Period] = []
    for starts in quarters:
        if runs and runs[-1][1] == starts:
            runs[-1] = runs[-1][0], starts + QUARTER
        else:
            runs.append((starts, starts + QUARTER))
    return runs


def _plan(periods: Sequence[_Labelled], wrong: Sequence[Period]) -> _Plan:
    plan = _Plan([], [])
    for index, (_, since, until) in enumerate(periods):
        first, last = -(-since // QUARTER) * QUARTER, until // QUARTER * QUARTER
        if first >= last:
            plan.beside.extend([(since, until)] if since < until else [])
            continue
        marked = [(max(begin, first), min(end, last)) for begin, end in wrong if begin < last and end > first]
        taken_away = [Part(QUARTER, begin, end, -1) for begin, end in marked]
        plan.spans.extend((index, part) for part in (*parts(first, last), *taken_away))
        ends = ((since, first), (last, until))
        plan.beside.extend((*((begin, end) for begin, end in ends if begin < end), *marked))
    return plan


def _within(plan: _Plan) -> list[ColumnElement[bool]]:
    at = type_coerce(CreditLine.order_at, BigInteger)
    return [or_(*(and_(at >= since, at < until) for since, until in plan.beside))]


def _kept(session: Session, question: Question, dimension: str, spans: Sequence[tuple[int, Part]]) -> Iterator[Any]:
    """Index of the period, currency, value, orders, gross and refunded; only where there is an order."""
    keys = keys_of(question, dimension, spans)
    by_value = dimension != TOTAL and bool(question.only)
    if by_value:
        keys = [(*key, value) for key in keys for values in question.only.values() for value in values]
    asked = _QUESTIONS[by_value, session.get_bind().dialect.name != "sqlite"]
    for index, currency, value, orders, *sums in asked.ask(session, keys):
        if orders and question.currency in (None, currency):
            yield index, currency, value, orders, *sums


def keys_of(question: Question, dimension: str, spans: Sequence[tuple[int, Part]]) -> list[Key]:
    """The keys of kept sums: the columns of `KEY`."""
    return [(*ledger_of(question), dimension, *part, index) for index, part in spans]


_sums = table_of(CreditSum)
_TIMED: Final = Timed(CreditLine, "crd")
KEY: Final[dict[str, Any]] = {
    "merchant_id": BigInteger(),
    "policy": id_type(),
    "livemode": Boolean(),
    "dimension": String(),
    **{name: BigInteger() for name in ("width", "since", "until")},
    "times": Integer(),
    "period": Integer(),
}
_NUMBERS: Final = ("orders", "gross", "refunded")


def sums_of(given: FromClause, *more: str, lateral: bool) -> Select[*tuple[Any, ...]]:
    """Kept sums by period, currency and value; `more` columns are of the key."""
    same = ("merchant_id", "policy", "livemode", "dimension", *more)
    by = {name: _sums.c[name] for name in ("currency", "value")}
    return signed_sums(given, _sums, same, by, _NUMBERS, lateral=lateral)


def _question(*, by_value: bool, lateral: bool) -> AskedOfMany:
    if by_value:
        return AskedOfMany(lambda given: sums_of(given, "value", lateral=lateral), **KEY, value=id_type(255))
    return AskedOfMany(lambda given: sums_of(given, lateral=lateral), **KEY)


_QUESTIONS: Final = {
    (by_value, lateral): _question(by_value=by_value, lateral=lateral)
    for by_value in (False, True)
    for lateral in (False, True)
}
