"""What events say of people's word: likes and shares, visits, who is whom, coupons; as these facts stand when asked.

Reads many facts of a merchant at a time by what the journal notes of them. Knows no HTTP. Never a token, a mail, an
address, or the name that somebody goes by: what has left cannot be taken back.
"""

from collections.abc import Callable, Collection, Mapping
from datetime import datetime
from typing import Any, Final, Generic, NamedTuple, TypeVar

from sqlalchemy import BigInteger, FromClause, Row, Select, select
from sqlalchemy.orm import InstrumentedAttribute, Session

from app.kernel.clock import from_micros
from app.kernel.database import Base, id_type, table_of
from app.kernel.given import Question, keys_of
from app.kernel.http.wire import Timestamp, Wire
from app.privacy.erasure import erased_when
from app.referrals.identities import noted_as, said_when
from app.referrals.models import Claim, Coupon, Identity, Referral, Visit

Mapped = TypeVar("Mapped", bound=Base)


class Fact(NamedTuple):
    """What an event says: when it was learnt, what it is about (its events are told in order), and the rest."""

    at: datetime
    subject: str
    data: dict[str, object]


Tell = Callable[[Session, int, Collection[str]], Mapping[str, Fact]]
"""The facts of a merchant that the journal's subjects stand for; what is gone is left out."""


class ReferralOut(Wire):
    """A like or a share. `product` and `wall` are ours, else what the system it was brought in from calls them."""

    id: str
    kind: str
    visitor: str
    network: str | None
    product: str | None
    wall: str | None
    page: str | None
    parent: str | None
    code: str | None
    caption: str | None
    at: Timestamp
    withdrawn_at: Timestamp | None

    @classmethod
    def of(cls, row: Referral) -> "ReferralOut":
        return cls(
            id=row.referral_id,
            kind=row.kind,
            visitor=row.visitor_id,
            network=row.network,
            product=row.product_id or row.told_product,
            wall=row.wall_id or row.told_wall,
            page=row.address,
            parent=row.parent_id,
            code=row.code,
            caption=row.caption,
            at=row.at,
            withdrawn_at=row.withdrawn_at,
        )


class VisitOut(Wire):
    """A visit, or another touch of a journey that was brought in. `network` is what was observed; null: nothing was."""

    id: str
    referral: str | None
    type: str
    network: str | None
    product: str | None
    wall: str | None
    at: Timestamp

    @classmethod
    def of(cls, row: Visit) -> "VisitOut":
        about = {"type": row.type, "network": row.seen_from, "product": row.product_id, "wall": row.wall_id}
        return cls(id=row.visit_id, referral=row.referral_id, at=row.at, **about)


class ClaimOut(Wire):
    """Whose visit it was. `claimed`: the visit whose address they had; another where somebody else had claimed that."""

    visit: str
    claimed: str
    visitor: str
    at: Timestamp


class IdentityOut(Wire):
    """Who a visitor is: the merchant's own id of a person."""

    visitor: str
    person: str
    at: Timestamp


class ErasedOut(Wire):
    """A visitor whom nobody may know any more: forget what you keep under this id."""

    visitor: str
    erased_at: Timestamp


class CouponOut(Wire):
    """For whom a code speaks from `at` on; null: for nobody."""

    code: str
    referral: str | None
    at: Timestamp


class ById(Generic[Mapped]):
    """Asks for rows by their ids."""

    def __init__(self, mapped: type[Mapped], id: InstrumentedAttribute[str], length: int = 200) -> None:
        self._question = _by_id(mapped, id, length)

    def rows(self, session: Session, merchant_id: int, ids: Collection[str]) -> list[Mapped]:
        """Those that there are, in no order."""
        found: Collection[Row[*tuple[Any, ...]]] = self._question.ask(session, keys_of(merchant_id, ids))
        return [row[0] for row in found]


def _by_id(mapped: type[Base], id: InstrumentedAttribute[str], length: int) -> Question:
    def build(given: FromClause) -> Select[*tuple[Any, ...]]:
        columns = table_of(mapped).c
        same = (columns.merchant_id == given.c.merchant_id) & (columns[id.key] == given.c.id)
        return select(mapped).select_from(given).join(mapped, same)

    return Question(build, merchant_id=BigInteger(), id=id_type(length))


def created(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Likes and shares, by their ids."""
    return {
        row.referral_id: Fact(row.received_at, row.referral_id, ReferralOut.of(row).model_dump(mode="json"))
        for row in _REFERRALS.rows(session, merchant_id, ids)
    }


def withdrawn(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Likes and shares that were taken back, by their ids."""
    return {
        row.referral_id: Fact(row.withdrawn_at, row.referral_id, ReferralOut.of(row).model_dump(mode="json"))
        for row in _REFERRALS.rows(session, merchant_id, ids)
        if row.withdrawn_at is not None
    }


def visited(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Visits, by their ids."""
    return {
        row.visit_id: Fact(row.received_at, row.visit_id, VisitOut.of(row).model_dump(mode="json"))
        for row in _VISITS.rows(session, merchant_id, ids)
    }


def claimed(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Claims, by the ids of the visits that became somebody's."""
    return {
        row.visit_id: Fact(row.received_at, row.visit_id, _claim(row))
        for row in _CLAIMS.rows(session, merchant_id, ids)
    }


def erased(_: Session, __: int, subjects: Collection[str]) -> Mapping[str, Fact]:
    """Visitors who were erased, by what stands for each in the journal (`privacy.erasure.erased_noted_as`), as long as
    it says who that was."""
    found: dict[str, Fact] = {}
    for subject in filter(None, subjects):
        visitor, at = erased_when(subject)
        said = ErasedOut(visitor=visitor, erased_at=from_micros(at)).model_dump(mode="json")
        found[subject] = Fact(from_micros(at), visitor, said)
    return found


def coupons(session: Session, merchant_id: int, ids: Collection[str]) -> Mapping[str, Fact]:
    """Changes of codes, by their own ids; each is about its code."""
    return {
        row.coupon_id: Fact(
            row.received_at,
            row.code,
            CouponOut(code=row.said, referral=row.referral_id, at=row.at).model_dump(mode="json"),
        )
        for row in _COUPONS.rows(session, merchant_id, ids)
    }


def joined(session: Session, merchant_id: int, subjects: Collection[str]) -> Mapping[str, Fact]:
    """Who is whom, by what stands for each in the journal (`referrals.identities.noted_as`)."""
    found: dict[str, Fact] = {}
    for (row,) in _IDENTITIES.ask(session, {(merchant_id, *said_when(subject)) for subject in subjects}):
        said = IdentityOut(visitor=row.visitor_id, person=row.person, at=row.at).model_dump(mode="json")
        found[noted_as(row.visitor_id, row.person, row.at)] = Fact(row.received_at, row.visitor_id, said)
    return {subject: fact for subject, fact in found.items() if subject in subjects}


def _claim(row: Claim) -> dict[str, object]:
    said = ClaimOut(visit=row.visit_id, claimed=row.claimed_id, visitor=row.visitor_id, at=row.at)
    return said.model_dump(mode="json")


def _identities(given: FromClause) -> Select[*tuple[Any, ...]]:
    columns = table_of(Identity).c
    same = (columns.merchant_id == given.c.merchant_id) & (columns.visitor_id == given.c.visitor_id)
    return select(Identity).select_from(given).join(Identity, same & (columns.at == given.c.at))


_REFERRALS: Final = ById(Referral, Referral.referral_id)
_VISITS: Final = ById(Visit, Visit.visit_id)
_CLAIMS: Final = ById(Claim, Claim.visit_id)
_COUPONS: Final = ById(Coupon, Coupon.coupon_id, 40)
_IDENTITIES: Final = Question(_identities, merchant_id=BigInteger(), visitor_id=id_type(200), at=BigInteger())
