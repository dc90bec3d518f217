"""`grapevine backup` and `grapevine restore`, with a progress bar where somebody looks on, and a summary."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from app.backup import leavers, putting, taking
from app.backup.rows import Told
from app.backup.seal import About
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.settings import Settings

OF_ANOTHER = (
    "grapevine: the backup belongs to another GRAPEVINE_SECRET: until that one is set, no key of a merchant, no"
    " visitor's token and no connected shop's secret in it is worth anything"
)


def take(settings: Settings, file: Path, *, force: bool) -> None:
    """Back up to `file` and print what is in it. Raises `Refused`, `OSError`, `DBAPIError`."""
    started = time.monotonic()
    database = Database(settings.database)
    try:
        with _progress(file) as told:
            about = taking.back_up(
                database, file, secret=settings.secret, at=SystemClock().now(), told=told, force=force
            )
    finally:
        database.close()
    _tell(about, f"{_size(file)}, {time.monotonic() - started:.1f} s: {file}")


def put_back(settings: Settings, file: Path, *, replace: bool, gone: Path | None = None) -> None:
    """Restore `file`, print what was in it, and warn where the server's secret is not the one that belongs to it. Those
    who left are kept, and those in the list `gone` are added to them.

    Raises `Refused`, `OSError`, `DBAPIError`.
    """
    started = time.monotonic()
    database = Database(settings.database)
    try:
        with _progress(file) as told:
            left = leavers.read(gone) if gone is not None else []
            about = putting.restore(database, file, told=told, replace=replace, gone=left)
    finally:
        database.close()
    _tell(about, f"restored in {time.monotonic() - started:.1f} s as it was at {about.made_at}")
    _warn(settings, about)


def list_leavers(settings: Settings) -> Iterator[str]:
    """Those who left, as lines that `restore --leavers` reads."""
    database = Database(settings.database)
    try:
        with database.reading() as session:
            yield from leavers.lines(leavers.known(session))
    finally:
        database.close()


def check(settings: Settings, file: Path) -> None:
    """Print what is in `file`, and that it is whole. Raises `Refused`, `OSError`."""
    about = putting.check(file)
    _tell(about, f"{_size(file)}: whole, as it was made at {about.made_at} of {about.source}")
    _warn(settings, about)


@contextmanager
def _progress(file: Path) -> Iterator[Told]:
    """Shown on a terminal only: what cron sends by mail is the summary."""
    console = Console(stderr=True)
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task(file.name, total=None)
        yield lambda name, done, total: bar.update(task, description=name, completed=done, total=total)


def _tell(about: About, what: str) -> None:
    console = Console(highlight=False, soft_wrap=True, markup=False)
    filled = {name: rows for name, rows in about.rows.items() if rows}
    for name, rows in filled.items():
        console.print(f"{name:<22}{rows:>14,}")
    console.print(f"{sum(filled.values()):,} rows of {len(filled)} tables, {what}")


def _warn(settings: Settings, about: About) -> None:
    if about.secret != taking.fingerprint(settings.secret):
        Console(stderr=True, highlight=False, soft_wrap=True, markup=False).print(OF_ANOTHER)


def _size(file: Path) -> str:
    size = float(file.stat().st_size)
    for unit in ("bytes", "kB", "MB"):
        if size < 1000:
            return f"{size:.0f} {unit}" if unit == "bytes" else f"{size:.1f} {unit}"
        size /= 1000
    return f"{size:.1f} GB"
