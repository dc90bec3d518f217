"""`grapevine`: the operator's command line. Each command imports what it needs when it is called."""

import gc
import os
from pathlib import Path
from typing import Annotated

import typer

from app import cli_backups, console

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
    settings = console.settings()
    if workers > 1 and settings.database.startswith("sqlite"):
        console.stop("SQLite has one writer: --workers needs PostgreSQL (GRAPEVINE_DATABASE_URL).")
    console.make_ready(settings)
    console.check_replica(settings)

    import uvicorn

    from app.kernel import logs, open_files

    open_files.ask_for_all()
    logs.install(settings.log_format, settings.secrets)
    if workers == 1:  # imports make hardly any garbage, and looking for it costs a tenth of the start
        gc.disable()  # until main.from_environment has built the application in this process
    uvicorn.run(
        "app.main:from_environment",
        factory=True,
        host=host,
        port=port,
        workers=workers,
        http="app.kernel.http.lines:HttpLine",
        ws="none",
        access_log=False,
        log_config=None,
        server_header=False,
        proxy_headers=bool(settings.trusted_proxies),
        forwarded_allow_ips=settings.trusted_proxies or None,
        timeout_graceful_shutdown=10,
    )


@cli.command()
def worker() -> None:
    """Run background jobs apart from the server (whose `GRAPEVINE_JOBS` is then `false`)."""
    from app import main

    settings = console.settings()
    with console.usable_database():
        console.reach(settings)
        main.run_worker(settings)


@cli.command()
def migrate() -> None:
    """Bring the database up to date. Servers do so themselves when they start."""
    console.migrate(console.settings())
    typer.echo("The database is up to date.")


@cli.command()
def merchant(
    name: Annotated[str, typer.Argument(help="The shop's name.")],
    currency: Annotated[str, typer.Option(help="ISO 4217, such as eur.")] = "eur",
    origin: Annotated[list[str] | None, typer.Option(help="A page's origin that may embed; again for more.")] = None,
) -> None:
    """Make a merchant and print its keys, which are not shown again."""
    from app.merchants.cli import make_merchant

    settings = console.settings()
    console.migrate(settings)
    try:
        with console.usable_database():
            made = make_merchant(settings, name, currency, origin or [])
    except ValueError as wrong:
        console.stop(str(wrong))
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

    settings = console.settings()
    console.migrate(settings)
    try:
        with console.usable_database():
            lost = move_in(settings, file, of) if history else bring_in_file(settings, file, file_format, of)
    except AppError as refusal:
        console.stop(refusal.detail)
    raise typer.Exit(1 if lost else 0)


for _command in (cli_backups.backup, cli_backups.restore, cli_backups.leavers):
    cli.command()(_command)


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

    settings = console.settings()
    console.migrate(settings)
    here = main.assemble(settings)
    try:
        with console.usable_database():
            finished = orders.reconcile(here, since)
    except AppError as refusal:
        console.stop(refusal.detail)
    finally:
        here.database.close()
    raise typer.Exit(0 if finished else 1)


@cli.command()
def simulate(
    seed: Annotated[int, typer.Option(help="Which world: of equal options, equal worlds.")] = 7,
    merchants: Annotated[int, typer.Option(help="Merchants, each smaller than the one before.")] = 3,
    facts: Annotated[int, typer.Option(help="Visits, likes, shares and beacons, of all together.")] = 1_000_000,
    days: Annotated[int, typer.Option(help="How long it lasts.")] = 365,
    until: Annotated[str | None, typer.Option(help="The day after the last, as 2026-11-22; default: today.")] = None,
    orders: Annotated[int | None, typer.Option(help="Default: one to a hundred facts.")] = None,
    truth: Annotated[
        Path | None, typer.Option(dir_okay=False, help="A file for the figures that reports must show (JSON).")
    ] = None,
    add: Annotated[bool, typer.Option(help="Even where there are merchants already.")] = False,
) -> None:
    """Fill the database with a world whose true figures are known: to try reports, and to measure."""
    from app.simulation.cli import make_world
    from app.simulation.options import Impossible

    settings = console.settings()
    console.migrate(settings)
    wanted = {"seed": seed, "merchants": merchants, "facts": facts, "days": days, "orders": orders}
    try:
        with console.usable_database():
            make_world(settings, wanted, until, truth, add=add)
    except Impossible as impossible:
        console.stop(str(impossible))


@cli.command()
def doctor(
    merchant: Annotated[str | None, typer.Option(help="`mer_…`: only its books; default: everybody's.")] = None,
    quick: Annotated[bool, typer.Option(help="Leave out what is held against every fact.")] = False,
) -> None:
    """Look whether all is well, books and counts to the last cent, and say what is not. Changes nothing."""
    from app.doctor import examine
    from app.kernel.errors import AppError

    settings = console.settings()
    console.find(settings)
    try:
        with console.usable_database():
            well = examine(settings, merchant, quick=quick)
    except AppError as refusal:
        console.stop(refusal.detail)
    raise typer.Exit(0 if well else 1)


rollups = typer.Typer(help="The counts that reports are read from, beside the facts.", no_args_is_help=True)
cli.add_typer(rollups, name="rollups")
Whose = Annotated[str | None, typer.Option("--merchant", help="`mer_…`; default: everybody.")]
Since = Annotated[str | None, typer.Option(help="Only facts from then on: a date or a time, as 2026-11-19.")]


@rollups.command(name="check")
def check_rollups(merchant: Whose = None, since: Since = None) -> None:
    """Compare the counts with the facts, and say what differs. Changes nothing, and holds up nobody."""
    _compare_rollups(merchant, since, mend=False)


@rollups.command(name="rebuild")
def rebuild_rollups(merchant: Whose = None, since: Since = None) -> None:
    """Make the counts those of the facts, while everybody goes on working; say what differed."""
    _compare_rollups(merchant, since, mend=True)


def _compare_rollups(merchant: str | None, since: str | None, *, mend: bool) -> None:
    from app.reports import rollups_cli

    settings = console.settings()
    if mend:
        console.migrate(settings)
    else:
        console.find(settings)
    with console.refusals(), console.usable_database():
        differed = rollups_cli.check(settings, merchant, since, mend=mend)
    raise typer.Exit(1 if differed and not mend else 0)


@cli.command()
def export(
    to: Annotated[Path, typer.Option(help="A folder: a file for each table, in place of those of an export before.")],
    merchant: Annotated[str | None, typer.Option(help="`mer_…`; needless where there is only one.")] = None,
    file_format: Annotated[str, typer.Option("--format", help="ndjson or csv.")] = "ndjson",
) -> None:
    """Write all facts of a merchant into files, as they are at one moment, while everybody goes on working."""
    from app.delivery.cli import export_facts

    settings = console.settings()
    console.find(settings)
    with console.refusals(), console.usable_database():
        export_facts(settings, merchant, to, file_format)


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
        with console.usable_database():
            run(port, reset=reset)
    except WrongSettings as wrong:
        console.stop(str(wrong))
    except OSError as taken:
        console.stop(f"a port from {port} to {port + 2} cannot be had: {taken.strerror}. Choose another: --port")


def main() -> None:
    """The console script."""
    cli(prog_name="grapevine")


if __name__ == "__main__":
    main()
