"""`docs/performance.md`: a head, a section for each part, and what the figures mean. A part that is measured alone
replaces its own section and nothing else."""

import platform
import sqlite3
from collections.abc import Mapping, Sequence

import uvicorn

from tests.bench.ground import Ground, Scale
from tests.bench.load import CONNECTIONS

HEAD = """# Performance

`make bench` measures on loopback, without a network (others' programs are installed from their registries once), and
writes this page. It is a benchmark, not a test: nothing fails when a figure falls. `python -m tests.bench --part links`
measures one part and rewrites its section; `--rounds 5 --seconds 4` takes longer and spreads less; `--help` says more.

**Read the ratios.** How much a machine answers in a second says more about the machine than about Grapevine. So
every run stands between two *bare* runs: the same uvicorn with the same settings, giving as many bytes and
doing nothing else, which is the most that this stack can do."""

MEANING_TITLE = "What the figures mean"
MEANING = """* A figure is the median of the rounds, with the least and the most in parentheses.
* **of bare**: this path's answers a second, by those of the bare server just before and after.
* **times the usual way**: the same against a plain FastAPI route that inserts one row with the ORM, commits and
  answers 302. It is as durable, and looks nothing up. Only what is durable is compared with it.
* **wanted**: what was set as a goal before it was built. Whether it holds is judged by the medians of this run.
* What is done a second and the times (milliseconds, median of the rounds, while every connection always waits for an
  answer) are this machine's in this run, and no promise for another.
* *Durable*: visits, likes, shares, beacons and orders are answered after their commit is on disk, with what they add to
  the counts that reports read (SQLite with `synchronous=FULL`, PostgreSQL with `synchronous_commit=on`).
  [Decision 6](decisions/0006-recorder.md) says how many requests share one commit.
* Links are followed as by a browser, through 64 codes in turn. The load sends no visitor token, so each like and
  each share is a new visitor's, with a link of its own; they go to 200 products in turn. Each order names a click
  and is answered with its credits written. Beacons come as from the widget: a wall and 19 cards, with a visitor's
  token.
* Memory is looked at here after so many requests. That it stays flat is a test (`tests/bench/test_one_process.py`):
  thousands of requests in its short form, an hour of them on each database by `make soak`, which also opens ten
  thousand streams.
* The engine is measured without a database: orders with journeys of five clicks through chains of up to three
  people, in one process; indexing the facts is in the time. It was built for 20,000 a second.
* At size, tables are read and written in one process without HTTP, on the server's core. A change of policy appends
  two lines to each order. `python -m tests.bench.recompute --orders 1000000` makes a whole million of them."""


def head(ground: Ground) -> str:
    """What was measured where."""
    stack = f"Python {platform.python_version()}, uvicorn {uvicorn.__version__}, SQLite {sqlite3.sqlite_version}"
    if not ground.cores.server:
        placing = "the cores are shared, since this system does not give them out"
    else:
        number = len(ground.cores.others)
        others = "the other" if number == 1 else f"{number} others"
        placing = f"one server process on one core, the load and PostgreSQL on {others}"
    how = f"{how_long(ground.scale)} on each path, {CONNECTIONS} keep-alive connections"
    return f"{HEAD}\n\nThis run: {how}; {placing}; {stack}; this disk keeps 4 KB in {ground.sync * 1000:.2g} ms."


def how_long(scale: Scale) -> str:
    return f"{scale.rounds} × {scale.seconds:g} s"


def whole(head: str, sections: Mapping[str, str]) -> str:
    """The page with all sections, by their titles, in their order."""
    parts = [head, *(f"## {title}\n{text}" for title, text in sections.items()), f"## {MEANING_TITLE}\n{MEANING}"]
    return "\n\n".join(parts) + "\n"


def into(page: str, titles: Sequence[str], title: str, text: str) -> str:
    """The page with this section: in place of an earlier one, else where the order of `titles` has it."""
    before, found = _parted(page)
    found[title] = text
    found.setdefault(MEANING_TITLE, MEANING)
    order = [*titles, MEANING_TITLE]
    known = [each for each in order if each in found]
    return "\n\n".join([before, *(f"## {each}\n{found[each]}" for each in known)]) + "\n"


def _parted(page: str) -> tuple[str, dict[str, str]]:
    before, *sections = page.rstrip().split("\n\n## ")
    split = (section.partition("\n") for section in sections)
    return before, {title: text for title, _, text in split}
