"""Likes, shares and visits: what is written and what is found. Knows the session and the tables, not HTTP.

New facts come as `Fact`s through the recorder, many to a transaction (`writing.py`, `visits.py`).
"""

import hashlib
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, NamedTuple

from sqlalchemy import BigInteger, FromClause, Select, func, literal_column, select
from sqlalchemy.orm import Session

from app.kernel import feed, journal
from app.kernel.database import id_type
from app.kernel.errors import Gone, NotFound
from app.kernel.feed import Told
from app.kernel.given import Question
from app.kernel.ids import is_code, merchant_of
from app.kernel.recorder import Fact
from app.kernel.rollups.appending import append
from app.privacy.sightings import Sighting
from app.referrals import counting
from app.referrals.models import Link, Referral

Kind = Literal["like", "share"]


class ReferralWithdrawn(Gone):
    code, title = "referral_withdrawn", "This link was taken back"


class Standing(NamedTuple):
    """What is told of a referral that stands."""

    referral_id: str
    code: str
    network: str
    parent_id: str | None
    caption: str | None


@dataclass(frozen=True)
class Referred:
    """What became of a like or share: the referral that stands, and whether it is new.

    `likes` counts the product's likes when this like was written, those of the same moment with it; 0 for a share.
    """

    referral: Standing
    is_new: bool
    likes: int
    title: str
    image: str | None
    visitor_id: str | None = None
    """Whose it is, where that may be somebody else than who was named: whoever was erased is somebody new."""


@dataclass(slots=True)
class NewReferral(Fact[Referred]):
    """A like or share that somebody made: of a product, a wall, a product on a wall, or the page at `address`.

    `via` is a click id or code from the page. `is_first`: the visitor was made for this, so nothing of theirs stands
    and nothing led them here but `via`.
    """

    merchant_id: int
    kind: Kind
    visitor_id: str
    product_id: str | None
    wall_id: str | None
    network: str
    via: str | None
    caption: str | None
    name: str | None
    at: datetime
    address: str | None = None
    is_first: bool = False
    seen: Sighting | None = None

    @property
    def target(self) -> str:
        if self.address is not None:
            return target_of(self.address)
        return f"{self.product_id or ''}/{self.wall_id or ''}"


def target_of(address: str) -> str:
    """What a share of the page at `address` refers to, in a form that fits into a key."""
    return f"url:{hashlib.sha256(address.encode()).hexdigest()[:32]}"


def take_back(session: Session, merchant_id: int, referral_id: str, visitor_id: str | None, now: datetime) -> Referral:
    """Withdraw a like. Only its own visitor may; to others there is no such thing (`NotFound`)."""
    referral = get(session, merchant_id, referral_id)
    if referral.kind != "like" or visitor_id is None or referral.visitor_id != visitor_id:
        raise NotFound
    session.refresh(referral, with_for_update=True)  # twice at this moment, it is taken back once
    if referral.withdrawn_at is None:
        referral.withdrawn_at = now
        feed.tell(session, [Told(merchant_id, "like", referral.product_id, None, now)])
        journal.note(session, merchant_id, "referral.withdrawn", [referral_id], now)
        about = (referral.kind, referral.network, referral.product_id, referral.wall_id)
        append(session, {counting.of_referral(merchant_id, referral.at, *about): -1})
    return referral


def told(fact: NewReferral) -> Told:
    """What the feed is told of a like or share: a like changes the product's count on every wall."""
    return Told(fact.merchant_id, fact.kind, fact.product_id, fact.wall_id if fact.kind == "share" else None, fact.at)


def get(session: Session, merchant_id: int, referral_id: str) -> Referral:
    """The referral, standing or withdrawn. Raises `NotFound`."""
    if merchant_of(referral_id, "ref") != merchant_id:
        raise NotFound
    referral = session.get(Referral, (merchant_id, referral_id))
    if referral is None:
        raise NotFound
    return referral


def by_code(session: Session, code: str) -> Referral:
    """The referral to which a link leads. Raises `NotFound`, or `ReferralWithdrawn`."""
    link = session.get(Link, code) if is_code(code) else None
    if link is None:
        raise NotFound
    referral = get(session, link.merchant_id, link.referral_id)
    if referral.withdrawn_at is not None:
        raise ReferralWithdrawn
    return referral


def count_likes(session: Session, merchant_id: int, product_ids: Iterable[str]) -> dict[str, int]:
    """How many people like each product; a person who likes it on two walls is one person."""
    counts = count_all_likes(session, {(merchant_id, product_id) for product_id in product_ids})
    return {product_id: people for (_, product_id), people in counts.items()}


def count_all_likes(session: Session, products: Collection[tuple[int, str]]) -> dict[tuple[int, str], int]:
    """`count_likes` for products of any merchants, each given as merchant and id."""
    return {(merchant, product): people for merchant, product, people in _LIKES.ask(session, products)}


def _likes(given: FromClause) -> Select[*tuple[Any, ...]]:
    people = select(func.count(Referral.visitor_id.distinct())).where(
        Referral.merchant_id == given.c.merchant_id,
        Referral.product_id == given.c.product_id,
        # Said literally, as the index says it: for a parameter no database would use it.
        Referral.kind == literal_column("'like'"),
        Referral.withdrawn_at.is_(None),
    )
    return select(given.c.merchant_id, given.c.product_id, people.scalar_subquery())


_LIKES = Question(_likes, merchant_id=BigInteger(), product_id=id_type())
