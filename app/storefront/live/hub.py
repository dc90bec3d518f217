"""Live walls: `GET /v1/walls/{id}/live`, Server-Sent Events for as many pages as are open.

One look at the feed a few times a second, while anybody follows anything, serves all streams of a process. A stream
holds no thread, and no more than one update that it has not said yet: who is slow hears the latest counts, not all
that were between. While the database is away streams stay, and go on later. Lives in the event loop.
"""

import asyncio
import logging
from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import count
from time import monotonic
from typing import Final

from app.kernel.database import Database
from app.kernel.errors import Unavailable
from app.kernel.feed_places import Place
from app.kernel.open_files import room_for
from app.kernel.trouble import tell_of
from app.merchants.origins import allows_origin
from app.storefront import headers
from app.storefront.addresses import check_name
from app.storefront.answers import Answer, Ask, Header, Message, Receive, Send, Stream
from app.storefront.live import reading
from app.storefront.live.events import BEAT, Update
from app.storefront.live.listeners import Listener, finish, speak
from app.storefront.live.reading import Anew, News, Opening, Watched
from app.storefront.shelf import Shelf

log = logging.getLogger(__name__)

LOOKS_EVERY: Final = 0.4
"""Seconds, where nobody calls `Hub.look`. With the relay's own pauses, what happens is seen elsewhere in about one."""
_RESTS: Final = 0.1
"""Seconds between two looks at least."""
BEATS_EVERY: Final = 20.0
"""Seconds. Who stands between closes lines that say nothing for thirty or sixty."""
MOST_STREAMS: Final = 10_000
"""Of one process, where the system lets it have so many open."""
RETRY_AFTER: Final = 30
"""Seconds."""
_ROOM: Final = 8 * 1024 * 1024
_KEPT_FOR: Final = 10.0
"""Seconds for which updates are kept for those who were just reading how to begin."""
_BEATS: Final = 40
"""So many groups are kept awake in turn, so that ten thousand do not all speak at once."""
_AT_ONCE: Final = 250
"""So many streams are told before others have their turn in the loop."""

_HEADERS: list[Header] = [
    (b"content-type", b"text/event-stream; charset=utf-8"),
    (b"cache-control", b"no-store, no-transform"),
    (b"x-accel-buffering", b"no"),  # a proxy that collects an answer before it passes it on would pass on nothing
    (b"vary", b"Origin"),
    headers.NO_SNIFFING,
]

Key = tuple[str, Place | None]
"""A wall's id, and the place after which to go on."""


@dataclass(slots=True, eq=False)
class _Wall:
    """A wall that somebody follows. `recent` holds what was told after the position `base`."""

    wall_id: str
    merchant_id: int
    shown: frozenset[str]
    place: Place
    base: int
    recent: deque[tuple[float, Update]] = field(default_factory=deque)
    listeners: set[Listener] = field(default_factory=set)

    def keep(self, update: Update) -> None:
        now = monotonic()
        self.recent.append((now, update))
        while self.recent[0][0] < now - _KEPT_FOR:
            self.base = self.recent.popleft()[1].upto.position


class Hub:
    """All streams of this process, `most` at a time: unless it is said, as many as may be open beside all else.

    `own` is the origin of this server.
    """

    def __init__(self, database: Database, own: str, most: int | None = None) -> None:
        self._database = database
        self._own = own
        self._most = room_for(MOST_STREAMS) if most is None else most
        self._pool = ThreadPoolExecutor(2, thread_name_prefix="grapevine-live")
        self._shelf: Shelf[Key, Opening | Anew] = Shelf(self._read_opening, self._pool, _ROOM)
        self._walls: dict[str, _Wall] = {}
        self._groups: list[set[Listener]] = [set() for _ in range(_BEATS)]
        self._turns = count()
        self._tasks: list[asyncio.Task[None]] = []
        self._news = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._is_closed = False

    @property
    def streams(self) -> int:
        """How many are open."""
        return sum(map(len, self._groups))

    async def live(self, ask: Ask, wall_id: str) -> Answer | Stream:
        """The stream of a wall, from now on or from where a browser was cut off.

        Raises `NotFound`, `Malformed`, and `Unavailable` when there are as many as there can be.
        """
        check_name("walls", wall_id)
        self._refuse()
        opening = await self._opening(wall_id, _place(ask))
        if isinstance(opening, Anew):
            opening = await self._opening(wall_id, None)
        assert isinstance(opening, Opening)
        self._refuse()  # those who came meanwhile wait for the same opening, and go on together
        origin = ask.headers.get("origin")
        about = list(_HEADERS)
        if origin is not None and allows_origin(opening.allowed_origins, origin, self._own):
            about.append((b"access-control-allow-origin", origin.encode("latin-1")))
        return Answer(200, about) if ask.method == "HEAD" else _Live(self, wall_id, opening, about)

    async def _opening(self, wall_id: str, place: Place | None) -> Opening | Anew:
        opening = await self._shelf.get((wall_id, place))
        wall = self._walls.get(wall_id)
        if wall is not None and isinstance(opening, Opening) and opening.place.position < wall.base:
            # kept ready from before somebody came to this wall
            loop = asyncio.get_running_loop()
            return await loop.run_in_executor(self._pool, self._read_opening, (wall_id, place), None)
        return opening

    def _refuse(self) -> None:
        if self._is_closed or self.streams >= self._most:
            raise Unavailable("Too many are following just now; ask again in a moment.", retry_after=RETRY_AFTER)

    def look(self) -> None:
        """There is something to be seen: have it looked at now, and not only in a while. In any thread."""
        if self._loop is not None and self._tasks:
            with suppress(RuntimeError):  # the loop was closed: nobody follows any more
                self._loop.call_soon_threadsafe(self._news.set)

    def end(self) -> None:
        """End all streams now and begin no more: the server stops, and would wait for them. Called in the loop."""
        self._is_closed = True
        for wall in list(self._walls.values()):
            self._end(wall)

    def close(self) -> None:
        """Let the threads go."""
        self._is_closed = True
        self._pool.shutdown(wait=False, cancel_futures=True)

    def join(self, wall_id: str, opening: Opening, send: Send) -> Listener | None:
        """A new stream, which begins with `opening`; None where what came since is not known any more."""
        at = opening.place.position
        wall = self._walls.get(wall_id) or _Wall(wall_id, opening.merchant_id, opening.shown, opening.place, at)
        if self._is_closed or at < wall.base:
            return None
        self._walls[wall_id] = wall
        group = next(self._turns) % _BEATS
        new = Listener(send, at, asyncio.current_task(), group)
        for _, update in wall.recent:
            new.wait(update)
        wall.listeners.add(new)
        self._groups[group].add(new)
        if not self._tasks:
            self._loop = asyncio.get_running_loop()
            self._tasks = [asyncio.create_task(self._follow()), asyncio.create_task(self._beat())]
        return new

    def leave(self, wall_id: str, listener: Listener) -> None:
        """The stream is over."""
        listener.is_ended = True
        self._groups[listener.group].discard(listener)
        if listener.speaking is not None:
            listener.speaking.cancel()
        wall = self._walls.get(wall_id)
        if wall is not None:
            wall.listeners.discard(listener)
            if not wall.listeners:
                del self._walls[wall_id]
        if not self._walls:
            for task in self._tasks:
                task.cancel()
            self._tasks = []

    def _end(self, wall: _Wall) -> None:
        for listener in list(wall.listeners):
            listener.is_ended = True
            if listener.task is not None:
                listener.task.cancel()

    async def _follow(self) -> None:
        loop = asyncio.get_running_loop()
        more = False
        while True:
            if not more:
                await self._pause()
            more = False
            watched = [Watched(wall.wall_id, wall.merchant_id, wall.place, wall.shown) for wall in self._followed()]
            try:
                news, more = await loop.run_in_executor(self._pool, self._read_news, watched)
                for each in news:
                    await self._tell(each)
            except Exception as error:  # the database may be away; it will be back
                tell_of(log, "live walls cannot go on", error)

    async def _pause(self) -> None:
        await asyncio.sleep(min(_RESTS, LOOKS_EVERY))
        with suppress(TimeoutError):
            async with asyncio.timeout(max(0, LOOKS_EVERY - _RESTS)):
                await self._news.wait()
        self._news.clear()

    def _followed(self) -> Iterator[_Wall]:
        return (wall for wall in self._walls.values() if wall.listeners)

    async def _tell(self, news: News) -> None:
        wall = self._walls.get(news.wall_id)
        if wall is None or wall.place != news.since:  # somebody came to it meanwhile
            return
        if news.update is None:
            self._end(wall)
            return
        wall.shown, wall.place = news.shown, news.update.upto
        if not news.update:
            return
        wall.keep(news.update)
        for told, listener in enumerate(list(wall.listeners), start=1):
            listener.wait(news.update)
            self.speak(listener)
            if told % _AT_ONCE == 0:
                await asyncio.sleep(0)

    async def _beat(self) -> None:
        for group in count():
            await asyncio.sleep(BEATS_EVERY / _BEATS)
            for listener in list(self._groups[group % _BEATS]):
                self.speak(listener, BEAT)

    def speak(self, listener: Listener, words: bytes = b"") -> None:
        """Say `words` and what waits, unless the stream is still saying something."""
        if listener.speaking is None and not listener.is_ended and (words or listener.waiting is not None):
            listener.speaking = asyncio.create_task(speak(listener, words))

    def _read_opening(self, key: Key, _: Opening | Anew | None) -> Opening | Anew:
        with self._database.reading() as session:
            return reading.opening(session, *key)

    def _read_news(self, watched: list[Watched]) -> tuple[list[News], bool]:
        with self._database.reading() as session:
            return reading.news(session, watched)


@dataclass(frozen=True, slots=True)
class _Live:
    """The answer to one page."""

    hub: Hub
    wall_id: str
    opening: Opening
    headers: list[Header]

    async def run(self, receive: Receive, send: Send) -> None:
        listener = None
        begun = False
        try:  # from here on whoever cancels must find the place given back
            listener = self.hub.join(self.wall_id, self.opening, send)
            await send(self._head)
            begun = True
            if listener is None:  # a browser comes back by itself, and then begins with what is known now
                await finish(send, self.opening.said)
                return
            listener.speaking = asyncio.create_task(speak(listener, self.opening.said))
            while (await receive())["type"] != "http.disconnect":
                pass
        except asyncio.CancelledError:
            if listener is None or not listener.is_ended or listener.task is None:
                raise
            listener.task.uncancel()
            await finish(send, head=None if begun else self._head)
        finally:
            if listener is not None:
                self.hub.leave(self.wall_id, listener)

    @property
    def _head(self) -> Message:
        return {"type": "http.response.start", "status": 200, "headers": self.headers}


def _place(ask: Ask) -> Place | None:
    """After which place to go on: what the browser heard last, else what the page remembers (`after`)."""
    return Place.of(ask.headers.get("last-event-id") or ask.query.get("after", ""))
