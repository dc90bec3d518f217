"""`grapevine backup`, `restore` and `leavers`: the operator's commands about copies of everything. Each imports what it
needs when it is called.
"""

from pathlib import Path
from typing import Annotated

import typer

from app import console


def backup(
    file: Annotated[Path, typer.Argument(dir_okay=False, help="Where it is written, readable by you alone.")],
    force: Annotated[bool, typer.Option(help="Take the place of a file that is there.")] = False,
) -> None:
    """Write all that the database holds to one file, while everybody goes on working."""
    from app.backup.cli import take

    settings = console.settings()
    with console.told_in_one_line(), console.usable_database():
        take(settings, file, force=force)


def restore(
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, readable=True, help="The backup.")],
    replace: Annotated[bool, typer.Option(help="Throw away all that the database holds now.")] = False,
    check: Annotated[bool, typer.Option(help="Restore nothing: say what is in it, and whether it is whole.")] = False,
    leavers: Annotated[
        Path | None,
        typer.Option(exists=True, dir_okay=False, help="A newer list of `grapevine leavers`."),
    ] = None,
) -> None:
    """Fill an empty database from a backup, of SQLite or PostgreSQL: all of it or nothing. Who was erased since the
    backup, by what the database knew or the list says, is erased again."""
    from app import erasing, main
    from app.backup import cli as backups

    settings = console.settings()
    with console.told_in_one_line(), console.usable_database():
        if check:
            backups.check(settings, file)
        else:
            backups.put_back(settings, file, replace=replace, gone=leavers)
            here = main.assemble(settings)
            try:
                again = erasing.erase_all_again(here)
            finally:
                here.reports.close()
                here.database.close()
            if again:
                typer.echo(f"{again} of those who were erased had come back, and were erased again.")


def leavers() -> None:
    """List those who opted out or were erased, as hashes: `grapevine restore --leavers` forgets them again."""
    from app.backup.cli import list_leavers

    settings = console.settings()
    with console.told_in_one_line(), console.usable_database():
        for line in list_leavers(settings):
            typer.echo(line)
