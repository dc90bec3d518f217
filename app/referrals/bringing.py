"""Likes, shares, touches, people and coupons that another system remembers, written many at a time.

Knows the session and the tables, not HTTP and not the lines they came in. They stand under the sender's own ids
(docs/decisions/0009). Whoever calls this holds the merchant's facts. What came first stands (app/kernel/brought.py).
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, FromClause, Select, and_, select
from sqlalchemy.orm import Session

from app.catalog import naming as products
from app.kernel import journal
from app.kernel.brought import Said, Verdict, judge
from app.kernel.codes import normalised
from app.kernel.database import id_type, insert_all_new
from app.kernel.given import Question, keys_of
from app.kernel.ids import new_id
from app.referrals import bringing_counts
from app.referrals.identities import noted_as
from app.referrals.models import Claim, Coupon, Identity, Referral, Visit
from app.walls import naming as walls

TABLES = (Referral, Visit, Claim, Identity, Coupon)
"""What is filled here."""


class PastReferral(NamedTuple):
    """A like or share. Its parent is as given; product and wall are as the sender calls them."""

    id: str
    kind: str
    visitor: str
    network: str | None
    parent: str | None
    product: str | None
    wall: str | None
    at: datetime  # whole seconds, as of every fact here
    received_at: datetime


class PastTouch(NamedTuple):
    """Something in a visitor's journey."""

    id: str
    visitor: str
    type: str
    network: str | None
    referral: str | None
    at: datetime
    received_at: datetime


class PastIdentity(NamedTuple):
    """That visitor was that person."""

    visitor: str
    person: str
    at: datetime
    received_at: datetime


class PastCoupon(NamedTuple):
    """From `at` on the code spoke for the referral."""

    code: str
    referral: str
    at: datetime
    received_at: datetime


def bring_referrals(
    session: Session, merchant_id: int, facts: Sequence[PastReferral], *, now: datetime
) -> list[Verdict]:
    """Write those that are new; what became of each, in order."""
    subjects = _Subjects(session, merchant_id)
    subjects.learn((fact.product, fact.wall) for fact in facts)

    def said(fact: PastReferral) -> Said:
        target = subjects.meant(fact.product, fact.wall)
        return fact.kind, fact.visitor, fact.network, fact.parent, *target, fact.at

    def insert(new: Mapping[str, PastReferral]) -> set[str]:
        rows = [_referral_row(merchant_id, fact, subjects) for fact in new.values()]
        made = {referral_id for _, referral_id in insert_all_new(session, Referral, rows)}
        bringing_counts.count_referrals(session, merchant_id, made)
        journal.note(session, merchant_id, "referral.created", [id for id in new if id in made], now)
        return made

    def find(known: Mapping[str, PastReferral]) -> dict[str, Said]:
        rows = _REFERRALS.ask(session, keys_of(merchant_id, known))
        subjects.learn((row.told_product, row.told_wall) for row in rows)
        return {
            row.referral_id: (
                *(row.kind, row.visitor_id, row.network, row.parent_id),
                *subjects.meant(row.product_id or row.told_product, row.wall_id or row.told_wall),
                row.at,
            )
            for row in rows
        }

    fields = ("type", "visitor", "network", "parent", "product", "wall", "at")
    return judge(facts, fields, key=_id_of, said=said, insert=insert, find=find)


class _Subjects:
    """The products and walls of ours that others mean by a name."""

    def __init__(self, session: Session, merchant_id: int) -> None:
        self._session = session
        self._merchant_id = merchant_id
        self._products: dict[str, str] = {}
        self._walls: dict[str, str] = {}

    def learn(self, named: Iterable[tuple[str | None, str | None]]) -> None:
        """Look up what these pairs of a product's and a wall's names mean."""
        pairs = list(named)
        asked = {product for product, _ in pairs if product is not None}
        self._products |= products.meant(self._session, self._merchant_id, asked)
        asked = {wall for _, wall in pairs if wall is not None}
        self._walls |= walls.meant(self._session, self._merchant_id, asked)

    def ours(self, product: str | None, wall: str | None) -> tuple[str | None, str | None]:
        """Our ids of what is called so; none where it is nothing of ours."""
        return (
            None if product is None else self._products.get(product),
            None if wall is None else self._walls.get(wall),
        )

    def meant(self, product: str | None, wall: str | None) -> tuple[str | None, str | None]:
        """Our ids of what is called so, else the names."""
        product_id, wall_id = self.ours(product, wall)
        return product_id or product, wall_id or wall


def _referral_row(merchant_id: int, fact: PastReferral, subjects: _Subjects) -> dict[str, object]:
    product_id, wall_id = subjects.ours(fact.product, fact.wall)
    return {
        "merchant_id": merchant_id,
        "referral_id": fact.id,
        "kind": fact.kind,
        "visitor_id": fact.visitor,
        "product_id": product_id,
        "wall_id": wall_id,
        "target": f"{product_id or ''}/{wall_id or ''}",
        "told_product": None if product_id else fact.product,
        "told_wall": None if wall_id else fact.wall,
        "network": fact.network,
        "parent_id": fact.parent,
        "at": fact.at,
        "received_at": fact.received_at,
    }


def bring_touches(session: Session, merchant_id: int, facts: Sequence[PastTouch], *, now: datetime) -> list[Verdict]:
    """Write those that are new, each claimed by its visitor; what became of each, in order."""

    def insert(new: Mapping[str, PastTouch]) -> set[str]:
        rows = [_visit_row(merchant_id, fact) for fact in new.values()]
        made = {visit_id for _, visit_id in insert_all_new(session, Visit, rows)}
        insert_all_new(session, Claim, [_claim_row(merchant_id, new[visit_id]) for visit_id in sorted(made)])
        bringing_counts.count_touches(session, merchant_id, made)
        for kind in ("visit.recorded", "visit.claimed"):
            journal.note(session, merchant_id, kind, [id for id in new if id in made], now)
        return made

    def find(known: Mapping[str, PastTouch]) -> dict[str, Said]:
        rows = _TOUCHES.ask(session, keys_of(merchant_id, known))
        return {row.visit_id: (row.visitor_id, row.type, row.seen_from, row.referral_id, row.at) for row in rows}

    fields = ("visitor", "type", "network", "referral", "at")
    return judge(facts, fields, key=_id_of, said=lambda fact: fact[1:6], insert=insert, find=find)


def _visit_row(merchant_id: int, fact: PastTouch) -> dict[str, object]:
    return {
        "merchant_id": merchant_id,
        "visit_id": fact.id,
        "referral_id": fact.referral,
        "type": fact.type,
        "seen_from": fact.network,
        "imported": True,
        "at": fact.at,
        "received_at": fact.received_at,
    }


def _claim_row(merchant_id: int, fact: PastTouch) -> dict[str, object]:
    return {
        "merchant_id": merchant_id,
        "visit_id": fact.id,
        "claimed_id": fact.id,
        "visitor_id": fact.visitor,
        "at": fact.at,
        "received_at": fact.received_at,
    }


def bring_identities(
    session: Session, merchant_id: int, facts: Sequence[PastIdentity], *, now: datetime
) -> list[Verdict]:
    """Write those that are new; what became of each, in order. All that one says is its key: none contradicts."""

    def insert(new: Mapping[Said, PastIdentity]) -> set[Said]:
        rows = [
            {
                "merchant_id": merchant_id,
                "visitor_id": fact.visitor,
                "person": fact.person,
                "at": fact.at,
                "received_at": fact.received_at,
            }
            for fact in new.values()
        ]
        made = {(visitor, person, at) for _, visitor, person, at in insert_all_new(session, Identity, rows)}
        journal.note(session, merchant_id, "identity.joined", sorted(noted_as(*key) for key in made), now)
        return {*made}

    return judge(facts, (), key=_identity_key, said=_nothing_else, insert=insert, find=_found)


def bring_coupons(session: Session, merchant_id: int, facts: Sequence[PastCoupon], *, now: datetime) -> list[Verdict]:
    """Write those that are new; what became of each, in order. All that one says is its key: none contradicts."""

    def insert(new: Mapping[Said, PastCoupon]) -> set[Said]:
        rows = {new_id("cpn", merchant_id, now): fact for fact in new.values()}
        written = insert_all_new(session, Coupon, [_coupon_row(merchant_id, *row) for row in rows.items()])
        journal.note(session, merchant_id, "coupon.changed", sorted(coupon_id for _, coupon_id in written), now)
        return {_coupon_key(rows[coupon_id]) for _, coupon_id in written}

    return judge(facts, (), key=_coupon_key, said=_nothing_else, insert=insert, find=_found)


def _coupon_row(merchant_id: int, coupon_id: str, fact: PastCoupon) -> dict[str, object]:
    return {
        "merchant_id": merchant_id,
        "coupon_id": coupon_id,
        "code": normalised(fact.code),
        "said": fact.code,
        "referral_id": fact.referral,
        "at": fact.at,
        "received_at": fact.received_at,
    }


def _id_of(fact: PastReferral | PastTouch) -> str:
    return fact.id


def _identity_key(fact: PastIdentity) -> Said:
    return fact.visitor, fact.person, fact.at


def _coupon_key(fact: PastCoupon) -> Said:
    return normalised(fact.code), fact.referral, fact.at


def _nothing_else(_: PastIdentity | PastCoupon) -> Said:
    return ()


def _found(known: Collection[Said]) -> dict[Said, Said]:
    return dict.fromkeys(known, ())


def _referrals(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = and_(Referral.merchant_id == given.c.merchant_id, Referral.referral_id == given.c.referral_id)
    subject = (Referral.product_id, Referral.wall_id, Referral.told_product, Referral.told_wall)
    rest = (Referral.kind, Referral.visitor_id, Referral.network, Referral.parent_id, Referral.at)
    return select(Referral.referral_id, *subject, *rest).join_from(given, Referral, same)


def _touches(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = and_(Visit.merchant_id == given.c.merchant_id, Visit.visit_id == given.c.visit_id)
    claimed = and_(Claim.merchant_id == Visit.merchant_id, Claim.visit_id == Visit.visit_id)
    columns = (Visit.visit_id, Claim.visitor_id, Visit.type, Visit.seen_from, Visit.referral_id, Visit.at)
    return select(*columns).join_from(given, Visit, same).join(Claim, claimed)


_REFERRALS = Question(_referrals, merchant_id=BigInteger(), referral_id=id_type(200))
_TOUCHES = Question(_touches, merchant_id=BigInteger(), visit_id=id_type(200))
