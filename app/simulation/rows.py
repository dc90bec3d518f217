"""A day of a world as rows of the domains' tables, column by column as the live code fills them. Pure."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime, time, timedelta
from functools import cache
from itertools import repeat
from typing import Final

import numpy as np

from app.kernel.bulk import Row
from app.kernel.clock import from_micros, to_micros
from app.kernel.codes import key_of, normalised
from app.kernel.rollups.tables import DIMENSIONS, QUARTER
from app.merchants.selling import Selling
from app.orders import told
from app.orders.checkout.basket import Line
from app.orders.stripe.languages import AUTO
from app.orders.wire import LineIn, OrderIn
from app.referrals.visits import TOUCH_TYPE
from app.simulation import counted
from app.simulation.chance import Words
from app.simulation.checkouts import Begun
from app.simulation.columns import LIKE, SHARE, VIEW, Visits, nothing
from app.simulation.life import Day
from app.simulation.networks import NETWORKS
from app.simulation.sales import Sale, TakenBack
from app.simulation.shops import Shop
from app.simulation.showing import MACHINES, TYPES
from app.simulation.spans import Full, Spans

_NETWORKS: Final = np.array([None, *NETWORKS[1:]], dtype=object)
_KINDS: Final = np.array([None, "like", "share"], dtype=object)
_TOUCHES: Final = np.array([None, None, None, None], dtype=object)
_TOUCHES[LIKE], _TOUCHES[SHARE], _TOUCHES[VIEW] = TOUCH_TYPE["like"], TOUCH_TYPE["share"], "view"
_TYPES: Final = np.array(TYPES, dtype=object)
Rows = list[Row]

REFERRAL: Final = (
    "merchant_id", "referral_id", "kind", "visitor_id", "product_id", "wall_id", "target", "network", "code",
    "parent_id", "caption", "name", "at", "received_at", "withdrawn_at",
)  # fmt: skip
LINK: Final = ("merchant_id", "code", "referral_id")
VISIT: Final = (
    "merchant_id", "visit_id", "referral_id", "type", "product_id", "wall_id", "seen_from", "at", "received_at",
)  # fmt: skip
CLAIM: Final = ("merchant_id", "visit_id", "claimed_id", "visitor_id", "at", "received_at")
BEACON: Final = (
    "merchant_id", "beacon_id", "type", "wall_id", "product_id", "referral_id", "click_id", "visitor_id", "at",
    "received_at",
)  # fmt: skip
MACHINE: Final = ("merchant_id", "day", "referral_id", "kind", "machine", "visits")
COUPON: Final = ("merchant_id", "coupon_id", "code", "said", "referral_id", "at", "received_at")
IDENTITY: Final = ("merchant_id", "visitor_id", "person", "at", "received_at")
ORDER: Final = (
    "merchant_id", "order_id", "external_id", "source", "fingerprint", "livemode", "currency", "gross", "net",
    "click_id", "visitor_id", "wall_id", "coupon", "coupon_key", "at", "received_at",
)  # fmt: skip
CHECKOUT: Final = (
    "merchant_id", "checkout_id", "attempt_key", "fingerprint", "stripe_key", "status", "items", "currency", "amount",
    "click_id", "referral_id", "seen_from", "visitor_id", "wall_id", "coupon", "terms", "success_url", "cancel_url",
    "session_id", "session_url", "created_at", "expires_at",
)  # fmt: skip
STRIPE_OBJECT: Final = ("object_id", "merchant_id", "checkout_id", "order_id")
ORDER_LINE: Final = ("merchant_id", "order_id", "position", "product", "variant", "title", "quantity", "amount")
REFUND: Final = (
    "merchant_id", "refund_id", "order_id", "external_id", "reason", "amount", "paid_back", "at", "received_at",
)  # fmt: skip


def referrals(shop: Shop, day: Day, end: int) -> Rows:
    """Likes and shares; what is taken back after the end stands still."""
    each = day.referrals
    products, walls = shop.products[each.product].tolist(), shop.walls[each.wall].tolist()
    targets = [f"{product or ''}/{wall or ''}" for product, wall in zip(products, walls, strict=True)]
    withdrawn = [None if at is None or at >= end else at for at in each.withdrawn_at.tolist()]
    at = each.at.tolist()
    said = each.parent.tolist(), each.caption.tolist(), each.name.tolist()
    about = each.id.tolist(), _KINDS[each.kind].tolist(), each.visitor.tolist(), products, walls, targets
    where = _NETWORKS[each.network].tolist(), each.code.tolist()
    return list(zip(repeat(shop.merchant_id, len(at)), *about, *where, *said, at, at, withdrawn, strict=True))


def links(shop: Shop, day: Day) -> Rows:
    return _rows(shop, day.referrals.code, day.referrals.id)


def visits(shop: Shop, day: Day) -> Rows:
    """Visits, and the touches of those who saw a card."""
    return [row for each in (day.visits, day.views) for row in _visits(shop, each)]


def _visits(shop: Shop, each: Visits) -> Rows:
    about = shop.products[each.product], shop.walls[each.wall], _NETWORKS[each.seen_from]
    return _rows(shop, each.id, each.referral, _TOUCHES[each.kind], *about, each.at, each.at)


def claims(shop: Shop, day: Day) -> Rows:
    return [row for each in (day.visits, day.views) for row in _claims(shop, each)]


def _claims(shop: Shop, each: Visits) -> Rows:
    mine = each.visitor != None  # noqa: E711
    at = each.claimed_at[mine]
    return _rows(shop, each.id[mine], each.claimed_id[mine], each.visitor[mine], at, at)


def beacons(shop: Shop, day: Day) -> Rows:
    """As nobody's: the merchants of worlds keep visits and no browsing (`counts`, app/privacy/modes.py)."""
    each, nobody = day.beacons, nothing(len(day.beacons.at))
    about = shop.walls[each.wall], shop.products[each.product], each.referral, nobody, nobody
    return _rows(shop, each.id, _TYPES[each.type], *about, each.at, each.received_at)


def machines(shop: Shop, day: Day) -> Rows:
    midnight = to_micros(datetime.combine(day.span.date, time.min, UTC))
    who = [MACHINES[machine] for machine in day.machines.machine.tolist()]
    asked = zip(day.machines.referral.tolist(), who, day.machines.visits.tolist(), strict=True)
    return [(shop.merchant_id, midnight, referral, *whose, visits) for referral, whose, visits in asked]


def coupons(shop: Shop, day: Day) -> Rows:
    return [
        (shop.merchant_id, each.coupon_id, normalised(each.said), each.said, each.referral, each.at, each.at)
        for each in day.coupons
    ]


def identities(shop: Shop, day: Day) -> Rows:
    return [(shop.merchant_id, each.visitor, each.person, each.at, each.at) for each in day.identities]


def orders(shop: Shop, sales: Sequence[Sale]) -> Rows:
    return [
        (
            *(shop.merchant_id, sale.order_id, sale.external_id, *_told_by(shop, sale), sale.livemode, sale.currency),
            *(sale.gross, sale.net, sale.click, sale.visitor, shop.walls[sale.wall], sale.coupon, key_of(sale.coupon)),
            *(sale.at, sale.at),
        )
        for sale in sales
    ]


def checkouts(shop: Shop, day: Day) -> Rows:
    """Those that were paid, and those that have expired."""
    return [_checkout(shop, each) for each in day.checkouts]


def _checkout(shop: Shop, each: Begun) -> Row:
    items = json.dumps([vars(line) for line in _basket(shop, each)])
    through = (None, None) if each.through is None else (each.through.referral, _NETWORKS[each.through.seen_from])
    who = each.click, *through, each.visitor, shop.walls[each.wall], None
    return (
        *(shop.merchant_id, each.checkout_id, each.checkout_id, hashlib.sha256(items.encode()).hexdigest()),
        *(each.checkout_id, "expired" if each.sale is None else "paid", items, each.currency),
        *(sum(line.amount for line in each.lines), *who, _terms()),
        *(
            f"{shop.url}/thanks",
            f"{shop.url}/basket",
            each.session,
            f"https://checkout.stripe.com/c/pay/{each.session}",
        ),
        *(each.at, each.at + _lives()),
    )


@cache
def _terms() -> str:
    """Those of every checkout here: of a merchant who has set nothing."""
    return json.dumps({"account": None, "locale": AUTO, "promotion": None, "selling": Selling().to_json()})


@cache
def _lives() -> int:
    """Microseconds until a checkout that is not paid expires."""
    return Selling().lives // timedelta(microseconds=1)


def _basket(shop: Shop, each: Begun) -> list[Line]:
    bought = [(line, shop.variants[line.variant]) for line in each.lines]
    return [
        Line(
            variant=variant.variant_id,
            product=shop.products[variant.product],
            title=shop.titles[variant.product],
            quantity=line.quantity,
            price=variant.price,
            image=None,
        )
        for line, variant in bought
    ]


def stripe_objects(shop: Shop, day: Day) -> Rows:
    """Whose sessions and payments they are."""
    made: Rows = []
    for each in day.checkouts:
        made.append((each.session, shop.merchant_id, each.checkout_id, None))
        if each.sale is not None:
            payment = f"pi_{each.checkout_id.removeprefix('chk_')}"
            made.append((payment, shop.merchant_id, each.checkout_id, each.sale.order_id))
    return made


def order_lines(shop: Shop, sales: Sequence[Sale]) -> Rows:
    return [
        (shop.merchant_id, sale.order_id, position, line.product, line.variant, line.title, line.quantity, line.amount)
        for sale in sales
        for position, line in enumerate(_told_lines(shop, sale))
    ]


def refunds(shop: Shop, taken_back: Iterable[tuple[str, TakenBack]]) -> Rows:
    """What is taken back, each with its order; nothing is dropped yet."""
    return [
        (
            *(shop.merchant_id, each.refund_id, order_id, each.external_id, each.reason, each.amount, each.amount),
            *(each.at, each.at),
        )
        for order_id, each in taken_back
    ]


def rollups(shop: Shop, start: int, end: int, facts: counted.Counted, spans: Spans) -> Rows:
    """The counts of the quarters of an hour from `start` until before `end`, and of the wider `spans` that are full
    with them, as they are when all is folded."""
    made: Rows = []
    for dimension in DIMENSIONS:
        values = len(counted.values(shop, dimension))
        starts, value, counts = counted.quarters(start, end, facts, dimension, values)
        spans.add(dimension, values, starts, value, counts)
        made += _counts(shop, Full(dimension, QUARTER, starts, value, counts))
    return made + wider(shop, spans.full(end))


def wider(shop: Shop, spans: Iterable[Full]) -> Rows:
    """The counts of spans that are full."""
    return [row for each in spans for row in _counts(shop, each)]


def _counts(shop: Shop, each: Full) -> Iterator[Row]:
    names = np.array(counted.values(shop, each.dimension), dtype=object)
    same = repeat(shop.merchant_id, len(each.starts)), repeat(each.dimension), repeat(each.width)
    return zip(*same, each.starts.tolist(), names[each.values].tolist(), *each.counts.T.tolist(), strict=False)


def _told_by(shop: Shop, sale: Sale) -> tuple[str, str]:
    """Who told of it, and the fingerprint of what was said: who tells the order again tells nothing new."""
    if sale.checkout is None:
        return "api", _fingerprint(shop, sale)
    said = f"{sale.external_id} {sale.currency} {sale.gross} {sale.net}"
    return "stripe", hashlib.sha256(said.encode()).hexdigest()


def _fingerprint(shop: Shop, sale: Sale) -> str:
    said = OrderIn(
        external_id=sale.external_id,
        placed_at=from_micros(sale.at),
        currency=sale.currency,
        net=sale.net,
        gross=sale.gross,
        lines=_told_lines(shop, sale),
        click_id=sale.click,
        visitor=sale.visitor,
        coupon=sale.coupon,
        test=not sale.livemode,
    )
    return told.fingerprint(said)


def _told_lines(shop: Shop, sale: Sale) -> list[LineIn]:
    lines = []
    for line in sale.lines:
        variant = shop.variants[line.variant]
        product, title = shop.products[variant.product], shop.titles[variant.product]
        about = {"product": product, "variant": variant.variant_id, "title": title}
        lines.append(LineIn(**about, quantity=line.quantity, amount=line.amount))
    return lines


def _rows(shop: Shop, *columns: Words) -> Rows:
    return list(zip(repeat(shop.merchant_id, len(columns[0])), *(each.tolist() for each in columns), strict=True))
