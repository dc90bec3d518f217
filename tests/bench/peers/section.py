"""The part about others: each at a job that we do too, ours beside it in the same rounds."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from tests.bench import servers
from tests.bench.asked import Path, get, like, post
from tests.bench.figures import milliseconds, ratio, spread, table, three_digits
from tests.bench.ground import Ground
from tests.bench.load import NUMBER
from tests.bench.peers import isso, medusa, oscar
from tests.bench.peers.had import NotHad
from tests.bench.rounds import Row, Stand, run, standing
from tests.bench.servers import Server

EXPLAINED = """Each peer runs in one process on the server's core, as its makers say that it is to be served (Isso and
django-oscar behind gunicorn with SQLite, Medusa in node with PostgreSQL), and ours beside it, on the same kind of
database and in the same rounds. They do more than the one thing that is measured here, as we do: this compares a job,
not programs. Isso takes no more than 142 likes of a comment, so likes go to 200 comments in turn, each from another
address."""


@dataclass
class Job:
    """What a peer does, and the path of ours that does the same."""

    name: str
    what: str
    theirs: Row
    ours: Row


@dataclass
class Peer:
    """Somebody else's program: how its jobs are begun on a server of its own."""

    name: str
    begin: Callable[[Ground, ExitStack, Stand], Iterator[Job]]
    on_sqlite: bool


def section(ground: Ground) -> str:
    """The table, and a word on each that could not be had."""
    with standing(ground, "peers", compared=False) as stands, ExitStack() as stack:
        jobs, missing = [], []
        for peer in PEERS:
            ground.say(f"peers: {peer.name}")
            try:
                jobs += list(peer.begin(ground, stack, _beside(peer, stands)))
            except (NotHad, RuntimeError, TimeoutError) as why:
                missing.append(f"{peer.name}: not measured, {why}.")
        with servers.bare(ground.cores) as bare:
            for number in range(ground.scale.rounds):
                ground.say(f"peers: round {number + 1} of {ground.scale.rounds}")
                for job in jobs:
                    run(ground, bare, job.theirs, number)
                    run(ground, bare, job.ours, number)
    head = ["peer", "job", "a second", "99 % ms", "of bare", "ours: a second", "ours: of bare", "ours is"]
    return "\n\n".join([table(head, [_line(job) for job in jobs]), *missing, EXPLAINED])


def _beside(peer: Peer, stands: Sequence[Stand]) -> Stand:
    """Ours on the kind of database that the peer has. Raises `NotHad`."""
    for stand in stands:
        if stand.kind.is_sqlite == peer.on_sqlite:
            return stand
    raise NotHad("it needs PostgreSQL")


def _line(job: Job) -> list[str]:
    times = job.ours.times(job.theirs)
    return [
        job.name,
        job.what,
        spread(job.theirs.rates, three_digits),
        milliseconds(job.theirs.p99 / 1000),
        spread(job.theirs.of_bare, ratio),
        spread(job.ours.rates, three_digits),
        spread(job.ours.of_bare, ratio),
        f"{spread(times, three_digits)} times as fast",
    ]


def _isso(ground: Ground, stack: ExitStack, ours: Stand) -> Iterator[Job]:
    comments = stack.enter_context(isso.commented(ground))
    from_somebody = {"X-Forwarded-For": f"visitor-{NUMBER.decode()}"}
    likes = [post(f"/id/{each}/like", {}, from_somebody) for each in comments.ids]
    yield _job(isso.NAME, "a like", _path(comments.server, likes), _path(ours.ours, like(ours.world), 201))
    yield _job(isso.NAME, "reading what a page shows", _read(comments.server, f"/?uri={comments.page}"), _widget(ours))


def _oscar(ground: Ground, stack: ExitStack, ours: Stand) -> Iterator[Job]:
    shop = stack.enter_context(oscar.shop(ground))
    page = _read(ours.ours, f"/p/{ours.world.liked[0]}")
    yield _job(oscar.NAME, "the page of a product", _read(shop, oscar.PAGE), page)


def _medusa(ground: Ground, stack: ExitStack, ours: Stand) -> Iterator[Job]:
    store = stack.enter_context(medusa.store(ground, ours.kind))
    listing = Path("", store.server, [get("/store/products?limit=4", store.headers)], 200)
    yield _job(medusa.NAME, "four products with what is said of them", listing, _widget(ours))


PEERS = (
    Peer(isso.NAME, _isso, on_sqlite=True),
    Peer(oscar.NAME, _oscar, on_sqlite=True),
    Peer(medusa.NAME, _medusa, on_sqlite=False),
)


def _job(name: str, what: str, theirs: Path, ours: Path) -> Job:
    return Job(name, what, Row(theirs), Row(ours))


def _widget(ours: Stand) -> Path:
    return _read(ours.ours, f"/v1/walls/{ours.world.wall}/widget")


def _read(server: Server, path: str) -> Path:
    return _path(server, [get(path)])


def _path(server: Server, requests: list[str], status: int = 200) -> Path:
    return Path("", server, requests, status)
