"""Migrated databases for tests, made by copying one: the migrations run once in a process for each kind of database,
and not once for each test. What tests the migrations themselves knows nothing of this."""

import functools
import tempfile
from pathlib import Path

import psycopg

from app import migrate
from app.kernel.database import Database
from tests import postgres

_TEMPLATE = "grapevine-template"


def on_sqlite(path: Path) -> str:
    """The address of a fresh database in that file, which is not there yet."""
    with path.open("xb") as file:
        file.write(_migrated_file())
    return f"sqlite:///{path}"


def on_postgresql(server: str, name: str) -> str:
    """The address of a fresh database of that name there."""
    return postgres.new_database(server, name, template=_template_on(server))


@functools.cache
def _migrated_file() -> bytes:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"{_TEMPLATE}.db"
        _migrate(f"sqlite:///{path}")
        return path.read_bytes()


@functools.cache
def _template_on(server: str) -> str:
    """The name of a database there that nobody may connect to: what others are connected to cannot be copied."""
    _migrate(postgres.new_database(server, _TEMPLATE))
    with psycopg.connect(f"{server}/postgres", autocommit=True) as connection:
        connection.execute(f'ALTER DATABASE "{_TEMPLATE}" ALLOW_CONNECTIONS false')
    return _TEMPLATE


def _migrate(url: str) -> None:
    database = Database(url)
    migrate.upgrade(database)
    database.close()
