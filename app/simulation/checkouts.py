"""Checkouts of a world: those that became orders, and those that were given up. Pure.

Who buys at our own checkout pays the full price in the shop's own currency, and Stripe tells of the sale; all others
bought in the merchant's own shop, which tells of it by API.
"""

from typing import Final, NamedTuple

import numpy as np

from app.simulation import seasons
from app.simulation.buying import Through, Wish, through_of
from app.simulation.chance import Chance
from app.simulation.columns import Visits
from app.simulation.names import new_ids
from app.simulation.passing import Draws
from app.simulation.sales import Bought, Sale
from app.simulation.seasons import SECOND, Span
from app.simulation.shops import Shop

_AT_OURS: Final = 0.5
_GIVEN_UP: Final = 0.8
"""So many for each order."""


class Begun(NamedTuple):
    """A checkout that was begun at `at`; `sale` is what became of it, if anything did. `click` is what the buyer's page
    called its click, known or not, and `through` what that was."""

    checkout_id: str
    at: int
    lines: tuple[Bought, ...]
    currency: str
    livemode: bool
    click: str | None
    through: Through | None
    visitor: str | None
    wall: int
    sale: Sale | None

    @property
    def session(self) -> str:
        """What Stripe calls it."""
        return f"cs_{'live' if self.livemode else 'test'}_{self.checkout_id.removeprefix('chk_')}"


def paid(shop: Shop, wishes: list[Wish], sales: list[Sale], draws: Draws) -> list[Begun]:
    """Those of the sales, each made of the wish beside it, that were checkouts of ours: Stripe tells of them."""
    at_ours = draws.what.happens(_AT_OURS, len(sales)).tolist()
    ids = new_ids("chk", shop.merchant_id, np.array([sale.at for sale in sales], dtype=np.int64), draws.names).tolist()
    begun = []
    for wish, sale, checkout_id, chosen in zip(wishes, sales, ids, at_ours, strict=True):
        if chosen and _is_possible(shop, wish, sale):
            wall = sale.source.wall
            about = sale.lines, sale.currency, sale.livemode, wish.click, wish.through, wish.visitor
            made = Begun(checkout_id, sale.at, *about, wall, sale)
            sale.checkout, sale.external_id, sale.wall = checkout_id, made.session, wall
            if wish.through is not None:
                sale.visitor = wish.visitor or wish.through.visitor
            begun.append(made)
    return begun


def given_up(shop: Shop, span: Span, visits: Visits, orders: int, livemode: bool, draws: Draws) -> list[Begun]:
    """Checkouts of people who had come through a link, and thought better of it."""
    count = int(orders * _GIVEN_UP) if len(visits.at) else 0
    which = draws.what.below(max(len(visits.at), 1), count)
    wait = (draws.what.waits(1800.0, count) * SECOND).astype(np.int64) + 20 * SECOND
    at = seasons.after(visits.claimed_at[which], wait, span, draws.what)
    ids = new_ids("chk", shop.merchant_id, at, draws.names).tolist()
    lines = _wanted(shop, count, draws.what)
    begun = []
    for place, (visit, moment) in enumerate(zip(which.tolist(), at.tolist(), strict=True)):
        through = through_of(visits, visit)
        who = visits.id[visit], through, visits.visitor[visit]
        wall = int(visits.wall[visit])
        begun.append(Begun(ids[place], moment, lines[place], shop.currency, livemode, *who, wall, None))
    return begun


def _wanted(shop: Shop, count: int, chance: Chance) -> list[tuple[Bought, ...]]:
    variants = chance.below(len(shop.variants), count).tolist()
    return [(Bought(variant, 1, shop.variants[variant].price),) for variant in variants]


def _is_possible(shop: Shop, wish: Wish, sale: Sale) -> bool:
    """Whether it can have been a checkout of ours: of different things, at their price."""
    full = sum(shop.variants[line.variant].price * line.quantity for line in sale.lines)
    once = len({line.variant for line in sale.lines}) == len(sale.lines)
    ours = wish.coupon is None and sale.currency == shop.currency
    return ours and once and full == sale.net > 0
