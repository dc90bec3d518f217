"""What is in the basket of a world's buyers, what they pay, and what is taken back of it later. Pure."""

from typing import Final

import numpy as np

from app.kernel.money import exponent
from app.simulation.buying import Wish
from app.simulation.chance import Chance
from app.simulation.names import new_ids
from app.simulation.passing import DAY, Draws
from app.simulation.sales import Bought, Sale, TakenBack
from app.simulation.seasons import SECOND
from app.simulation.shops import Shop

_FREE, _DISCOUNTED, _ABROAD, _OTHER_MODE = 0.004, 0.2, 0.05, 0.03
_NOTHING, _PARTLY, _WHOLLY, _TWICE, _CHARGEBACK, _FAILED = range(6)
_TAKINGS: Final = (90.0, 4.0, 3.0, 1.0, 1.0, 1.0)
_LATE: Final = 0.12
"""Of what is taken back, so much comes three months later."""


def sales(shop: Shop, wishes: list[Wish], first: int, livemode: bool, draws: Draws) -> list[Sale]:
    """The wishes as orders, one for each; `first` is how many the shop has had."""
    count, chance = len(wishes), draws.what
    ids = new_ids("ord", shop.merchant_id, np.array([wish.at for wish in wishes], dtype=np.int64), draws.names).tolist()
    abroad, other_mode = chance.happens(_ABROAD, count).tolist(), chance.happens(_OTHER_MODE, count).tolist()
    baskets = _baskets(shop, wishes, chance)
    made = []
    for place, wish in enumerate(wishes):
        lines, net, gross = baskets[place]
        made.append(
            Sale(
                order_id=ids[place],
                external_id=f"order-{first + place + 1}",
                at=wish.at,
                currency=shop.other_currency if abroad[place] else shop.currency,
                livemode=livemode != other_mode[place],
                net=net,
                gross=gross,
                lines=lines,
                source=wish.source,
                click=wish.click,
                visitor=wish.visitor,
                coupon=wish.coupon,
            )
        )
    _take_back(shop, made, draws)
    return made


def _baskets(shop: Shop, wishes: list[Wish], chance: Chance) -> list[tuple[tuple[Bought, ...], int, int]]:
    """What each buys: lines, net, gross. Mostly first of all what they had come for."""
    count, most = len(wishes), 3
    firsts = {variant.product: place for place, variant in reversed(list(enumerate(shop.variants)))}
    drawn = chance.below(len(shop.variants), count * most).tolist()
    quantities = (1 + (chance.heavy(2.0, count * most) > 2.5)).tolist()
    sizes, came_for = chance.choose((70.0, 22.0, 8.0), count).tolist(), chance.happens(0.6, count).tolist()
    discounts = np.where(chance.happens(_DISCOUNTED, count), chance.below(41, count), 0).tolist()
    free, shipped = chance.happens(_FREE, count).tolist(), chance.happens(0.5, count).tolist()
    postage = 5 * (10 ** exponent(shop.currency) if exponent(shop.currency) else 100)
    made = []
    for place, wish in enumerate(wishes):
        variants = drawn[place * most : place * most + sizes[place] + 1]
        if came_for[place] and wish.source.product:
            variants[0] = firsts[wish.source.product]
        full = [
            shop.variants[each].price * quantity
            for each, quantity in zip(variants, quantities[place * most :], strict=False)
        ]
        percent = 100 if free[place] else discounts[place]
        amounts = [amount - amount * percent // 100 for amount in full]
        lines = tuple(map(Bought, variants, quantities[place * most :], amounts))
        made.append((lines, sum(amounts), sum(amounts) + (postage if shipped[place] else 0)))
    return made


def _take_back(shop: Shop, made: list[Sale], draws: Draws) -> None:
    """Decide what will be taken back of each, as long as the world lasts or after it."""
    count, chance = len(made), draws.what
    kinds = chance.choose(_TAKINGS, count).tolist()
    waits = (chance.waits(12.0, 2 * count) * DAY).astype(np.int64) + 3600 * SECOND
    waits += np.where(chance.happens(_LATE, 2 * count), 90 * DAY, 0)
    parts, dropped = chance.uniform(2 * count).tolist(), (chance.waits(10.0, count) * DAY).astype(np.int64) + SECOND
    for place, sale in enumerate(made):
        kind = kinds[place] if sale.net > 1 else _NOTHING
        if kind == _NOTHING:
            continue
        part = 1 + int(parts[2 * place] * (sale.net - 1))  # from 1 up to, and not, the whole
        amounts = [sale.net if kind in (_WHOLLY, _CHARGEBACK, _FAILED) else part]
        if kind == _TWICE:
            amounts.append(1 + int(parts[2 * place + 1] * (sale.net - part)))  # it may be all that is left
        for turn, amount in enumerate(amounts):
            at = sale.at + int(waits[2 * place + turn])
            (refund_id,) = new_ids("rfd", shop.merchant_id, np.array([at]), draws.names).tolist()
            reason = "chargeback" if kind == _CHARGEBACK else "refund"
            gone = at + int(dropped[place]) if kind == _FAILED else None
            name = f"refund-{sale.external_id}-{turn + 1}"
            sale.taken_back.append(TakenBack(refund_id, name, reason, amount, at, gone))
