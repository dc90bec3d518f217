"""A database of each kind for tests of what stands on it, without a server before it."""

import itertools
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import delete
from typer.testing import CliRunner, Result

from app.cli import cli
from app.kernel.database import Database
from app.kernel.outbox import OutboxRow
from tests import postgres
from tests.clock import TestClock
from tests.conftest import NewDatabase
from tests.db.backups import NewPlace, new_place
from tests.db.hooked import Hooked
from tests.db.selling import Market
from tests.db.selling import market as new_market
from tests.receiver import Receiver, receiver
from tests.soak import SOAK

Run = Callable[..., Result]

RELAYS_KILLED = 20 if SOAK else 1
_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def database_url(new_database: NewDatabase) -> str:
    """A migrated database for the tests of one file."""
    return new_database(f"ground-{next(_numbers)}")


@pytest.fixture(scope="module")
def database(database_url: str) -> Iterator[Database]:
    """The same for all: statements are put into words once, and connections made once."""
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def cluster() -> Iterator[postgres.Cluster]:
    """A PostgreSQL of the test's own, which it may kill: it syncs to disk."""
    with postgres.cluster(durable=True) as made:
        yield made


@pytest.fixture
def still_clock() -> TestClock:
    """A clock that nobody else moves."""
    return TestClock()


@pytest.fixture
def hooked(database: Database, still_clock: TestClock) -> Hooked:
    """A merchant to whose endpoints is sent what happens."""
    return Hooked(database, still_clock)


@pytest.fixture
def there() -> Iterator[Receiver]:
    """An endpoint's other side."""
    with receiver() as served:
        yield served


@pytest.fixture
def market(database: Database, still_clock: TestClock, tmp_path: Path) -> Iterator[Market]:
    """Where things are sold through friends; nobody else's work waits."""
    with database.transaction() as session:
        session.execute(delete(OutboxRow))
    with new_market(database, tmp_path, still_clock) as opened:
        yield opened


@pytest.fixture
def killed_relays(database_url: str) -> Iterator[list[subprocess.Popen[bytes]]]:
    """Relays in processes of their own."""
    command = [sys.executable, "-m", "tests.db.relaying", database_url]
    running = [subprocess.Popen(command, stdout=subprocess.PIPE) for _ in range(RELAYS_KILLED)]
    for each in running:
        assert each.stdout is not None
        assert each.stdout.readline() == b"ready\n"
    yield running
    for each in running:
        each.kill()
        each.communicate()


@pytest.fixture
def grapevine(database_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Run:
    """Runs a command with settings of the test's own."""
    monkeypatch.setenv("GRAPEVINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", database_url)
    return lambda *words: CliRunner().invoke(cli, [str(word) for word in words])


@pytest.fixture
def merchant(grapevine: Run) -> str:
    made = re.search(r"mer_\w+", grapevine("merchant", "Vine & Thread", "--currency", "eur").output)
    assert made is not None
    return made[0]


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where a backup is to be, alone in its folder, under a name that no address can hold as it is."""
    folder = tmp_path / "backups"
    folder.mkdir()
    return folder / "grapevine 100% & more?#.db"


@pytest.fixture
def place(request: pytest.FixtureRequest, tmp_path: Path) -> NewPlace:
    return new_place(request, tmp_path)
