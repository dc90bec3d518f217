"""Whether the wall stands on which a product is said to have been met: `?wall=` in the address of a page or frame.

Ids of walls can be made up without end, and a page that is kept for each of them would drive out everybody else's. So
it is asked before anything is built, which costs one row, and what is kept is kept without a wall that does not stand.
"""

from concurrent.futures import Executor
from dataclasses import dataclass
from typing import Final

from app.kernel.database import Database
from app.kernel.ids import is_of, merchant_of
from app.storefront.shelf import Shelf
from app.walls import service as walls

MEMORY: Final = 1024 * 1024
"""Bytes for what is known of walls."""


@dataclass(frozen=True, slots=True)
class _Known:
    stands: bool
    size: int = 300


class Met:
    """Knows it of every wall that was asked for within the last second. Lives in the event loop."""

    def __init__(self, database: Database, pool: Executor) -> None:
        self._database = database
        self._shelf: Shelf[tuple[int, str], _Known] = Shelf(self._read, pool, MEMORY)

    async def on(self, wall_id: str | None, product_id: str) -> str | None:
        """`wall_id`, if that is a standing wall of the product's merchant.

        Raises `Malformed` for a product's id that is none, and `Unavailable`.
        """
        merchant_id = merchant_of(product_id, "prod")
        if wall_id is None or not is_of(wall_id, merchant_id, "wall"):
            return None
        known = await self._shelf.get((merchant_id, wall_id))
        return wall_id if known.stands else None

    def _read(self, key: tuple[int, str], _: _Known | None) -> _Known:
        with self._database.reading() as session:
            return _Known(key in walls.titles(session, {key}))
