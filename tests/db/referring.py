"""A shop straight in the database, without HTTP, and likes and shares that are written to it in batches."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from app.catalog import service as catalog
from app.kernel.database import Database
from app.kernel.errors import AppError
from app.kernel.ids import new_id
from app.merchants import service as merchants
from app.networks.catalogue import ONSITE
from app.referrals import writing
from app.referrals.service import Kind, NewReferral, Referred
from app.walls import service as walls
from tests.clock import START


@dataclass
class Shop:
    """A merchant with products, whose visitors like and share."""

    database: Database
    merchant: int = 0
    products: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        with self.database.transaction() as session:
            new = merchants.NewMerchant("Vine & Thread", "eur", "Europe/Paris", [], [])
            self.merchant = merchants.create(session, new, START).merchant_id
            for number in range(3):
                images = (f"https://cdn.example/{number}.jpg",) if number else ()
                data = catalog.ProductData(None, f"Mug {number}", "", None, None, images, (), ())
                self.products.append(catalog.save(session, self.merchant, data, START)[0].product_id)

    def visitor(self) -> str:
        return new_id("vis", self.merchant, START)

    def wall(self) -> str:
        with self.database.transaction() as session:
            fields = {"title": "Spring", "layout": "grid", "theme": {}, "products": self.products}
            return walls.create(session, self.merchant, fields, START).wall_id

    def like(self, visitor: str, product: str | None = None, wall: str | None = None) -> NewReferral:
        return self.new("like", visitor, product or self.products[0], wall, ONSITE)

    def share(self, visitor: str, product: str | None = None, wall: str | None = None) -> NewReferral:
        return self.new("share", visitor, product, wall, "x")

    def new(self, kind: Kind, visitor: str, product: str | None, wall: str | None, network: str) -> NewReferral:
        return NewReferral(self.merchant, kind, visitor, product, wall, network, None, None, None, START)


def written(database: Database, facts: Sequence[NewReferral]) -> list[Referred | AppError]:
    with database.transaction() as session:
        return writing.write(session, facts)


def done(outcomes: Sequence[Referred | AppError]) -> list[Referred]:
    assert all(isinstance(each, Referred) for each in outcomes)
    return [each for each in outcomes if isinstance(each, Referred)]
