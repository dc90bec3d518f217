"""Brings a database to the shape that this code needs, and tells whether it has it.

Alembic is imported only when there is something to do: it would make every start half as long again.
"""

import re
from pathlib import Path
from typing import TYPE_CHECKING

from sqlalchemy import column, select, table
from sqlalchemy.exc import DatabaseError
from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.resources import MIGRATIONS

if TYPE_CHECKING:
    from alembic.config import Config

_REVISION = re.compile(r'^(revision|down_revision) = "(\w+)"', re.MULTILINE)


def config(database: Database, scripts: Path = MIGRATIONS) -> "Config":
    """Alembic's configuration for this database and the folder of migrations; nothing is read from a file."""
    from alembic.config import Config

    made = Config()
    made.set_main_option("script_location", str(scripts).replace("%", "%%"))
    made.attributes["database"] = database
    return made


def upgrade(database: Database, scripts: Path = MIGRATIONS) -> None:
    """Apply what is missing. Servers that start together wait for each other (migrations/env.py).

    Raises SQLAlchemy's `DBAPIError` where the database cannot be reached or a migration fails.
    """
    if is_current(database, scripts):
        return
    from alembic import command

    command.upgrade(config(database, scripts), "head")


def make(database: Database, revision: str, scripts: Path = MIGRATIONS) -> None:
    """Make the tables of this revision, one of `known`, in an empty database."""
    from alembic import command

    command.upgrade(config(database, scripts), revision)


def is_current(database: Database, scripts: Path = MIGRATIONS) -> bool:
    """Whether the database has every migration that this code knows."""
    try:
        with database.reading() as session:
            found = applied(session)
    except DatabaseError:  # no such table: nothing was ever applied; or no database, which `upgrade` will say
        return False
    revisions = _revisions(scripts)
    return found == revisions["revision"] - revisions["down_revision"]  # those that no other builds upon


def applied(session: Session) -> set[str]:
    """The newest revisions of a database. Raises SQLAlchemy's `DatabaseError` where nothing was ever applied."""
    versions = table("alembic_version", column("version_num"))
    return set(session.scalars(select(versions.c.version_num)))


def known(scripts: Path = MIGRATIONS) -> set[str]:
    """Every revision that this code can bring a database to, and from there up to date."""
    return _revisions(scripts)["revision"]


def _revisions(scripts: Path) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {"revision": set(), "down_revision": set()}
    for script in (scripts / "versions").glob("*.py"):
        for kind, revision in _REVISION.findall(script.read_text("utf-8")):
            found[kind].add(revision)
    return found
