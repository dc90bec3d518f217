"""The part about where the time goes: py-spy watches our server while the three hottest paths are asked."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from pathlib import Path as File
from typing import Final

from tests.bench import asked
from tests.bench.asked import Path
from tests.bench.figures import table
from tests.bench.ground import Ground
from tests.bench.load import LONGEST, Plan
from tests.bench.rounds import standing
from tests.bench.servers import ROOT

RATE: Final = 200
"""Looks a second."""
_WARM_UP: Final = 1.0
"""Seconds: py-spy itself needs a moment to begin."""

_SMALL: Final = ("app/kernel/ids.py", "app/kernel/signing.py", "app/kernel/clock.py")
PARTS: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    ("psycopg, and waiting for PostgreSQL", ("psycopg",)),
    ("SQLite itself, and its disk", ("do_commit (sqlalchemy", "do_execute", "_fill_sqlite (app/kernel/bulk.py")),
    ("HTTP: uvicorn, httptools, uvloop", ("uvicorn", "httptools", "uvloop", "asyncio/")),
    ("fast lane", ("app/fastlane.py",)),
    ("storefront: payloads, links, reading beacons", ("app/storefront/",)),
    ("recorder: batches, their threads", ("app/kernel/recorder.py", "concurrent/", "threading.py", "queue.py")),
    ("counts (rollups)", ("app/kernel/rollups/",)),
    ("visits, beacons, ids, tokens", ("app/referrals/", "app/privacy/", "app/networks/", *_SMALL)),
    ("writing in bulk, transactions", ("app/kernel/bulk.py", "app/kernel/database.py")),
    ("SQLAlchemy", ("sqlalchemy/",)),
    ("background jobs", ("app/kernel/outbox.py", "app/kernel/periodic.py", "app/kernel/feed", "app/kernel/wakeups.py")),
    ("other parts of ours", ("app/",)),
)
"""What a line of a stack belongs to, by where it stands: from the innermost outwards, the first that is known."""
REST: Final = "the rest"
IDLE: Final = ("Condition.wait (", "_worker (concurrent/futures/", "Database.breathe (", "wait (threading.py")
"""Innermost lines of threads that only wait, and are sometimes taken for busy in the moment in which they begin to."""
EXPLAINED: Final = f"""Percent of {RATE} looks a second at the threads of the server that were computing or waiting for
the disk. Each look counts for the innermost part that is known; Python's own time for the part whose line it was."""

SAID: Final[dict[str, str]] = {
    "The payload": "what remains is the HTTP server's own work; ours is a look into a dictionary, and sending bytes "
    "that are ready.",
    "The link": "the HTTP server first, then telling people from machines and making the click's id; the commit is "
    "shared by all who wait, so the database costs each of them little, and on PostgreSQL most of it is waiting.",
    "Beacons": "twenty reports are decoded, checked and made rows of by one request, so Python's own work weighs more; "
    "on PostgreSQL again much is waiting for its answer, while the next batch comes together.",
}
"""Where the remaining time goes."""


def section(ground: Ground) -> str:
    """A table for each kind of database: by part, the share of the looks in which the processor was in it."""
    program = shutil.which("py-spy", path=str(File(sys.executable).parent)) or shutil.which("py-spy")
    if program is None:
        return "Not measured: py-spy is not installed."
    shown = []
    with standing(ground, "profiles", compared=False) as stands:
        for each in stands:
            links = asked.links(each.ours, each.usual, each.world)
            paths = [links[0], links[2], asked.beacons(each.ours, each.world, 0)]
            looks = {}
            for path in paths:
                ground.say(f"profiles: {path.name} on {each.kind.name}")
                looks[path.name] = by_part(_watched(ground, program, path).splitlines())
            shown.append(f"### On {each.kind.name}\n{_table(looks)}")
    said = [f"* **{name}**: {sentence}" for name, sentence in SAID.items()]
    return "\n\n".join([*shown, EXPLAINED, *(["\n".join(said)] if said else [])])


def by_part(lines: Sequence[str]) -> Counter[str]:
    """Looks by part, of stacks as py-spy writes them: frames by `;`, the outermost first, then how often."""
    found: Counter[str] = Counter()
    for line in lines:
        stack, _, times = line.rpartition(" ")
        frames = stack.split(";")
        if not frames[-1].startswith(IDLE):
            found[_part(frames)] += int(times)
    return found


def _part(frames: Sequence[str]) -> str:
    for frame in reversed(frames):
        for name, places in PARTS:
            if any(place in frame for place in places):
                return name
    return REST


def _watched(ground: Ground, program: str, path: Path) -> str:
    """What py-spy wrote of the server while it was asked for `path`."""
    seconds = ground.scale.profile
    plan = Plan(path.server.port, list(path.requests), path.status, min(LONGEST, seconds + _WARM_UP), _WARM_UP)
    stacks = ground.folder / "stacks.txt"
    watch = [program, "record", "--pid", str(path.server.pid), "--format", "raw", "--output", str(stacks)]
    watch += ["--duration", str(max(1, round(seconds))), "--rate", str(RATE)]
    with ground.cores.on(ground.cores.others):
        load = subprocess.Popen(
            [sys.executable, "-m", "tests.bench.load"], cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL
        )
        try:
            assert load.stdin is not None
            load.stdin.write(json.dumps(asdict(plan)).encode())
            load.stdin.close()
            subprocess.run(watch, check=True, capture_output=True, timeout=60)
        finally:
            load.wait(LONGEST * 3)
    return stacks.read_text("utf-8")


def _table(looks: dict[str, Counter[str]]) -> str:
    head = ["part", *looks]
    return table(head, list(_rows(looks)))


def _rows(looks: dict[str, Counter[str]]) -> Iterator[list[str]]:
    for part in (*(name for name, _ in PARTS), REST):
        shares = [100 * counted[part] / max(1, counted.total()) for counted in looks.values()]
        if any(share >= 0.5 for share in shares):
            yield [part, *(f"{share:.0f} %" for share in shares)]
