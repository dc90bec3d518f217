"""Puts a backup back, into SQLite or PostgreSQL, whichever it is of: whole, or not at all.

What is read is a copy of the backup, which migrations may bring up to date first; the backup itself is left as it is.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory

from sqlalchemy import URL
from sqlalchemy.orm import Session

from app import migrate
from app.backup import leavers, tables
from app.backup.leavers import Gone
from app.backup.rows import Told, carry, said_plainly
from app.backup.seal import About, Refused, unseal
from app.kernel.alone import is_alone
from app.kernel.database import Database
from app.kernel.statistics import look_at_named


def check(file: Path) -> About:
    """What the backup is. Raises `Refused` where it is damaged, or of a newer Grapevine."""
    with _opened(file) as (about, _):
        return about


def restore(database: Database, file: Path, *, told: Told, replace: bool = False, gone: Sequence[Gone] = ()) -> About:
    """Fill the database with what the backup holds, in one transaction; its tables are made where there are none.

    Whoever had left by what the database knew, or is among `gone`, is on its list of those who left afterwards too.

    Raises `Refused`, and has changed nothing, where there is anything in the database already (unless it is to be
    replaced), where others have it open, where the backup is damaged or newer than this code, or where there is
    no room; SQLAlchemy's `DBAPIError` where the database cannot be used.
    """
    with _opened(file) as (about, backup):
        _refuse(database, replace=replace)
        migrate.upgrade(database)
        with said_plainly("nothing was restored"), backup.reading() as source, database.transaction() as target:
            left = [*leavers.known(target), *gone]
            _put(source, target, told, replace=replace)
            leavers.carry_over(target, left)
    return about


@contextmanager
def _opened(file: Path) -> Iterator[tuple[About, Database]]:
    """What the backup is, and a copy of it that is up to date."""
    with TemporaryDirectory(prefix="grapevine-restore-") as folder:  # mode 0700
        copy = Path(folder) / "backup.db"
        about = unseal(file, copy)
        if about.revision not in migrate.known():
            raise Refused(f"{file} was made by a newer Grapevine (revision {about.revision}): install that one first")
        backup = Database(URL.create("sqlite", database=str(copy)), draft=True)
        try:
            with said_plainly(str(file)):
                migrate.upgrade(backup)
            yield about, backup
        finally:
            backup.close()


def _refuse(database: Database, *, replace: bool) -> None:
    with database.reading() as session:
        tables.revision(session)
        _refuse_rows(session, replace=replace)
    if not is_alone(database):
        raise Refused("others have the database open: stop every server and worker of it first")


def _refuse_rows(session: Session, *, replace: bool) -> None:
    if not replace and (found := tables.in_use(session)):
        raise Refused(f"the database is not empty ({', '.join(found[:3])} …): --replace takes the place of all in it")


def _put(source: Session, target: Session, told: Told, *, replace: bool) -> None:
    shapes = tables.shapes(source)
    tables.hold(target, shapes, "ACCESS EXCLUSIVE")
    _refuse_rows(target, replace=replace)
    if replace:
        tables.empty(target, shapes)
    carry(source, target, shapes, told)
    tables.set_counters(target, shapes)
    look_at_named(target, [shape.name for shape in shapes])
