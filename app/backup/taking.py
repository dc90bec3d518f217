"""Takes a backup while everybody goes on working: what one moment's snapshot shows, made into a file.

The file's tables are made by our own migrations, up to the revision of the database that is backed up. All that is in
them is in the file, but the salts of the last days: a copy would outlive them (docs/privacy.md).
"""

from datetime import datetime
from pathlib import Path

from sqlalchemy import URL
from sqlalchemy.orm import Session

from app import migrate
from app.backup import tables
from app.backup.rows import Told, carry, said_plainly
from app.backup.seal import About, Refused, placed, seal
from app.kernel.clock import rfc3339
from app.kernel.database import Database
from app.kernel.signing import Signer
from app.privacy.models import Salt


def fingerprint(secret: str) -> str:
    """By which the server's secret is known again without being told."""
    return Signer(secret.encode()).sign("backup", "fingerprint")


def back_up(database: Database, file: Path, *, secret: str, at: datetime, told: Told, force: bool = False) -> About:
    """Write what the database holds now to `file`, readable by its owner alone. Nobody waits for it.

    Raises `Refused`, and leaves nothing, where there is nothing to back up, or `file` exists and is not to be replaced
    (`force`), or is the database itself, or has no room; SQLAlchemy's `DBAPIError` where the database cannot be used.
    """
    _refuse(database, file)
    with placed(file, force=force) as draft:
        with database.reading() as source:
            revision = tables.revision(source)
            if revision is None:
                raise Refused("there is nothing to back up: the database has no tables of Grapevine's")
            rows = _copy(database, source, revision, draft, told)
        about = About(revision, database.url.get_backend_name(), rfc3339(at), fingerprint(secret), rows)
        seal(draft, about)
    return about


def _refuse(database: Database, file: Path) -> None:
    """SQLite would make a database that is not there, and an empty backup would look like one."""
    if not database.is_sqlite:
        return
    own = Path(database.url.database or "")
    if not own.is_file():
        raise Refused(f"there is nothing to back up: there is no database {own}")
    if file.exists() and file.samefile(own):
        raise Refused(f"{file} is the database itself")


def _copy(database: Database, source: Session, revision: str, draft: Path, told: Told) -> dict[str, int]:
    made = Database(URL.create("sqlite", database=str(draft)), draft=True)
    try:
        with said_plainly("the backup cannot be written"):
            migrate.make(made, revision)
            with made.transaction() as target:
                shapes = [shape for shape in tables.shapes(target) if shape.name != Salt.__tablename__]
                tables.hold(source, shapes, "ACCESS SHARE")
                if not tables.still(database, revision):
                    raise Refused("the database was just brought up to date: start the backup again")
                return carry(source, target, shapes, told)
    finally:
        made.close()
