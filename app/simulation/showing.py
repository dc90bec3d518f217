"""What widgets of a world report, and how often machines ask for links. Pure."""

from typing import Final

import numpy as np

from app.simulation import seasons
from app.simulation.chance import Ints
from app.simulation.columns import VIEW, Beacons, Machines, Referrals, Visits, nothing, only
from app.simulation.names import new_ids
from app.simulation.passing import Draws
from app.simulation.seasons import SECOND, Span
from app.simulation.shops import Shop

TYPES: Final = ("wall_view", "card_view", "card_open", "share_open", "checkout_open")
"""Of beacons, by number."""
_OFTEN: Final = (45.0, 36.0, 12.0, 5.0, 2.0)
_WALL_VIEW, _CARD_VIEW = 0, 1
_OF_VISITORS, _OF_REFERRALS, _LATE = 0.15, 0.05, 0.01
_HOUR: Final = 3600 * SECOND

MACHINES: Final = (
    ("preview", "whatsapp"), ("preview", "facebook"), ("preview", "slack"), ("preview", "telegram"),
    ("crawler", "googlebot"), ("crawler", "bingbot"), ("crawler", "openai"), ("crawler", "script"),
)  # fmt: skip
"""Kind and name, by number."""
_FACTS_TO_A_MACHINE: Final = 40


def reports(
    shop: Shop, span: Span, count: int, links: Referrals, visits: Visits, end: int, draws: Draws
) -> tuple[Beacons, Visits]:
    """What was seen and opened on a day; and the touches that it was where a visitor is known to have seen a
    referral's card. Nothing is received after `end`, when the world ends."""
    chance = draws.what
    at, kind = seasons.moments(span, count, chance), chance.choose(_OFTEN, count)
    product = chance.choose(shop.fame, count)
    wall = np.where(chance.happens(0.9, count) | (kind == _WALL_VIEW), shop.home(product), 0)
    product = np.where(kind == _WALL_VIEW, 0, product)
    made = Beacons(
        id=nothing(count),
        at=at,
        received_at=at,
        type=kind,
        product=product,
        wall=wall,
        referral=nothing(count),
        network=np.zeros(count, dtype=np.int64),
        kind=np.zeros(count, dtype=np.int64),
        click=nothing(count),
        visitor=nothing(count),
    )
    made = _by_visitors(made, span, visits, draws)
    made, seen = _of_referrals(shop, span, made, links, draws)
    late = chance.happens(_LATE, count) & (made.kind == 0)
    waited = (chance.uniform(count) * 20 * _HOUR).astype(np.int64)
    made = made._replace(received_at=np.where(late, np.minimum(made.at + waited, end - 1), made.at))
    return made._replace(id=new_ids("bcn", shop.merchant_id, made.received_at, draws.names)), seen


def _by_visitors(made: Beacons, span: Span, visits: Visits, draws: Draws) -> Beacons:
    """Some are of people who had come through a link on that day: they carry its click and, where claimed, who it
    was."""
    count = len(made.at)
    if not len(visits.at):
        return made
    whose = draws.what.below(len(visits.at), count)
    theirs = draws.what.happens(_OF_VISITORS, count)
    wait = (draws.what.waits(120.0, count) * SECOND).astype(np.int64) + SECOND
    then = seasons.after(visits.claimed_at[whose], wait, span, draws.what)
    return made._replace(
        at=np.where(theirs, then, made.at),
        click=only(visits.id[whose], theirs),
        visitor=only(visits.visitor[whose], theirs),
    )


def _of_referrals(shop: Shop, span: Span, made: Beacons, links: Referrals, draws: Draws) -> tuple[Beacons, Visits]:
    """Some cards were those of a referral, embedded somewhere; a third of those who saw them have a token."""
    chance, count = draws.what, len(made.at)
    old = np.flatnonzero((links.at < span.start) & (links.reach > 0))
    shown = chance.happens(_OF_REFERRALS, count) & (made.type == _CARD_VIEW) & (made.click == None)  # noqa: E711
    drawn, known = chance.below(max(len(old), 1), count), chance.happens(0.33, count)
    places = np.flatnonzero(shown) if len(old) else np.empty(0, dtype=np.int64)
    which = old[drawn[places]] if len(old) else places
    made = made._replace(**{name: getattr(made, name).copy() for name in ("product", "wall", "referral", "visitor")})
    made.product[places], made.wall[places] = links.product[which], links.wall[which]
    made.referral[places], made.network[places] = links.id[which], links.network[which]
    made.kind[places] = links.kind[which]
    mine = known[places]
    made.visitor[places[mine]] = new_ids("vis", shop.merchant_id, made.at[places[mine]], draws.names)
    return made, _views(shop, made, places[mine], links, which[mine], draws)


def _views(shop: Shop, made: Beacons, places: Ints, links: Referrals, which: Ints, draws: Draws) -> Visits:
    """The touches; each has the id of its hour."""
    at = made.at[places]
    ids = new_ids("clk", shop.merchant_id, at - at % _HOUR, draws.names)
    return Visits(
        id=ids,
        at=at,
        kind=np.full(len(at), VIEW),
        referral=links.id[which],
        sharer=links.visitor[which],
        product=links.product[which],
        wall=links.wall[which],
        shared_to=links.network[which],
        seen_from=np.zeros(len(at), dtype=np.int64),
        depth=links.depth[which],
        visitor=made.visitor[places],
        claimed_at=at,
        claimed_id=ids,
        is_first=np.zeros(len(at), dtype=np.bool_),
    )


def machines(facts: int, links: Referrals, draws: Draws) -> Machines:
    """Which machines asked for which of the links on a day, and how often."""
    count = facts // _FACTS_TO_A_MACHINE if len(links.at) else 0
    keys = draws.what.below(max(len(links.at), 1), count) * len(MACHINES) + draws.what.below(len(MACHINES), count)
    found, visits = np.unique(keys, return_counts=True)
    return Machines(links.id[found // len(MACHINES)], found % len(MACHINES), visits.astype(np.int64))
