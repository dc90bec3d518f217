"""Answers from the kept sums of credit, and from the ledger where they do not hold: at the ends of a period, which need
not be whole quarters of an hour, and for quarters that are marked.

An order lies in one quarter, so what is asked of either adds up. Of a marked one the kept sum is taken away again (a
day is always the sum of its quarters, right or not), and the ledger's taken instead.
"""

from collections import defaultdict
from collections.abc import Iterator, Sequence
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
    true,
    type_coerce,
)
from sqlalchemy.orm import Session

from app.attribution.models import CreditLine
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import id_type, table_of
from app.kernel.given import Key
from app.kernel.given import Question as AskedOfMany
from app.kernel.periods import cut
from app.kernel.rollups.reading import Part, Period, parts
from app.kernel.rollups.tables import QUARTER
from app.reports import credit_sums, ledger
from app.reports.credit_sums import TOTAL, Ledger
from app.reports.ledger import COLUMNS, UNITS, Grouped, Question, Sums
from app.reports.models import CreditSum

_MOST_RANGES: Final = 50
"""Where more than so many pieces of the ledger would be asked for, all of it is asked for at once."""


class _Labelled(NamedTuple):
    """A period, in microseconds since 1970, and how it is called in the report."""

    label: str
    since: int
    until: int


class _Plan(NamedTuple):
    """What answers for some periods: kept spans, each for the period of that index, and what to ask the ledger for."""

    spans: list[tuple[int, Part]]
    beside: list[Period]


def answering(session: Session, question: Question) -> tuple[dict[str, Sums], Grouped] | None:
    """Totals and rows; None for a question that the kept sums cannot answer: of what was known once, by several
    dimensions at once, or by one for what has several values of another.

    The session sees one moment (`Database.reading`).
    """
    dimension = _dimension(question) if question.as_known_now else None
    if dimension is None:
        return None
    since, until = to_micros(question.since), to_micros(question.until)
    theirs = Ledger(question.merchant_id, question.policy, question.livemode)
    whole = _clipped(session, theirs, since, until)
    wrong = _runs(credit_sums.marks(session, theirs, whole.since - whole.since % QUARTER, whole.until))
    shown = _shown(question, whole)
    plans = _plan([whole], wrong), _plan(shown, wrong)
    if max(len(plan.beside) for plan in plans) > _MOST_RANGES:
        return None
    value = next((values[0] for values in question.only.values()), None)
    totals = ledger.totals(session, question, _within(plans[0])) if plans[0].beside else defaultdict(Sums)
    for _, currency, _, *sums in _kept(session, question, theirs, TOTAL if value is None else dimension, plans[0]):
        totals[currency].add(*sums)
    grouped: Grouped = ledger.grouped(session, question, _within(plans[1])) if plans[1].beside else defaultdict(Sums)
    for index, currency, found, *sums in _kept(session, question, theirs, dimension, plans[1]):
        names = tuple(shown[index].label if name in UNITS else found for name in question.group_by)
        grouped[currency, names].add(*sums)
    return totals, grouped


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


def _kept(session: Session, question: Question, theirs: Ledger, dimension: str, plan: _Plan) -> Iterator[Any]:
    """Index of the period, currency, value, orders, gross and refunded; only where there is an order."""
    keys: list[Key] = [(*theirs, dimension, *part, index) for index, part in plan.spans]
    values = [value for values in question.only.values() for value in values]
    if dimension != TOTAL and values:
        keys = [(*key, value) for key in keys for value in values]
    kind = "one by one" if session.get_bind().dialect.name == "sqlite" else "lateral"
    asked = _QUESTIONS[dimension != TOTAL and bool(values), kind]
    for index, currency, value, orders, *sums in asked.ask(session, keys):
        if orders and question.currency in (None, currency):
            yield index, currency, value, orders, *sums


_sums = table_of(CreditSum)
_KEY: Final[dict[str, Any]] = {
    "merchant_id": BigInteger(),
    "policy": id_type(),
    "livemode": Boolean(),
    "dimension": String(),
    **{name: BigInteger() for name in ("width", "since", "until")},
    "times": Integer(),
    "period": Integer(),
}
_NUMBERS: Final = ("orders", "gross", "refunded")


def _spans(given: FromClause) -> ColumnElement[bool]:
    """Of the value too, where the keys say one."""
    names = {"merchant_id", "policy", "livemode", "dimension", "value"} & set(given.c.keys())
    same = (_sums.c[name] == given.c[name] for name in sorted(names))
    return and_(*same, _sums.c.span == given.c.width, _sums.c.starts >= given.c.since, _sums.c.starts < given.c.until)


def _one_by_one(given: FromClause) -> Select[*tuple[Any, ...]]:
    key = (given.c.period, _sums.c.currency, _sums.c.value)
    numbers = (func.sum(given.c.times * _sums.c[name]) for name in _NUMBERS)
    return select(*key, *numbers).join_from(given, _sums, _spans(given)).group_by(*key)


def _lateral(given: FromClause) -> Select[*tuple[Any, ...]]:
    """PostgreSQL looks each key up by itself then, whatever its planner thinks of how many there are."""
    about = (_sums.c.currency, _sums.c.value)
    sums = (func.sum(_sums.c[name]).label(name) for name in _NUMBERS)
    theirs = select(*about, *sums).where(_spans(given)).group_by(*about).lateral("theirs")
    key = (given.c.period, theirs.c.currency, theirs.c.value)
    numbers = (func.sum(given.c.times * theirs.c[name]) for name in _NUMBERS)
    return select(*key, *numbers).join_from(given, theirs, true()).group_by(*key)


_QUESTIONS: Final = {
    (by_value, kind): AskedOfMany(build, **_KEY, **({"value": id_type(255)} if by_value else {}))
    for by_value in (False, True)
    for kind, build in (("one by one", _one_by_one), ("lateral", _lateral))
}
