"""Stock in the database: reserved, given back, sold, each once, however many want it at the same moment."""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import count

import pytest
from sqlalchemy import select

from app.catalog import service as catalog
from app.catalog import stock
from app.catalog.models import Reservation, Variant
from app.catalog.service import ProductData, VariantData
from app.kernel.database import Database
from app.merchants import service as merchants
from app.merchants.service import NewMerchant
from tests.clock import START
from tests.threads import together


@dataclass
class Shelf:
    """One merchant's variants, by position, and the baskets that hold of them."""

    database: Database
    merchant_id: int
    variants: list[str]
    names: "count[int]" = field(default_factory=lambda: count(1))

    def reserve(self, wishes: Mapping[int, int], holder: str | None = None) -> str:
        """A new holder, or the same again, reserves so many of the variants at these positions."""
        name = holder or f"chk_{next(self.names)}"
        wanted = {self.variants[position]: quantity for position, quantity in wishes.items()}
        with self.database.transaction() as session:
            stock.reserve(session, self.merchant_id, name, wanted, START)
        return name

    def release(self, holder: str) -> None:
        with self.database.transaction() as session:
            stock.release(session, self.merchant_id, holder, START)

    def sell(self, holder: str) -> None:
        with self.database.transaction() as session:
            stock.sell(session, self.merchant_id, holder, START)

    def set(self, position: int, pieces: int | None) -> None:
        """The merchant says how many there are."""
        with self.database.transaction() as session:
            session.get_one(Variant, (self.merchant_id, self.variants[position])).stock = pieces

    @property
    def now(self) -> list[tuple[int | None, int, int | None]]:
        """Of each variant: in stock, held, left."""
        with self.database.reading() as session:
            rows = (session.get_one(Variant, (self.merchant_id, each)) for each in self.variants)
            return [(row.stock, row.held, row.left) for row in rows]


@pytest.fixture
def shelf(database: Database) -> Callable[..., Shelf]:
    """Makes a merchant with a variant for each number of pieces."""

    def made(*pieces: int | None) -> Shelf:
        variants = tuple(VariantData(str(n), None, None, "eur", 100, None, each) for n, each in enumerate(pieces))
        with database.transaction() as session:
            merchant = merchants.create(session, NewMerchant("Vine", "eur", "UTC", [], []), START)
            data = ProductData(None, "Mug", "", None, None, (), (), variants)
            product, _ = catalog.save(session, merchant.merchant_id, data, START)
            return Shelf(database, merchant.merchant_id, [each.variant_id for each in product.standing])

    return made


def test_what_is_reserved_is_left_for_nobody_else(shelf: Callable[..., Shelf]) -> None:
    mugs = shelf(3)
    mugs.reserve({0: 2})

    assert [(3, 2, 1)] == mugs.now
    with pytest.raises(stock.NotEnough) as refused:
        mugs.reserve({0: 2})
    assert (mugs.variants[0], 1) == (refused.value.variant_id, refused.value.left)
    assert [(3, 2, 1)] == mugs.now


def test_what_is_given_back_is_given_back_once(shelf: Callable[..., Shelf]) -> None:
    mugs = shelf(3)
    first, _ = mugs.reserve({0: 1}), mugs.reserve({0: 2})

    mugs.release(first)
    mugs.release(first)

    assert [(3, 2, 1)] == mugs.now


def test_what_is_sold_is_sold_once_and_never_given_back(shelf: Callable[..., Shelf]) -> None:
    mugs = shelf(3)
    holder = mugs.reserve({0: 2})

    mugs.sell(holder)
    mugs.sell(holder)
    mugs.release(holder)

    assert [(1, 0, 1)] == mugs.now


def test_a_sale_that_comes_after_its_stock_was_given_back_takes_it_all_the_same(shelf: Callable[..., Shelf]) -> None:
    mugs = shelf(3)
    late = mugs.reserve({0: 2})
    mugs.release(late)
    mugs.reserve({0: 1})

    mugs.sell(late)
    mugs.sell(late)

    assert [(1, 1, 0)] == mugs.now


def test_a_late_sale_of_what_is_gone_leaves_nothing_and_not_less(shelf: Callable[..., Shelf]) -> None:
    mugs = shelf(3)
    late = mugs.reserve({0: 2})
    mugs.release(late)
    mugs.sell(mugs.reserve({0: 3}))

    mugs.sell(late)

    assert [(0, 0, 0)] == mugs.now


def test_reserving_again_changes_nothing_until_it_was_given_back(shelf: Callable[..., Shelf]) -> None:
    mugs = shelf(3)
    holder = mugs.reserve({0: 2})
    mugs.reserve({0: 2}, holder)
    assert [(3, 2, 1)] == mugs.now

    mugs.release(holder)
    mugs.reserve({0: 2}, holder)
    assert [(3, 2, 1)] == mugs.now

    mugs.sell(holder)
    mugs.reserve({0: 2}, holder)
    assert [(1, 0, 1)] == mugs.now


def test_where_one_thing_is_short_nothing_is_reserved(shelf: Callable[..., Shelf]) -> None:
    things = shelf(5, 1, 5)
    with pytest.raises(stock.NotEnough):
        things.reserve({0: 1, 1: 2, 2: 1})
    assert [(5, 0, 5), (1, 0, 1), (5, 0, 5)] == things.now


def test_what_is_unlimited_is_never_counted(shelf: Callable[..., Shelf]) -> None:
    things = shelf(None, 2)
    holder = things.reserve({0: 1000, 1: 1})
    things.sell(holder)

    assert [(None, 0, None), (1, 0, 1)] == things.now
    with things.database.reading() as session:
        mine = select(Reservation.variant_id).where(Reservation.merchant_id == things.merchant_id)
        assert [things.variants[1]] == list(session.scalars(mine))


def test_the_merchants_own_number_may_change_while_somebody_pays(shelf: Callable[..., Shelf]) -> None:
    things = shelf(5, 5, None)
    holder = things.reserve({0: 3, 1: 3, 2: 3})

    things.set(0, 2)
    things.set(1, None)
    things.set(2, 4)
    assert [(2, 3, 0), (None, 3, None), (4, 0, 4)] == things.now

    things.sell(holder)
    assert [(0, 0, 0), (None, 0, None), (4, 0, 4)] == things.now


def test_an_unknown_holder_holds_nothing(shelf: Callable[..., Shelf]) -> None:
    mugs = shelf(3)
    mugs.reserve({0: 1})

    mugs.release("chk_nobody")
    mugs.sell("chk_nobody")

    assert [(3, 1, 2)] == mugs.now


def test_the_last_pieces_are_reserved_by_as_many_as_there_are(shelf: Callable[..., Shelf]) -> None:
    mugs = shelf(3)

    def buy() -> bool:
        try:
            mugs.reserve({0: 1})
        except stock.NotEnough:
            return False
        return True

    assert 3 == sum(together(*[buy] * 12))
    assert [(3, 3, 0)] == mugs.now


def test_baskets_of_the_same_things_do_not_wait_for_each_other_for_ever(shelf: Callable[..., Shelf]) -> None:
    """Each buyer names the same things in another order, and some give back while others sell."""
    things = shelf(100, 100, 100, 100)
    chance = random.Random(4)

    def buy(order: list[int], sells: bool) -> Callable[[], None]:
        def act() -> None:
            for _ in range(5):
                holder = things.reserve(dict.fromkeys(order, 1))
                (things.sell if sells else things.release)(holder)

        return act

    together(*[buy(chance.sample(range(4), 4), sells=number % 2 == 0) for number in range(8)])

    assert [(80, 0, 80)] * 4 == things.now


def test_however_it_goes_the_books_of_stock_are_right(shelf: Callable[..., Shelf]) -> None:
    """A model beside the database: what each holder has, and what became of it."""
    things, chance = shelf(6, 9, None), random.Random(11)
    in_stock, holding, given_back = {0: 6, 1: 9}, dict[str, dict[int, int]](), dict[str, dict[int, int]]()
    for step in range(120):
        held = {place: sum(wishes.get(place, 0) for wishes in holding.values()) for place in in_stock}
        assert [(in_stock[place], held[place]) for place in in_stock] == [(s, h) for s, h, _ in things.now[:2]], step
        name = chance.choice([*holding, *given_back]) if holding or given_back else "chk_nobody"
        what = chance.choice(["reserve", "reserve", "release", "sell", "merchant"])
        if what == "reserve":
            wishes = {place: chance.randint(1, 3) for place in chance.sample(range(3), chance.randint(1, 3))}
            fits = all(in_stock[place] - held[place] >= wishes[place] for place in in_stock if place in wishes)
            if fits:
                holding[things.reserve(wishes)] = wishes
            else:
                with pytest.raises(stock.NotEnough):
                    things.reserve(wishes)
        elif what == "release":
            things.release(name)
            if name in holding:
                given_back[name] = holding.pop(name)
        elif what == "sell":
            things.sell(name)
            for place, quantity in (holding.pop(name, None) or given_back.pop(name, {})).items():
                if place in in_stock:
                    in_stock[place] = max(in_stock[place] - quantity, 0)
        else:
            place = chance.choice([*in_stock])
            in_stock[place] = chance.randint(0, 9)
            things.set(place, in_stock[place])
