"""What public calls must know of a merchant, kept in memory for a second: its page may be called by the thousand."""

import asyncio
import logging
import threading
from dataclasses import dataclass
from time import monotonic

from sqlalchemy.exc import SQLAlchemyError
from starlette.concurrency import run_in_threadpool

from app.kernel.database import Database
from app.kernel.errors import NotFound, Unavailable
from app.kernel.trouble import in_trouble
from app.merchants import service
from app.merchants.selling import Selling
from app.merchants.sharing import Sharing

log = logging.getLogger(__name__)

FRESH_FOR = 1.0
"""Seconds. A setting that was changed is in force everywhere this much later at the latest."""
PATIENCE = 2.0
"""Seconds after which a database that does not answer counts as away."""
_MOST = 10_000
_MOST_UNDER_WAY = 1_000
"""So many are looked for at once: anybody may name merchants who never were, and go away before they are found."""


@dataclass(frozen=True)
class Shop:
    """A merchant's settings as public calls need them."""

    merchant_id: int
    public_id: str
    name: str
    currency: str
    allowed_origins: tuple[str, ...]
    return_urls: tuple[str, ...]
    privacy: str
    landing: str
    stripe_account: str | None
    selling: Selling
    sharing: Sharing


class Directory:
    """Finds shops by number. Threads may share it; `find` is for the event loop, `get` for other threads."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._guard = threading.Lock()
        self._shops: dict[int, tuple[float, Shop]] = {}
        self._listed: tuple[float, frozenset[str]] = (-FRESH_FOR, frozenset())
        self._listing: asyncio.Task[None] | None = None
        self._asked = 0.0  # when that began
        self._under_way: dict[int, asyncio.Task[Shop | None]] = {}

    async def find(self, merchant_id: int) -> Shop:
        """The shop. Raises `NotFound` when there is none, or it has left; `Unavailable` when too many are sought."""
        shop = self._fresh(merchant_id)
        if shop is None:
            # One reads for all: a thousand requests in the moment in which a merchant is no longer fresh would take
            # every thread otherwise, and as many connections. Who hangs up leaves the others what they wait for.
            shop = await asyncio.shield(self._under_way.get(merchant_id) or self._begin(merchant_id))
        if shop is None:
            raise NotFound
        return shop

    def _begin(self, merchant_id: int) -> "asyncio.Task[Shop | None]":
        if len(self._under_way) >= _MOST_UNDER_WAY:
            raise Unavailable("Too much is being asked for at once; ask again in a moment.")
        task = asyncio.create_task(run_in_threadpool(self._look, merchant_id))
        self._under_way[merchant_id] = task
        task.add_done_callback(lambda _: self._under_way.pop(merchant_id))
        return task

    def _look(self, merchant_id: int) -> Shop | None:
        try:
            return self._read(merchant_id)
        except NotFound:
            return None

    def get(self, merchant_id: int) -> Shop:
        """The same, from a thread that may wait."""
        shop = self._fresh(merchant_id)
        return self._read(merchant_id) if shop is None else shop

    async def listed_origins(self) -> frozenset[str]:
        """Every origin that some merchant lists; those last known while the database is away, or a page could not
        even read that it should ask again."""
        if monotonic() - self._listed[0] >= FRESH_FOR:
            if self._listing is None:
                self._listing, self._asked = asyncio.create_task(self._list()), monotonic()
            listing = self._listing
            await asyncio.wait({listing}, timeout=max(0, self._asked + PATIENCE - monotonic()))
            if listing.done():
                listing.result()
        return self._listed[1]

    async def _list(self) -> None:
        try:
            self._listed = (monotonic(), await run_in_threadpool(self._read_origins))
        finally:
            self._listing = None

    def _fresh(self, merchant_id: int) -> Shop | None:
        known = self._shops.get(merchant_id)
        return known[1] if known is not None and monotonic() - known[0] < FRESH_FOR else None

    def _read(self, merchant_id: int) -> Shop:
        try:
            with self._database.reading() as session:
                merchant = service.get(session, merchant_id)
        except NotFound:
            self._shops.pop(merchant_id, None)
            raise
        shop = Shop(
            merchant_id=merchant.merchant_id,
            public_id=merchant.public_id,
            name=merchant.name,
            currency=merchant.currency,
            allowed_origins=tuple(merchant.allowed_origins),
            return_urls=tuple(merchant.return_urls),
            privacy=merchant.privacy,
            landing=merchant.landing,
            stripe_account=merchant.stripe_account,
            selling=merchant.selling,
            sharing=merchant.sharing_settings,
        )
        with self._guard:
            if len(self._shops) >= _MOST:
                self._shops.clear()
            self._shops[merchant_id] = (monotonic(), shop)
        return shop

    def _read_origins(self) -> frozenset[str]:
        try:
            with self._database.reading() as session:
                return service.listed_origins(session)
        except SQLAlchemyError as error:
            if not in_trouble(error):
                raise
            log.warning("the database is away: %s", error)
            return self._listed[1]
