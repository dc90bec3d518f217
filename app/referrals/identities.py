"""Who is whom, as the merchant says it: a visitor is joined to a person. Knows the session and the tables, not HTTP.

Nothing is ever unsaid; what was said last counts (attribution.md, rule 1).
"""

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Select, SQLColumnExpression, exists, select, tuple_
from sqlalchemy.orm import Session, aliased

from app.kernel import journal
from app.kernel.clock import to_micros
from app.kernel.errors import Invalid, NotFound
from app.kernel.events import Event, Events
from app.kernel.ids import Malformed, is_of, merchant_of
from app.referrals import turns
from app.referrals.models import Identity
from app.referrals.reach import second_of

_INSTANT = timedelta(microseconds=1)


@dataclass(frozen=True)
class IdentityJoined(Event):
    """The visitor stands for `person` from now on; until now for `before`, or for themselves."""

    visitor_id: str
    person: str
    before: str | None


def join(session: Session, events: Events, merchant_id: int, visitor_id: str, person: str, now: datetime) -> Identity:
    """Say that the visitor is that person; what stands then. Saying again what stands changes nothing.

    Raises `NotFound` for a visitor who is another merchant's, `Invalid` for names that nobody may have.
    """
    _must_be_a_name("visitor", visitor_id)
    if not _may_be_theirs(merchant_id, visitor_id):
        raise NotFound
    _must_be_a_name("/person", person)
    if not _may_be_theirs(merchant_id, person):
        raise Invalid.field("/person", "is no visitor of this merchant")
    turns.hold_facts(session, merchant_id)
    standing = latest(session, merchant_id, visitor_id)
    if standing is not None and standing.person == person:
        return standing
    before = None if standing is None else standing.person
    # Whatever the clock says: this was said after what stands.
    at = now if standing is None else max(now, standing.received_at + _INSTANT)
    while session.get(Identity, (merchant_id, visitor_id, person, at)) is not None:  # brought in, and overruled since
        at += _INSTANT
    joined = Identity(merchant_id=merchant_id, visitor_id=visitor_id, person=person, at=at, received_at=at)
    session.add(joined)
    session.flush()
    journal.note(session, merchant_id, "identity.joined", [noted_as(visitor_id, person, at)], now)
    events.publish(session, IdentityJoined(merchant_id, visitor_id, person, before))
    return joined


def noted_as(visitor_id: str, person: str, at: datetime) -> str:
    """What stands in the journal for this being said: the key of it, without the person's name."""
    return f"{visitor_id}@{to_micros(at)}#{hashlib.sha256(person.encode()).hexdigest()[:16]}"


def said_when(noted: str) -> tuple[str, int]:
    """The visitor and the microsecond of what is `noted_as` this."""
    visitor_id, _, when = noted.rpartition("#")[0].rpartition("@")
    return visitor_id, int(when)


def get(session: Session, merchant_id: int, visitor_id: str) -> Identity:
    """What stands of the visitor. Raises `NotFound` for one who is joined to nobody."""
    standing = latest(session, merchant_id, visitor_id)
    if standing is None:
        raise NotFound
    return standing


def person_of(session: Session, merchant_id: int, visitor_id: str) -> str:
    """The person whom the visitor stands for: themselves, where nothing else was said."""
    return people_of(session, merchant_id, [visitor_id])[visitor_id]


def people_of(session: Session, merchant_id: int, visitors: Collection[str]) -> Mapping[str, str]:
    """The person of each visitor, in one statement."""
    said = select(Identity.visitor_id, Identity.person).where(
        Identity.merchant_id == merchant_id, Identity.visitor_id.in_(visitors)
    )
    people = {visitor_id: visitor_id for visitor_id in visitors}
    for visitor_id, person in session.execute(said.order_by(*_SAID)):
        people[visitor_id] = person
    return people


def members(merchant_id: int, person: str) -> Select[str]:
    """The visitors who were joined to the person, and to nobody else since."""
    later = aliased(Identity)
    same = (later.merchant_id == Identity.merchant_id) & (later.visitor_id == Identity.visitor_id)
    overruled = exists().where(same, tuple_(*_place(later)) > tuple_(*_place(Identity)))
    joined = select(Identity.visitor_id).where(Identity.merchant_id == merchant_id, Identity.person == person)
    return joined.where(~overruled)


def ever(session: Session, merchant_id: int, persons: Collection[str]) -> set[str]:
    """The visitors who were ever said to be one of these, whatever was said since."""
    said = select(Identity.visitor_id).where(Identity.merchant_id == merchant_id, Identity.person.in_(persons))
    return set(session.scalars(said.distinct()))


def latest(session: Session, merchant_id: int, visitor_id: str) -> Identity | None:
    """What was said last of the visitor."""
    said = select(Identity).where(Identity.merchant_id == merchant_id, Identity.visitor_id == visitor_id)
    return session.scalars(said.order_by(*(each.desc() for each in _SAID)).limit(1)).first()


def _place(identity: type[Identity]) -> tuple[SQLColumnExpression[Any], ...]:
    """What orders that which was said: as attribution's engine orders it (`app.attribution.engine.identity`)."""
    return identity.received_at, second_of(identity.at), identity.person


_SAID = _place(Identity)


def _must_be_a_name(pointer: str, name: str) -> None:
    if not name:
        raise Invalid.field(pointer, "must not be blank")
    if name.startswith("("):
        raise Invalid.field(pointer, "must not begin with a parenthesis: such names are ours")
    if name.startswith("vt_"):
        raise Invalid.field(pointer, "is a token, which only the visitor's own page may hold: send the id, vis_…")


def must_be_theirs(merchant_id: int, name: str) -> None:
    """Raises `NotFound` for the id of another merchant's visitor, or of something that is no visitor."""
    if not _may_be_theirs(merchant_id, name):
        raise NotFound


def _may_be_theirs(merchant_id: int, name: str) -> bool:
    """Whether this merchant may call somebody so: by the id of a visitor of its own, or by another system's word."""
    try:
        merchant_of(name)
    except Malformed:
        return True
    return is_of(name, merchant_id, "vis")
