"""Who buys on a day of a world, after which journey, and so who earned it. Pure.

Each order is the end of a story of which it is plain who must earn it under the default policy (attribution.md): the
last click within thirty days, else the last visit through a like within seven, else a card seen within a day; a coupon
before all of them; nobody through their own link.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from app.simulation import seasons
from app.simulation.chance import Flags, Ints
from app.simulation.columns import LIKE, SHARE, Visits, chosen
from app.simulation.names import new_ids
from app.simulation.networks import NETWORKS
from app.simulation.passing import DAY, Draws
from app.simulation.sales import NOBODY, Source
from app.simulation.seasons import SECOND, Span
from app.simulation.shops import Shop

_KINDS: Final = {LIKE: "like", SHARE: "share"}
_WINDOW: Final = {SHARE: 30 * DAY, LIKE: 7 * DAY}
"""Of the default policy."""
FORGOTTEN_AFTER: Final = 50 * DAY
"""Who has waited so long does not buy any more."""

_STORIES: Final = {
    "clicked": 36.0, "liked": 6.0, "unclaimed": 8.0, "joined": 4.0, "saw": 3.0, "waited": 16.0, "too_late": 3.0,
    "on_the_edge": 1.0, "own_link": 2.0, "coupon": 6.0, "unknown_click": 2.0, "direct": 13.0,
}  # fmt: skip


class Speaking(NamedTuple):
    """A coupon code, and the referral for which it speaks."""

    code: str
    source: Source


class Through(NamedTuple):
    """What a click was that is known: kind and networks are numbers."""

    referral: str
    kind: int
    shared_to: int
    seen_from: int
    visitor: str | None
    """Who claimed it."""


class Wish(NamedTuple):
    """That somebody buys at `at`: what the order will name, and who earns it."""

    at: int
    source: Source
    click: str | None = None
    visitor: str | None = None
    coupon: str | None = None
    through: Through | None = None
    """What the click was that it names, where that is known."""
    joined_to: str | None = None
    """The visitor who is the same person on another device."""


def source_of(visits: Visits, place: int) -> Source:
    """Who earns what is bought through this visit (rule 7: what was observed, else the referral's network)."""
    shared_to, seen_from = NETWORKS[visits.shared_to[place]], NETWORKS[visits.seen_from[place]]
    return Source(
        network=seen_from or shared_to,
        shared_to=shared_to,
        seen_from=seen_from or None,
        product=int(visits.product[place]),
        wall=int(visits.wall[place]),
        sharer=visits.sharer[place],
        kind="like" if shared_to == "onsite" else "share",
        referral=visits.referral[place],
    )


def through_of(visits: Visits, place: int) -> Through:
    """What a visit was."""
    return Through(
        referral=visits.referral[place],
        kind=int(visits.kind[place]),
        shared_to=int(visits.shared_to[place]),
        seen_from=int(visits.seen_from[place]),
        visitor=visits.visitor[place],
    )


@dataclass
class Day:
    """What there is on a day to buy through: who came today, who saw cards, who has waited since an earlier day,
    which coupons speak, and who is on another device."""

    shop: Shop
    span: Span
    visits: Visits
    own: Flags
    """Which visits are through the visitor's own link."""
    views: Visits
    waiting: Visits
    others: Visits
    """Visits of people whose only device that was."""
    coupons: list[Speaking]
    draws: Draws

    def wishes(self, orders: int) -> list[Wish]:
        """Who buys, so many; by no story twice what one alone can buy through."""
        counts = np.bincount(self.draws.what.choose(list(_STORIES.values()), orders), minlength=len(_STORIES))
        tellers: dict[str, Callable[[int], Iterator[Wish]]] = {name: getattr(self, f"_{name}") for name in _STORIES}
        told = [
            wish
            for name, count in zip(_STORIES, counts.tolist(), strict=True)
            for wish in (tellers[name](count) if count else ())
        ]
        return [*told, *self._direct(orders - len(told))]

    def _clicked(self, count: int) -> Iterator[Wish]:
        """After a visit through a share on the same day, whatever came before. The order names the click, the buyer,
        or both."""
        of_theirs = (self.visits.kind == SHARE) & (self.visits.visitor != None) & ~self.own  # noqa: E711
        places = self._places(of_theirs, count)
        ways = self.draws.what.below(3, len(places))
        for place, at, way in zip(places.tolist(), self._then(self.visits, places), ways.tolist(), strict=True):
            click = self.visits.id[place] if way != 1 else None
            visitor = self.visits.visitor[place] if way != 0 else None
            through = through_of(self.visits, place) if click else None
            yield Wish(at, source_of(self.visits, place), click, visitor, through=through)

    def _liked(self, count: int) -> Iterator[Wish]:
        """After a visit through a like, by somebody who never clicked on anything else."""
        places = self._places((self.visits.kind == LIKE) & self.visits.is_first, count)
        for place, at in zip(places.tolist(), self._then(self.visits, places), strict=True):
            yield Wish(at, source_of(self.visits, place), None, self.visits.visitor[place])

    def _unclaimed(self, count: int) -> Iterator[Wish]:
        """After a visit that nobody has claimed: the click id came along with the purchase."""
        places = self._places(self.visits.visitor == None, count)  # noqa: E711
        for place, at in zip(places.tolist(), self._then(self.visits, places), strict=True):
            click, through = self.visits.id[place], through_of(self.visits, place)
            yield Wish(at, source_of(self.visits, place), click, through=through)

    def _joined(self, count: int) -> Iterator[Wish]:
        """Clicked on the phone, bought on the laptop, signed in on both."""
        places = self._places(np.ones(len(self.others.at), dtype=np.bool_), count)
        at = np.array(self._then(self.others, places), dtype=np.int64)
        laptops = new_ids("vis", self.shop.merchant_id, at, self.draws.names)
        for place, moment, laptop in zip(places.tolist(), at.tolist(), laptops.tolist(), strict=True):
            phone = self.others.visitor[place]
            yield Wish(moment, source_of(self.others, place), None, laptop, joined_to=phone)

    def _saw(self, count: int) -> Iterator[Wish]:
        """Saw the card of a referral, and never came through it."""
        places = self._places(np.ones(len(self.views.at), dtype=np.bool_), count)
        for place, at in zip(places.tolist(), self._then(self.views, places), strict=True):
            yield Wish(at, source_of(self.views, place), None, self.views.visitor[place])

    def _waited(self, count: int) -> Iterator[Wish]:
        """Came some days ago, and buys while that still counts; some buy again."""
        yield from self._of_waiting(self.span.end - self._windows() <= self.waiting.at, count, counts=True)

    def _too_late(self, count: int) -> Iterator[Wish]:
        """Came too long ago."""
        forgotten = self.waiting.at + self._windows() + SECOND < self.span.start
        yield from self._of_waiting(forgotten, count, counts=False)

    def _on_the_edge(self, count: int) -> Iterator[Wish]:
        """In the very last second in which it counts, or in the first in which it does not any more."""
        last = self.waiting.at // SECOND * SECOND + self._windows()
        places = self._places((last >= self.span.start) & (last + 2 * SECOND < self.span.end), count)
        for turn, place in enumerate(places.tolist()):
            over = turn % 2
            source = NOBODY if over else source_of(self.waiting, place)
            yield Wish(int(last[place]) + over * SECOND + 999_999, source, None, self.waiting.visitor[place])

    def _own_link(self, count: int) -> Iterator[Wish]:
        """Through their own link: that earns nobody anything."""
        places = self._places(self.own, count)
        for place, at in zip(places.tolist(), self._then(self.visits, places), strict=True):
            click, through = self.visits.id[place], through_of(self.visits, place)
            yield Wish(at, NOBODY, click, self.visits.visitor[place], through=through)

    def _coupon(self, count: int) -> Iterator[Wish]:
        """With a code that speaks for somebody, in capitals or not."""
        if self.coupons:
            which = self.draws.what.below(len(self.coupons), count)
            times = seasons.moments(self.span, count, self.draws.what)
            for turn, (place, at) in enumerate(zip(which.tolist(), times.tolist(), strict=True)):
                code, source = self.coupons[place]
                yield Wish(at, source, coupon=code if turn % 2 else code.lower())

    def _unknown_click(self, count: int) -> Iterator[Wish]:
        """Names a click of which nobody knows."""
        at = seasons.moments(self.span, count, self.draws.what)
        clicks = new_ids("clk", self.shop.merchant_id, at, self.draws.names)
        for moment, click in zip(at.tolist(), clicks.tolist(), strict=True):
            yield Wish(moment, NOBODY, click)

    def _direct(self, count: int) -> Iterator[Wish]:
        """Came by themselves; every second has a token."""
        at = seasons.moments(self.span, count, self.draws.what)
        visitors = new_ids("vis", self.shop.merchant_id, at, self.draws.names)
        for turn, (moment, visitor) in enumerate(zip(at.tolist(), visitors.tolist(), strict=True)):
            yield Wish(moment, NOBODY, None, visitor if turn % 2 else None)

    def _of_waiting(self, which: Flags, count: int, *, counts: bool) -> Iterator[Wish]:
        places = self._places(which, count)
        times = seasons.moments(self.span, len(places), self.draws.what)
        for place, at in zip(places.tolist(), times.tolist(), strict=True):
            source = source_of(self.waiting, place) if counts else NOBODY
            yield Wish(at, source, None, self.waiting.visitor[place])

    def _windows(self) -> Ints:
        return np.where(self.waiting.kind == SHARE, _WINDOW[SHARE], _WINDOW[LIKE])

    def _places(self, which: Flags, most: int) -> Ints:
        """Up to so many different ones of those that are meant, by chance."""
        found = np.flatnonzero(which)
        return found[self.draws.what.some(most, len(found))]

    def _then(self, visits: Visits, places: Ints) -> list[int]:
        """When those buy who came on that day."""
        wait = (self.draws.what.waits(2400.0, len(places)) * SECOND).astype(np.int64) + 20 * SECOND
        then: list[int] = seasons.after(visits.claimed_at[places], wait, self.span, self.draws.what).tolist()
        return then


def still_waiting(waiting: Visits, span: Span) -> Visits:
    """Those of whom somebody may still buy on the next day."""
    return chosen(waiting, waiting.at > span.end - FORGOTTEN_AFTER)
