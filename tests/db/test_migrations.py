"""Servers that start together on an empty database take turns: all of them find it ready, and nothing runs twice."""

import multiprocessing
import os
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from multiprocessing.synchronize import Barrier
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from app import migrate
from app.kernel.database import Database
from app.resources import MIGRATIONS
from tests import postgres
from tests.conftest import BACKENDS
from tests.soak import SOAK

ROOT = Path(__file__).parents[2]
SERVERS = 4
ROUNDS = 5 if SOAK else 2
EmptyDatabase = Callable[[str], str]

MORE = """
import time
import sqlalchemy as sa
from alembic import op

revision = "{revision}"
down_revision = "{before}"


def upgrade() -> None:
    {create}
    time.sleep(0.1)  # time enough for another to believe that its turn has come
    op.execute("INSERT INTO runs (revision) VALUES ('{revision}')")
"""


@pytest.fixture(params=BACKENDS)
def empty(request: pytest.FixtureRequest, tmp_path: Path) -> EmptyDatabase:
    """Gives the address of an empty database by its name."""
    if request.param == "sqlite":
        return lambda name: f"sqlite:///{tmp_path / name}.db"
    server = request.getfixturevalue("postgres_url")
    return lambda name: postgres.new_database(server, f"empty-{time.monotonic_ns()}-{name}")


def address(database: Database) -> str:
    return database.url.render_as_string(hide_password=False)


@pytest.fixture
def scripts(tmp_path: Path) -> Path:
    """The migrations of the code and two more, which tell how often they ran."""
    folder = tmp_path / "migrations"
    shutil.copytree(MIGRATIONS, folder, ignore=shutil.ignore_patterns("__pycache__"))
    newest = max((folder / "versions").glob("*.py")).name.partition("_")[0]
    table = 'op.create_table("runs", sa.Column("revision", sa.String(8), nullable=False))'
    write(folder, "9001", MORE.format(revision="9001", before=newest, create=table))
    write(folder, "9002", MORE.format(revision="9002", before="9001", create="pass"))
    return folder


def write(folder: Path, name: str, content: str) -> None:
    (folder / "versions" / f"{name}_of_the_tests.py").write_text(content)


def upgrade_in_turn(urls: list[str], scripts: Path, together: Barrier, failures: "multiprocessing.Queue[str]") -> None:
    """One server, which starts anew on each of the databases at the same moment as the others."""
    for url in urls:
        database = Database(url)
        together.wait(60)
        try:
            migrate.upgrade(database, scripts)
            assert migrate.is_current(database, scripts)
        except Exception as failure:
            failures.put(f"{url}: {failure!r}")
        finally:
            database.close()


def runs(url: str) -> list[str]:
    database = Database(url)
    with database.reading() as session:
        found = [str(row) for row in session.scalars(text("SELECT revision FROM runs ORDER BY revision"))]
    database.close()
    return found


@pytest.mark.soak
@pytest.mark.slow
def test_of_servers_that_start_together_each_succeeds_and_nothing_runs_twice(
    empty: EmptyDatabase, scripts: Path
) -> None:
    urls = [empty(str(number)) for number in range(ROUNDS)]
    processes = multiprocessing.get_context("forkserver")  # Alembic has one present migration to a process
    processes.set_forkserver_preload([__name__, "app.tables"])
    barrier, failures = processes.Barrier(SERVERS), processes.Queue()
    servers = [
        processes.Process(target=upgrade_in_turn, args=(urls, scripts, barrier, failures)) for _ in range(SERVERS)
    ]
    for server in servers:
        server.start()
    for server in servers:
        server.join(100)

    assert [0] * SERVERS == [server.exitcode for server in servers]
    assert [] == [failures.get(timeout=5) for _ in range(failures.qsize())]
    failures.close()
    failures.join_thread()
    assert [["9001", "9002"]] * ROUNDS == [runs(url) for url in urls]


@pytest.mark.slow
def test_the_command_may_be_given_several_times_at_once_in_an_empty_folder(tmp_path: Path) -> None:
    environment = {name: value for name, value in os.environ.items() if not name.startswith("GRAPEVINE_")}
    environment |= {"GRAPEVINE_DATA_DIR": str(tmp_path / "new"), "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-m", "app.cli", "migrate"]
    started = [
        subprocess.Popen(
            command, env=environment, cwd=tmp_path, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
        )
        for _ in range(SERVERS)
    ]
    assert ["The database is up to date.\n"] * SERVERS == [each.communicate(timeout=100)[0] for each in started]
    assert [0] * SERVERS == [each.returncode for each in started]


def test_a_migration_that_fails_leaves_what_went_before_and_the_turn_to_the_next(
    empty: EmptyDatabase, scripts: Path
) -> None:
    database = Database(empty("broken"))
    migrate.upgrade(database)
    first = next((scripts / "versions").glob("9001*"))
    sound = first.read_text()
    first.write_text(sound.replace("INTO runs", "INTO nowhere"))
    for _ in range(2):
        with pytest.raises(DBAPIError):
            migrate.upgrade(database, scripts)
    assert migrate.is_current(database)

    first.write_text(sound)
    migrate.upgrade(database, scripts)
    assert ["9001", "9002"] == runs(address(database))
    database.close()


@pytest.fixture
def on_postgresql(postgres_url: str) -> Iterator[Database]:
    """An empty database in PostgreSQL."""
    database = Database(postgres.new_database(postgres_url, f"turns-{time.monotonic_ns()}"))
    yield database
    database.close()


def test_on_postgresql_neither_the_turn_nor_its_time_limit_outlasts_the_migrations(on_postgresql: Database) -> None:
    migrate.upgrade(on_postgresql)
    with on_postgresql.reading() as session:
        assert "0" == session.scalar(text("SHOW lock_timeout"))
        held = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND database ="
        assert 0 == session.scalar(text(f"{held} (SELECT oid FROM pg_database WHERE datname = current_database())"))


def test_whoever_waits_does_not_hold_up_an_index_that_is_made_concurrently(on_postgresql: Database) -> None:
    with psycopg.connect(address(on_postgresql), autocommit=True) as other:
        other.execute("CREATE TABLE wide (a int)")
        other.execute("SELECT pg_advisory_lock(7239847192)")  # it is another's turn
        waiting = threading.Thread(target=migrate.upgrade, args=(on_postgresql,))
        waiting.start()
        time.sleep(1.0)
        other.execute("SET statement_timeout = '10s'")
        other.execute("CREATE INDEX CONCURRENTLY ix_wide ON wide (a)")
        assert waiting.is_alive()
        other.execute("SELECT pg_advisory_unlock(7239847192)")
        waiting.join(30)
    assert migrate.is_current(on_postgresql)
