"""Visits: people who followed a link, and the claims by which a visitor says that a visit was theirs."""

from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel import journal
from app.kernel.bulk import Bulk, Row, Rows, insert_all
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import insert_new, table_of
from app.kernel.errors import NotFound
from app.kernel.events import Event, Events
from app.kernel.ids import merchant_of, new_id
from app.kernel.recorder import Fact
from app.kernel.rollups import appending
from app.kernel.rollups.appending import Counted
from app.kernel.rollups.tables import QUARTER
from app.privacy.sightings import Sighting
from app.referrals import counting, turns
from app.referrals.identities import people_of, person_of
from app.referrals.models import Claim, Referral, Visit
from app.referrals.parents import Windows, usual_windows

CLAIMABLE_FOR = timedelta(minutes=30)

TOUCH_TYPE = {"share": "click", "like": "like"}
"""A visit through a share is a `click`, through a like a `like` (product.md)."""


@dataclass(frozen=True)
class VisitClaimed(Event):
    """A visit has found its visitor."""

    visit_id: str
    visitor_id: str


class Way(NamedTuple):
    """What all visits through the link of one referral have in common."""

    merchant_id: int
    referral_id: str
    type: str
    product_id: str | None
    wall_id: str | None
    shared_to: str | None
    """The network on which the referral was shared, as it was said."""

    @classmethod
    def through(cls, referral: Referral) -> "Way":
        about = (TOUCH_TYPE[referral.kind], referral.product_id, referral.wall_id, referral.network)
        return cls(referral.merchant_id, referral.referral_id, *about)


@dataclass(slots=True)
class NewVisit(Fact[str]):
    """Somebody followed the link of `referral_id`; the answer is the click id."""

    merchant_id: int
    visit_id: str
    referral_id: str
    type: str
    product_id: str | None
    wall_id: str | None
    seen_from: str | None
    at: datetime
    shared_to: str | None = None
    seen: Sighting | None = None

    @classmethod
    def by(cls, way: Way, seen_from: str | None, at: datetime, seen: Sighting | None = None) -> "NewVisit":
        """A visit at this moment, by a machine that was `seen`."""
        merchant, referral, kind, product, wall, shared_to = way
        click = new_id("clk", merchant, at)
        return cls(merchant, click, referral, kind, product, wall, seen_from, at, shared_to, seen)


def write(session: Session, visits: Sequence[NewVisit]) -> list[str]:
    """Write visits and what they add to the counts, in a number of statements that does not grow with them."""
    rows, clicks = rows_of(visits)
    insert_all(session, rows)
    return clicks


def rows_of(visits: Sequence[NewVisit]) -> tuple[Rows, list[str]]:
    """What is written of visits and of what they add to the counts; and the click ids."""
    rows: list[Row] = []
    alike: Counter[_Alike] = Counter()
    noted: dict[tuple[int, str], list[str]] = defaultdict(list)
    for visit in visits:
        at, about = to_micros(visit.at), (visit.product_id, visit.wall_id)
        came = (visit.seen_from, *(visit.seen or _UNSEEN), at, at)
        rows.append((visit.merchant_id, visit.visit_id, visit.referral_id, visit.type, *about, *came))
        alike[visit.merchant_id, at - at % QUARTER, visit.type, visit.shared_to, visit.seen_from, *about] += 1
        noted[visit.merchant_id, "visit.recorded"].append(visit.visit_id)
    counts: Counter[Counted] = Counter()
    for (merchant, quarter, kind, *rest), number in alike.items():
        counted = counting.of_visit(merchant, from_micros(quarter), kind, *rest)
        if counted is not None:
            counts[counted] += number
    entries = journal.rows_of(noted, visits[-1].at) if visits else []
    return [(_VISITS, rows), *appending.rows_of(counts), *entries], [visit.visit_id for visit in visits]


_Alike = tuple[int, int, str, str | None, str | None, str | None, str | None]
"""Merchant, quarter, and what `counting.of_visit` asks for besides."""
_VISITS = Bulk(
    table_of(Visit),
    (
        *("merchant_id", "visit_id", "referral_id", "type", "product_id", "wall_id", "seen_from", "device", "block"),
        *("at", "received_at"),
    ),
)
_UNSEEN = (None, None)


def find(session: Session, merchant_id: int, visit_id: str) -> Visit | None:
    """The visit, if it is one of this merchant's. Raises `Malformed` for what is no click id."""
    return session.get(Visit, (merchant_id, visit_id)) if merchant_of(visit_id, "clk") == merchant_id else None


def visitor_of(session: Session, merchant_id: int, visit_id: str) -> str | None:
    """Who claimed the visit, if somebody did."""
    claim = session.get(Claim, (merchant_id, visit_id))
    return None if claim is None else claim.visitor_id


def claim(
    session: Session,
    events: Events,
    merchant_id: int,
    visit_id: str,
    visitor_id: str,
    now: datetime,
    windows: Windows = usual_windows,
    seen: Sighting | None = None,
) -> str:
    """Bind the visit to the visitor; the click id that is theirs from now on.

    The first claim within half an hour gets this visit. A later one, or another visitor's (a copied
    address), gets a new visit of the same referral: two people are never merged (api.md, Claiming a visit). That one is
    of the machine that is `seen` now.
    Raises `NotFound` for a click that is not this merchant's, and where the link is closed or the visit is so
    old (by the merchant's click window) that a new one would bring back to life what has expired.
    """
    visit = find(session, merchant_id, visit_id)
    if visit is None:
        raise NotFound
    turns.share_facts(session, merchant_id)
    turns.hold_click(session, merchant_id, visit_id)
    turns.hold_person(session, merchant_id, person_of(session, merchant_id, visitor_id))
    if now <= visit.at + CLAIMABLE_FOR and _bind(session, visit, visit_id, visitor_id, now):
        journal.note(session, merchant_id, "visit.claimed", [visit_id], now)
        events.publish(session, VisitClaimed(merchant_id, visit_id, visitor_id))
        return visit_id
    known = _claimed_as(session, visit, visitor_id)
    if known is not None:
        return known
    if not _still_leads_here(session, visit, now, windows):
        raise NotFound
    copy_id = new_id("clk", merchant_id, now)
    if not _bind(session, visit, copy_id, visitor_id, now):  # the same visitor claims it twice in this moment
        return _claimed_as(session, visit, visitor_id) or visit_id
    _copy(session, visit, copy_id, now, seen)
    for kind in ("visit.recorded", "visit.claimed"):
        journal.note(session, merchant_id, kind, [copy_id], now)
    events.publish(session, VisitClaimed(merchant_id, copy_id, visitor_id))
    return copy_id


def hold_claims(session: Session, merchant_id: int, click_id: str | None, visitor_id: str | None) -> None:
    """Let nobody claim the click, nor the buyer anything on any device, until the transaction ends; nor anybody say
    that the buyer is somebody else. Who claimed the click is held too, who may be another: it may become doubtful.

    A purchase and a claim at the same moment would else not see each other, and nobody would ever put the two
    together. Whoever is second sees what the first has written (`turns`).
    """
    turns.share_facts(session, merchant_id)
    claimed_by = None
    if click_id is not None:
        turns.hold_click(session, merchant_id, click_id)
        claimed_by = visitor_of(session, merchant_id, click_id)
    visitors = {each for each in (visitor_id, claimed_by) if each is not None}
    people = people_of(session, merchant_id, visitors) if visitors else {}
    for person in sorted({*people.values()}):  # in one order for all, so that nobody waits in a circle
        turns.hold_person(session, merchant_id, person)


def _claimed_as(session: Session, visit: Visit, visitor_id: str) -> str | None:
    """The click id that the visitor got for this visit before."""
    return session.scalar(
        select(Claim.visit_id).where(
            Claim.merchant_id == visit.merchant_id,
            (Claim.claimed_id == visit.visit_id) | (Claim.visit_id == visit.visit_id),
            Claim.visitor_id == visitor_id,
        )
    )


def _still_leads_here(session: Session, visit: Visit, now: datetime, windows: Windows) -> bool:
    referral = session.get(Referral, (visit.merchant_id, visit.referral_id))
    if referral is None or referral.withdrawn_at is not None:
        return False
    return now - visit.at <= windows(session, {visit.merchant_id}, now)[visit.merchant_id]


def _bind(session: Session, visit: Visit, own_id: str, visitor_id: str, now: datetime) -> bool:
    return insert_new(
        session,
        Claim,
        merchant_id=visit.merchant_id,
        visit_id=own_id,
        claimed_id=visit.visit_id,
        visitor_id=visitor_id,
        at=now,
        received_at=now,
    )


def _copy(session: Session, visit: Visit, own_id: str, now: datetime, seen: Sighting | None) -> None:
    device, block = seen or _UNSEEN
    session.add(
        Visit(
            merchant_id=visit.merchant_id,
            visit_id=own_id,
            referral_id=visit.referral_id,
            type=visit.type,
            product_id=visit.product_id,
            wall_id=visit.wall_id,
            seen_from=None,
            device=device,
            block=block,
            at=now,
            received_at=now,
        )
    )
    session.flush()
    shared_to = session.get_one(Referral, (visit.merchant_id, visit.referral_id)).network
    about = (shared_to, None, visit.product_id, visit.wall_id)
    counted = counting.of_visit(visit.merchant_id, now, visit.type, *about)
    if counted is not None:
        appending.append(session, {counted: 1})
