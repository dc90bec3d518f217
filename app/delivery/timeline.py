"""What one customer did and what came of it, newest first: their likes and shares, the visits and sales that these
brought, their own visits and orders. Joined on the merchant's own id of the person (`PUT /v1/identities/{visitor}`).

Reads a page at a time, from each table no more than a page. Knows no HTTP.
"""

from collections.abc import Collection, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any, Final, Literal, NamedTuple

from sqlalchemy import (
    BigInteger,
    FromClause,
    Integer,
    Select,
    bindparam,
    false,
    func,
    select,
    text,
    tuple_,
    type_coerce,
)
from sqlalchemy.orm import InstrumentedAttribute, Session
from sqlalchemy.types import TypeEngine

from app.attribution.models import CreditLine
from app.attribution.policies import CURRENT
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import id_type
from app.kernel.given import Key, Question, keys_of
from app.kernel.ids import beginning
from app.orders.models import Order
from app.referrals import identities
from app.referrals.models import Claim, Referral, Visit
from app.referrals.parents import ARRIVING
from app.reports.people import one_of

Kind = Literal["like", "share", "visit", "visit_brought", "order", "sale_brought"]

_ASIDE: Final = timedelta(seconds=1)
"""By so much the time in an id may differ from the time of what it names."""
_FIRST, _FAR = datetime(1970, 1, 2, tzinfo=UTC), datetime(9000, 1, 1, tzinfo=UTC)
_LAST: Final = 2**62


class Place(NamedTuple):
    """Where something stands: what comes later in the list is older, or of the same microsecond and a smaller id."""

    at: int  # microseconds
    kind: str
    id: str


class Moment(NamedTuple):
    """Something that happened, and what is to be told of it. `net` is in minor units of `currency`: of an order, what
    is left of it; of a sale that was brought, what is left of the part that came through their links."""

    place: Place
    kind: Kind
    id: str
    at: datetime
    referral: str | None = None
    network: str | None = None
    product: str | None = None
    wall: str | None = None
    currency: str | None = None
    net: int | None = None
    test: bool | None = None


def visitors(session: Session, merchant_id: int, person: str) -> set[str]:
    """All who are that person: visitors who were joined to them, and the one of that very name, unless they are
    somebody else."""
    found = set(session.scalars(identities.members(merchant_id, person)))
    if identities.person_of(session, merchant_id, person) == person:
        found.add(person)
    return found


def page(session: Session, merchant_id: int, who: Collection[str], before: Place | None, most: int) -> list[Moment]:
    """The next of what these visitors did and brought: at most `most`, newest first."""
    before = Place(_LAST, "", "") if before is None else before._replace(at=min(max(before.at, 0), _LAST))
    keys = keys_of(merchant_id, who)
    referrals = {row.referral_id: row for (row,) in _REFERRALS.ask(session, keys)}
    found = [
        *(_word(row) for row in referrals.values()),
        *_visits(session, keys, _bounds(before, "visit", most)),
        *_orders(session, keys, _bounds(before, "order", most)),
        *_brought(session, merchant_id, referrals, _bounds(before, "visit_brought", most)),
        *_sales(session, merchant_id, referrals, _bounds(before, "sale_brought", most)),
    ]
    earlier = (moment for moment in found if moment.place < before)
    return sorted(earlier, key=lambda moment: moment.place, reverse=True)[:most]


_Bounds = dict[str, Any]


def _bounds(before: Place, kind: str, most: int) -> _Bounds:
    """Of this kind, what comes later in the list than `before`: less than this time and id."""
    if kind == before.kind:
        return {"before_at": before.at, "before_id": before.id, "most": most}
    return {"before_at": before.at + (kind < before.kind), "before_id": "", "most": most}


def _word(row: Referral) -> Moment:
    kind: Kind = "like" if row.kind == "like" else "share"
    return Moment(
        *(Place(to_micros(row.at), kind, row.referral_id), kind, row.referral_id, row.at),
        referral=row.parent_id,
        network=row.network,
        product=row.product_id or row.told_product,
        wall=row.wall_id or row.told_wall,
    )


def _visit(kind: Kind, row: Visit) -> Moment:
    return Moment(
        *(Place(to_micros(row.at), kind, row.visit_id), kind, row.visit_id, row.at),
        referral=row.referral_id,
        network=row.seen_from,
        product=row.product_id,
        wall=row.wall_id,
    )


def _visits(session: Session, keys: Collection[Key], bounds: _Bounds) -> list[Moment]:
    return [_visit("visit", row) for (row,) in _VISITS.ask(session, keys, **bounds)]


def _orders(session: Session, keys: Collection[Key], bounds: _Bounds) -> list[Moment]:
    return [
        Moment(
            *(Place(to_micros(row.at), "order", row.order_id), "order", row.order_id, row.at),
            wall=row.wall_id,
            currency=row.currency,
            net=row.net - row.refunded,
            test=not row.livemode,
        )
        for question in (_ORDERS, _ORDERS_BY_CLICK)
        for (row,) in question.ask(session, keys, **bounds)
    ]


def _brought(session: Session, merchant_id: int, referrals: Mapping[str, Referral], bounds: _Bounds) -> list[Moment]:
    """Visits through their links. Those of ours have their time in their ids, and are looked for since the first link;
    those that were brought in from another system are few, and have an index."""
    if not referrals:
        return []
    first = max(min(row.at for row in referrals.values()), _FIRST) - _ASIDE
    last = from_micros(min(bounds["before_at"], to_micros(_FAR))) + _ASIDE
    mine = (Visit.merchant_id == merchant_id, Visit.type.in_(ARRIVING), one_of(session, Visit.referral_id, referrals))
    place = tuple_(type_coerce(Visit.at, BigInteger), Visit.visit_id)
    earlier = place < tuple_(bounds["before_at"], bounds["before_id"])
    ours = (
        Visit.visit_id >= beginning("clk", first),
        Visit.visit_id < beginning("clk", last),
        Visit.imported == false(),
    )
    return [
        _visit("visit_brought", row)
        for where in (ours, (text("visits.imported"),))
        for row in session.scalars(
            select(Visit)
            .where(*mine, *where, earlier)
            .order_by(type_coerce(Visit.at, BigInteger).desc(), Visit.visit_id.desc())
            .limit(bounds["most"])
        )
    ]


def _sales(session: Session, merchant_id: int, referrals: Collection[str], bounds: _Bounds) -> list[Moment]:
    """Orders through their links, each with the part that came through these, whoever was credited above."""
    found = _SALES.ask(session, keys_of(merchant_id, referrals), **{**bounds, "policy": CURRENT})
    return [
        Moment(
            *(Place(at, "sale_brought", order), "sale_brought", order, from_micros(at)),
            referral=referral,
            network=network,
            currency=currency,
            net=int(net),
            test=not livemode,
        )
        for order, at, referral, network, currency, net, livemode in found
    ]


_earlier_than: Final = tuple_(bindparam("before_at", type_=BigInteger), bindparam("before_id", type_=id_type(200)))
_most: Final = bindparam("most", type_=Integer)


def _referrals_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Referral.merchant_id == given.c.merchant_id) & (Referral.visitor_id == given.c.visitor_id)
    return select(Referral).select_from(given).join(Referral, same)


def _visits_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    mine = (Claim.merchant_id == given.c.merchant_id) & (Claim.visitor_id == given.c.visitor_id)
    same = (Visit.merchant_id == Claim.merchant_id) & (Visit.visit_id == Claim.visit_id)
    found = select(Visit).select_from(given).join(Claim, mine).join(Visit, same).where(Visit.type.in_(ARRIVING))
    return _newest(found, Visit.at, Visit.visit_id)


def _orders_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Order.merchant_id == given.c.merchant_id) & (Order.visitor_id == given.c.visitor_id)
    return _newest(select(Order).select_from(given).join(Order, same), Order.at, Order.order_id)


def _orders_by_click(given: FromClause) -> Select[*tuple[Any, ...]]:
    """Orders that say only through which click somebody came."""
    mine = (Claim.merchant_id == given.c.merchant_id) & (Claim.visitor_id == given.c.visitor_id)
    same = (Order.merchant_id == Claim.merchant_id) & (Order.click_id == Claim.visit_id)
    found = select(Order).select_from(given).join(Claim, mine).join(Order, same).where(Order.visitor_id.is_(None))
    return _newest(found, Order.at, Order.order_id)


def _newest(found: Select[Any], at: InstrumentedAttribute[datetime], id: InstrumentedAttribute[str]) -> Select[Any]:
    place = type_coerce(at, BigInteger)
    return found.where(tuple_(place, id) < _earlier_than).order_by(place.desc(), id.desc()).limit(_most)


def _sales_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    line = CreditLine
    mine = (line.merchant_id == given.c.merchant_id) & (line.source_referral == given.c.referral_id)
    at, net = func.min(type_coerce(line.order_at, BigInteger)), func.sum(line.gross - line.reversed)
    through = func.min(line.source_referral), func.min(line.network)
    found = select(line.order_id, at, *through, line.currency, net, line.livemode).select_from(given).join(line, mine)
    found = found.where(line.policy == bindparam("policy")).group_by(line.order_id, line.currency, line.livemode)
    earlier = tuple_(at, line.order_id) < _earlier_than
    return found.having(earlier).order_by(at.desc(), line.order_id.desc()).limit(_most)


_VISITOR: Final[dict[str, TypeEngine[Any]]] = {"merchant_id": BigInteger(), "visitor_id": id_type(200)}
_REFERRALS: Final = Question(_referrals_of, **_VISITOR)
_VISITS: Final = Question(_visits_of, **_VISITOR)
_ORDERS: Final = Question(_orders_of, **_VISITOR)
_ORDERS_BY_CLICK: Final = Question(_orders_by_click, **_VISITOR)
_SALES: Final = Question(_sales_of, merchant_id=BigInteger(), referral_id=id_type(200))
