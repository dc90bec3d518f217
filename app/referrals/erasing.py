"""How the domain of referrals forgets somebody: their word is withdrawn and without words, and whoever liked, shared,
came or was joined stands under a name that nobody holds. Knows the session and the tables, not HTTP.
"""

from collections import Counter
from collections.abc import Collection, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, Row, case, delete, func, literal, or_, select, update
from sqlalchemy.orm import Session

from app.kernel import feed, journal
from app.kernel.clock import to_micros
from app.kernel.database import Database, table_of
from app.kernel.feed import Told
from app.kernel.ids import new_id
from app.kernel.rekeying import Step, rename
from app.kernel.rollups.appending import Counted, append
from app.privacy.erasure import Forgetting
from app.referrals import counting, identities, turns
from app.referrals.identities import noted_as, said_when
from app.referrals.models import Beacon, Claim, Identity, Referral, SharerName, Visit

MOST: Final = 1000
"""Names that one person may have. More are no person: somebody joined a crowd to one name."""


class Person(NamedTuple):
    """All that is one person by the merchant's word: browsers, and the names under which they were joined."""

    visitors: set[str]
    persons: set[str]


def person_behind(session: Session, merchant_id: int, visitor: str) -> Person:
    """Whom it concerns that this visitor is to be forgotten; who is whom cannot change from then on until the
    transaction ends. Raises `NotFound` for another merchant's."""
    identities.must_be_theirs(merchant_id, visitor)
    turns.hold_facts(session, merchant_id)
    person = identities.person_of(session, merchant_id, visitor)
    return _all_of(session, merchant_id, {visitor}, {person} - {visitor})


def customer_behind(session: Session, merchant_id: int, person: str) -> Person:
    """The same for a customer, by the merchant's own id of them."""
    identities.must_be_theirs(merchant_id, person)
    turns.hold_facts(session, merchant_id)
    return _all_of(session, merchant_id, set(), {person})


def all_behind(session: Session, merchant_id: int, names: Collection[str]) -> set[str]:
    """All names of the people who have these; who is whom cannot change from then on until the transaction ends."""
    turns.hold_facts(session, merchant_id)
    persons = {*identities.people_of(session, merchant_id, names).values()} | {*names}
    found = _all_of(session, merchant_id, set(), persons)
    return found.visitors | found.persons


def _all_of(session: Session, merchant_id: int, visitors: set[str], persons: set[str]) -> Person:
    """Whoever stands for the same person, and that person; and the names that were said of nobody else."""
    first, asked = visitors | persons, set[str]()
    while more := persons - asked:
        asked |= more
        for person in more:
            visitors |= set(session.scalars(identities.members(merchant_id, person).limit(MOST + 1)))
        if len(visitors) > MOST:
            return Person(first - persons, first & persons)
        persons |= {*identities.people_of(session, merchant_id, visitors | persons).values()} - visitors
    return Person(visitors, persons | _only_theirs(session, merchant_id, visitors))


def _only_theirs(session: Session, merchant_id: int, visitors: Collection[str]) -> set[str]:
    """Who they were said to be before, and nobody else ever was."""
    mine = Identity.merchant_id == merchant_id
    said = set(session.scalars(select(Identity.person).where(mine, Identity.visitor_id.in_(visitors)).distinct()))
    others = select(Identity.person).where(mine, Identity.person.in_(said), Identity.visitor_id.not_in(visitors))
    return said - set(session.scalars(others.distinct())) - {*visitors}


def forget(session: Session, whom: Forgetting) -> None:
    """Forget what an index leads to. Changes no credit: who is one person stays one person."""
    turns.hold_facts(session, whom.merchant_id)
    _withdraw(session, whom)
    mine = {mapped: mapped.merchant_id == whom.merchant_id for mapped in (Claim, Visit, SharerName)}
    session.execute(delete(SharerName).where(mine[SharerName], SharerName.visitor_id.in_(whom.names)))
    theirs = select(Claim.visit_id).where(mine[Claim], Claim.visitor_id.in_(whom.names))
    came = update(Visit).where(mine[Visit], Visit.visit_id.in_(theirs))
    session.execute(came.values(device=None, block=None), execution_options=_PLAIN)
    for old, new in whom.names.items():
        claims = update(Claim).where(mine[Claim], Claim.visitor_id == old)
        session.execute(claims.values(visitor_id=new), execution_options=_PLAIN)
    _rejoin(session, whom)


def _withdraw(session: Session, whom: Forgetting) -> None:
    """Close their links, as if they had taken all back, and keep of their word that it was given."""
    mine = Referral.merchant_id == whom.merchant_id
    held = select(*_SAID).where(mine, Referral.visitor_id.in_(whom.names)).order_by(Referral.referral_id)
    standing = [row for row in session.execute(held.with_for_update()).all() if row.withdrawn_at is None]
    likes = Counter(_counted(whom.merchant_id, row) for row in standing if row.kind == "like")
    append(session, {counted: -number for counted, number in likes.items()})
    for old, new in whom.names.items():
        said = update(Referral).where(mine, Referral.visitor_id == old)
        session.execute(
            said.values({**_UNSAID, "visitor_id": new, "withdrawn_at": _withdrawn(whom.now)}), execution_options=_PLAIN
        )
    feed.tell(session, [_told(row, whom) for row in standing])
    journal.note(session, whom.merchant_id, "referral.withdrawn", [row.referral_id for row in standing], whom.now)


def _withdrawn(now: datetime) -> ColumnElement[datetime | None]:
    return func.coalesce(Referral.withdrawn_at, literal(now, Referral.withdrawn_at.type))


def _counted(merchant_id: int, row: Row[*tuple[Any, ...]]) -> Counted:
    about = (row.network, row.product_id or row.told_product, row.wall_id or row.told_wall)
    return counting.of_referral(merchant_id, row.at, row.kind, *about)


def _told(row: Row[*tuple[Any, ...]], whom: Forgetting) -> Told:
    is_like = row.kind == "like"
    wall = None if is_like else row.wall_id
    return Told(whom.merchant_id, "like" if is_like else "share", row.product_id, wall, whom.now)


def _rejoin(session: Session, whom: Forgetting) -> None:
    """Who is joined stays joined, under the new names; also to somebody who stays, whom they were said to be since.
    Whom they were wrongly said to be, and who is somebody else, is forgotten too: somebody new stands there."""
    named = or_(Identity.visitor_id.in_(whom.names), Identity.person.in_(whom.names))
    said = select(Identity).where(Identity.merchant_id == whom.merchant_id, named)
    standing = identities.people_of(session, whom.merchant_id, whom.names)
    others: dict[str, str] = dict(whom.names)
    for row in session.scalars(said).all():
        visitor = row.visitor_id
        row.visitor_id = whom.names.get(visitor, visitor)
        if row.person in whom.names or row.person != standing[visitor]:
            row.person = others.setdefault(row.person, new_id("vis", whom.merchant_id, row.at))
    session.flush()


def look_for(database: Database, whom: Forgetting, step: Step) -> None:
    """Forget what no index leads to: what widgets reported, and what was noted of who is whom."""
    beacons = table_of(Beacon).c
    rename(database, beacons.beacon_id, beacons.visitor_id, whom.merchant_id, whom.names, step)
    former = whom.former
    with database.reading() as session:
        now = or_(Identity.visitor_id.in_(former), Identity.person.in_(former))
        said = session.scalars(select(Identity).where(Identity.merchant_id == whom.merchant_id, now)).all()
    if not said:
        return
    words = {
        (former.get(row.visitor_id, row.visitor_id), to_micros(row.at)): noted_as(row.visitor_id, row.person, row.at)
        for row in said
    }

    def reworded(_: Session, subjects: list[str]) -> list[str]:
        return [words.get(said_when(each), each) for each in subjects]

    since = min(row.received_at for row in said) - _ASIDE
    journal.reword(database, whom.merchant_id, "identity.joined", since, None, reworded, step)


def named(session: Session, merchant_id: int) -> Iterator[str]:
    """Everybody whom likes, shares, claims, names, identities and reports of widgets name."""
    for column in (Referral.visitor_id, Claim.visitor_id, SharerName.visitor_id, Identity.visitor_id, Identity.person):
        yield from session.scalars(select(column).where(column.class_.merchant_id == merchant_id).distinct())
    looked = select(Beacon.visitor_id).where(Beacon.merchant_id == merchant_id, Beacon.visitor_id.is_not(None))
    yield from (name for name in session.scalars(looked.distinct()) if name is not None)


_ASIDE: Final = timedelta(hours=1)
"""Between the time of a fact and that of its note, clocks of several servers included."""
_PLAIN: Final = {"synchronize_session": False}
_SAID: Final = (
    *(Referral.referral_id, Referral.kind, Referral.at, Referral.network, Referral.withdrawn_at),
    *(Referral.product_id, Referral.told_product, Referral.wall_id, Referral.told_wall),
)
_UNSAID: Final = {
    **dict.fromkeys(("address", "caption", "name", "device", "block")),
    "target": case((Referral.address.is_not(None), "url:"), else_=Referral.target),
}
"""Of a share of a page nobody may know any more which it was."""
