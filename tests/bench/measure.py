"""Runs the rounds: on each database all paths one after the other, again and again, with bare runs between
them, so that a slow moment of the machine falls on both."""

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from statistics import median

import psycopg
from psycopg import sql

from tests import postgres
from tests.bench import asked, engine, servers, sizes, world
from tests.bench.load import Plan, Result
from tests.bench.servers import ROOT, Cores, Server
from tests.bench.sizes import NewDatabase, Reached

STARTS = 3
BARE_SECONDS = 0.5
_RUN_OF_NUMBERS = 1_000_000
"""More requests than one run can ask, so that no number comes twice."""


@dataclass(frozen=True)
class Figure:
    """Something measured several times."""

    values: tuple[float, ...]

    @property
    def median(self) -> float:
        return median(self.values)


@dataclass
class Row:
    """One path: what each of its runs gave, and the rate of the bare runs just before and after it."""

    path: asked.Path
    runs: list[Result] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    @property
    def of_bare(self) -> Figure:
        """This path's rate by the bare answer's."""
        return _ratios([run.rate for run in self.runs], self.beside)

    def times(self, other: "Row") -> Figure:
        """This path's part of the bare answer by the other's, round by round: a slow moment falls out of both."""
        return _ratios(self.of_bare.values, other.of_bare.values)


def _ratios(these: Sequence[float], those: Sequence[float]) -> Figure:
    """Pair by pair; 0 where there was nothing to compare with."""
    return Figure(tuple(this / that if that else 0.0 for this, that in zip(these, those, strict=True)))


@dataclass
class Side:
    """One database: how the server started on it, what it held, and its rows."""

    database: str
    starts: Figure  # seconds to the first answer
    bare: Row
    rows: list[Row]
    server: Server
    resident_before: float | None  # MiB
    resident_after: float | None = None


@dataclass(frozen=True)
class Measured:
    """All of it."""

    sides: list[Side]
    engine: dict[str, Figure]  # orders a second, by policy
    sizes: list[Reached]
    sync: float  # seconds that the disk takes to keep 4 KB
    cores: Cores
    rounds: int
    seconds: float


def everything(rounds: int, seconds: float, say: Callable[[str], None]) -> Measured:
    """Measure. Takes about rounds x 14 x (seconds + 1.2) s, half a minute for starting and the engine, and some
    minutes for what is measured at size."""
    cores = Cores.divided()
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="grapevine-bench-")))
        sync = _sync_takes(folder)
        bare = stack.enter_context(servers.bare(cores))
        sides = []
        databases = list(_databases(stack, cores, folder))
        for database in databases:
            say(f"starting on {database.name}")
            sides.append(stack.enter_context(_started(database, bare, cores, folder)))
        for number in range(rounds):
            for side in sides:
                say(f"round {number + 1} of {rounds} on {side.database}")
                _round(side, cores, seconds, number)
        for side in sides:
            side.resident_after = side.server.resident()
        say("the attribution engine")
        speeds = _engine(cores, rounds)
        with cores.on(cores.server):
            reached = list(sizes.everywhere())
            for database in databases:
                say(f"attribution at size on {database.name}")
                reached += sizes.on(database.name, database.fresh)
    return Measured(sides, speeds, reached, sync, cores, rounds, seconds)


@dataclass(frozen=True)
class _Database:
    name: str
    ours: str
    usual: str  # for the usual way, with SQLAlchemy's driver
    fresh: NewDatabase


def _databases(stack: ExitStack, cores: Cores, folder: Path) -> Iterator[_Database]:
    """SQLite in `folder`; PostgreSQL where its programs are."""
    files = (f"sqlite:///{folder / 'grapevine.db'}", f"sqlite:///{folder / 'usual.db'}")
    yield _Database("SQLite", *files, lambda name: f"sqlite:///{folder / name}.db")
    if postgres.programs() is None:
        return
    with cores.on(cores.others):
        url = stack.enter_context(postgres.running(durable=True))

    def fresh(name: str) -> str:
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute(sql.SQL("CREATE DATABASE {}").format(sql.Identifier(name)))
        return f"{url}/{name}"

    with psycopg.connect(f"{url}/postgres") as connection:
        version = str(connection.info.server_version // 10_000)
    usual = fresh("usual").replace("postgresql", "postgresql+psycopg", 1)
    yield _Database(f"PostgreSQL {version}", fresh("grapevine"), usual, fresh)


@contextmanager
def _started(database: _Database, bare: Server, cores: Cores, folder: Path) -> Iterator[Side]:
    servers.migrate(database.ours, folder)
    starts = []
    for _ in range(STARTS - 1):
        with servers.grapevine(cores, database.ours, folder) as once:
            starts.append(once.started_in)
    with servers.grapevine(cores, database.ours, folder) as ours, servers.orm_baseline(cores, database.usual) as usual:
        resident = ours.resident()
        rows = [Row(path) for path in asked.paths(ours, usual, world.make(ours))]
        yield Side(database.name, Figure((*starts, ours.started_in)), Row(asked.bare(bare)), rows, ours, resident)


def _round(side: Side, cores: Cores, seconds: float, number: int) -> None:
    before = _asked(side.bare.path, cores, BARE_SECONDS)
    side.bare.runs.append(before)
    for row in side.rows:
        row.runs.append(_asked(row.path, cores, seconds, number * _RUN_OF_NUMBERS))
        after = _asked(side.bare.path, cores, BARE_SECONDS)
        side.bare.runs.append(after)
        row.beside.append((before.rate + after.rate) / 2)
        before = after


def _asked(path: asked.Path, cores: Cores, seconds: float, first_number: int = 0) -> Result:
    """What a process of its own made of asking for `path`."""
    plan = Plan(path.server.port, path.requests, path.status, seconds, first_number=first_number)
    with cores.on(cores.others):
        done = subprocess.run(
            [sys.executable, "-m", "tests.bench.load"],
            input=json.dumps(asdict(plan)),
            cwd=ROOT,
            stdout=subprocess.PIPE,
            text=True,
            check=True,
        )
    return Result(**json.loads(done.stdout))


def _engine(cores: Cores, rounds: int) -> dict[str, Figure]:
    speeds: dict[str, list[float]] = {name: [] for name in engine.POLICIES}
    with cores.on(cores.server):
        for _ in range(rounds):
            for name, policy in engine.POLICIES.items():
                speeds[name].append(engine.settled_in_a_second(policy))
    return {name: Figure(tuple(values)) for name, values in speeds.items()}


def _sync_takes(folder: Path) -> float:
    """Seconds until 4 KB are on the disk of `folder`, the median of 50."""
    took = []
    with (folder / "sync").open("wb", buffering=0) as file:
        for _ in range(50):
            begin = time.perf_counter()
            file.write(b"." * 4096)
            os.fsync(file.fileno())
            took.append(time.perf_counter() - begin)
    return median(took)
