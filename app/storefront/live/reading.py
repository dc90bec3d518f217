"""What the streams of walls say, read from the database: where a stream begins, and what has happened since.

Each is read in one view, so that positions and counts belong together. Knows tables and services, not streams.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy.orm import Session

from app.kernel import feed
from app.kernel.errors import NotFound
from app.kernel.feed import Entry
from app.kernel.feed_places import BEGINNING, Place
from app.kernel.ids import merchant_of
from app.merchants import service as merchants
from app.referrals import service as referrals
from app.storefront.live.events import MOST_SHARES, RETRY, Event, Share, Update, encoded
from app.walls import service as walls

MOST: Final = 5000
"""Entries to one reading."""


@dataclass(frozen=True, slots=True)
class Opening:
    """How a stream begins: what is said first, and the place that this leads to."""

    merchant_id: int
    place: Place
    shown: frozenset[str]
    allowed_origins: tuple[str, ...]
    said: bytes

    @property
    def size(self) -> int:
        return len(self.said) + 100 * len(self.shown) + 500


@dataclass(frozen=True, slots=True)
class Anew:
    """There is no going on from where somebody says that they were: for them it begins as for everybody. Places can be
    made up without end, so nothing else is made of each, and nothing of this is said."""

    size: int = 100


@dataclass(frozen=True, slots=True)
class Watched:
    """A wall that somebody follows: what it showed, up to which place."""

    wall_id: str
    merchant_id: int
    place: Place
    shown: frozenset[str]


@dataclass(frozen=True, slots=True)
class News:
    """What has happened on a wall after the place `since`, and what it shows now.

    No update: the wall is no more, or the database was put back, and nobody can go on from there.
    """

    wall_id: str
    since: Place
    update: Update | None
    shown: frozenset[str]


def opening(session: Session, wall_id: str, after: Place | None) -> Opening | Anew:
    """How a stream begins that goes on `after` a place, or, without one, anew. Raises `NotFound`, `Malformed`.

    Anew: all likes of the wall. Else the counts that have changed since; where the cards may have changed, all that
    are shown, since nobody knows any more what was.
    """
    merchant = merchants.get(session, merchant_of(wall_id, "wall"))
    since = _missed(session, merchant.merchant_id, after) if after is not None else None
    if since is None and after is not None:
        return Anew()
    wall = walls.get(session, merchant.merchant_id, wall_id)
    shown = frozenset(walls.product_ids(session, wall))
    end = feed.ends(session, [merchant.merchant_id])[merchant.merchant_id]
    watched = Watched(wall_id, merchant.merchant_id, end, shown)
    told = _all(session, watched) if since is None else _since(session, watched, since)
    said = RETRY + encoded(told, after or BEGINNING, end)
    return Opening(merchant.merchant_id, end, shown, tuple(merchant.allowed_origins), said)


def news(session: Session, watched: Collection[Watched]) -> tuple[list[News], bool]:
    """What has happened on the walls since, each in one update; and whether there is more to read."""
    standing, lost = _parted(session, watched)
    after: dict[int, int] = {}
    for each in standing:
        after[each.merchant_id] = min(each.place.position, after.get(each.merchant_id, each.place.position))
    entries = feed.read(session, after, MOST)
    by_merchant: dict[int, list[Entry]] = {}
    for entry in entries:
        by_merchant.setdefault(entry.merchant_id, []).append(entry)
    concerned = [each for each in standing if each.merchant_id in by_merchant]
    fresh = {each.wall_id: _fresh(each, by_merchant[each.merchant_id]) for each in concerned}
    liked = {(each.merchant_id, product) for each in concerned for product in _liked(each, fresh[each.wall_id])}
    counts = referrals.count_all_likes(session, liked)
    told = [_news(session, each, fresh[each.wall_id], counts) for each in concerned]
    return [_over(each) for each in lost] + told, len(entries) == MOST


def _parted(session: Session, watched: Collection[Watched]) -> tuple[list[Watched], list[Watched]]:
    """Those that can go on, and those that cannot. A place without a mark is believed: there is no telling it."""
    found = feed.standing(session, {(each.merchant_id, each.place) for each in watched if each.place.mark})
    standing: list[Watched] = []
    lost: list[Watched] = []
    for each in watched:
        known = not each.place.mark or (each.merchant_id, each.place) in found
        (standing if known else lost).append(each)
    return standing, lost


def _over(wall: Watched) -> News:
    return News(wall.wall_id, wall.place, None, frozenset())


def _news(session: Session, wall: Watched, entries: Sequence[Entry], counts: Mapping[tuple[int, str], int]) -> News:
    if not entries:
        return News(wall.wall_id, wall.place, Update(wall.place, wall.place), wall.shown)
    shown = wall.shown
    if _changed(wall, entries):
        try:
            found = walls.get(session, wall.merchant_id, wall.wall_id)
        except NotFound:
            return _over(wall)
        shown = frozenset(walls.product_ids(session, found))
    update = Update(
        since=wall.place,
        upto=entries[-1].place,
        likes={product: counts[wall.merchant_id, product] for product in _liked(wall, entries)},
        shares=_shares(wall, entries),
        added=shown - wall.shown,
        removed=wall.shown - shown,
    )
    return News(wall.wall_id, wall.place, update, shown)


def _fresh(wall: Watched, entries: Iterable[Entry]) -> list[Entry]:
    return [entry for entry in entries if entry.position > wall.place.position]


def _liked(wall: Watched, entries: Iterable[Entry]) -> set[str]:
    return {entry.product_id for entry in entries if entry.kind == "like" and entry.product_id in wall.shown}


def _shares(wall: Watched, entries: Iterable[Entry]) -> tuple[Share, ...]:
    """What was shared of this wall, or of what it shows, wherever that was met."""
    shares = (entry for entry in entries if entry.kind == "share")
    here = (entry for entry in shares if entry.wall_id == wall.wall_id or entry.product_id in wall.shown)
    return tuple(dict.fromkeys((entry.product_id, entry.wall_id) for entry in here))[-MOST_SHARES:]


def _changed(wall: Watched, entries: Iterable[Entry]) -> bool:
    """Whether the wall may show something else now. Its rule may find what was never on it."""
    return any(entry.kind == "catalogue" or (entry.kind, entry.wall_id) == ("wall", wall.wall_id) for entry in entries)


def _missed(session: Session, merchant_id: int, after: Place) -> Sequence[Entry] | None:
    """What came after that place; None where it cannot be told any more, or is too much to be worth it."""
    if not feed.standing(session, {(merchant_id, after)}):
        return None
    found = feed.read(session, {merchant_id: after.position}, MOST)
    return found if len(found) < MOST else None


def _all(session: Session, wall: Watched) -> list[Event]:
    """Every like, and every card: what was drawn a moment before may be different. What is not named has none."""
    likes = {product: people for product, people in _counts(session, wall, wall.shown).items() if people}
    return [("likes", {"likes": likes, "all": True, "shown": sorted(wall.shown)})]


def _since(session: Session, wall: Watched, entries: Sequence[Entry]) -> list[Event]:
    likes = _counts(session, wall, _liked(wall, entries))
    told: list[Event] = [("likes", {"likes": likes})]  # even where there are none, so that the line is seen to work
    told += [("share", {"product": product, "wall": of}) for product, of in _shares(wall, entries)]
    if _changed(wall, entries):
        told.append(("cards", {"added": sorted(wall.shown), "removed": [], "all": True}))
    return told


def _counts(session: Session, wall: Watched, products: Collection[str]) -> Mapping[str, int]:
    return referrals.count_likes(session, wall.merchant_id, sorted(products))
