"""The facts that are counted, each with all by which it is counted: the one place that says in SQL what
`app/referrals/counting` says in Python. Executes nothing.

Whoever asks names the columns that are needed, and gives the parameters: `bounds`.
"""

from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import (
    BigInteger,
    ColumnElement,
    CompoundSelect,
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

from app.kernel.clock import from_micros
from app.kernel.database import id_type
from app.kernel.partitions import Timed
from app.kernel.rollups.tables import DIMENSIONS, QUARTER
from app.orders.models import Checkout
from app.referrals.beacons import BELIEVED_FOR
from app.referrals.counting import VISIT_KINDS
from app.referrals.models import Beacon, Referral, Visit

BY: Final = DIMENSIONS[1:]
VISITOR: Final = "visitor"
"""Whose referral it was, or who made it: under that nothing is counted, but facts can be asked for it."""

_SLACK: Final = timedelta(hours=1)
"""Between the time in an id and that of its fact: a checkout gets its id before Stripe is asked for its promotion."""
_TABLES: Final = {"visits": Timed(Visit, "clk"), "referrals": Timed(Referral, "ref"), "beacons": Timed(Beacon, "bcn")}
_CHECKOUTS: Final = Timed(Checkout, "chk")

since, until, beacons_since, visits_since, checkouts_since, merchant_id = (
    bindparam(name, type_=BigInteger)
    for name in ("since", "until", "beacons_since", "visits_since", "checkouts_since", "merchant_id")
)
"""The parameters: facts of `since <= t < until` in microseconds since 1970; and from when on those of a kind are all
there: of earlier ones none are counted."""


def bounds(begin: int, end: int) -> dict[str, str]:
    """Between which ids the facts of a time are: they need not be looked for among all."""
    first, last = from_micros(max(0, begin)) - _SLACK, from_micros(end) + BELIEVED_FOR + _SLACK
    first = max(first, from_micros(0))
    timed = {**_TABLES, "checkouts": _CHECKOUTS}
    firsts = {f"{name}_first": each.beginning(first) for name, each in timed.items()}
    return firsts | {f"{name}_last": each.beginning(last) for name, each in timed.items()}


def words(value: Any) -> ColumnElement[str]:
    """Compared as bytes, as counts are; none is empty."""
    return cast(func.coalesce(value, ""), id_type(255))


def facts(names: Collection[str] = BY, *, with_beacons: bool = True) -> CompoundSelect[*tuple[Any, ...]]:
    """A row for each fact: its quarter's beginning, its measure, and those of `BY` and `VISITOR` that are named."""
    return union_all(*_parts(names, with_beacons=with_beacons))


class _Kind(NamedTuple):
    """What a kind of fact is counted as and when, and under what."""

    fact: Any
    measure: Any
    at: Any
    values: dict[str, Any]


_VISITS: Final = _Kind(
    Visit,
    literal("visits"),
    Visit.at,
    {
        "network": func.coalesce(Visit.seen_from, Referral.network),
        "shared_to": Referral.network,
        "seen_from": Visit.seen_from,
        "product": func.coalesce(Visit.product_id, Referral.product_id, Referral.told_product),
        "wall": func.coalesce(Visit.wall_id, Referral.wall_id, Referral.told_wall),
        "kind": case(VISIT_KINDS, value=Visit.type),
        VISITOR: Referral.visitor_id,
    },
)
_REFERRALS: Final = _Kind(
    Referral,
    Referral.kind + "s",
    Referral.at,
    {
        "network": Referral.network,
        "shared_to": Referral.network,
        "product": func.coalesce(Referral.product_id, Referral.told_product),
        "wall": func.coalesce(Referral.wall_id, Referral.told_wall),
        "kind": Referral.kind,
        VISITOR: Referral.visitor_id,
    },
)
_BEACONS: Final = _Kind(
    Beacon,
    Beacon.type + "s",
    Beacon.at,
    {
        "network": Referral.network,
        "shared_to": Referral.network,
        "product": Beacon.product_id,
        "wall": Beacon.wall_id,
        "kind": Referral.kind,
        VISITOR: Referral.visitor_id,
    },
)
_BEGUN: Final = _Kind(
    Checkout,
    literal("checkouts"),
    Checkout.created_at,
    {
        "network": func.coalesce(Checkout.seen_from, Referral.network),
        "shared_to": Referral.network,
        "seen_from": Checkout.seen_from,
        "product": Checkout.items[0]["product"].as_string(),
        "wall": Checkout.wall_id,
        "kind": Referral.kind,
        VISITOR: Referral.visitor_id,
    },
)


def _parts(names: Collection[str], *, with_beacons: bool) -> Iterator[Select[*tuple[Any, ...]]]:
    kept = type_coerce(Visit.at, BigInteger) >= visits_since
    visits = _of(_VISITS, names).where(Visit.type.in_(VISIT_KINDS), kept)
    yield visits.where(_by_id("visits", _TABLES["visits"]), Visit.imported == false())
    # As the index says it: SQLite would not see that `imported = 1` is the same.
    yield visits.where(Visit.merchant_id == merchant_id, text("visits.imported"))
    referrals = _of(_REFERRALS, names).where((Referral.kind != "like") | Referral.withdrawn_at.is_(None))
    yield referrals.where(_by_id("referrals", _TABLES["referrals"]), Referral.code.is_not(None))
    yield referrals.where(Referral.merchant_id == merchant_id, Referral.code.is_(None))
    if with_beacons:
        beacons = _of(_BEACONS, names).where(type_coerce(Beacon.at, BigInteger) >= beacons_since)
        yield beacons.where(_by_id("beacons", _TABLES["beacons"]))
    begun = _of(_BEGUN, names).where(type_coerce(Checkout.created_at, BigInteger) >= checkouts_since)
    yield begun.where(_by_id("checkouts", _CHECKOUTS))


def _of(kind: _Kind, names: Collection[str]) -> Select[*tuple[Any, ...]]:
    micros = type_coerce(kind.at, BigInteger)
    values = (words(kind.values.get(name)).label(name) for name in names)
    starts = (micros - micros % QUARTER).label("starts")
    query = select(starts, words(kind.measure).label("measure"), *values).where(micros >= since, micros < until)
    if kind.fact is Referral:
        return query
    # The referral is looked up by its key, or where nothing of it is asked for, not at all.
    through = and_(Referral.merchant_id == kind.fact.merchant_id, Referral.referral_id == kind.fact.referral_id)
    return query.outerjoin_from(kind.fact, Referral, through)


def _by_id(name: str, timed: Timed) -> ColumnElement[bool]:
    return and_(
        timed.table.c.merchant_id == merchant_id,
        timed.key >= bindparam(f"{name}_first", type_=id_type()),
        timed.key < bindparam(f"{name}_last", type_=id_type()),
    )
