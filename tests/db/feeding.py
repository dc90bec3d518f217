"""A merchant's feed as tests tell it and read it."""

from app.kernel import feed
from app.kernel.database import Database
from app.kernel.feed import Told
from app.kernel.feed_places import Place
from tests.clock import START


def tell(database: Database, merchant: int, *products: str) -> None:
    with database.transaction() as session:
        feed.tell(session, [Told(merchant, "like", product, None, START) for product in products])


def end(database: Database, merchant: int) -> int:
    with database.reading() as session:
        return feed.ends(session, [merchant])[merchant].position


def after(database: Database, merchant: int, position: int) -> list[tuple[int, str, str | None, str | None]]:
    with database.reading() as session:
        found = feed.read(session, {merchant: position}, 1000)
    assert {merchant} >= {entry.merchant_id for entry in found}
    return [(entry.position - position, *entry[2:]) for entry in found]


def heard(database: Database, merchant: int) -> dict[int, Place]:
    """The place of everything that can be read."""
    with database.reading() as session:
        return {entry.position: entry.place for entry in feed.read(session, {merchant: 0}, 1000)}


def goes_on_after(database: Database, merchant: int, place: Place) -> bool:
    with database.reading() as session:
        return (merchant, place) in feed.standing(session, {(merchant, place)})
