"""What led to purchases, read many at a time: touches, the referrals behind them up to the roots, and coupons.

Writes nothing. Rows are tuples read straight from the tables, times in microseconds: they are read by the thousand.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Any, Final, NamedTuple, cast

from sqlalchemy import BigInteger, ColumnElement, FromClause, Integer, Select, bindparam, func, select, type_coerce
from sqlalchemy.orm import Session

from app.kernel.codes import LONGEST as LONGEST_CODE
from app.kernel.database import id_type, table_of
from app.kernel.given import Question, keys_of
from app.referrals.models import Claim, Coupon, Identity, Referral, Visit
from app.referrals.people import Said

FOR_EVER: Final = 2**63 - 1
"""Microseconds: later than anything."""


class TouchRow(NamedTuple):
    """A visit, or another touch of a journey, and who claimed it, if somebody did. `network` is its own."""

    touch_id: str
    visitor: str | None
    type: str
    network: str | None
    referral_id: str | None
    at: int
    received_at: int


class ReferralRow(NamedTuple):
    """A like or a share. `product` and `wall` are ours, else what another system called them."""

    referral_id: str
    visitor: str
    network: str | None
    parent_id: str | None
    at: int
    received_at: int
    kind: str
    product: str | None
    wall: str | None


class CouponRow(NamedTuple):
    """From `at` on, the code speaks for the referral; for nobody where that is empty."""

    code: str
    referral_id: str | None
    at: int
    received_at: int


def clicks(session: Session, merchant_id: int, click_ids: Collection[str], *, known_by: int) -> Sequence[TouchRow]:
    """Those of the touches that are known, each with who had claimed it by `known_by`."""
    found = _CLICKS.ask(session, keys_of(merchant_id, click_ids), known_by=known_by)
    return cast("Sequence[TouchRow]", found)  # rows have the same fields in the same order


def touches(
    session: Session, merchant_id: int, visitors: Mapping[str, int], *, known_by: int, most: int
) -> Sequence[TouchRow]:
    """What the visitors claimed by `known_by`, each up to before their microsecond: the latest first, at most
    `most` of all together."""
    bounds = {(merchant_id, visitor_id, until) for visitor_id, until in visitors.items()}
    return cast("Sequence[TouchRow]", _TOUCHES.ask(session, bounds, known_by=known_by, most=most))


def claimed(session: Session, merchant_id: int, visitors: Collection[str], *, most: int) -> list[str]:
    """The ids of what the visitors ever claimed, at most `most`, greatest ids first."""
    return [visit_id for (visit_id,) in _CLAIMED.ask(session, keys_of(merchant_id, visitors), most=most)]


def with_ancestors(
    session: Session, merchant_id: int, referral_ids: Collection[str]
) -> tuple[list[ReferralRow], list[Said]]:
    """Those of the referrals that are known, with all their ancestors; and all that was ever said of the visitors
    whose they are. In one query however long the chain; a loop ends it too."""
    referrals: dict[str, ReferralRow] = {}
    said: list[Said] = []
    for row in _LINEAGE.ask(session, keys_of(merchant_id, referral_ids)):
        if row[0] not in referrals:
            referrals[row[0]] = ReferralRow(*row[:_FIELDS])
        if row[_FIELDS] is not None:
            said.append(Said(row[1], *row[_FIELDS:]))
    return list(referrals.values()), said


def coupons(session: Session, merchant_id: int, codes: Collection[str]) -> Sequence[CouponRow]:
    """All that was ever said of the codes (normalised)."""
    return cast("Sequence[CouponRow]", _COUPONS.ask(session, keys_of(merchant_id, codes)))


_visits, _claims, _referrals = (table_of(each) for each in (Visit, Claim, Referral))
_coupons, _said = (table_of(each) for each in (Coupon, Identity))
_FIELDS: Final = len(ReferralRow._fields)
_known_by = bindparam("known_by", type_=BigInteger)
_most = bindparam("most", type_=Integer)
_claimed_by_then = type_coerce(_claims.c.received_at, BigInteger) <= _known_by
_touch_at = type_coerce(_visits.c.at, BigInteger)
_TOUCH = (
    _visits.c.visit_id,
    _claims.c.visitor_id,
    _visits.c.type,
    _visits.c.seen_from,
    _visits.c.referral_id,
    _touch_at,
    type_coerce(_visits.c.received_at, BigInteger),
)
_REFERRAL = (
    _referrals.c.referral_id,
    _referrals.c.visitor_id,
    _referrals.c.network,
    _referrals.c.parent_id,
    type_coerce(_referrals.c.at, BigInteger),
    type_coerce(_referrals.c.received_at, BigInteger),
    _referrals.c.kind,
    func.coalesce(_referrals.c.product_id, _referrals.c.told_product),
    func.coalesce(_referrals.c.wall_id, _referrals.c.told_wall),
)


def _clicks(given: FromClause) -> Select[*tuple[Any, ...]]:
    named = (_visits.c.merchant_id == given.c.merchant_id) & (_visits.c.visit_id == given.c.visit_id)
    found = given.join(_visits, named).outerjoin(_claims, _claim_of_visit & _claimed_by_then)
    return select(*_TOUCH).select_from(found)


def _touches(given: FromClause) -> Select[*tuple[Any, ...]]:
    found = given.join(_claims, _claims_of(given) & _claimed_by_then).join(_visits, _claim_of_visit)
    before = select(*_TOUCH).select_from(found).where(_touch_at < given.c.until)
    return before.order_by(_touch_at.desc(), _visits.c.visit_id.desc()).limit(_most)


def _claimed(given: FromClause) -> Select[*tuple[Any, ...]]:
    found = select(_claims.c.visit_id).join_from(given, _claims, _claims_of(given))
    return found.order_by(_claims.c.visit_id.desc()).limit(_most)


_claim_of_visit = (_claims.c.merchant_id == _visits.c.merchant_id) & (_claims.c.visit_id == _visits.c.visit_id)


def _claims_of(visitors: FromClause) -> ColumnElement[bool]:
    return (_claims.c.merchant_id == visitors.c.merchant_id) & (_claims.c.visitor_id == visitors.c.visitor_id)


def _lineage(given: FromClause) -> Select[*tuple[Any, ...]]:
    named = [column.label(name) for column, name in zip(_REFERRAL, ReferralRow._fields, strict=True)]
    rows = select(_referrals.c.merchant_id, *named)
    lineage = rows.join_from(given, _referrals, _is_referral(given, "referral_id")).cte("lineage", recursive=True)
    lineage = lineage.union(rows.join_from(lineage, _referrals, _is_referral(lineage, "parent_id")))
    of_sharer = (_said.c.merchant_id == lineage.c.merchant_id) & (_said.c.visitor_id == lineage.c.visitor)
    times = (type_coerce(_said.c[name], BigInteger) for name in ("at", "received_at"))
    found = lineage.outerjoin(_said, of_sharer)
    return select(*(lineage.c[name] for name in ReferralRow._fields), _said.c.person, *times).select_from(found)


def _is_referral(rows: FromClause, name: str) -> ColumnElement[bool]:
    return (_referrals.c.merchant_id == rows.c.merchant_id) & (_referrals.c.referral_id == rows.c[name])


def _coupons_of(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (_coupons.c.merchant_id == given.c.merchant_id) & (_coupons.c.code == given.c.code)
    times = (type_coerce(_coupons.c[name], BigInteger) for name in ("at", "received_at"))
    return select(_coupons.c.code, _coupons.c.referral_id, *times).join_from(given, _coupons, same)


_CLICKS = Question(_clicks, merchant_id=BigInteger(), visit_id=id_type())
_TOUCHES = Question(_touches, merchant_id=BigInteger(), visitor_id=id_type(), until=BigInteger())
_CLAIMED = Question(_claimed, merchant_id=BigInteger(), visitor_id=id_type())
_LINEAGE = Question(_lineage, merchant_id=BigInteger(), referral_id=id_type())
_COUPONS = Question(_coupons_of, merchant_id=BigInteger(), code=id_type(LONGEST_CODE))
