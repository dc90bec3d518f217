"""`grapevine simulate`: a world in the database of the settings, with a progress bar, and what to look at in it."""

from contextlib import ExitStack
from datetime import date, timedelta
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from sqlalchemy import select

from app.kernel.clock import Clock, SystemClock
from app.kernel.database import Database
from app.kernel.signing import Signer
from app.merchants.models import Merchant
from app.settings import Settings
from app.simulation import truth
from app.simulation.making import Made, simulate
from app.simulation.options import Impossible, Options

_EVERYWHERE = timedelta(hours=12)
"""After its midnight in UTC, a day has begun everywhere, by so much."""


def make_world(settings: Settings, wanted: dict[str, Any], until: str | None, file: Path | None, *, add: bool) -> None:
    """Make a world with the options `wanted` and print its merchants; the truth about it goes to `file`.

    Raises `Impossible`, also for a database in which there are merchants already unless it is to be added to them, and
    for a file that cannot be written.
    """
    options = Options(until=_until(until, SystemClock()), livemode=not settings.test_mode, **wanted)
    database = Database(settings.database)
    try:
        if not add:
            _must_be_empty(database)
        with ExitStack() as stack:
            kept = None if file is None else stack.enter_context(_opened(file))
            made = _made(database, Signer(settings.secret.encode()), options)
            if kept is not None:
                about = zip((each.public_id for each in made.merchants), made.truths, strict=True)
                kept.write(truth.as_json(options, list(about)) + "\n")
    finally:
        database.close()
    _tell(settings, made, file)


def _until(said: str | None, clock: Clock) -> date:
    """The day with which the world ends. Raises `Impossible` for one of which not everything can have happened."""
    latest = (clock.now() - _EVERYWHERE).date()
    try:
        until = latest if said is None else date.fromisoformat(said)
    except ValueError:
        raise Impossible(f"--until must be a day, such as {latest}, and not {said!r}") from None
    if until > latest:
        raise Impossible(f"--until must not lie in the future: {latest} at the latest")
    return until


def _opened(file: Path) -> TextIO:
    """The file, to be written; begun before the work, so that it is not in vain."""
    try:
        return file.open("w", encoding="utf-8")
    except OSError as error:
        raise Impossible(f"{file}: {error.strerror}") from None


def _must_be_empty(database: Database) -> None:
    with database.reading() as session:
        if session.scalar(select(Merchant.merchant_id).limit(1)) is not None:
            raise Impossible("there are merchants in this database: take another (GRAPEVINE_DATABASE_URL), or --add")


def _made(database: Database, signer: Signer, options: Options) -> Made:
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
    with Progress(*columns, console=Console(stderr=True)) as bar:
        task = bar.add_task("facts", total=options.facts)
        return simulate(database, signer, options, lambda facts: bar.advance(task, facts))


def _tell(settings: Settings, made: Made, file: Path | None) -> None:
    console, options = Console(highlight=False, soft_wrap=True), made.options
    period = f"from={options.first_day}&to={options.until}"
    console.print(f"{made.facts:,} facts and {made.orders:,} orders, from {options.first_day} until {options.until}.\n")
    for merchant in made.merchants:
        console.print(f"{merchant.name} ({merchant.timezone}, {merchant.currency})", markup=False)
        for what, value in (
            ("merchant", merchant.public_id),
            ("secret key", merchant.secret_key),
            ("report key", merchant.report_key),
            ("a wall", f"{settings.public_url}/w/{merchant.wall}"),
        ):
            console.print(f"  {what:<12}{value}", markup=False)
    console.print("\nKeys are not shown again. With `grapevine serve` running, look at:\n", markup=False)
    key = made.merchants[0].report_key
    for report in ("attribution?group_by=network", "attribution?group_by=month", "funnel?group_by=network"):
        console.print(f'  curl -H "Authorization: Bearer {key}" \\', markup=False)
        console.print(f'    "{settings.public_url}/v1/reports/{report}&{period}"', markup=False)
    if file is not None:
        console.print(f"\nWhat these must say stands in {file}.", markup=False)
