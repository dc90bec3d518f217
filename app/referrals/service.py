"""Likes, shares and visits: what is written and what is found. Knows the session and the tables, not HTTP.

New facts come as `Fact`s through the recorder, many to a transaction.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeVar

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.catalog import service as catalog
from app.kernel.database import insert_new
from app.kernel.errors import AppError, Gone, Invalid, NotFound
from app.kernel.ids import Malformed, is_code, merchant_of, new_code, new_id
from app.kernel.recorder import Fact
from app.referrals import parents
from app.referrals.models import Link, Referral
from app.walls import service as walls

Kind = Literal["like", "share"]
ONSITE = "onsite"
"""The network of a like."""


class ReferralWithdrawn(Gone):
    code, title = "referral_withdrawn", "This link was taken back"


@dataclass(frozen=True)
class Referred:
    """What became of a like or share: the referral that stands, and whether it is new."""

    referral: Referral
    is_new: bool
    likes: int
    title: str
    image: str | None


@dataclass(frozen=True)
class NewReferral(Fact[Referred]):
    """A like or share that somebody made. `via` is a click id or code from the page."""

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

    @property
    def target(self) -> str:
        return f"{self.product_id or ''}/{self.wall_id or ''}"


Wanted = TypeVar("Wanted")
Outcome = TypeVar("Outcome")


def each_alone(
    write: Callable[[Session, Wanted], Outcome],
) -> Callable[[Session, Sequence[Wanted]], list[Outcome | AppError]]:
    """A recorder's writer out of a function for one fact: a refusal is that fact's outcome alone."""

    def write_all(session: Session, facts: Sequence[Wanted]) -> list[Outcome | AppError]:
        outcomes: list[Outcome | AppError] = []
        for fact in facts:
            try:
                outcomes.append(write(session, fact))
            except AppError as refusal:
                outcomes.append(refusal)
        return outcomes

    return write_all


def refer(session: Session, new: NewReferral) -> Referred:
    """Write a like or share, or find the one that stands already: unique by visitor, kind, product, wall, network.

    Raises `Invalid` naming `/product` or `/wall` when there is no such thing on sale.
    """
    title, image = _subject(session, new)
    referral, is_new = _standing(session, new), False
    while referral is None:  # goes round again only if its visitor takes it back in this very moment
        is_new = _insert(session, new)
        referral = _standing(session, new)
    likes = count_likes(session, new.merchant_id, [new.product_id])[new.product_id] if new.product_id else 0
    return Referred(referral, is_new, likes, title, image)


def _subject(session: Session, new: NewReferral) -> tuple[str, str | None]:
    """Title and picture of what is referred to; makes sure that it is there."""
    try:
        wall = walls.get(session, new.merchant_id, new.wall_id) if new.wall_id is not None else None
    except (NotFound, Malformed):
        raise Invalid.field("/wall", "is not a wall") from None
    if new.product_id is None:
        return (wall.title, None) if wall is not None else ("", None)
    try:
        product = catalog.get(session, new.merchant_id, new.product_id)
    except (NotFound, Malformed):
        raise Invalid.field("/product", "is not a product on offer") from None
    return product.title, product.images[0] if product.images else None


def _standing(session: Session, new: NewReferral) -> Referral | None:
    return session.scalar(
        select(Referral).where(
            Referral.merchant_id == new.merchant_id,
            Referral.visitor_id == new.visitor_id,
            Referral.kind == new.kind,
            Referral.target == new.target,
            Referral.network == new.network,
            Referral.withdrawn_at.is_(None),
        )
    )


def _insert(session: Session, new: NewReferral) -> bool:
    referral_id = new_id("ref", new.merchant_id, new.at)
    parent = parents.infer(
        session,
        new.merchant_id,
        new.visitor_id,
        product_id=new.product_id,
        wall_id=new.wall_id,
        via=new.via,
        now=new.at,
    )
    code = _free_code(session, new.merchant_id, referral_id)
    return insert_new(
        session,
        Referral,
        merchant_id=new.merchant_id,
        referral_id=referral_id,
        kind=new.kind,
        visitor_id=new.visitor_id,
        product_id=new.product_id,
        wall_id=new.wall_id,
        target=new.target,
        network=new.network,
        code=code,
        parent_id=parent,
        caption=new.caption,
        name=new.name,
        at=new.at,
        received_at=new.at,
    )


def _free_code(session: Session, merchant_id: int, referral_id: str) -> str:
    """A code that nobody has. Two draws of 52 bits meet so rarely that a second try is luxury, not a loop."""
    while True:
        code = new_code()
        if insert_new(session, Link, code=code, merchant_id=merchant_id, referral_id=referral_id):
            return code


def take_back(session: Session, merchant_id: int, referral_id: str, visitor_id: str | None, now: datetime) -> Referral:
    """Withdraw a like. Only its own visitor may; to others there is no such thing (`NotFound`)."""
    referral = get(session, merchant_id, referral_id)
    if referral.kind != "like" or visitor_id is None or referral.visitor_id != visitor_id:
        raise NotFound
    referral.withdrawn_at = referral.withdrawn_at or now
    return referral


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
    wanted = list(product_ids)
    counts = dict.fromkeys(wanted, 0)
    query = (
        select(Referral.product_id, func.count(Referral.visitor_id.distinct()))
        .where(
            Referral.merchant_id == merchant_id,
            Referral.product_id.in_(wanted),
            Referral.kind == "like",
            Referral.withdrawn_at.is_(None),
        )
        .group_by(Referral.product_id)
    )
    return counts | {str(product_id): people for product_id, people in session.execute(query)}
