"""`grapevine import --history`: past facts of another system from a file, with a progress bar.

The same code as `POST /v1/history`, and as safe beside a running server: the same file again changes nothing, and
where this was killed the server's worker brings credit up to date.
"""

from collections.abc import Callable, Iterator
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn

from app.history.batches import Batches
from app.history.service import MOST_REFUSED, Moving, Tally
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.outbox import Outbox
from app.merchants.cli import owner
from app.settings import Settings

_PIECE = 64 * 1024


def move_in(settings: Settings, file: Path, merchant: str | None) -> int:
    """Bring in the facts of `file` for `merchant` and print what became of them; how many lines were refused.

    Raises `Invalid` where it is not clear whose facts they are.
    """
    database, clock = Database(settings.database), SystemClock()
    try:
        with database.transaction() as session:
            merchant_id = owner(session, merchant).merchant_id
        moving = Moving(database, clock, Outbox(clock), merchant_id, livemode=not settings.test_mode)
        tally = _bring_in(moving, file, database.breathe)
    finally:
        database.close()
    _tell(tally)
    return tally.refused_count


def _bring_in(moving: Moving, file: Path, breathe: Callable[[], None]) -> Tally:
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(file.name, total=file.stat().st_size)
        batches = Batches()
        for piece in _pieces(file):
            for batch in batches.feed(piece):
                moving.take(batch)
                breathe()
            bar.advance(task, len(piece))
        for batch in batches.end():
            moving.take(batch)
        bar.update(task, description=f"{file.name}: dividing the orders")
        return moving.finish()


def _pieces(file: Path) -> Iterator[bytes]:
    with file.open("rb") as content:
        while piece := content.read(_PIECE):
            yield piece


def _tell(tally: Tally) -> None:
    console = Console(highlight=False)
    for line in tally.refused:
        console.print(f"line {line.line}: {line.detail}", markup=False)
    if tally.refused_count > len(tally.refused):
        console.print(f"and more: only the first {MOST_REFUSED} are told")
    console.print(f"{tally.accepted} accepted, {tally.unchanged} unchanged, {tally.refused_count} refused")
