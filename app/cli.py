"""`grapevine`: the operator's command line. Each command imports what it needs when it is called."""

import gc
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

if TYPE_CHECKING:
    from app.settings import Settings

cli = typer.Typer(
    name="grapevine",
    help="Social commerce: walls to embed, likes and shares as referrals, sales credited to who brought them.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

Port = Annotated[int, typer.Option(help="The port to listen on.", min=1, max=65535)]
Host = Annotated[str, typer.Option(help="The address to listen on.")]


@cli.command()
def serve(
    port: Port = 8000,
    host: Host = "127.0.0.1",
    workers: Annotated[int, typer.Option(help="Processes; more than one needs PostgreSQL.", min=1)] = 1,
) -> None:
    """Bring the database up to date and serve."""
    os.environ.setdefault("GRAPEVINE_PUBLIC_URL", f"http://localhost:{port}")
    settings = _settings()
    if workers > 1 and settings.database.startswith("sqlite"):
        _stop("SQLite has one writer: --workers needs PostgreSQL (GRAPEVINE_DATABASE_URL).")
    _migrate(settings)

    import uvicorn

    from app.kernel import open_files

    open_files.ask_for_all()
    if workers == 1:  # imports make hardly any garbage, and looking for it costs a tenth of the start
        gc.disable()  # until main.from_environment has built the application in this process
    uvicorn.run(
        "app.main:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        access_log=False,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=10,
    )


@cli.command()
def worker() -> None:
    """Run background jobs apart from the server (whose `GRAPEVINE_JOBS` is then `false`)."""
    from app import main

    settings = _settings()
    with _usable_database():
        _reach(settings)
        main.run_worker(settings)


@cli.command()
def migrate() -> None:
    """Bring the database up to date. Servers do so themselves when they start."""
    _migrate(_settings())
    typer.echo("The database is up to date.")


@cli.command()
def merchant(
    name: Annotated[str, typer.Argument(help="The shop's name.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, such as eur.")] = "eur",
    origin: Annotated[list[str] | None, typer.Option(help="A page's origin that may embed; again for more.")] = None,
) -> None:
    """Make a merchant and print its keys, which are not shown again."""
    from app.merchants.cli import make_merchant

    settings = _settings()
    _migrate(settings)
    try:
        with _usable_database():
            made = make_merchant(settings, name, currency, origin or [])
    except ValueError as wrong:
        _stop(str(wrong))
    for what, value in made.items():
        typer.echo(f"{what:<12}{value}")


@cli.command(name="import")
def import_file(
    file: Annotated[
        Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The catalogue, or lines of past facts.")
    ],
    of: Annotated[str | None, typer.Option("--merchant", help="`mer_…`; needless where there is only one.")] = None,
    file_format: Annotated[str, typer.Option("--format", help="Of a catalogue: shopify_csv")] = "shopify_csv",
    history: Annotated[
        bool, typer.Option("--history", help="The file tells past facts of another system (as POST /v1/history).")
    ] = False,
) -> None:
    """Bring in a catalogue, or a history. The same file twice changes nothing."""
    from app.catalog.cli import bring_in_file
    from app.history.cli import move_in
    from app.kernel.errors import AppError

    settings = _settings()
    _migrate(settings)
    try:
        with _usable_database():
            lost = move_in(settings, file, of) if history else bring_in_file(settings, file, file_format, of)
    except AppError as refusal:
        _stop(refusal.detail)
    raise typer.Exit(1 if lost else 0)


@cli.command()
def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where it is written, readable by you alone.")],
    force: Annotated[bool, typer.Option(help="Take the place of a file that is there.")] = False,
) -> None:
    """Write all that the database holds to one file, while everybody goes on working."""
    from app.backup.cli import take

    settings = _settings()
    with _told_in_one_line(), _usable_database():
        take(settings, file, force=force)


@cli.command()
def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The backup.")],
    replace: Annotated[bool, typer.Option(help="Throw away all that the database holds now.")] = False,
    check: Annotated[bool, typer.Option(help="Restore nothing: say what is in it, and whether it is whole.")] = False,
) -> None:
    """Fill an empty database from a backup, of SQLite or PostgreSQL: all of it or nothing."""
    from app.backup import cli as backups

    settings = _settings()
    with _told_in_one_line(), _usable_database():
        if check:
            backups.check(settings, file)
        else:
            backups.put_back(settings, file, replace=replace)


@cli.command()
def reconcile(
    since: Annotated[
        str | None, typer.Option(help="Look further back than the last comparison: a date or a time, as 2026-11-19.")
    ] = None,
) -> None:
    """Compare Stripe's books with ours now, repair what webhooks missed, and tell what that was."""
    from app import main
    from app.kernel.errors import AppError
    from app.orders.reconciliation import cli as orders

    settings = _settings()
    _migrate(settings)
    here = main.assemble(settings)
    try:
        with _usable_database():
            finished = orders.reconcile(here, since)
    except AppError as refusal:
        _stop(refusal.detail)
    finally:
        here.database.close()
    raise typer.Exit(0 if finished else 1)


@cli.command()
def demo(
    port: Port = 8000,
    reset: Annotated[bool, typer.Option(help="Begin anew: delete the demonstration's own database.")] = False,
) -> None:
    """A shop of its own, a wall on somebody's blog, and a simulated Stripe where no key is set."""
    from app.demo.run import run
    from app.kernel import open_files
    from app.settings import WrongSettings

    open_files.ask_for_all()
    try:
        with _usable_database():
            run(port, reset=reset)
    except WrongSettings as wrong:
        _stop(str(wrong))
    except OSError as taken:
        _stop(f"a port from {port} to {port + 2} cannot be had: {taken.strerror}. Choose another: --port")


def _settings() -> "Settings":
    from app.settings import WrongSettings, load

    try:
        return load()
    except WrongSettings as wrong:
        _stop(str(wrong))


def _migrate(settings: "Settings") -> None:
    from app.kernel.database import Database
    from app.migrate import upgrade

    database = Database(settings.database)
    try:
        with _usable_database():
            upgrade(database)
    finally:
        database.close()


def _reach(settings: "Settings") -> None:
    """Raises `DBAPIError` where the database does not answer."""
    from sqlalchemy import text

    from app.kernel.database import Database

    database = Database(settings.database)
    try:
        with database.reading() as session:
            session.execute(text("SELECT 1"))
    finally:
        database.close()


@contextmanager
def _usable_database() -> Iterator[None]:
    """Stops with one line where the database cannot be reached, or refuses."""
    from sqlalchemy.exc import DBAPIError

    try:
        yield
    except DBAPIError as error:
        said = str(error.orig).strip() or type(error.orig).__name__
        _stop(f"the database cannot be used: {said.splitlines()[0]}")


@contextmanager
def _told_in_one_line() -> Iterator[None]:
    """Stops where a backup is refused, or its file cannot be read or written. Told to end, it tidies up first."""
    import signal

    from app.backup.seal import Refused

    before = signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    try:
        yield
    except Refused as refusal:
        _stop(str(refusal))
    except OSError as error:
        _stop(f"{error.filename}: {error.strerror}" if error.filename else error.strerror or str(error))
    finally:
        signal.signal(signal.SIGTERM, before)


def _stop(why: str) -> NoReturn:
    typer.echo(f"grapevine: {why}", err=True)
    raise typer.Exit(2)


def main() -> None:
    """The console script."""
    cli(prog_name="grapevine")


if __name__ == "__main__":
    main()
