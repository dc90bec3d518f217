"""`grapevine export`: all facts of a merchant as files."""

from pathlib import Path
from typing import get_args

from rich.console import Console

from app.delivery import export
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.errors import AppError, Invalid
from app.merchants.cli import owner
from app.settings import Settings


def export_facts(settings: Settings, merchant: str | None, folder: Path, file_format: str) -> None:
    """Write the files and say what is in them. Raises `Invalid` for what cannot be meant, `AppError` where the files
    cannot be written."""
    wanted = next((each for each in get_args(export.Format) if each == file_format), None)
    if wanted is None:
        raise Invalid(detail=f"--format must be one of {', '.join(get_args(export.Format))}")
    database = Database(settings.database)
    try:
        with database.reading() as session:
            whose = owner(session, merchant)
        written = export.export(database, whose.merchant_id, whose.public_id, folder, wanted, SystemClock().now())
    except OSError as error:
        raise AppError(f"{folder}: {error.strerror or error}") from error
    finally:
        database.close()
    console = Console(highlight=False, soft_wrap=True)
    for name, count in written.rows.items():
        console.print(f"{count:>10,}  {name}.{file_format}", markup=False)
    console.print(f"What comes from now on: GET /v1/events?cursor={written.cursor}", markup=False)
