"""The part about where the time goes: py-spy watches our server while the three hottest paths are asked."""

import json
import shutil
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
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
_SQLITE: Final = ("fill_sqlite (app/kernel/bulk.py", "Database.together (app/kernel/database.py")
PARTS: Final[Sequence[tuple[str, tuple[str, ...]]]] = (
    ("psycopg, and waiting for PostgreSQL", ("psycopg",)),
    ("SQLite itself, and its disk", ("do_commit (sqlalchemy", "do_execute", *_SQLITE)),
    ("HTTP: uvicorn, httptools, uvloop", ("uvicorn", "httptools", "uvloop", "asyncio/")),
    ("our lines: parsing with httptools, sending what is ready", ("app/kernel/http/",)),
    ("fast lane", ("app/fastlane.py",)),
    ("storefront: payloads, links, reading beacons", ("app/storefront/",)),
    ("recorder: batches, their threads", ("app/kernel/recorder.py", "concurrent/", "threading.py", "queue.py")),
    ("counts (rollups)", ("app/kernel/rollups/",)),
    ("visits, beacons, ids, tokens", ("app/referrals/", "app/privacy/", "app/networks/", *_SMALL)),
    ("writing in bulk, transactions", ("app/kernel/at_one_go.py", "app/kernel/bulk.py", "app/kernel/database.py")),
    ("SQLAlchemy", ("sqlalchemy/",)),
    ("background jobs", ("app/kernel/outbox.py", "app/kernel/periodic.py", "app/kernel/feed", "app/kernel/wakeups.py")),
    ("other parts of ours", ("app/",)),
)
"""What a line of a stack belongs to, by where it stands: from the innermost outwards, the first that is known."""
REST: Final = "the rest"
IDLE: Final = (
    *("Condition.wait (", "_worker (concurrent/futures/", "Database.breathe (", "wait (threading.py"),
    *("select (selectors.py", "EpollSelector.select (selectors.py"),  # the line by which processes wake each other
)
"""Innermost lines of threads that only wait, and are sometimes taken for busy in the moment in which they begin to."""
EXPLAINED: Final = f"""Percent of {RATE} looks a second at the threads of the server that were computing or waiting for
the disk. Each look counts for the innermost part that is known; Python's own time for the part whose line it was."""

WHY: Final[Mapping[str, str]] = {
    "The payload": "What is sent is ready: ours is a look into a dictionary.",
    "The link": "People are told from machines, and the click gets an id; the commit is shared by all who wait for it. "
    "On PostgreSQL the next batch comes together while one waits for the answer.",
    "Beacons": "Twenty reports are decoded, checked and made rows of by one request. On PostgreSQL the next batch "
    "comes together while one waits for the answer.",
}
"""The paths that are watched, in their order, and what is done in them. How much of what, the run says."""


def section(ground: Ground) -> str:
    """A table for each kind of database: by part, the share of the looks in which the processor was in it."""
    program = shutil.which("py-spy", path=str(File(sys.executable).parent)) or shutil.which("py-spy")
    if program is None:
        return "Not measured: py-spy is not installed."
    shown, seen = [], {}
    with standing(ground, "profiles", compared=False) as stands:
        for each in stands:
            links = asked.links(each.ours, each.usual, each.world)
            looks = {}
            for path in (links[0], links[2], asked.beacons(each.ours, each.world, 0)):
                ground.say(f"profiles: {path.name} on {each.kind.name}")
                looks[path.name] = by_part(_watched(ground, program, path).splitlines())
            shown.append(f"### On {each.kind.name}\n{_table(looks)}")
            seen[each.kind.name] = list(looks.values())
    return "\n\n".join([*shown, EXPLAINED, said(seen)])


def said(seen: Mapping[str, Sequence[Counter[str]]]) -> str:
    """A sentence on each path: what took most of it in this run, by kind of database, and why."""
    lines = []
    for number, (name, why) in enumerate(WHY.items()):
        most = "; ".join(f"on {kind} {_largest(looks[number])}" for kind, looks in seen.items())
        lines.append(f"* **{name}**: {most}. {why}")
    return "\n".join(lines)


def _largest(counted: Counter[str]) -> str:
    """The two parts that were seen most."""
    shares = (f"{part} ({100 * times / counted.total():.0f} %)" for part, times in counted.most_common(2))
    return ", then ".join(shares) or "nothing was seen"


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
