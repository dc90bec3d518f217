"""What the commands of `grapevine` share: settings, a database that is up to date, how a refusal is told: in a line.

Imports what it needs when it is called, as the commands do.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, NoReturn

import typer

if TYPE_CHECKING:
    from app.settings import Settings


def settings() -> "Settings":
    """Of the environment. Stops where they are wrong."""
    from app.settings import WrongSettings, load

    try:
        return load()
    except WrongSettings as wrong:
        stop(str(wrong))


def migrate(settings: "Settings") -> None:
    """Bring the database up to date. Stops where it cannot be used."""
    from app.kernel.database import Database
    from app.migrate import upgrade

    database = Database(settings.database)
    try:
        with usable_database():
            upgrade(database)
    finally:
        database.close()


def make_ready(settings: "Settings") -> None:
    """What a server finds when it starts: an up-to-date database, and its files packed. Stops where the database cannot
    be used.

    Made in processes of their own, where anything is to do at all: the libraries for it take 20 MiB, and a server would
    keep them in memory as long as it runs.
    """
    from app.kernel.database import Database
    from app.migrate import is_current
    from app.resources import WIDGETS
    from app.storefront.assets.files import are_kept

    with usable_database():
        reach(settings)
    database = Database(settings.database)
    current = is_current(database)
    database.close()
    if not current:
        _run_apart("app.cli", "migrate")
    kept = settings.data_dir / "assets"
    if not are_kept(WIDGETS, kept):
        _run_apart("app.storefront.assets", str(WIDGETS), str(kept))


def check_replica(settings: "Settings") -> None:
    """Stops where reports are to be read from what is no replica of the database."""
    if settings.reports_database_url:
        from app.kernel.replica import why_not

        if wrong := why_not(settings.database, settings.reports_database_url):
            stop(f"GRAPEVINE_REPORTS_DATABASE_URL: {wrong}")


def _run_apart(module: str, *words: str) -> None:
    """Run a module of ours, and stop as it stops."""
    import os
    import subprocess

    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    command = [sys.executable, "-P", "-m", module, *words]  # -P: no other `app` that may lie in the working directory
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)  # noqa: S603 - our own
    if done.returncode:
        typer.echo(done.stderr, nl=False, err=True)
        raise typer.Exit(done.returncode)


def reach(settings: "Settings") -> None:
    """Raises `DBAPIError` where the database does not answer."""
    from sqlalchemy import text

    from app.kernel.database import Database

    database = Database(settings.database)
    try:
        with database.reading() as session:
            session.execute(text("SELECT 1"))
    finally:
        database.close()


def find(settings: "Settings") -> None:
    """Stops where there is no database, or one that is not up to date: for what makes none, and changes nothing."""
    from pathlib import Path

    from app.kernel.database import Database
    from app.migrate import is_current

    database = Database(settings.database)
    try:
        if database.is_sqlite and not Path(database.url.database or "").is_file():
            stop(f"there is no database: {database.url.database}")
        with usable_database():
            reach(settings)
        if not is_current(database):
            stop("the database is not up to date: `grapevine migrate` brings it there")
    finally:
        database.close()


@contextmanager
def refusals() -> Iterator[None]:
    """Stops with one line where what is asked for is refused."""
    from app.kernel.errors import AppError

    try:
        yield
    except AppError as refusal:
        stop(refusal.detail)


@contextmanager
def usable_database() -> Iterator[None]:
    """Stops with one line where the database cannot be reached, or refuses."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).strip() or type(error.orig).__name__
        stop(f"the database cannot be used: {said.splitlines()[0]}")


@contextmanager
def told_in_one_line() -> Iterator[None]:
    """Stops where a backup is refused, or its file cannot be read or written. Told to end, it tidies up first."""
    import signal

    from app.backup.seal import Refused

    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except Refused as refusal:
        stop(str(refusal))
    except OSError as error:
        stop(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    finally:
        signal.signal(signal.SIGTERM, before)


def stop(why: str) -> NoReturn:
    """End the command, saying why."""
    typer.echo(f"grapevine: {why}", err=True)
    raise typer.Exit(2)
