"""What every part of the benchmark stands on: which cores, which databases, how often and for how long."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from functools import cached_property
from pathlib import Path
from statistics import median

import psycopg

from tests import postgres
from tests.bench.load import Plan, Result
from tests.bench.servers import ROOT, Cores
from tests.bench.world import LIKED, LINKS

NewDatabase = Callable[[str], str]
"""Makes an empty database of that name; its address."""
Say = Callable[[str], None]
BARE_SECONDS = 0.5


@dataclass(frozen=True)
class Kind:
    """One kind of database: what it is called, and how one of it is made."""

    name: str
    fresh: NewDatabase
    is_sqlite: bool


@dataclass(frozen=True)
class Scale:
    """How much is done: rounds, seconds of each measurement, and how many of what is only counted."""

    rounds: int = 3
    seconds: float = 1.5
    requests: int = 1_000_000  # until memory is looked at
    streams: int = 10_000
    millions: tuple[float, ...] = (1,)  # of facts, each a world of its own below reports
    orders: tuple[int, ...] = (20_000,)  # in each of them; the last of these in those that are more
    days: int = 365  # over which they are spread
    links: int = LINKS  # that are followed in turn
    liked: int = LIKED  # products that are liked in turn
    profile: float = 4.0  # seconds


class Ground:
    """What parts are given. PostgreSQL is started for the first that asks for it."""

    def __init__(self, stack: ExitStack, folder: Path, scale: Scale, say: Say) -> None:
        self.cores = Cores.divided()
        self.folder = folder
        self.scale = scale
        self.say = say
        self._stack = stack

    @cached_property
    def kinds(self) -> Sequence[Kind]:
        """SQLite, and PostgreSQL where its programs are."""
        files = self.folder / "sqlite"
        files.mkdir()
        found = [Kind("SQLite", lambda name: f"sqlite:///{files / name}.db", is_sqlite=True)]
        if postgres.programs() is not None:
            with self.cores.on(self.cores.others):
                url = self._stack.enter_context(postgres.running(durable=True))
            with psycopg.connect(f"{url}/postgres") as connection:
                version = connection.info.server_version // 10_000
            found.append(Kind(f"PostgreSQL {version}", lambda name: postgres.new_database(url, name), is_sqlite=False))
        return found

    def asked(self, plan: Plan) -> Result:
        """What a process of its own, on the other cores, made of the plan."""
        with self.cores.on(self.cores.others):
            done = subprocess.run(
                [sys.executable, "-m", "tests.bench.load"],
                input=json.dumps(asdict(plan)),
                cwd=ROOT,
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
        return Result(**json.loads(done.stdout))

    @cached_property
    def sync(self) -> float:
        """Seconds until 4 KB are on the disk, the median of 50."""
        took = []
        with (self.folder / "sync").open("wb", buffering=0) as file:
            for _ in range(50):
                begin = time.perf_counter()
                file.write(b"." * 4096)
                os.fsync(file.fileno())
                took.append(time.perf_counter() - begin)
        return median(took)


@contextmanager
def laid(scale: Scale, say: Say) -> Iterator[Ground]:
    """The ground, until the block ends."""
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="grapevine-bench-"))
        yield Ground(stack, Path(folder), scale, say)
