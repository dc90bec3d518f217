"""What the counts should be by the facts, and where they differ: one statement, so one moment of everything.

Facts and what they add to the counts are committed together (app/kernel/rollups/appending). So at every moment the
counts and what is not folded yet are as many as the facts, and a difference, once found, stays the same whatever is
written meanwhile: until somebody mends it. Says in SQL what `app/referrals/counting` says in Python.
"""

from collections.abc import Collection, Iterable, Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
    FromClause,
    Select,
    and_,
    bindparam,
    case,
    cast,
    false,
    func,
    literal,
    select,
    text,
    type_coerce,
    union_all,
)
from sqlalchemy.orm import Session

from app.kernel.clock import from_micros
from app.kernel.database import id_type, table_of
from app.kernel.partitions import Timed
from app.kernel.rollups.appending import Change
from app.kernel.rollups.tables import DIMENSIONS, MEASURES, QUARTER, SPANS, Rollup, RollupDelta
from app.orders.models import Checkout
from app.referrals.beacons import BELIEVED_FOR
from app.referrals.counting import BEACONS, VISIT_KINDS
from app.referrals.models import Beacon, Referral, Visit

_SLACK: Final = timedelta(hours=1)
"""Between the time in an id and that of its fact: a checkout gets its id before Stripe is asked for its promotion."""


class Span(NamedTuple):
    """A wider span whose counts are not those of its quarters, and by how much they are too few."""

    dimension: str
    width: int
    starts: int
    value: str
    counts: tuple[int, ...]


def differences(session: Session, merchant_id: int, since: int, until: int, beacons_since: int) -> list[Change]:
    """What must be added to the counts of the quarters that begin in `since <= t < until` to make them those of the
    facts, in microseconds since 1970. Of beacons only from `beacons_since` on: older ones may have been dropped."""
    asked = {"merchant_id": merchant_id, "since": since, "until": until, "beacons_since": beacons_since}
    found = session.execute(_DIFFERENCES, {**asked, **_bounds(since, until)})
    return [Change(merchant_id, row[0], row[1], row[2], _whole(row[3:])) for row in found]


def uneven(session: Session, merchant_id: int) -> list[Span]:
    """The wider spans that are not the sum of their quarters: whoever folds changes all of them at once."""
    found = session.execute(_UNEVEN, {"merchant_id": merchant_id})
    return [Span(row[0], row[1], row[2], row[3], _whole(row[4:])) for row in found]


def _whole(counts: Iterable[Any]) -> tuple[int, ...]:
    return tuple(map(int, counts))


_TABLES: Final = {"visits": Timed(Visit, "clk"), "referrals": Timed(Referral, "ref"), "beacons": Timed(Beacon, "bcn")}
_CHECKOUTS: Final = Timed(Checkout, "chk")


def _bounds(since: int, until: int) -> dict[str, str]:
    """Between which ids the facts of a time are: they need not be looked for among all."""
    first, last = from_micros(max(0, since)) - _SLACK, from_micros(until) + BELIEVED_FOR + _SLACK
    first = max(first, from_micros(0))
    timed = {**_TABLES, "checkouts": _CHECKOUTS}
    firsts = {f"{name}_first": each.beginning(first) for name, each in timed.items()}
    return firsts | {f"{name}_last": each.beginning(last) for name, each in timed.items()}


# The facts, each with all by which it is counted.

_BY: Final = DIMENSIONS[1:]
_since, _until, _beacons_since, _merchant_id = (
    bindparam(name, type_=BigInteger) for name in ("since", "until", "beacons_since", "merchant_id")
)


def _words(value: Any) -> ColumnElement[str]:
    """Compared as bytes, as counts are; none is empty."""
    return cast(func.coalesce(value, ""), id_type(255))


def _counted(measure: Any, at: Any, **by: Any) -> Select[*tuple[Any, ...]]:
    micros = type_coerce(at, BigInteger)
    values = (_words(by.get(name)).label(name) for name in _BY)
    starts = (micros - micros % QUARTER).label("starts")
    query = select(starts, _words(measure).label("measure"), *values)
    return query.where(micros >= _since, micros < _until)


def _by_id(name: str, timed: Timed) -> ColumnElement[bool]:
    return and_(
        timed.table.c.merchant_id == _merchant_id,
        timed.key >= bindparam(f"{name}_first", type_=id_type()),
        timed.key < bindparam(f"{name}_last", type_=id_type()),
    )


def _facts() -> FromClause:
    visits = _counted(
        literal("visits"),
        Visit.at,
        network=func.coalesce(Visit.seen_from, Referral.network),
        shared_to=Referral.network,
        seen_from=Visit.seen_from,
        product=func.coalesce(Visit.product_id, Referral.product_id, Referral.told_product),
        wall=func.coalesce(Visit.wall_id, Referral.wall_id, Referral.told_wall),
        kind=case(VISIT_KINDS, value=Visit.type),
    ).where(Visit.type.in_(VISIT_KINDS))
    visits = visits.outerjoin_from(Visit, Referral, _referral_of(Visit))
    referrals = _counted(
        Referral.kind + "s",
        Referral.at,
        network=Referral.network,
        shared_to=Referral.network,
        product=func.coalesce(Referral.product_id, Referral.told_product),
        wall=func.coalesce(Referral.wall_id, Referral.told_wall),
        kind=Referral.kind,
    ).where((Referral.kind != "like") | Referral.withdrawn_at.is_(None))
    beacons = _counted(
        Beacon.type + "s",
        Beacon.at,
        network=Referral.network,
        shared_to=Referral.network,
        product=Beacon.product_id,
        wall=Beacon.wall_id,
        kind=Referral.kind,
    ).where(type_coerce(Beacon.at, BigInteger) >= _beacons_since)
    beacons = beacons.outerjoin_from(Beacon, Referral, _referral_of(Beacon))
    checkouts = _counted(
        literal("checkouts"),
        Checkout.created_at,
        network=func.coalesce(Checkout.seen_from, Referral.network),
        shared_to=Referral.network,
        seen_from=Checkout.seen_from,
        product=Checkout.items[0]["product"].as_string(),
        wall=Checkout.wall_id,
        kind=Referral.kind,
    ).outerjoin_from(Checkout, Referral, _referral_of(Checkout))
    ours, theirs = Referral.code.is_not(None), Referral.code.is_(None)
    return union_all(
        visits.where(_by_id("visits", _TABLES["visits"]), Visit.imported == false()),
        # As the index says it: SQLite would not see that `imported = 1` is the same.
        visits.where(Visit.merchant_id == _merchant_id, text("visits.imported")),
        referrals.where(_by_id("referrals", _TABLES["referrals"]), ours),
        referrals.where(Referral.merchant_id == _merchant_id, theirs),
        beacons.where(_by_id("beacons", _TABLES["beacons"])),
        checkouts.where(_by_id("checkouts", _CHECKOUTS)),
    ).cte("facts")


def _referral_of(fact: Any) -> ColumnElement[bool]:
    return and_(Referral.merchant_id == fact.merchant_id, Referral.referral_id == fact.referral_id)


# Counts by the facts, less the counts that stand.


def _by_facts() -> Iterator[Select[*tuple[Any, ...]]]:
    facts = _facts()
    alike = select(*facts.c, func.count().label("times")).group_by(*facts.c).cte("alike")
    for dimension in DIMENSIONS:
        value = _words(literal("")) if dimension == "total" else alike.c[dimension]
        counts = (func.sum(case((alike.c.measure == name, alike.c.times), else_=0)) for name in MEASURES)
        about = (alike.c.starts, _words(literal(dimension)).label("dimension"), value.label("value"))
        query = select(*about, *(count.label(name) for count, name in zip(counts, MEASURES, strict=True)))
        yield query.group_by(alike.c.starts, *([] if dimension == "total" else [value]))


def _standing(mapped: type[Rollup] | type[RollupDelta]) -> Select[*tuple[Any, ...]]:
    counts = table_of(mapped).c
    forgotten = {*BEACONS.values()}
    less = (
        case((counts.starts >= _beacons_since, -counts[name]), else_=0) if name in forgotten else -counts[name]
        for name in MEASURES
    )
    query = select(counts.starts, _words(counts.dimension), counts.value, *less)
    return query.where(counts.merchant_id == _merchant_id, counts.starts >= _since, counts.starts < _until)


def _different(parts: CompoundSelect[*tuple[Any, ...]], about: Collection[str]) -> Select[*tuple[Any, ...]]:
    all_of = parts.subquery("all_of").c
    sums = [func.sum(all_of[name]) for name in MEASURES]
    names = [all_of[name] for name in about]
    some = sums[0] != 0
    for each in sums[1:]:
        some |= each != 0
    return select(*names, *sums).group_by(*names).having(some).order_by(*names)


def _of_quarters() -> Select[*tuple[Any, ...]]:
    rollups = table_of(Rollup).c
    return _standing(Rollup).where(rollups.dimension.in_(DIMENSIONS), rollups.span == QUARTER)


def _of_spans() -> Iterator[Select[*tuple[Any, ...]]]:
    rollups = table_of(Rollup).c
    ours = (rollups.merchant_id == _merchant_id, rollups.dimension.in_(DIMENSIONS))
    for width in SPANS[1:]:
        starts = rollups.starts - rollups.starts % width
        about = (rollups.dimension, literal(width, BigInteger).label("width"), starts.label("starts"), rollups.value)
        counts = (rollups[name].label(name) for name in MEASURES)
        yield select(*about, *counts).where(*ours, rollups.span == QUARTER)
    wide = (rollups.dimension, rollups.span, rollups.starts, rollups.value)
    yield select(*wide, *(-rollups[name] for name in MEASURES)).where(*ours, rollups.span.in_(SPANS[1:]))


_DIFFERENCES: Final = _different(
    union_all(*_by_facts(), _of_quarters(), _standing(RollupDelta)), ("starts", "dimension", "value")
)
_UNEVEN: Final = _different(union_all(*_of_spans()), ("dimension", "width", "starts", "value"))
