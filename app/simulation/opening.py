"""Opens the shops of a world: the merchant by the ordinary service, its catalogue and walls beside it.

Keys are made by chance, as always: they are secrets. All else follows from the seed and the merchant's number.
"""

from typing import NamedTuple

import numpy as np
from sqlalchemy.orm import Session

from app.catalog.models import Product, Variant
from app.kernel.clock import from_micros
from app.kernel.signing import Signer
from app.merchants import service as merchants
from app.simulation import shops
from app.simulation.chance import Chance
from app.simulation.names import new_ids
from app.simulation.shops import Shop
from app.walls.models import Wall, WallCard


class Opened(NamedTuple):
    """A merchant of the world, with its keys in clear: they exist only here."""

    merchant_id: int
    public_id: str
    name: str
    secret_key: str
    report_key: str
    timezone: str
    currency: str
    wall: str


def open_shop(session: Session, signer: Signer, seed: int, number: int, at: int) -> tuple[Opened, Shop]:
    """The merchant of this number, open since `at` (microseconds)."""
    about, now = shops.about(number), from_micros(at)
    new = merchants.NewMerchant(about.name, about.currency, about.timezone, [shops.site(number)], [])
    merchant, secret, report = merchants.open_shop(session, signer, new, now)
    names = Chance(seed, "merchant", number)
    (public_id,) = new_ids("mer", merchant.merchant_id, np.array([at]), names).tolist()
    merchants.change(merchant, {"public_id": public_id})
    shop = shops.furnished(seed, number, merchant.merchant_id, at)
    _stock(session, shop, at)
    session.flush()
    _hang(session, shop, at)
    session.flush()
    told = about.name, secret, report, about.timezone, about.currency, shop.walls[1]
    return Opened(merchant.merchant_id, public_id, *told), shop


def _stock(session: Session, shop: Shop, at: int) -> None:
    now = from_micros(at)
    for place in range(1, len(shop.products)):
        product = Product(
            merchant_id=shop.merchant_id,
            product_id=shop.products[place],
            external_id=f"P-{place:03}",
            title=shop.titles[place],
            description="",
            brand=shop.name,
            url=f"{shop.url}/products/{place}",
            images=[],
            created_at=now,
            updated_at=now,
        )
        mine = [variant for variant in shop.variants if variant.product == place]
        product.variants = [
            Variant(
                merchant_id=shop.merchant_id,
                variant_id=variant.variant_id,
                position=position,
                external_id=variant.sku,
                title=variant.title,
                sku=variant.sku,
                currency=shop.currency,
                price=variant.price,
                compare_at=None,
                stock=None,
            )
            for position, variant in enumerate(mine)
        ]
        session.add(product)


def _hang(session: Session, shop: Shop, at: int) -> None:
    now = from_micros(at)
    for place in range(1, len(shop.walls)):
        wall = Wall(
            merchant_id=shop.merchant_id,
            wall_id=shop.walls[place],
            title=shop.wall_titles[place],
            layout="grid",
            theme={},
            locale=None,
            landing=None,
            rule=None,
            created_at=now,
            updated_at=now,
        )
        wall.cards = [
            WallCard(merchant_id=shop.merchant_id, product_id=shop.products[product], position=position)
            for position, product in enumerate(shop.hung(place))
        ]
        session.add(wall)
