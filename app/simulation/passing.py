"""How the word is passed on in a world: who likes and shares, who follows, and who of these passes it on again. Pure.

A few referrals are followed by very many and most by hardly anybody; interest is halved every few days; of those who
come, some pass on what they found, so that trees grow as deep as chance has it. Whoever passes something on after a
visit made that visit alone until then: so its referral is the parent, whatever rule finds it (attribution.md).
"""

from typing import Final, NamedTuple

import numpy as np

from app.simulation import networks, seasons
from app.simulation.chance import Chance, Flags, Floats, Ints, Words
from app.simulation.columns import LIKE, SHARE, Referrals, Visits, chosen, joined, nothing, only, words
from app.simulation.names import new_codes, new_ids
from app.simulation.seasons import SECOND, Span
from app.simulation.shops import Shop

DAY: Final = 86_400 * SECOND
_HALVED_IN: Final = 2.5 * DAY
_FORGOTTEN: Final = 0.01
_TAIL: Final = 1.25
_CLAIMED, _COMES_BACK, _LIKE_TAKEN_BACK = 0.6, 0.15, 0.03
_OF_ALL_COPIED: Final = 100
"""One of so many visits comes by an address that somebody else had opened."""
_CAPTIONS: Final = ("You need to see this", "Exactly what you were looking for", "For your kitchen?", "So soft!")
_NAMES: Final = ("Ana", "Bo", "Chidi", "Dana", "Emeka", "Freya", "Goro", "Hana", "Ivo", "Jun")


class Draws(NamedTuple):
    """The chance of what happens on a day, and that of what it is called."""

    what: Chance
    names: Chance


def fresh(shop: Shop, span: Span, likes: int, shares: int, draws: Draws) -> Referrals:
    """Likes, then shares, by people who came through nobody."""
    count = likes + shares
    at = seasons.moments(span, count, draws.what)
    kind = np.repeat(np.array([LIKE, SHARE]), [likes, shares])
    product = draws.what.choose(shop.fame, count)
    wall = np.where(draws.what.happens(0.2, count), 0, shop.home(product))
    whole_wall = draws.what.happens(0.1, count) & (kind == SHARE)
    wall, product = np.where(whole_wall, shop.home(product), wall), np.where(whole_wall, 0, product)
    network = np.where(kind == LIKE, networks.ON_SITE, draws.what.choose(networks.SHARED_TO, count))
    visitor = new_ids("vis", shop.merchant_id, at, draws.names)
    nobody = nothing(count), np.zeros(count, dtype=np.int64)
    return _referrals(shop, at, kind, visitor, product, wall, network, nobody, draws)


def by_advocates(shop: Shop, shares: Referrals, advocates: Words, made: Ints, first_of: Ints) -> Referrals:
    """The first of `shares` as those of `advocates`, who have `made` so many before: each time another product or
    another network, so that none stands already. `first_of` tells them apart."""
    places = np.arange(len(advocates))
    turn = made + first_of
    all_networks, all_products = len(networks.NETWORKS) - networks.FIRST_SHAREABLE, len(shop.products) - 1
    product, network, visitor, wall = (
        each.copy() for each in (shares.product, shares.network, shares.visitor, shares.wall)
    )
    network[places] = networks.FIRST_SHAREABLE + turn % all_networks
    product[places] = 1 + (first_of + turn // all_networks) % all_products
    wall[places] = shop.home(product[places])
    visitor[places] = advocates
    return shares._replace(product=product, network=network, visitor=visitor, wall=wall)


def variety(shop: Shop) -> int:
    """How often an advocate can share without saying the same again."""
    return (len(networks.NETWORKS) - networks.FIRST_SHAREABLE) * (len(shop.products) - 1)


def interest(links: Referrals, span: Span) -> Floats:
    """How much each link is followed on this day, beside the others."""
    age = np.maximum(span.start - links.at, 0)
    return np.asarray(links.reach * 0.5 ** (age / _HALVED_IN))


def remembered(links: Referrals, span: Span) -> Flags:
    """Which links somebody may still follow on the next day."""
    return interest(links, span) > _FORGOTTEN


def arrivals(shop: Shop, span: Span, count: int, links: Referrals, own: Ints, known: Words, draws: Draws) -> Visits:
    """`count` visits through `links`. The links at `own` are followed by their own sharers too, as far as there are
    visits; some of those who are `known` come back, each once."""
    chance, copied = draws.what, count // _OF_ALL_COPIED
    plain = count - copied
    which = chance.choose(interest(links, span), plain)
    at = seasons.moments(span, plain, chance)
    own = own[: plain // 2]
    which[: len(own)] = own
    early = at <= links.at[which]
    early[: len(own)] = True
    wait = (chance.waits(3 * 3600.0, plain) * SECOND).astype(np.int64) + SECOND
    at = np.where(early, seasons.after(links.at[which], wait, span, chance), at)
    is_own = np.arange(plain) < len(own)
    order = np.argsort(at, kind="stable")
    which, at, is_own = which[order], at[order], is_own[order]
    claimed = chance.happens(_CLAIMED, plain) | is_own
    claimed[:1] |= copied > 0
    claimed_at = seasons.after(at, (1 + chance.below(90, plain)) * SECOND, span, chance)
    back = np.flatnonzero(claimed & ~is_own & chance.happens(_COMES_BACK, plain))[: len(known)]
    visitor = new_ids("vis", shop.merchant_id, claimed_at, draws.names)
    visitor[back] = known[chance.some(len(back), len(known))]
    visitor[is_own] = links.visitor[which[is_own]]
    visitor[~claimed] = None
    is_first = claimed & ~is_own
    is_first[back] = False
    visits = _visits(shop, links, which, at, draws)
    visits = visits._replace(
        visitor=visitor, claimed_at=claimed_at, claimed_id=only(visits.id, claimed), is_first=is_first
    )
    return joined(visits, _copies(shop, span, visits, copied, draws)) if copied else visits


def _visits(shop: Shop, links: Referrals, which: Ints, at: Ints, draws: Draws) -> Visits:
    """Visits that nobody has claimed."""
    return Visits(
        id=new_ids("clk", shop.merchant_id, at, draws.names),
        at=at,
        kind=links.kind[which],
        referral=links.id[which],
        sharer=links.visitor[which],
        product=links.product[which],
        wall=links.wall[which],
        shared_to=links.network[which],
        seen_from=networks.seen_from(links.network[which], draws.what),
        depth=links.depth[which],
        visitor=nothing(len(at)),
        claimed_at=at,
        claimed_id=nothing(len(at)),
        is_first=np.zeros(len(at), dtype=np.bool_),
    )


def _copies(shop: Shop, span: Span, visits: Visits, count: int, draws: Draws) -> Visits:
    """Visits by an address that carried somebody else's click: each is one of its own, seen from nowhere."""
    theirs = np.flatnonzero(visits.is_first | (visits.claimed_id == visits.id))
    which = theirs[draws.what.below(len(theirs), count)]
    wait = (draws.what.waits(3600.0, count) * SECOND).astype(np.int64) + SECOND
    at = seasons.after(visits.claimed_at[which], wait, span, draws.what)
    copied = chosen(visits, which)
    return copied._replace(
        id=new_ids("clk", shop.merchant_id, at, draws.names),
        at=at,
        seen_from=np.zeros(count, dtype=np.int64),
        visitor=new_ids("vis", shop.merchant_id, at, draws.names),
        claimed_at=at,
        claimed_id=visits.id[which],
        is_first=np.zeros(count, dtype=np.bool_),
    )


def passed_on(shop: Shop, span: Span, visits: Visits, likes: int, draws: Draws) -> Referrals:
    """What those who made `visits` like (the first `likes`) or share (the others) of what they came to."""
    chance, count = draws.what, len(visits.at)
    wait = (chance.waits(900.0, count) * SECOND).astype(np.int64) + 5 * SECOND
    at = seasons.after(visits.claimed_at, wait, span, chance)
    kind = np.where(np.arange(count) < likes, LIKE, SHARE)
    another = chance.happens(0.2, count) | ((visits.product == 0) & (kind == LIKE))
    product = np.where(another, chance.choose(shop.fame, count), visits.product)
    wall = np.where(another, shop.home(product), visits.wall)
    same = chance.happens(0.4, count) & (visits.shared_to >= networks.FIRST_SHAREABLE)
    shared = np.where(same, visits.shared_to, chance.choose(networks.SHARED_TO, count))
    network = np.where(kind == LIKE, networks.ON_SITE, shared)
    parents = visits.referral, visits.depth + 1
    return _referrals(shop, at, kind, visits.visitor, product, wall, network, parents, draws)


def _referrals(
    shop: Shop,
    at: Ints,
    kind: Ints,
    visitor: Words,
    product: Ints,
    wall: Ints,
    network: Ints,
    parents: tuple[Words, Ints],
    draws: Draws,
) -> Referrals:
    chance, count = draws.what, len(at)
    taken_back = (kind == LIKE) & chance.happens(_LIKE_TAKEN_BACK, count)
    taken_back_at = at + (chance.waits(10.0, count) * DAY).astype(np.int64) + SECOND
    says = (kind == SHARE) & chance.happens(0.1, count)
    caption = only(words(_CAPTIONS)[chance.below(len(_CAPTIONS), count)], says)
    named = (kind == SHARE) & chance.happens(0.06, count)
    name = only(words(_NAMES)[chance.below(len(_NAMES), count)], named)
    return Referrals(
        id=new_ids("ref", shop.merchant_id, at, draws.names),
        at=at,
        kind=kind,
        visitor=visitor,
        product=product,
        wall=wall,
        network=network,
        code=new_codes(count, draws.names),
        parent=parents[0],
        caption=caption,
        name=name,
        withdrawn_at=only(taken_back_at.astype(object), taken_back),
        reach=np.where(taken_back, 0.0, chance.heavy(_TAIL, count)),
        depth=parents[1],
    )
