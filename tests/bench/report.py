"""Puts what was measured into words: `docs/performance.md`. Knows figures, not how they came about."""

import platform
import sqlite3
from collections.abc import Callable, Iterable, Iterator
from statistics import median

import uvicorn

from tests.bench import sizes_of_embeds
from tests.bench.asked import ORM
from tests.bench.load import CONNECTIONS, Result
from tests.bench.measure import Figure, Measured, Side
from tests.bench.servers import Cores
from tests.bench.sizes import Reached

QUICK_START = 2.0
"""Seconds in which a server on a migrated database must answer."""
SMALL = 150.0
"""Mebibytes that one process may hold."""
BUSY = 0.9
"""A load that computes more of the time than this may itself have been the limit."""

RESTLESS = 1.5
"""Where the best bare run is so many times the worst, the machine did something else besides."""

_INTRODUCTION = """# Performance

`make bench` measures on loopback, without a network, and writes this page. It is a benchmark, not a test: nothing
fails when a figure falls. `python -m tests.bench --rounds 5 --seconds 4` takes longer and spreads less.

**Read the ratios.** How much a machine answers in a second says more about the machine than about Grapevine. So
every run stands between two *bare* runs: the same uvicorn with the same settings, giving 2 KB and
doing nothing else, which is the most that this stack can do."""

_MEANING = """## What the figures mean
* A figure is the median of the rounds, with the least and the most in parentheses.
* **of bare**: this path's answers a second, by those of the bare server just before and after.
* **times the usual way**: the same against a plain FastAPI route that inserts one row with the ORM, commits and
  answers 302. It is as durable, and looks nothing up. Only what is durable is compared with it.
* Answers a second and the times (milliseconds, median of the rounds, while every connection always waits for an
  answer) are this machine's in this run, and no promise for another.
* *Durable*: visits, likes, shares and orders are answered after their commit is on disk (SQLite with
  `synchronous=FULL`, PostgreSQL with `synchronous_commit=on`). [Decision 6](decisions/0006-recorder.md) says how
  many requests share one commit.
* Links are followed as by a browser, through 64 codes in turn. The load sends no visitor token, so each like and
  each share is a new visitor's, with a link of its own; they go to 200 products in turn. Each order names a click
  and is answered with its credits written.
* The engine is measured without a database: orders with journeys of five clicks through chains of up to three
  people, in one process; indexing the facts is in the time. It was built for 20,000 a second.
* At size, tables are read and written in one process without HTTP, on the server's core. A change of policy appends
  two lines to each order. `python -m tests.bench.recompute --orders 1000000` makes a whole million of them."""


def page(measured: Measured) -> str:
    """The whole page, as Markdown."""
    parts = [
        _INTRODUCTION,
        _circumstances(measured),
        *(_side(side) for side in measured.sides),
        *([] if len(measured.sides) > 1 else ["PostgreSQL was not measured: there are no programs of it here."]),
        _limits(measured.sides),
        _engine(measured.engine),
        _sizes(measured.sizes),
        sizes_of_embeds.section(sizes_of_embeds.everything()),
        _MEANING,
    ]
    return "\n\n".join(parts) + "\n"


def _circumstances(measured: Measured) -> str:
    stack = f"Python {platform.python_version()}, uvicorn {uvicorn.__version__}, SQLite {sqlite3.sqlite_version}"
    return (
        f"This run: {measured.rounds} × {measured.seconds:g} s on each path, "
        f"{CONNECTIONS} keep-alive connections; "
        f"{_placing(measured.cores)}; {stack}; this disk keeps 4 KB in {measured.sync * 1000:.2g} ms."
    )


def _placing(cores: Cores) -> str:
    if not cores.server:
        return "the cores are shared, since this system does not give them out"
    others = "the other" if len(cores.others) == 1 else f"{len(cores.others)} others"
    return f"one server process on one core, the load and PostgreSQL on {others}"


def _side(side: Side) -> str:
    usual = next(row for row in side.rows if row.path.name == ORM)
    head = ["path", "of bare", "times the usual way", "answers a second", "median ms", "99 % ms", "bytes"]
    rows = [[side.bare.path.name, "1", "", *_runs(side.bare.runs)]]
    for row in side.rows:
        times = _spread(row.times(usual), _ratio) if row.path.durable and row is not usual else ""
        rows.append([row.path.name, _spread(row.of_bare, _ratio), times, *_runs(row.runs)])
    return "\n".join([f"## On {side.database}", *_table(head, rows), *_warnings(side)])


def _runs(runs: list[Result]) -> list[str]:
    return [
        _spread(Figure(tuple(run.rate for run in runs)), _three_digits),
        f"{median(run.median for run in runs) * 1000:.1f}",
        f"{median(run.p99 for run in runs) * 1000:.1f}",
        f"{runs[-1].size:,}",
    ]


def _warnings(side: Side) -> Iterator[str]:
    bare = [run.rate for run in side.bare.runs]
    if max(bare) > RESTLESS * min(bare):
        yield "\n**The machine had other work meanwhile: the bare answer itself varied. Measure again when it rests.**"
    for row in (side.bare, *side.rows):
        failed = [f"{number:,} × {status}" for run in row.runs for status, number in run.failed.items()]
        if failed:
            yield f"\n**{row.path.name}: other answers than expected, not counted: {', '.join(failed)}.**"
        if max(run.busy for run in row.runs) > BUSY:
            yield f"\n**{row.path.name}: the load was computing all the time and may have been the limit.**"


def _limits(sides: Iterable[Side]) -> str:
    head = ["one process", "measured", "limit", ""]
    rows = []
    for side in sides:
        rows.append(
            [
                f"{side.database}: start on a migrated database to the first answer",
                _spread(side.starts, "{:.2f} s".format),
                f"under {QUICK_START:g} s",
                _verdict(side.starts.median < QUICK_START),
            ]
        )
        for when, resident in (("start", side.resident_before), ("the load", side.resident_after)):
            if resident is not None:
                what = f"{side.database}: resident memory after {when}"
                rows.append([what, f"{resident:.0f} MiB", f"under {SMALL:g} MiB", _verdict(resident < SMALL)])
    return "\n".join(["## Start and memory", *_table(head, rows)])


def _engine(speeds: dict[str, Figure]) -> str:
    first = next(iter(speeds.values()))
    rows = [
        [name, _spread(speed, _three_digits), f"{speed.median / first.median:.2f}"] for name, speed in speeds.items()
    ]
    return "\n".join(["## The attribution engine", *_table(["policy", "orders a second", "of the first"], rows)])


def _sizes(sizes: Iterable[Reached]) -> str:
    rows = [
        [each.what, each.measured, each.wanted, "" if each.holds is None else _verdict(each.holds)] for each in sizes
    ]
    return "\n".join(["## Attribution at size", *_table(["", "measured", "wanted", ""], rows)])


def _table(head: list[str], rows: list[list[str]]) -> list[str]:
    return [f"| {' | '.join(cells)} |" for cells in (head, ["---"] * len(head), *rows)]


def _spread(figure: Figure, shown: Callable[[float], str]) -> str:
    """The median, and the least and the most where they look different."""
    least, most = shown(min(figure.values)), shown(max(figure.values))
    return shown(figure.median) if least == most else f"{shown(figure.median)} ({least} to {most})"


def _ratio(part: float) -> str:
    """Two digits that mean something, however small."""
    return f"{part:.1f}" if part >= 1 else f"{part:.2f}" if part >= 0.1 else f"{part:.3f}"


def _three_digits(rate: float) -> str:
    """Three digits: the rest is chance."""
    digits = max(0, len(str(int(rate))) - 3)
    return f"{round(rate / 10**digits) * 10**digits:,}"


def _verdict(holds: bool) -> str:
    return "holds" if holds else "**does not hold**"
