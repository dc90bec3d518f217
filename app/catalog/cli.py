"""`grapevine import`: a catalogue from a file, with a progress bar.

It takes the job as any worker does, so a server beside it does no harm: one of them reads, and either can go on
where the other was killed. Where the server was faster, this only looks on.
"""

import time
from functools import partial
from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn

from app.catalog import imports
from app.catalog.models import Import
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.errors import Invalid
from app.kernel.outbox import Outbox, Worker
from app.merchants.cli import owner
from app.settings import Settings

LOOK_EVERY = 0.2
"""Seconds."""

BREATH = 0.02
"""Seconds between two batches. Writers of other processes get their turn in SQLite only where nobody is writing."""


def bring_in_file(settings: Settings, file: Path, file_format: str, merchant: str | None) -> int:
    """Import `file` for `merchant` and print what became of it; how many products were lost (1 at least if it failed).

    Raises `Invalid` for a format that is not known, or where it is not clear whose catalogue it is.
    """
    if file_format not in imports.READERS:
        raise Invalid(detail=f"--format must be one of {', '.join(imports.READERS)}")
    database, clock = Database(settings.database), SystemClock()
    outbox = Outbox(clock)
    try:
        with database.transaction() as session, file.open("rb") as content:
            merchant_id = owner(session, merchant).merchant_id
            begun = imports.keep(session, merchant_id, file_format, content, clock.now())
            message = imports.promise(session, outbox, begun)
        done = _bring_in(database, clock, outbox, begun, message, file.name)
    finally:
        database.close()
    _tell(done)
    return max(done.failed, done.status == "failed")


def _bring_in(database: Database, clock: SystemClock, outbox: Outbox, begun: Import, message: str, name: str) -> Import:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} products"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)

        def show(state: Import) -> None:
            bar.update(task, completed=state.created + state.updated + state.unchanged + state.failed)

        def after_batch(state: Import) -> None:
            show(state)
            if database.is_sqlite:
                time.sleep(BREATH)

        job = partial(imports.run, database, clock, progress=after_batch)
        jobs = Worker(database, clock, outbox, {imports.TOPIC: job})
        while True:
            jobs.run_one(begun.merchant_id, message)
            with database.reading() as session:
                state = imports.get(session, begun.merchant_id, begun.import_id)
            show(state)
            if state.finished_at is not None:
                bar.update(task, total=bar.tasks[0].completed)
                return state
            time.sleep(LOOK_EVERY)


def _tell(done: Import) -> None:
    console = Console(highlight=False)
    for error in done.errors:
        console.print(f"line {error['line']}, {error['field']}: {error['detail']}", markup=False)
    console.print(f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged, {done.failed} failed")
