"""The feed of all facts of a merchant: complete, in one order, resumable at a place that a cursor names.

What was written stands in the journal (kernel/journal.py); the facts are read from their own tables, as they stand
then. From the beginning it first gives what there is, table by table (`snapshot.py`), and then goes on in the journal
from where that stood at the beginning: some facts may come twice, under the same id, and none is left out
(docs/decisions/0024-journal.md). Knows no HTTP.
"""

import hashlib
import re
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.delivery import snapshot, told, told_doubts, told_sales
from app.delivery.told import Fact, Tell
from app.kernel import journal
from app.kernel.errors import Gone, Invalid
from app.kernel.feed_places import BEGINNING, Place, mark_of
from app.kernel.ids import id_from
from app.kernel.journal import JournalEntry
from app.privacy.erasure import ERASED

TELLERS: Final[Mapping[str, Tell]] = {
    "referral.created": told.created,
    "referral.withdrawn": told.withdrawn,
    "visit.recorded": told.visited,
    "visit.claimed": told.claimed,
    "identity.joined": told.joined,
    "coupon.changed": told.coupons,
    "order.recorded": told_sales.recorded,
    "order.corrected": told_sales.corrected,
    "order.refunded": told_sales.refunded,
    "order.attributed": told_sales.attributed,
    "doubt.raised": told_doubts.raised,
    "doubt.decided": told_doubts.decided,
    "import.finished": told_sales.imported,
    ERASED: told.erased,
}
TYPES: Final = tuple(TELLERS)
"""Of events."""

_ENTRIES: Final = 50
"""Journal entries that are read at once."""
_ROUNDS: Final = 20
"""So often, while nothing is of the types that are asked for: then it is told how far it came."""
_PLACE: Final = re.compile(r"([0-9]{1,18}-[0-9a-z]*)(?:\.([0-9]{1,4}))?")


class CursorGone(Gone):
    """The database was put back to an earlier state since this cursor was given."""

    code, title = "cursor_gone", "What this cursor knows of is not in the database any more"


class Event(NamedTuple):
    """Something was written. `id` follows from what it is, so it is the same wherever and whenever it is told;
    `subject` is the id of what it is about; `cursor` is the place after it."""

    id: str
    type: str
    at: datetime
    subject: str
    data: dict[str, object]
    cursor: str


class Read(NamedTuple):
    """Events in order, the cursor to go on from (also where none was found), and whether there are more by now."""

    events: Sequence[Event]
    cursor: str
    more: bool


Found = tuple[str, str, str]
"""An event's type, what stands for its fact in the journal, and the cursor after it."""


def end(session: Session, merchant_id: int) -> str:
    """The cursor of now: after it comes what is written from now on."""
    return str(journal.end(session, merchant_id))


def read(session: Session, merchant_id: int, after: str, limit: int, types: Collection[str] = ()) -> Read:
    """At most `limit` events after a cursor (empty: from the beginning), of these types (none: of all).

    Raises `Invalid` naming `cursor` for text that is none, `CursorGone` where the database was put back since.
    """
    wanted = frozenset(types or TYPES)
    cut = snapshot.Cut.of(after) if after else snapshot.Cut.beginning(journal.end(session, merchant_id))
    if cut is not None:
        _must_stand(session, merchant_id, cut.place)
        page = snapshot.read(session, merchant_id, cut, limit, wanted)
        events = tell(session, merchant_id, page.found)
        if page.cut is not None:
            return Read(events, str(page.cut), more=True)
        if events:
            return Read(events, str(cut.place), more=True)
        return _after(session, merchant_id, cut.place, 0, limit, wanted)
    place, given = _place_of(after)
    _must_stand(session, merchant_id, place)
    return _after(session, merchant_id, place, given, limit, wanted)


def before_next(session: Session, merchant_id: int, after: str, types: Collection[str]) -> str:
    """The last cursor after which comes all of these types (none: of all) that comes after this one. That is itself in
    the snapshot, and where it does not stand any more."""
    said = _PLACE.fullmatch(after)
    place = Place.of(said[1]) if said is not None else None
    if said is None or place is None or not journal.stands(session, merchant_id, place):
        return after
    begun = said[2] is not None  # there may be more in this very entry
    last = end(session, merchant_id)  # asked first: what gets its place meanwhile is not passed over
    later = JournalEntry.position >= place.position if begun else JournalEntry.position > place.position
    wanted = (JournalEntry.merchant_id == merchant_id, later, JournalEntry.type.in_(types or TYPES))
    first = session.scalar(select(JournalEntry.position).where(*wanted).order_by(JournalEntry.position).limit(1))
    if first is None:
        return last
    return after if first == place.position else str(place_before(session, merchant_id, first))


def place_before(session: Session, merchant_id: int, position: int) -> Place:
    """The place after which comes the entry of this position."""
    same = (JournalEntry.merchant_id == merchant_id, JournalEntry.position == position - 1)
    entry = session.scalar(select(JournalEntry.entry_id).where(*same))
    return BEGINNING if entry is None else Place(position - 1, mark_of(entry))


def position_of(cursor: str) -> int | None:
    """How far in the journal that is; None for the snapshot."""
    said = _PLACE.fullmatch(cursor)
    return None if said is None else int(said[1].partition("-")[0])


def tell(session: Session, merchant_id: int, found: Iterable[Found]) -> list[Event]:
    """The events that were found, each with its fact; those whose facts are gone are left out."""
    found = list(found)
    asked: dict[str, set[str]] = defaultdict(set)
    for kind, subject, _ in found:
        asked[kind].add(subject)
    facts = {kind: TELLERS[kind](session, merchant_id, subjects) for kind, subjects in asked.items()}
    return [
        _event(merchant_id, kind, subject, cursor, fact)
        for kind, subject, cursor in found
        if (fact := facts[kind].get(subject)) is not None
    ]


def _event(merchant_id: int, kind: str, subject: str, cursor: str, fact: Fact) -> Event:
    secret = hashlib.sha256(f"{kind}\0{subject}".encode()).digest()
    return Event(id_from("evt", merchant_id, fact.at, secret), kind, fact.at, fact.subject, fact.data, cursor)


def _after(session: Session, merchant_id: int, place: Place, given: int, limit: int, wanted: Collection[str]) -> Read:
    """What comes in the journal after a place; of the entry there, all but the first `given` where that is not 0."""
    found: list[Found] = []
    cursor, position = _cursor(place, given), place.position - bool(given)
    for _ in range(_ROUNDS):
        entries = journal.read(session, merchant_id, position, _ENTRIES)
        for entry in entries:
            position, cursor, done = entry.place.position, str(entry.place), len(entry.subjects)
            if entry.type not in wanted:
                continue
            begin = given if entry.place.position == place.position else 0
            for number in range(begin, done):
                after = _cursor(entry.place, number + 1 if number + 1 < done else 0)
                found.append((entry.type, entry.subjects[number], after))
                if len(found) == limit:
                    return Read(tell(session, merchant_id, found), after, more=True)
        if len(entries) < _ENTRIES:
            return Read(tell(session, merchant_id, found), cursor, more=False)
    return Read(tell(session, merchant_id, found), cursor, more=True)


def _cursor(place: Place, given: int) -> str:
    """After the first `given` of the entry there; 0: after all of it."""
    return f"{place}.{given}" if given else str(place)


def _place_of(cursor: str) -> tuple[Place, int]:
    said = _PLACE.fullmatch(cursor)
    place = Place.of(said[1]) if said is not None else None
    if said is None or place is None or (said[2] and place == BEGINNING):
        raise Invalid.field("cursor", "is not a cursor of this feed")
    return place, int(said[2] or 0)


def _must_stand(session: Session, merchant_id: int, place: Place) -> None:
    if not journal.stands(session, merchant_id, place):
        raise CursorGone(
            "The database was put back to an earlier state since this cursor was given. Begin anew without a cursor: "
            "what you have already comes again under the same ids."
        )
