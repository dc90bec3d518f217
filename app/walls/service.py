"""What can be done with walls. Knows the session and the tables, not HTTP."""

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import BigInteger, FromClause, Select, func, select
from sqlalchemy.orm import Session, lazyload

from app.catalog import service as catalog
from app.catalog.models import Product
from app.kernel import feed
from app.kernel.database import id_type
from app.kernel.errors import Invalid, NotFound
from app.kernel.given import Question
from app.kernel.ids import is_of, merchant_of, new_id
from app.walls.models import Wall, WallCard

MOST_CARDS = 1000


def create(session: Session, merchant_id: int, fields: dict[str, Any], now: datetime) -> Wall:
    """A new wall. `fields` are those of the contract, checked for shape by the caller."""
    wall = Wall(merchant_id=merchant_id, wall_id=new_id("wall", merchant_id, now), created_at=now)
    return change(session, wall, fields, now)


def change(session: Session, wall: Wall, fields: dict[str, Any], now: datetime) -> Wall:
    """Set the given fields. Raises `Invalid` for a product that is not the merchant's or does not stand."""
    for name, value in fields.items():
        if name != "products":
            setattr(wall, name, value)
    if "products" in fields:
        _fill(session, wall, fields["products"])
    wall.updated_at = now
    session.add(wall)
    session.flush()
    if fields:
        _tell(session, wall, now)
    return wall


def get(session: Session, merchant_id: int, wall_id: str) -> Wall:
    """The standing wall. Raises `NotFound` for another merchant's, a withdrawn one or none."""
    if merchant_of(wall_id, "wall") != merchant_id:
        raise NotFound
    # A wall of a thousand cards is mostly asked for its title: whoever wants the cards fetches them.
    wall = session.get(Wall, (merchant_id, wall_id), options=[lazyload(Wall.cards)])
    if wall is None or wall.withdrawn_at is not None:
        raise NotFound
    return wall


def titles(session: Session, walls: Collection[tuple[int, str]]) -> dict[tuple[int, str], str]:
    """The titles of those of the walls (merchant and id) that stand; of many in one statement."""
    return {(merchant_id, wall_id): title for merchant_id, wall_id, title in _TITLES.ask(session, walls)}


def _titles(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Wall.merchant_id == given.c.merchant_id) & (Wall.wall_id == given.c.wall_id)
    columns = select(Wall.merchant_id, Wall.wall_id, Wall.title)
    return columns.join_from(given, Wall, same).where(Wall.withdrawn_at.is_(None))


_TITLES = Question(_titles, merchant_id=BigInteger(), wall_id=id_type())


def withdraw(session: Session, wall: Wall, now: datetime) -> None:
    """Close a wall: its embeds show their fallback."""
    wall.withdrawn_at = now
    _tell(session, wall, now)


def _tell(session: Session, wall: Wall, now: datetime) -> None:
    feed.tell(session, [feed.Told(wall.merchant_id, "wall", None, wall.wall_id, now)])


def products(session: Session, wall: Wall, most: int | None = None) -> list[Product]:
    """What the wall shows now, in order: the standing ones of its cards, or what its rule finds, newest first. Of very
    many the first `most`, which is lighter."""
    found = _shown(wall) if wall.rule is not None else _shown(wall).order_by(WallCard.position)
    if most is not None:
        found = found.limit(min(most, _most(wall)))
    return list(session.scalars(found))


def count(session: Session, wall: Wall) -> int:
    """How many products the wall shows now."""
    shown = _shown(wall).with_only_columns(Product.product_id).subquery("shown")
    return session.scalar(select(func.count()).select_from(shown)) or 0


def product_ids(session: Session, wall: Wall) -> list[str]:
    """Which products the wall shows now, in no order of their own: much lighter than the products."""
    return list(session.scalars(_shown(wall).with_only_columns(Product.product_id)))


def _shown(wall: Wall) -> Select[Product]:
    if wall.rule is not None:
        found = catalog.standing(wall.merchant_id, q=wall.rule.get("q"), tag=wall.rule.get("tag"))
        return found.order_by(Product.product_id.desc()).limit(_most(wall))
    return (
        catalog.standing(wall.merchant_id)
        .join(WallCard, (WallCard.merchant_id == Product.merchant_id) & (WallCard.product_id == Product.product_id))
        .where(WallCard.wall_id == wall.wall_id)
    )


def _most(wall: Wall) -> int:
    return (wall.rule or {}).get("limit") or MOST_CARDS


def beside(session: Session, wall: Wall, product_id: str, most: int) -> list[Product]:
    """Up to `most` other products that the wall shows: those that come after this one, then from its beginning."""
    if wall.rule is not None:
        found = catalog.standing(wall.merchant_id, q=wall.rule.get("q"), tag=wall.rule.get("tag"))
        newest = found.order_by(Product.product_id.desc()).limit(min(most + 1, _most(wall)))
        return [product for product in session.scalars(newest) if product.product_id != product_id][:most]
    cards = select(WallCard.product_id).where(
        WallCard.merchant_id == wall.merchant_id, WallCard.wall_id == wall.wall_id
    )
    order = list(session.scalars(cards.order_by(WallCard.position)))
    at = order.index(product_id) if product_id in order else -1
    ahead = [each for each in order[at + 1 :] + order[: max(at, 0)] if each != product_id]
    # Some of them may be withdrawn; who looks for eight among very many that are does not find them all.
    standing = catalog.standing_by_id(session, wall.merchant_id, ahead[: 4 * most])
    return [standing[each] for each in ahead if each in standing][:most]


def _fill(session: Session, wall: Wall, wanted: Sequence[str] | dict[str, Any]) -> None:
    if isinstance(wanted, dict):
        wall.rule, wall.cards = wanted, []
        return
    known = {card.product_id: card for card in wall.cards}
    _check(session, wall.merchant_id, wanted, known.keys())
    wall.rule = None
    wall.cards = [
        known.get(product_id) or WallCard(merchant_id=wall.merchant_id, product_id=product_id)
        for product_id in dict.fromkeys(wanted)
    ]
    for position, card in enumerate(wall.cards):
        card.position = position


def _check(session: Session, merchant_id: int, wanted: Sequence[str], already: Collection[str]) -> None:
    """Raises `Invalid` for what is no standing product, unless it is on the wall already and only waits there."""
    asked = [each for each in wanted if each not in already and is_of(each, merchant_id, "prod")]
    possible = {*already, *catalog.standing_by_id(session, merchant_id, asked)}
    for position, product_id in enumerate(wanted):
        if product_id not in possible:
            raise Invalid.field(f"/products/{position}", "is not a product of this merchant")
