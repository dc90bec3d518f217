"""Beacons: what widgets report was seen or opened. Facts for counting, and, of a referral's card, a touch.

Knows the session and the tables, not HTTP. What comes from a page is believed only as far as it is possible: things
that are there, of one merchant, between a day ago and now.
"""

import hashlib
import itertools
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final, NamedTuple

from sqlalchemy import FromClause, Select, insert, select
from sqlalchemy.orm import Session

from app.catalog import service as catalog
from app.kernel.database import id_type, insert_new, table_of
from app.kernel.events import Events
from app.kernel.given import Question
from app.kernel.ids import id_from, is_code, new_id
from app.kernel.recorder import Fact
from app.referrals import turns
from app.referrals.identities import person_of
from app.referrals.models import Beacon, Claim, Link, Referral, Visit
from app.referrals.visits import VisitClaimed
from app.walls import service as walls

BELIEVED_FOR: Final = timedelta(days=1)
"""How old a report may be: a telephone may have been without a network since."""
_SAME_VIEW: Final = timedelta(hours=1)


@dataclass(frozen=True)
class Report:
    """Something was seen or opened, as it is written. `referral_id` is the referral whose card it was."""

    merchant_id: int
    type: str
    wall_id: str | None
    product_id: str | None
    referral_id: str | None
    click_id: str | None
    visitor_id: str | None
    at: datetime
    received_at: datetime


@dataclass(frozen=True)
class NewBeacons(Fact[list[bool]]):
    """What one page reported at once; the answer is, for each, whether it is kept."""

    reports: tuple[Report, ...]


class Shown(NamedTuple):
    """The referral whose card was shown."""

    merchant_id: int
    referral_id: str
    product_id: str | None
    wall_id: str | None
    is_withdrawn: bool


def believed(at: datetime | None, now: datetime) -> datetime:
    """When it was, as far as a page is believed."""
    return now if at is None else min(max(at, now - BELIEVED_FOR), now)


def write(session: Session, facts: Sequence[NewBeacons]) -> list[list[bool]]:
    """Write what names only what is there, all in one statement."""
    reports = [report for fact in facts for report in fact.reports]
    products = catalog.faces(session, {(each.merchant_id, each.product_id) for each in reports if each.product_id})
    open_walls = walls.titles(session, {(each.merchant_id, each.wall_id) for each in reports if each.wall_id})

    def is_there(report: Report) -> bool:
        return (report.product_id is None or (report.merchant_id, report.product_id) in products) and (
            report.wall_id is None or (report.merchant_id, report.wall_id) in open_walls
        )

    kept = [[is_there(report) for report in fact.reports] for fact in facts]
    rows = [
        {**report.__dict__, "beacon_id": new_id("bcn", report.merchant_id, report.received_at)}
        for report in itertools.compress(reports, itertools.chain.from_iterable(kept))
    ]
    if rows:
        session.execute(_INSERT, rows)
    return kept


def shown(session: Session, codes: Iterable[str]) -> dict[str, Shown]:
    """The referrals to which these codes lead, withdrawn or not; none for a code that is unknown."""
    asked: set[tuple[int | str, ...]] = {(code,) for code in codes if is_code(code)}
    return {
        code: Shown(merchant, referral, product, wall, withdrawn is not None)
        for code, merchant, referral, product, wall, withdrawn in _SHOWN.ask(session, asked)
    }


def touch(
    session: Session, events: Events, visitor_id: str, seen: Sequence[tuple[Shown, datetime]], now: datetime
) -> None:
    """A proven visitor saw the cards of one merchant's referrals: touches of type `view` (attribution.md).

    Seen again within the same hour, it is the same view. The same turns are taken as by a claim, so that an order at
    this very moment and the view see each other.
    """
    merchant_id = seen[0][0].merchant_id
    turns.share_facts(session, merchant_id)
    turns.hold_person(session, merchant_id, person_of(session, merchant_id, visitor_id))
    for referral, at in seen:
        visit_id = _view_of(referral, visitor_id, at)
        mine: dict[str, object] = {"merchant_id": merchant_id, "visit_id": visit_id, "claimed_id": visit_id}
        if insert_new(session, Claim, **mine, visitor_id=visitor_id, at=at, received_at=now):
            session.add(
                Visit(
                    merchant_id=merchant_id,
                    visit_id=visit_id,
                    referral_id=referral.referral_id,
                    type="view",
                    product_id=referral.product_id,
                    wall_id=referral.wall_id,
                    at=at,
                    received_at=now,
                )
            )
            session.flush()
            events.publish(session, VisitClaimed(merchant_id, visit_id, visitor_id))


def _view_of(referral: Shown, visitor_id: str, at: datetime) -> str:
    """The id of this visitor's view of that card in that hour; nobody else can guess it."""
    hour = datetime.fromtimestamp(at.timestamp() // _SAME_VIEW.total_seconds() * _SAME_VIEW.total_seconds(), at.tzinfo)
    digest = hashlib.sha256(f"view {referral.referral_id} {visitor_id}".encode()).digest()
    return id_from("clk", referral.merchant_id, hour, digest)


def _shown(given: FromClause) -> Select[*tuple[Any, ...]]:
    about = (Referral.product_id, Referral.wall_id, Referral.withdrawn_at)
    theirs = (Referral.merchant_id == Link.merchant_id) & (Referral.referral_id == Link.referral_id)
    found = select(Link.code, Link.merchant_id, Link.referral_id, *about)
    return found.join_from(given, Link, Link.code == given.c.code).join(Referral, theirs)


_SHOWN = Question(_shown, code=id_type())
_INSERT = insert(table_of(Beacon))
