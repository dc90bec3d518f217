"""Several servers and workers on one PostgreSQL, each a process that can be killed, and what people do at all of them
at once: they follow links, like, buy and look on, and go to another server when theirs is gone."""

import json
import queue
import random
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

import httpx
from sqlalchemy import func, select

from app.kernel.database import Database
from app.referrals.models import Referral
from app.storefront.shelf import PATIENCE
from tests.db.storm import Hammer, Story, begin, hammering
from tests.served import Server, Worker
from tests.shop import BROWSER, ok
from tests.streams import listening

A_SECOND = 1.0
REST = 0.1
"""Seconds that each rests after an answer: machines with few cores shall also start what was killed."""
EVENTS = 5
"""In one message of a widget."""


@dataclass
class Fleet:
    """All on one database. `settings` are of the servers; workers do the jobs."""

    database_url: str
    folder: Path
    servers: list[Server] = field(default_factory=list)
    workers: list[Worker] = field(default_factory=list)

    def start(self, servers: int, workers: int) -> None:
        for number in range(servers):
            self.servers.append(Server(self.database_url, self._room(f"server-{number}"), {"GRAPEVINE_JOBS": "false"}))
        for number in range(workers):
            self.workers.append(Worker(self.database_url, self._room(f"worker-{number}")))
        self.servers[0].start()  # brings the database up to date
        for each in self.all[1:]:
            each.launch()
        for each in self.all:
            each.wait()

    @property
    def all(self) -> list[Server]:
        return [*self.servers, *self.workers]

    def kill(self) -> None:
        for each in self.all:
            each.kill()

    def _room(self, name: str) -> Path:
        folder = self.folder / name
        folder.mkdir()
        return folder


class Follower(threading.Thread):
    """A page that follows a wall, and goes on at the next server when its stream is cut off."""

    def __init__(self, fleet: Fleet, wall: str, first: int, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._fleet, self._wall, self._next, self._enough = fleet, wall, first, stop
        self._last = ""
        self.likes: dict[str, int] = {}
        self.resumed = 0
        self.began_anew = 0
        self.failure: BaseException | None = None

    def run(self) -> None:
        while not self._enough.is_set():
            server = self._fleet.servers[self._next % len(self._fleet.servers)]
            self._next += 1
            try:
                self._follow(server)
            except (httpx.TransportError, AssertionError, OSError):  # it is away
                time.sleep(0.1)
            except BaseException as failure:
                self.failure = failure
                return

    def _follow(self, server: Server) -> None:
        heard = {"Last-Event-ID": self._last} if self._last else {}
        with listening(f"{server.url}/v1/walls/{self._wall}/live", **heard) as line:
            self.resumed += bool(heard)
            try:
                while not self._enough.is_set():
                    try:
                        event = line.next(within=0.2)
                    except queue.Empty:
                        continue
                    self._hear(event.name, event.data)
                    self._last = event.id
            except AssertionError:  # cut off
                pass

    def _hear(self, name: str, data: dict[str, object]) -> None:
        if name == "likes":
            said = data["likes"]
            assert isinstance(said, dict)
            if data.get("all"):
                self.began_anew += 1
                self.likes = {}
            self.likes |= said


class Prices(threading.Thread):
    """A merchant who changes a title at one server after the other; a second later each server that is there must show
    it."""

    def __init__(self, fleet: Fleet, story: Story, stop: threading.Event) -> None:
        super().__init__(daemon=True)
        self._fleet, self._story, self._enough = fleet, story, stop
        self._product = story.products[-1]
        self.seen = 0
        self.late: list[str] = []
        self.quickest: list[float] = []
        self.failure: BaseException | None = None

    def run(self) -> None:
        number = 0
        while not self._enough.is_set():
            number += 1
            try:
                self._change(number)
            except httpx.TransportError:
                time.sleep(0.05)
            except BaseException as failure:
                self.failure = failure
                return

    def _change(self, number: int) -> None:
        server = random.choice(self._fleet.servers)
        body = {"variants": [{"title": "One", "price": {"amount": number, "currency": "eur"}}]}
        with httpx.Client(verify=False, timeout=20) as http:
            for other in self._fleet.servers:
                self._amount(http, other)  # it is kept there now
            ok(http.patch(f"{server.url}/v1/products/{self._product}", json=body, headers=self._story.key))
            since = time.monotonic()
            watched = random.choice(self._fleet.servers)
            while self._amount(http, watched) not in (None, number) and time.monotonic() < since + A_SECOND:
                time.sleep(0.01)
            self.quickest.append(time.monotonic() - since)
            time.sleep(max(0, since + A_SECOND - time.monotonic()))
            for other in self._fleet.servers:
                asked = time.monotonic()
                amount = self._amount(http, other)
                # A database that takes seconds counts as away, and what is kept is shown: a machine is busy.
                if amount is not None and time.monotonic() - asked < PATIENCE / 2:
                    self.seen += 1
                    if amount != number:
                        self.late.append(f"{number} at {server.port} was {amount} at {other.port}")

    def _amount(self, http: httpx.Client, server: Server) -> int | None:
        """None where the server is away."""
        try:
            answer = http.get(f"{server.url}/v1/products/{self._product}/widget")
        except httpx.TransportError:
            return None
        return int(ok(answer)["product"]["price"]["amount"])


@dataclass
class Day:
    """What happened at the fleet."""

    story: Story
    wall: str
    beacons: list[int] = field(default_factory=list)  # kept, by acknowledged message
    followers: list[Follower] = field(default_factory=list)
    prices: Prices | None = None

    def likes(self, fleet: Fleet) -> dict[str, int]:
        """By product, as the rows say."""
        database = Database(fleet.database_url)
        stands = (Referral.kind == "like") & Referral.withdrawn_at.is_(None)
        with database.reading() as session:
            rows = session.execute(
                select(Referral.product_id, func.count()).where(stands).group_by(Referral.product_id)
            ).all()
        database.close()
        return {str(product): number for product, number in rows}

    def beacon(self, http: httpx.Client) -> None:
        events = [{"type": "card_view", "product": self.story.products[0], "wall": self.wall}] * EVENTS
        headers = {"Content-Type": "text/plain", "User-Agent": BROWSER}
        answer = http.post("/v1/beacons", content=json.dumps(events), headers=headers)
        if not self.story.said.is_put_off("beacon", answer):
            self.beacons.append(ok(answer, 202)["kept"])


def opened(fleet: Fleet) -> Day:
    story = begin(fleet.servers[0])
    with httpx.Client(base_url=story.server.url, verify=False, timeout=20) as http:
        wall = ok(http.post("/v1/walls", json={"title": "W", "products": story.products}, headers=story.key), 201)
        price = {"variants": [{"title": "One", "price": {"amount": 1, "currency": "eur"}}]}
        ok(http.patch(f"/v1/products/{story.products[-1]}", json=price, headers=story.key))
    return Day(story, wall["id"])


@contextmanager
def busy(fleet: Fleet, day: Day) -> Iterator[None]:
    """Everything at once at all servers, for as long as the block lasts."""
    stop = threading.Event()
    others = [Follower(fleet, day.wall, first, stop) for first in range(len(fleet.servers))]
    prices = Prices(fleet, day.story, stop)
    beacons = [Hammer("beacon", day.beacon, server, day.story.said, stop, REST) for server in fleet.servers]
    threads: list[Follower | Prices | Hammer] = [*others, prices, *beacons]
    for thread in threads:
        thread.start()
    try:
        with ExitStack() as storm:
            for server in fleet.servers:
                storm.enter_context(hammering(replace(day.story, server=server), each=1, pause=REST))
            yield
        for server in fleet.servers:
            server.wait()
        liked = day.likes(fleet)
        until(lambda: all(each.likes == liked for each in others), "all see what was liked")
    finally:
        stop.set()
        for thread in threads:
            thread.join(30)
    day.followers, day.prices = others, prices
    assert not [thread.failure for thread in threads if thread.failure is not None]


def until(is_so: Callable[[], bool], what: str, within: float = 20.0) -> None:
    deadline = time.monotonic() + within
    while not is_so():
        assert time.monotonic() < deadline, f"not: {what}"
        time.sleep(0.05)
