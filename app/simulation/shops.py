"""The shops of a world: names, time zones, currencies, products, walls. Pure: decided here, written by `opening`."""

from dataclasses import dataclass
from typing import Final, NamedTuple
from zoneinfo import ZoneInfo

import numpy as np

from app.kernel.money import exponent
from app.simulation.chance import Chance, Floats, Ints, Words
from app.simulation.names import new_ids

_KINDS: Final = (
    ("Vine & Thread", "eur", "usd", "Europe/Paris"),
    ("Harbour Books", "gbp", "eur", "Europe/London"),
    ("Kinoko", "jpy", "usd", "Asia/Tokyo"),
    ("Prairie Goods", "usd", "cad", "America/New_York"),
    ("Masala Lane", "inr", "usd", "Asia/Kolkata"),
    ("Southern Cross", "aud", "nzd", "Australia/Adelaide"),
    ("Casa Jacaranda", "brl", "usd", "America/Sao_Paulo"),
    ("Dune Pearl", "kwd", "usd", "Asia/Kuwait"),
)
"""Name, currency, the other currency in which some pay, time zone."""

_COLOURS: Final = ("Indigo", "Ochre", "Moss", "Clay", "Chalk", "Plum", "Slate", "Saffron")
_THINGS: Final = ("Mug", "Scarf", "Lamp", "Basket", "Teapot", "Blanket", "Notebook", "Apron", "Vase", "Candle")
_WALLS: Final = ("New in", "Loved by our customers", "Gifts", "For the kitchen", "Last chance")
PRODUCTS: Final = 40
_FAME: Final = 0.9
"""How much less the next product is looked at: by its place to this power."""


class Variant(NamedTuple):
    """One way to buy a product; the price in minor units."""

    variant_id: str
    product: int
    title: str | None
    sku: str
    price: int


@dataclass(frozen=True)
class Shop:
    """A merchant as it stands all through the world. Products and walls are counted from 1; 0 is none."""

    number: int  # of the world's merchants, from 0
    merchant_id: int
    name: str
    currency: str
    other_currency: str
    zone: ZoneInfo
    products: Words
    titles: tuple[str, ...]
    variants: tuple[Variant, ...]
    walls: Words
    wall_titles: tuple[str, ...]
    fame: Floats
    """How often each product is looked at, beside the others; that of 0 is 0."""

    @property
    def url(self) -> str:
        """The merchant's own site."""
        return site(self.number)

    def home(self, products: Ints) -> Ints:
        """The wall on which each of the products hangs."""
        return np.where(products > 0, 1 + products % (len(self.walls) - 1), 0)

    def hung(self, wall: int) -> list[int]:
        """The products on a wall, in their order: its own, and those that are looked at most."""
        own = [each for each in range(1, len(self.products)) if 1 + each % (len(self.walls) - 1) == wall]
        return list(dict.fromkeys([*own, 1, 2, 3]))


class About(NamedTuple):
    """What is decided of a merchant before it is made."""

    name: str
    currency: str
    other_currency: str
    timezone: str


def about(number: int) -> About:
    """What the merchant of this number, from 0, is called and where it is."""
    kind = _KINDS[number % len(_KINDS)]
    again = number // len(_KINDS)
    return About(f"{kind[0]} {again + 1}" if again else kind[0], *kind[1:])


def site(number: int) -> str:
    """The own site of the merchant of this number; its walls may stand there."""
    return f"https://shop{number + 1}.example"


def furnished(seed: int, number: int, merchant_id: int, at: int) -> Shop:
    """The merchant with its catalogue and walls, which came at `at` (microseconds)."""
    told, chance = about(number), Chance(seed, "shop", number)
    products = new_ids("prod", merchant_id, np.full(PRODUCTS, at), chance)
    prices = _prices(told.currency, chance)
    titles = [f"{_COLOURS[place % 8]} {_THINGS[place // 8 % 10]}" for place in range(PRODUCTS * 2)][:PRODUCTS]
    fame = np.arange(1, PRODUCTS + 1, dtype=np.float64) ** -_FAME
    return Shop(
        number=number,
        merchant_id=merchant_id,
        name=told.name,
        currency=told.currency,
        other_currency=told.other_currency,
        zone=ZoneInfo(told.timezone),
        products=_counted_from_one(products),
        titles=("", *titles),
        variants=_variants(merchant_id, at, prices, chance),
        walls=_counted_from_one(new_ids("wall", merchant_id, np.full(len(_WALLS), at), chance)),
        wall_titles=("", *_WALLS),
        fame=np.concatenate(([0.0], fame)),
    )


def _prices(currency: str, chance: Chance) -> list[int]:
    """From a few to some two hundred of the currency's greater unit, ending in 9."""
    unit = 10 ** exponent(currency) if exponent(currency) else 100
    return [int(5 + 40 * size) * unit - 1 for size in np.minimum(chance.heavy(1.4, PRODUCTS) - 1, 5.0)]


def _variants(merchant_id: int, at: int, prices: list[int], chance: Chance) -> tuple[Variant, ...]:
    """Each third product comes in two sizes."""
    wanted = [
        (place, size, price + dearer)
        for place, price in enumerate(prices, 1)
        for size, dearer in (((None, 0),) if place % 3 else (("Small", 0), ("Large", 500)))
    ]
    ids = new_ids("var", merchant_id, np.full(len(wanted), at), chance)
    return tuple(
        Variant(variant_id, place, size, f"SKU-{place:03}{'' if size is None else f'-{size[0]}'}", price)
        for variant_id, (place, size, price) in zip(ids.tolist(), wanted, strict=True)
    )


def _counted_from_one(ids: Words) -> Words:
    return np.concatenate((np.array([None], dtype=object), ids))
