"""The life of a world's merchant, day after day: who is known from the days before, and what happens next. Pure.

A day is the least that is decided at once, and depends on nothing but the seed, the merchant and the days before it.
"""

from dataclasses import dataclass
from typing import Final, NamedTuple

import numpy as np

from app.simulation import buying, checkouts, passing, paying, seasons, showing
from app.simulation.buying import Speaking, Wish
from app.simulation.chance import Chance, Ints, Words
from app.simulation.checkouts import Begun
from app.simulation.columns import SHARE, Beacons, Machines, Referrals, Visits, chosen, joined, none_of
from app.simulation.names import new_ids
from app.simulation.networks import NETWORKS
from app.simulation.passing import Draws
from app.simulation.sales import Sale, Source
from app.simulation.seasons import SECOND, Quota, Span
from app.simulation.shops import Shop

_KNOWN: Final = 20_000
"""Visitors who may come back: the latest."""
_ADVOCATES: Final = 400
_COUPON_EVERY: Final = 12
"""Days."""
_CODES: Final = ("Ana", "Bo", "Chidi", "Dana", "Emeka", "Freya")


class CouponRow(NamedTuple):
    """From `at` on, the code speaks for the referral."""

    coupon_id: str
    said: str
    referral: str
    at: int


class IdentityRow(NamedTuple):
    """This visitor is that person."""

    visitor: str
    person: str
    at: int


class Day(NamedTuple):
    """All that happens to a merchant on a day. Touches that are no visits, cards seen, are apart."""

    span: Span
    referrals: Referrals
    visits: Visits
    views: Visits
    beacons: Beacons
    machines: Machines
    sales: list[Sale]
    checkouts: list[Begun]
    coupons: list[CouponRow]
    identities: list[IdentityRow]


class _Parted(NamedTuple):
    """What those did next who came for the first time. `rest` may come back another day."""

    continued: Referrals
    waiting: Visits
    others: Visits
    rest: Words


@dataclass
class Life:
    """A merchant's life up to some day. `end` is when the world ends (microseconds)."""

    seed: int
    shop: Shop
    end: int
    livemode: bool

    def __post_init__(self) -> None:
        self._links = none_of(Referrals)
        self._known: Words = np.empty(0, dtype=object)
        self._waiting = none_of(Visits)
        self._advocates: Words = np.empty(0, dtype=object)
        self._shares_made: Ints = np.empty(0, dtype=np.int64)
        self._coupons: dict[str, Speaking] = {}
        self._sold = 0
        self._people = 0

    def live(self, span: Span, quota: Quota) -> Day:
        """The next day."""
        path = (self.seed, self.shop.number, span.number)
        draws = Draws(Chance(*path, "what"), Chance(*path, self.shop.merchant_id, "names"))
        begun, own = self._begun(span, quota, draws)
        links = joined(self._links, begun)
        visits, unmade = self._arrivals(span, quota, links, own + len(self._links.at), draws)
        parted = self._parted(span, quota, visits, draws)
        beacons, views = showing.reports(self.shop, span, quota.beacons + unmade, links, visits, self.end, draws)
        coupons = self._new_coupons(span, begun, draws)
        wishes = self._stories(span, visits, views, parted.others, coupons, draws).wishes(quota.orders)
        wishes.sort(key=lambda wish: (wish.at, wish.click or "", wish.visitor or ""))
        sales = paying.sales(self.shop, wishes, self._sold, self.livemode, draws)
        begun_checkouts = checkouts.paid(self.shop, wishes, sales, draws)
        given_up = checkouts.given_up(self.shop, span, visits, quota.orders, self.livemode, draws)
        made = Day(
            span=span,
            referrals=joined(begun, parted.continued),
            visits=visits,
            views=views,
            beacons=beacons,
            machines=showing.machines(sum(quota), self._links, draws),
            sales=sales,
            checkouts=begun_checkouts + given_up,
            coupons=[row for row, _ in coupons],
            identities=self._joined(wishes),
        )
        self._remember(made, parted, links)
        self._coupons.update((row.said, speaking) for row, speaking in coupons)
        return made

    def _begun(self, span: Span, quota: Quota, draws: Draws) -> tuple[Referrals, Ints]:
        """What people like and share who came through nobody, and which of it they will follow themselves."""
        likes, shares = quota.likes - self._wanted(quota.likes), quota.shares - self._wanted(quota.shares)
        made = passing.fresh(self.shop, span, likes, shares, draws)
        advocates = self._of_advocates(span, shares * 3 // 10, draws)
        if len(advocates):
            of_likes, of_shares = chosen(made, np.arange(likes)), chosen(made, np.arange(likes, likes + shares))
            told = self._advocates[advocates], self._shares_made[advocates], advocates
            made = joined(of_likes, passing.by_advocates(self.shop, of_shares, *told))
            self._shares_made[advocates] += 1
        others = np.arange(likes + len(advocates), likes + shares)
        return made, others[: min((quota.orders + 9) // 20, quota.visits // 4)]

    def _wanted(self, referrals: int) -> int:
        """How many of a day's likes, or shares, should be of people who came through somebody."""
        return referrals * 11 // 20

    def _of_advocates(self, span: Span, count: int, draws: Draws) -> Ints:
        """Who of those who share again and again does so today; new ones join until there are enough."""
        spent = np.flatnonzero(self._shares_made >= passing.variety(self.shop))
        missing = max(min(_ADVOCATES, 3 * count) - len(self._advocates), 0)
        joining = new_ids("vis", self.shop.merchant_id, np.full(missing + len(spent), span.start), draws.names)
        self._advocates[spent], self._shares_made[spent] = joining[missing:], 0
        self._advocates = np.concatenate((self._advocates, joining[:missing]))
        self._shares_made = np.concatenate((self._shares_made, np.zeros(missing, dtype=np.int64)))
        return draws.what.some(count, len(self._advocates))

    def _arrivals(self, span: Span, quota: Quota, links: Referrals, own: Ints, draws: Draws) -> tuple[Visits, int]:
        """The day's visits; and how many of them could not be made, because there is nothing to follow."""
        if not quota.visits or not passing.interest(links, span).any():
            return none_of(Visits), quota.visits
        return passing.arrivals(self.shop, span, quota.visits, links, own, self._known, draws), 0

    def _parted(self, span: Span, quota: Quota, visits: Visits, draws: Draws) -> _Parted:
        """Of those who came for the first time: who passes it on, who waits, who has another device; and the rest."""
        firsts = np.flatnonzero(visits.is_first)
        firsts = firsts[draws.what.some(len(firsts), len(firsts))]
        ends = np.cumsum(
            [self._wanted(quota.likes), self._wanted(quota.shares), 2 + quota.orders // 3, 1 + quota.orders // 15]
        )
        liking, sharing, waiting, others, rest = np.split(firsts, np.minimum(ends, len(firsts)))
        continued = passing.passed_on(
            self.shop, span, chosen(visits, np.concatenate((liking, sharing))), len(liking), draws
        )
        missing = self._wanted(quota.likes) - len(liking), self._wanted(quota.shares) - len(sharing)
        if any(missing):
            continued = joined(continued, passing.fresh(self.shop, span, *missing, draws))
        return _Parted(continued, chosen(visits, waiting), chosen(visits, others), visits.visitor[rest])

    def _stories(
        self,
        span: Span,
        visits: Visits,
        views: Visits,
        others: Visits,
        coupons: list[tuple[CouponRow, Speaking]],
        draws: Draws,
    ) -> buying.Day:
        changing = {row.said for row, _ in coupons}
        return buying.Day(
            shop=self.shop,
            span=span,
            visits=visits,
            own=(visits.sharer == visits.visitor) & (visits.claimed_id == visits.id),
            views=views,
            waiting=self._waiting,
            others=others,
            coupons=[speaking for said, speaking in self._coupons.items() if said not in changing],
            draws=draws,
        )

    def _new_coupons(self, span: Span, begun: Referrals, draws: Draws) -> list[tuple[CouponRow, Speaking]]:
        """A code for somebody who shared today, every few days; after a while codes pass on to others."""
        shares = np.flatnonzero(begun.kind == SHARE)
        if span.number % _COUPON_EVERY or not len(shares):
            return []
        place = shares[draws.what.below(len(shares), 1)]
        at = seasons.after(begun.at[place], np.array([3600 * SECOND]), span, draws.what)
        (coupon_id,) = new_ids("cpn", self.shop.merchant_id, at, draws.names).tolist()
        said = f"{_CODES[span.number // _COUPON_EVERY % len(_CODES)]}10".upper()
        network = NETWORKS[begun.network[place[0]]]
        about = int(begun.product[place[0]]), int(begun.wall[place[0]]), begun.visitor[place[0]]
        row = CouponRow(coupon_id, said, begun.id[place[0]], int(at[0]))
        return [(row, Speaking(said, Source(network, network, None, *about, "share", row.referral)))]

    def _joined(self, wishes: list[Wish]) -> list[IdentityRow]:
        """Who is whom: as their shop calls them."""
        rows = []
        for wish in wishes:
            if wish.joined_to is not None and wish.visitor is not None:
                self._people += 1
                person = f"customer-{self._people}"
                rows += [IdentityRow(each, person, wish.at) for each in (wish.joined_to, wish.visitor)]
        return rows

    def _remember(self, made: Day, parted: _Parted, links: Referrals) -> None:
        self._sold += len(made.sales)
        self._known = np.concatenate((self._known, parted.rest))[-_KNOWN:]
        self._waiting = buying.still_waiting(joined(self._waiting, parted.waiting), made.span)
        links = joined(links, parted.continued)
        self._links = chosen(links, passing.remembered(links, made.span))
