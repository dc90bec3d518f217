"""`grapevine import`: a catalogue from a file, with a progress bar."""

from pathlib import Path

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.catalog import imports
from app.catalog.models import Import
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.errors import Invalid, NotFound
from app.kernel.ids import Malformed
from app.kernel.outbox import Outbox
from app.merchants import service as merchants
from app.merchants.models import Merchant
from app.settings import Settings


def bring_in_file(settings: Settings, file: Path, file_format: str, merchant: str | None) -> int:
    """Import `file` for `merchant` and print what became of it; how many products were lost.

    Raises `Invalid` for a format that is not known, or where it is not clear whose catalogue it is.
    """
    if file_format not in imports.READERS:
        raise Invalid(detail=f"--format must be one of {', '.join(imports.READERS)}")
    database, clock = Database(settings.database), SystemClock()
    try:
        with database.transaction() as session, file.open("rb") as content:
            owner = _owner(session, merchant)
            begun = imports.start(session, Outbox(clock), owner.merchant_id, file_format, content, clock.now())
        done = _watch(database, clock, begun, file.name)
    finally:
        database.close()
    _tell(done)
    return done.failed


def _owner(session: Session, public_id: str | None) -> Merchant:
    if public_id is not None:
        try:
            return merchants.by_public_id(session, public_id)
        except (NotFound, Malformed):
            raise Invalid(detail=f"--merchant: there is no merchant {public_id}") from None
    known = session.scalars(select(Merchant).where(Merchant.closed_at.is_(None)).limit(2)).all()
    if len(known) != 1:
        raise Invalid(detail="there is not exactly one merchant: say which, with --merchant mer_…")
    return known[0]


def _watch(database: Database, clock: SystemClock, begun: Import, name: str) -> Import:
    columns = (TextColumn("{task.description}"), BarColumn(), TextColumn("{task.completed} products"))
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task(name, total=None)
        done = imports.bring_in(
            database,
            clock,
            begun.merchant_id,
            begun.import_id,
            lambda state: bar.update(task, completed=state.position),
        )
        bar.update(task, completed=done.position, total=done.position)
    return done


def _tell(done: Import) -> None:
    console = Console(highlight=False)
    for error in done.errors:
        console.print(f"line {error['line']}, {error['field']}: {error['detail']}", markup=False)
    console.print(f"{done.created} created, {done.updated} updated, {done.unchanged} unchanged, {done.failed} failed")
