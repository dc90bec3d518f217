"""Counts who comes how often, with the library `limits`: in this process, or for all processes in Redis.

A window is fixed: it begins with the first that is counted. Where Redis does not answer, each process counts by itself
for a while; nobody is turned away for that. Lives in the event loop.
"""

import asyncio
import hashlib
import logging
import math
import secrets
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Final

from starlette.types import Scope

from app.kernel.clock import unix_now
from app.kernel.errors import TooManyRequests
from app.kernel.http.rates.policies import Policy, policies_of
from app.kernel.network_blocks import block_of

if TYPE_CHECKING:  # loaded when something is counted: a start needs none of it
    from limits import RateLimitItem
    from limits.aio.storage import RedisStorage
    from limits.aio.strategies import FixedWindowRateLimiter
    from redis.asyncio import BlockingConnectionPool

log = logging.getLogger(__name__)

PATIENCE: Final = 0.5
"""Seconds for which Redis is waited for."""
AWAY: Final = 5.0
"""Seconds for which it is not asked again."""
_LINES: Final = 50

Header = tuple[bytes, bytes]


@dataclass(frozen=True)
class Standing:
    """What is left of a policy for one of those whom it counts; -1 where this one is too many."""

    policy: Policy
    left: int
    resets_in: int
    """Seconds."""

    @property
    def is_over(self) -> bool:
        return self.left < 0

    @property
    def share(self) -> float:
        """What part is left."""
        return self.left / self.policy.most

    def headers(self) -> list[Header]:
        """draft-ietf-httpapi-ratelimit-headers-10, 3 and 4."""
        left = f'"{self.policy.name}";r={max(self.left, 0)};t={self.resets_in}'
        return [(b"ratelimit-policy", self.policy.header.encode()), (b"ratelimit", left.encode())]

    def refusal(self) -> TooManyRequests:
        return TooManyRequests(
            f"More than {self.policy.most} in {self.policy.seconds} seconds (`{self.policy.name}`); "
            f"ask again in {self.resets_in} seconds.",
            retry_after=self.resets_in,
        )


class RateCounts:
    """All that is counted. `limits` says how much is let through (policies.py); `storage` is the address of a Redis, or
    empty; by `secret` all processes that share it know whom they count, and nobody else does."""

    def __init__(self, limits: str = "", storage: str = "", secret: bytes = b"") -> None:
        self._policies = policies_of(limits)
        self._address = storage
        self._key = hashlib.sha256(secret).digest() if storage else secrets.token_bytes(32)
        self._away_until = -math.inf

    def name_of(self, who: str) -> str:
        """How somebody is called here: a keyed hash, of which nothing can be read."""
        return hashlib.blake2b(who.encode("utf-8", "replace"), key=self._key, digest_size=16).hexdigest()

    def block(self, scope: Scope) -> str | None:
        """The name of the network block from which a request came; None where that is none of the public internet. What
        a proxy says counts where it is one of `TRUSTED_PROXIES`: uvicorn has put it into the scope."""
        client = scope.get("client")
        block = block_of(client[0]) if client else None
        return None if block is None else self.name_of(block)

    def has(self, policy: str) -> bool:
        return policy in self._policies

    async def take(self, policy: str, who: str | None) -> Standing | None:
        """Count one, and say how they stand; None where nothing is counted: of nobody, or by no such policy."""
        return await self._stand(policy, who, 1)

    async def look(self, policy: str, who: str | None) -> Standing | None:
        """How they would stand with one more, which is not counted."""
        return await self._stand(policy, who, 0)

    async def _stand(self, name: str, who: str | None, cost: int) -> Standing | None:
        policy = self._policies.get(name)
        if policy is None or who is None:
            return None
        item = self._items[name]

        async def ask(counter: "FixedWindowRateLimiter") -> Standing:
            fits = await counter.hit(item, who) if cost else await counter.test(item, who)
            until, left = await counter.get_window_stats(item, who)
            resets_in = max(1, math.ceil(until - unix_now()))
            return Standing(policy, int(left) if fits else -1, resets_in)

        return await self._asked(ask)

    async def _asked(self, ask: "Callable[[FixedWindowRateLimiter], Awaitable[Standing]]") -> Standing:
        if self._address and time.monotonic() >= self._away_until:
            try:
                return await asyncio.wait_for(ask(self._shared), PATIENCE)
            except Exception as error:  # whatever the library and its driver make of it, nobody may suffer for it
                log.warning("rate limits: Redis is away, each process counts by itself (%s)", type(error).__name__)
                self._away_until = time.monotonic() + AWAY
        return await ask(self._own)

    async def close(self) -> None:
        """Let the lines to Redis go."""
        pool: BlockingConnectionPool | None = self.__dict__.get("_pool")
        if pool is not None:
            await pool.aclose()

    @cached_property
    def _items(self) -> "dict[str, RateLimitItem]":
        from limits import RateLimitItemPerSecond

        return {
            name: RateLimitItemPerSecond(policy.most, policy.seconds, f"grapevine:{name}")
            for name, policy in self._policies.items()
        }

    @cached_property
    def _own(self) -> "FixedWindowRateLimiter":
        from limits.aio.strategies import FixedWindowRateLimiter

        from app.kernel.http.rates.counters import Counters

        return FixedWindowRateLimiter(Counters())

    @cached_property
    def _shared(self) -> "FixedWindowRateLimiter":
        from limits.aio.strategies import FixedWindowRateLimiter

        return FixedWindowRateLimiter(self._redis())

    def _redis(self) -> "RedisStorage":
        from limits.aio.storage import RedisStorage

        return RedisStorage(
            f"async+{self._address}",
            implementation="redispy",
            connection_pool=self._pool,  # type: ignore[arg-type]  # its own documentation has a pool here
        )

    @cached_property
    def _pool(self) -> "BlockingConnectionPool":
        from redis.asyncio import BlockingConnectionPool

        return BlockingConnectionPool.from_url(
            self._address, max_connections=_LINES, timeout=PATIENCE, socket_timeout=PATIENCE
        )
