"""Runs the rounds: on each database all paths one after the other, again and again, each between two bare runs of as
many bytes, so that a slow moment of the machine falls on both. Then puts them into tables."""

from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from statistics import median

from tests.bench import servers, world
from tests.bench.asked import ORM, Path, Target, get
from tests.bench.figures import Figure, milliseconds, ratio, ratios, spread, table, three_digits, verdict
from tests.bench.ground import BARE_SECONDS, Ground, Kind
from tests.bench.load import Plan, Result
from tests.bench.servers import Server
from tests.bench.world import World

BUSY = 0.9
"""A load that computes more of the time than this may itself have been the limit."""
RESTLESS = 1.5
"""Where the best bare run is so many times the worst, the machine did something else besides."""
_RUN_OF_NUMBERS = 1_000_000
"""More requests than one run can ask, so that no number comes twice."""
HEAD = ["path", "of bare", "wanted", "", "times the usual way", "a second", "median ms", "99 % ms", "bytes"]


@dataclass
class Row:
    """One path: what each of its runs gave, and the rates of the bare runs just before and after it."""

    path: Path
    runs: list[Result] = field(default_factory=list)
    bare: list[Result] = field(default_factory=list)
    beside: list[float] = field(default_factory=list)

    @property
    def rates(self) -> Figure:
        """What was done a second."""
        return Figure(tuple(run.rate * self.path.each for run in self.runs))

    @property
    def of_bare(self) -> Figure:
        """This path's answers a second by the bare server's."""
        return ratios([run.rate for run in self.runs], self.beside)

    @property
    def p99(self) -> float:
        """Milliseconds."""
        return median(run.p99 for run in self.runs) * 1000

    def times(self, other: "Row") -> Figure:
        """This path's part of the bare answer by the other's, round by round: a slow moment falls out of both."""
        return ratios(self.of_bare.values, other.of_bare.values)

    def reached(self, target: Target, usual: "Row | None") -> float:
        """What is held against the target."""
        match target.of:
            case "of bare":
                return self.of_bare.median
            case "times the usual way":
                return 0.0 if usual is None else self.times(usual).median
            case "a second":
                return self.rates.median
            case "ms at 99 %":
                return self.p99


@dataclass(frozen=True)
class Stand:
    """What is asked on one kind of database."""

    kind: Kind
    ours: Server
    usual: Server
    world: World


@contextmanager
def standing(ground: Ground, name: str, *, compared: bool = True) -> Iterator[list[Stand]]:
    """On each kind of database our server with its world, and the usual way; ours in its place where nothing is
    `compared` with it."""
    with ExitStack() as stack:
        stands = []
        for kind in ground.kinds:
            ground.say(f"{name}: starting on {kind.name}")
            url = kind.fresh(f"{name}-ours")
            servers.migrate(url, ground.folder)
            ours = stack.enter_context(servers.grapevine(ground.cores, url, ground.folder))
            usual = ours
            if compared:
                theirs = kind.fresh(f"{name}-usual").replace("postgresql:", "postgresql+psycopg:", 1)
                usual = stack.enter_context(servers.orm_baseline(ground.cores, theirs))
            stands.append(Stand(kind, ours, usual, world.make(ours, ground.scale.links, ground.scale.liked)))
        yield stands


def measured(ground: Ground, name: str, tables: Sequence[tuple[str, Sequence[Path]]]) -> str:
    """All paths of all tables, measured in turn: a table with its heading for each."""
    rows = [(title, [Row(path) for path in paths]) for title, paths in tables]
    with servers.bare(ground.cores) as bare:
        for number in range(ground.scale.rounds):
            for title, some in rows:
                ground.say(f"{name}: round {number + 1} of {ground.scale.rounds} {title[:1].lower()}{title[1:]}")
                for row in some:
                    run(ground, bare, row, number)
    return "\n\n".join(shown(title, some) for title, some in rows)


def run(ground: Ground, bare: Server, row: Row, number: int) -> None:
    """One round of one path, between two bare runs."""
    first = number * _RUN_OF_NUMBERS
    path = row.path
    plan = Plan(path.server.port, list(path.requests), path.status, ground.scale.seconds, first_number=first)
    if not row.runs:  # warms it, and tells how many bytes it gives
        probe = Plan(plan.port, plan.requests, plan.status, 0.1, 0.0, first + _RUN_OF_NUMBERS // 2)
        size = ground.asked(probe).size
    else:
        size = row.runs[0].size
    nothing = Plan(bare.port, [get(f"/{size}")], 200, min(BARE_SECONDS, ground.scale.seconds))
    before = ground.asked(nothing)
    row.runs.append(ground.asked(plan))
    after = ground.asked(nothing)
    row.bare += [before, after]
    row.beside.append((before.rate + after.rate) / 2)


def shown(title: str, rows: Sequence[Row]) -> str:
    """One table, with the bare answers first, and what makes it doubtful below."""
    usual = next((row for row in rows if row.path.name == ORM), None)
    bare = [run for row in rows for run in row.bare]
    first = [
        "a bare answer of as many bytes",
        "1",
        "",
        "",
        "",
        *_runs(Figure(tuple(run.rate for run in bare)), bare),
        "",
    ]
    lines = [first]
    for row in rows:
        path = row.path
        times = spread(row.times(usual), ratio) if usual is not None and path.durable and row is not usual else ""
        wanted = "; ".join(map(str, path.wanted))
        line = [path.name, spread(row.of_bare, ratio), wanted, _verdict(row, usual), times]
        lines.append([*line, *_runs(row.rates, row.runs), f"{row.runs[-1].size:,}"])
    return "\n".join([f"### {title}", table(HEAD, lines), *_warnings(rows)])


def _verdict(row: Row, usual: Row | None) -> str:
    missed = [target for target in row.path.wanted if not target.holds(row.reached(target, usual))]
    if not row.path.wanted:
        return ""
    which = f": {'; '.join(map(str, missed))}" if missed and len(row.path.wanted) > 1 else ""
    return verdict(not missed) + which


def _runs(rates: Figure, runs: Sequence[Result]) -> list[str]:
    return [
        spread(rates, three_digits),
        milliseconds(median(run.median for run in runs)),
        milliseconds(median(run.p99 for run in runs)),
    ]


def _warnings(rows: Sequence[Row]) -> Iterator[str]:
    if any(max(row.beside) > RESTLESS * min(row.beside) for row in rows if row.beside):
        yield "\n**The machine had other work meanwhile: the bare answer itself varied. Measure again when it rests.**"
    for row in rows:
        failed = [f"{number:,} × {status}" for run in row.runs for status, number in run.failed.items()]
        if failed:
            yield f"\n**{row.path.name}: other answers than expected, not counted: {', '.join(failed)}.**"
        if max(run.busy for run in row.runs) > BUSY:
            yield f"\n**{row.path.name}: the load was computing all the time and may have been the limit.**"
