"""Coupon codes that speak for a referral (attribution.md, rule 5). Knows the session and the tables, not HTTP.

Rows are appended: from its moment on, the code speaks for that referral, or for nobody.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import ColumnElement, Select, SQLColumnExpression, exists, func, or_, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.kernel import journal
from app.kernel.codes import normalised
from app.kernel.errors import Invalid, NotFound
from app.kernel.events import Event, Events
from app.kernel.ids import new_id
from app.referrals import identities, turns
from app.referrals.clicks import code_in
from app.referrals.models import Coupon, Link, Referral
from app.referrals.reach import second_of

_INSTANT = timedelta(microseconds=1)
_LONGEST_SAID = 200
"""Characters of a code as it was written."""


@dataclass(frozen=True)
class CouponChanged(Event):
    """From its moment on, the code (as codes are compared) speaks for another, or for nobody."""

    code: str
    coupon_id: str


def put(session: Session, events: Events, merchant_id: int, code: str, referral_id: str, now: datetime) -> Coupon:
    """Let the code speak for the referral from now on; what stands then. Saying what stands again changes nothing.

    Raises `Invalid` for a code of nothing but spaces, for an unknown referral and for one that was taken back.
    """
    if not normalised(code):
        raise Invalid.field("code", "must not be blank")
    turns.hold_facts(session, merchant_id)
    standing = _standing(session, merchant_id, code, now)
    if standing is not None and standing.referral_id == referral_id:
        return standing
    _must_stand(session, merchant_id, referral_id)
    return _append(session, events, merchant_id, code, referral_id, standing, now)


def put_for_sharer(session: Session, events: Events, merchant_id: int, code: str, sharer: str, now: datetime) -> Coupon:
    """`put` for the newest like or share that stands of a sharer: a person, or a visitor and whoever that is.

    Raises `Invalid` for somebody without one.
    """
    turns.hold_facts(session, merchant_id)
    person = identities.person_of(session, merchant_id, sharer)
    theirs: ColumnElement[bool] = Referral.visitor_id.in_(identities.members(merchant_id, person))
    if identities.person_of(session, merchant_id, person) == person:  # else, as a visitor, they are somebody else
        theirs = or_(theirs, Referral.visitor_id == person)
    standing = select(Referral.referral_id).where(
        Referral.merchant_id == merchant_id, theirs, Referral.withdrawn_at.is_(None)
    )
    newest = session.scalar(standing.order_by(Referral.at.desc(), Referral.referral_id.desc()).limit(1))
    if newest is None:
        raise Invalid.field("/sharer", "has no like or share that stands")
    return put(session, events, merchant_id, code, newest, now)


def speak_for_link(session: Session, events: Events, merchant_id: int, code: str, now: datetime) -> bool:
    """`speak_for_links` for one text."""
    return speak_for_links(session, events, merchant_id, [code], now)


def speak_for_links(session: Session, events: Events, merchant_id: int, texts: Iterable[str], now: datetime) -> bool:
    """Let those of `texts` that are the code or address of a standing link of this merchant's speak as coupons for its
    referral, from when that was made; whether one began to.

    Where anything was ever said of a code, that stays. Called before the orders with these codes are recorded, and
    before anything else that shares the merchant's facts (`turns`).
    """
    named = {normalised(text): text.strip() for text in texts if len(text) <= _LONGEST_SAID and code_in(text)}
    if not _unspoken(session, merchant_id, named):
        return False
    turns.hold_facts(session, merchant_id)
    new = _unspoken(session, merchant_id, named)  # as it is now that nobody else may say anything
    for said, referral in new:
        _write(session, events, merchant_id, said, referral.referral_id, at=referral.at, received_at=now)
    return bool(new)


def _unspoken(session: Session, merchant_id: int, named: Mapping[str, str]) -> list[tuple[str, Referral]]:
    """Those of the texts (as they were written, by how codes are compared) of which nothing was ever said as a coupon,
    with the referrals to whose links they lead."""
    codes = {said: code for said in named.values() if (code := code_in(said))}
    if not codes:
        return []
    links = (
        select(Link.code, Referral)
        .join(Referral, (Referral.merchant_id == Link.merchant_id) & (Referral.referral_id == Link.referral_id))
        .where(Link.code.in_(codes.values()), Link.merchant_id == merchant_id, Referral.withdrawn_at.is_(None))
    )
    referrals: dict[str, Referral] = dict(session.execute(links).all())
    spoken = select(Coupon.code).where(Coupon.merchant_id == merchant_id, Coupon.code.in_(named)).distinct()
    known = set(session.scalars(spoken)) if referrals else set()
    return [
        (said, referrals[codes[said]]) for key, said in named.items() if key not in known and codes[said] in referrals
    ]


def withdraw(session: Session, events: Events, merchant_id: int, code: str, now: datetime) -> None:
    """Let the code speak for nobody from now on. Raises `NotFound` where it does not speak."""
    turns.hold_facts(session, merchant_id)
    _append(session, events, merchant_id, code, None, get(session, merchant_id, code, now), now)


def get(session: Session, merchant_id: int, code: str, now: datetime) -> Coupon:
    """For whom the code speaks now. Raises `NotFound`."""
    standing = _standing(session, merchant_id, code, now)
    if standing is None or standing.referral_id is None:
        raise NotFound
    return standing


def find(session: Session, merchant_id: int, coupon_id: str) -> Coupon:
    """One change of a code, by its own id."""
    return session.get_one(Coupon, (merchant_id, coupon_id))


def speaking(merchant_id: int, now: datetime, referral_id: str | None) -> Select[Coupon]:
    """The codes that speak now, for that referral where one is given."""
    other = aliased(Coupon)
    same = (other.merchant_id == Coupon.merchant_id) & (other.code == Coupon.code)
    later = exists().where(same, _said_by(now, other), tuple_(*_place(other)) > tuple_(*_place(Coupon)))
    whose = Coupon.referral_id.is_not(None) if referral_id is None else Coupon.referral_id == referral_id
    return select(Coupon).where(Coupon.merchant_id == merchant_id, _said_by(now, Coupon), whose, ~later)


def sharers(session: Session, merchant_id: int, referral_ids: Iterable[str | None]) -> Mapping[str, str]:
    """The person behind each referral that is known."""
    query = select(Referral.referral_id, Referral.visitor_id).where(
        Referral.merchant_id == merchant_id, Referral.referral_id.in_([each for each in referral_ids if each])
    )
    visitors: dict[str, str] = dict(session.execute(query).all())
    people = identities.people_of(session, merchant_id, set(visitors.values()))
    return {referral_id: people[visitor_id] for referral_id, visitor_id in visitors.items()}


def _standing(session: Session, merchant_id: int, code: str, now: datetime) -> Coupon | None:
    """What was said last of the code, for somebody or for nobody."""
    said = select(Coupon).where(Coupon.merchant_id == merchant_id, Coupon.code == normalised(code))
    last = (each.desc() for each in _place(Coupon))
    return session.scalars(said.where(_said_by(now, Coupon)).order_by(*last).limit(1)).first()


def _said_by(now: datetime, coupon: type[Coupon]) -> ColumnElement[bool]:
    """Whether it speaks by now, in whole seconds as attribution counts."""
    return coupon.at < now.replace(microsecond=0) + timedelta(seconds=1)


def _place(coupon: type[Coupon]) -> tuple[SQLColumnExpression[Any], ...]:
    """What orders what was said of one code: as attribution's engine orders it (`Facts.coupon`)."""
    return second_of(coupon.at), coupon.received_at, func.coalesce(coupon.referral_id, "")


def _must_stand(session: Session, merchant_id: int, referral_id: str) -> None:
    referral = session.get(Referral, (merchant_id, referral_id))
    if referral is None:
        raise Invalid.field("/referral", "is no like or share of this merchant")
    if referral.withdrawn_at is not None:
        raise Invalid.field("/referral", "was taken back")


def _append(
    session: Session,
    events: Events,
    merchant_id: int,
    said: str,
    referral_id: str | None,
    standing: Coupon | None,
    now: datetime,
) -> Coupon:
    """Say it after what stands, whatever the clock says."""
    return _write(
        *(session, events, merchant_id, said, referral_id),
        at=now if standing is None else max(now, standing.at + _INSTANT),
        received_at=now if standing is None else max(now, standing.received_at + _INSTANT),
    )


def _write(
    session: Session,
    events: Events,
    merchant_id: int,
    said: str,
    referral_id: str | None,
    *,
    at: datetime,
    received_at: datetime,
) -> Coupon:
    coupon = Coupon(
        merchant_id=merchant_id,
        coupon_id=new_id("cpn", merchant_id, received_at),
        code=normalised(said),
        said=said,
        referral_id=referral_id,
        at=at,
        received_at=received_at,
    )
    session.add(coupon)
    session.flush()
    journal.note(session, merchant_id, "coupon.changed", [coupon.coupon_id], received_at)
    events.publish(session, CouponChanged(merchant_id, coupon.code, coupon.coupon_id))
    return coupon
