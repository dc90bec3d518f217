"""The parts about one process: how soon it answers, how much memory it holds, and how many streams it keeps open."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import cycle

import httpx

from tests.bench import asked, servers, world
from tests.bench.asked import Path
from tests.bench.crowd import Followers, room_for
from tests.bench.figures import Figure, spread, table, verdict
from tests.bench.ground import Ground, Kind
from tests.bench.load import LONGEST, Plan
from tests.bench.servers import Server
from tests.bench.world import World

QUICK = 1.5
"""Seconds in which a server on a migrated database must answer."""
SMALL = 150.0
"""Mebibytes that one process may hold, however much was asked of it."""
SMALL_WITH_STREAMS = 400.0
"""The same with ten thousand streams open."""
STREAMS = 10_000
STARTS = 5
_WARM = 10
"""Memory is looked at first when one part in so many has been asked: until then, things are loaded and kept ready."""
_LIGHT = (200, 302)
"""Statuses of what is answered by the ten thousand."""
HEAD = ["one process", "measured", "wanted", ""]


def start(ground: Ground) -> str:
    """From the start of the process to its first answer."""
    rows = []
    for kind in ground.kinds:
        ground.say(f"start: on {kind.name}")
        url = kind.fresh("start")
        servers.migrate(url, ground.folder)
        took, held = [], []
        for _ in range(max(ground.scale.rounds, STARTS) if ground.scale.rounds > 1 else 1):
            with servers.grapevine(ground.cores, url, ground.folder) as server:
                took.append(server.started_in)
                held.append(server.resident() or 0.0)
        first = Figure(tuple(took))
        what = f"{kind.name}: start on a migrated database to the first answer"
        rows.append([what, spread(first, "{:.2f} s".format), f"under {QUICK:g} s", verdict(first.median < QUICK)])
        rows.append(_held(f"{kind.name}: resident memory then", Figure(tuple(held)).median, SMALL))
    return table(HEAD, rows)


def memory(ground: Ground) -> str:
    """What the process holds after so many requests of all hot paths."""
    rows = []
    for kind in ground.kinds:
        ground.say(f"memory: {ground.scale.requests:,} requests on {kind.name}")
        with _running(ground, kind, "memory") as (server, its):
            begun = server.resident()
            warm = _ask_all(ground, server, its, ground.scale.requests // _WARM)
            early = server.resident()
            asked_in_all = warm + _ask_all(ground, server, its, ground.scale.requests - warm)
            late = server.resident()
        if begun is None or early is None or late is None:
            return "Not measured: this system does not tell how much memory a process holds."
        name = f"{kind.name}: resident memory after"
        rows.append([f"{name} the start and its world", f"{begun:.0f} MiB", "", ""])
        rows.append([f"{name} {warm:,} requests", f"{early:.0f} MiB", "", ""])
        rows.append(_held(f"{name} {asked_in_all:,} requests", late, SMALL))
    return table(HEAD, rows)


def streams(ground: Ground) -> str:
    """As many open streams of one wall in one process."""
    size = ground.scale.streams
    if not room_for(size):
        return f"Not measured: this system does not let one process have {size:,} connections open."
    rows = []
    for kind in ground.kinds:
        ground.say(f"streams: {size:,} on {kind.name}")
        with _running(ground, kind, "streams") as (server, its), Followers(server.port, its.wall, size) as crowd:
            before = server.resident() or 0.0
            with ground.cores.on(ground.cores.others):
                gathered = crowd.gather()
                open_then = server.resident() or 0.0
                heard = told(server, its, crowd)
            after = server.resident() or 0.0
        name = f"{kind.name}: {size:,} live streams"
        rows.append(_held(f"{name}: resident memory", max(open_then, after), SMALL_WITH_STREAMS))
        rows.append([f"{name}: each", f"{(max(open_then, after) - before) * 1024 / size:.1f} KiB", "", ""])
        rows.append([f"{name}: opened in", f"{gathered:.1f} s", "", ""])
        rows.append([f"{name}: from a like to the last that heard it", f"{heard:.2f} s", "2 s", verdict(heard < 2)])
    return table(HEAD, rows)


def told(server: Server, its: World, crowd: Followers) -> float:
    """Seconds from a like of what the wall shows until everybody has heard of it."""
    begin = time.perf_counter()
    httpx.post(f"{server.url}/v1/likes", json={"product": its.liked[0]}).raise_for_status()
    crowd.until_heard("event: likes")
    return time.perf_counter() - begin


def hot_paths(server: Server, its: World) -> list[Path]:
    """Everything that is asked most, once each, but for what depends on nothing having changed meanwhile."""
    paths = [*asked.links(server, server, its)[:-1], *asked.likes(server, server, its)[:2]]
    return [*(path for path in paths if path.status != 304), asked.beacons(server, its, 0)]


def _ask_all(ground: Ground, server: Server, its: World, wanted: int) -> int:
    """Ask for all hot paths in turn until at least so many requests were answered; how many they were."""
    answered = 0
    for number, path in enumerate(cycle(hot_paths(server, its))):
        if answered >= wanted:
            return answered
        seconds = min(LONGEST, 10 * ground.scale.seconds if path.status in _LIGHT else ground.scale.seconds)
        plan = Plan(server.port, list(path.requests), path.status, seconds, 0.0, number * 1_000_000, wanted - answered)
        answered += ground.asked(plan).answers
    raise AssertionError("there is always a next path")


@contextmanager
def _running(ground: Ground, kind: Kind, name: str) -> Iterator[tuple[Server, World]]:
    url = kind.fresh(name)
    servers.migrate(url, ground.folder)
    with servers.grapevine(ground.cores, url, ground.folder) as server:
        yield server, world.make(server, ground.scale.links, ground.scale.liked)


def _held(what: str, resident: float, most: float) -> list[str]:
    return [what, f"{resident:.0f} MiB", f"under {most:g} MiB", verdict(resident < most)]
