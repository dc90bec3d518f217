"""Attribution at size, each figure beside what it was built for. Whole tables in this process, without HTTP."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple

from app import migrate
from app.kernel.database import Database
from tests.bench import aggregate, history, recompute, tree
from tests.bench.figures import table, verdict
from tests.bench.ground import Ground, NewDatabase

MILLION = 1_000_000
TREE_READINGS = 3


class Reached(NamedTuple):
    """One figure, in words, and whether it is what was wanted (None: nothing was said)."""

    what: str
    measured: str
    wanted: str
    holds: bool | None


def section(ground: Ground) -> str:
    """All of it."""
    ground.say("attribution at size")
    with ground.cores.on(ground.cores.server):
        reached = list(everywhere())
        for kind in ground.kinds:
            ground.say(f"attribution at size on {kind.name}")
            reached += on(kind.name, kind.fresh)
    rows = [[each.what, each.measured, each.wanted, verdict(each.holds)] for each in reached]
    return table(["", "measured", "wanted", ""], rows)


def everywhere() -> Iterator[Reached]:
    """What needs no database."""
    took = aggregate.seconds_for_markov()
    yield Reached("Markov of order 1 over a million paths of up to 50 channels", f"{took:.1f} s", "10 s", took < 10)


def on(name: str, fresh: NewDatabase) -> Iterator[Reached]:
    """What is measured on the kind of database called `name`."""
    done = recompute.recomputed(fresh("recompute"))
    minutes = MILLION / done.rate / 60
    yield Reached(
        f"{name}: a change of policy for a million orders of five touches",
        f"{minutes:.1f} min ({done.rate:,.0f} orders a second, over {recompute.ORDERS:,})",
        "5 min",
        minutes < 5,
    )
    grew = f"{done.grew:.1f} MiB more at the end"
    yield Reached(f"{name}: memory meanwhile", grew, "no growth (under 8 MiB)", done.grew < 8)
    with _opened(fresh("history")) as database:
        rate = history.lines_in_a_second(database)
    moved = f"{MILLION / rate / 60:.1f} min ({rate:,.0f} lines a second, over {history.LINES:,})"
    yield Reached(f"{name}: moving in with a million lines, credit included", moved, "", None)
    for shape in tree.SHAPES:
        with _opened(fresh(f"tree-{shape}")) as database:
            merchant_id = tree.built(database, shape)
            took = min(tree.seconds_to_read(database, merchant_id) for _ in range(TREE_READINGS))
        what = f"{name}: the tree of a sharer with {tree.DESCENDANTS:,} descendants ({shape})"
        yield Reached(what, f"{took:.2f} s", "2 s", took < 2)


@contextmanager
def _opened(url: str) -> Iterator[Database]:
    database = Database(url)
    migrate.upgrade(database)
    try:
        yield database
    finally:
        database.close()
