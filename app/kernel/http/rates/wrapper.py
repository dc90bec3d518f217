"""Turns away who writes too often, and who tries keys (pure ASGI), before anything is worked on. Everybody else is told
how they stand (`RateLimit`), as far as they are counted.

What is only read without a key goes by at once. Messages of shops and payment providers go by too: their signature
speaks for them, and none may be lost.
"""

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

from app.kernel.http import problems
from app.kernel.http.rates.counting import RateCounts, Standing

_WRITES: Final = frozenset({"POST", "PUT", "PATCH", "DELETE"})
_KNOWN: Final = 10_000
"""Keys that were right the last time."""
KEY_IS_RIGHT: Final = "key_is_right"
"""What whoever has found a key leaves in the request's state."""
_Pair = tuple[str, str | None]


class RateLimited:
    """Wraps the application. Paths that begin as one of `signed` are others' messages; `checkouts` is where goods are
    held for whoever asks, and `sign_in` where a key comes in a form, which is answered 403 where it is wrong."""

    def __init__(self, app: ASGIApp, counts: RateCounts, *, signed: tuple[str, ...], checkouts: str, sign_in: str):
        self._app = app
        self._counts = counts
        self._signed = signed
        self._checkouts = checkouts
        self._sign_in = sign_in
        self._known: OrderedDict[str, None] = OrderedDict()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        key = _said(scope, b"authorization")
        if (
            key is not None and scope["path"] != self._sign_in
        ):  # there the form's key counts, whatever is said beside it
            return await self._by_key(self._counts.name_of(key.partition(" ")[2]), scope, receive, send)
        if scope["method"] not in _WRITES or scope["path"].startswith(self._signed):
            return await self._app(scope, receive, send)
        return await self._by_page(scope, receive, send)

    async def _by_key(self, key: str, scope: Scope, receive: Receive, send: Send) -> None:
        """A key that was right goes on, whatever its neighbours try. Of others none is looked at where too many were
        wrong; and since pages' calls ask for no key, whoever sends one there is counted like a page."""
        block = self._counts.block(scope)
        is_known = key in self._known
        if not is_known and await self._has_refused("wrong_keys", block, scope, receive, send):
            return
        who: list[_Pair] = []
        if scope["method"] in _WRITES:
            who = [("key", key)] if is_known else [("key", key), *self._as_page(scope, block)]
        standings = await self._taken(who)
        if await _refuse(standings, scope, receive, send):
            return
        scope.setdefault("state", {})
        status = await self._pass_on(standings, scope, receive, send)
        if scope["state"].get(KEY_IS_RIGHT):
            self._remember(key)
        elif status == 401:
            self._known.pop(key, None)
            await self._counts.take("wrong_keys", block)

    async def _by_page(self, scope: Scope, receive: Receive, send: Send) -> None:
        block, path = self._counts.block(scope), scope["path"]
        if path == self._sign_in and await self._has_refused("wrong_keys", block, scope, receive, send):
            return
        standings = await self._taken(self._as_page(scope, block))
        if await _refuse(standings, scope, receive, send):
            return
        status = await self._pass_on(standings, scope, receive, send)
        if path == self._sign_in and status == 403:
            await self._counts.take("wrong_keys", block)

    def _as_page(self, scope: Scope, block: str | None) -> list[_Pair]:
        visitor = _said(scope, b"grapevine-visitor")
        name = None if visitor is None else self._counts.name_of(visitor)
        return [
            ("visitor", name),
            ("network", block),
            ("checkouts", block if scope["path"] == self._checkouts else None),
        ]

    async def _taken(self, who: Sequence[_Pair]) -> list[Standing]:
        """How they stand with this one, until one is too many."""
        standings: list[Standing] = []
        for policy, name in who:
            standing = await self._counts.take(policy, name)
            if standing is not None:
                standings.append(standing)
                if standing.is_over:
                    break
        return standings

    async def _has_refused(self, policy: str, who: str | None, scope: Scope, receive: Receive, send: Send) -> bool:
        standing = await self._counts.look(policy, who)
        return standing is not None and await _refuse([standing], scope, receive, send)

    def _remember(self, key: str) -> None:
        self._known[key] = None
        self._known.move_to_end(key)
        if len(self._known) > _KNOWN:
            self._known.popitem(last=False)

    async def _pass_on(self, standings: Sequence[Standing], scope: Scope, receive: Receive, send: Send) -> int:
        """The status that was answered, with how the caller stands: with the policy of which least is left."""
        about = min(standings, key=lambda each: each.share).headers() if standings else []
        status = 0

        async def say(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                message["headers"] = [*message["headers"], *about]
            await send(message)

        await self._app(scope, receive, say)
        return status


async def _refuse(standings: Sequence[Standing], scope: Scope, receive: Receive, send: Send) -> bool:
    """Whether the last of them is too many, which was answered."""
    if not standings or not standings[-1].is_over:
        return False
    answer = problems.respond(standings[-1].refusal())
    answer.raw_headers.extend(standings[-1].headers())
    await answer(scope, receive, send)
    return True


def _said(scope: Scope, name: bytes) -> str | None:
    return next((value.decode("latin-1") for key, value in scope["headers"] if key == name), None)
