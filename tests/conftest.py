"""What tests stand on: both databases, the real server over HTTP, a clock that tests move."""

import functools
import gc
import itertools
import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import pytest
from httpx._transports import default

from app import main
from app.kernel import periodic
from app.kernel.database import Database
from app.settings import Settings
from tests import in_memory, migrated, postgres
from tests.clock import START, TestClock
from tests.measured import is_measured
from tests.net import free_port, serving
from tests.shop import JSON, TestMerchant, ok

ADMIN_TOKEN = "operator-token-of-the-tests"
WEBHOOK_SECRET = "whsec_of_the_tests"
SECRET = "secret-of-the-tests-" + "x" * 12
BACKENDS = ("sqlite", "postgresql")


_numbers = itertools.count(1)


def pytest_configure() -> None:
    """What would make tests wait for nothing that they are about."""
    in_memory.move_temporary_files()
    # A client reads the certificates of all authorities when it is made, which takes 20 ms: once is enough for all.
    default.create_ssl_context = functools.cache(default.create_ssl_context)  # type: ignore[attr-defined]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if is_measured(item):
            item.add_marker("measured")


def pytest_collection_finish() -> None:
    """Thousands of tests are collected, which stay until the end: let no search for garbage go through them again."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def postgres_url() -> Iterator[str]:
    """A PostgreSQL server; tests make databases in it."""
    with postgres.running() as url:
        yield url


@dataclass(frozen=True)
class NewDatabase:
    """Makes migrated databases of one kind."""

    backend: str
    folder: Path
    request: pytest.FixtureRequest

    def __call__(self, name: str) -> str:
        """The address of a fresh, migrated database."""
        if self.backend == "sqlite":
            return migrated.on_sqlite(self.folder / f"{name}.db")
        # Once more where the tests of one kind come in two parts, as happens where processes share them out.
        return migrated.on_postgresql(self.request.getfixturevalue("postgres_url"), f"{name}-{next(_numbers)}")


@pytest.fixture(scope="session", params=BACKENDS)
def new_database(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> NewDatabase:
    """Runs the test once for each database."""
    return NewDatabase(request.param, tmp_path_factory.mktemp("databases"), request)


@dataclass(frozen=True)
class AppServer:
    """The whole application behind the real server, in this process."""

    url: str
    settings: Settings
    clock: TestClock
    database: Database


def settings_for(database_url: str, folder: Path, **given: Any) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=database_url,
        secret=SECRET,
        admin_token=ADMIN_TOKEN,
        **given,
    )


def keys_at(url: str, **fields: Any) -> JSON:
    """A new merchant of the server there, as its operator makes one: the id and the keys."""
    answer = httpx.post(
        f"{url}/v1/merchants",
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
        json={"name": "Vine & Thread", "currency": "eur", **fields},
        verify=False,  # makes no use of certificates, and loads none
        timeout=30,
    )
    return dict(ok(answer, 201))


def merchant_at(url: str, clock: TestClock, **fields: Any) -> TestMerchant:
    """The same, with connections that the caller closes."""
    shown = keys_at(url, **fields)
    return TestMerchant(shown["id"], shown["secret_key"], shown["report_key"], url, clock, shown["currency"])


@contextmanager
def timetable_looked_at_once() -> Iterator[None]:
    """The timetable of a server that starts in the block is looked at once. Where a clock goes back with each test, all
    jobs would be due at each look, for all merchants of all tests before."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(periodic, "LOOKS_EVERY", 3600.0)
        yield


@pytest.fixture(scope="session")
def shared_server(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """One server for all tests of a database: merchants do not see each other, so tests do not either."""
    port, clock = free_port(), TestClock()
    url = f"http://127.0.0.1:{port}"
    settings = settings_for(new_database("shared"), tmp_path_factory.mktemp("data"), public_url=url)
    database = Database(settings.database)
    with ExitStack() as running:
        with timetable_looked_at_once():
            running.enter_context(serving(main.application(settings, clock), port))
        yield AppServer(url, settings, clock, database)
    database.close()


@pytest.fixture
def app_server(shared_server: AppServer) -> AppServer:
    """The shared server, with its clock set to the beginning."""
    shared_server.clock.set(START)
    return shared_server


@pytest.fixture
def clock(app_server: AppServer) -> TestClock:
    return app_server.clock


@pytest.fixture
def new_merchant(app_server: AppServer) -> Iterator[Callable[..., TestMerchant]]:
    """Makes merchants on the shared server."""
    made: list[TestMerchant] = []

    def new(**fields: Any) -> TestMerchant:
        made.append(merchant_at(app_server.url, app_server.clock, **fields))
        return made[-1]

    yield new
    for merchant in made:
        merchant.close()


@pytest.fixture
def merchant(new_merchant: Callable[..., TestMerchant]) -> TestMerchant:
    """A merchant of this test's own."""
    return new_merchant()


@pytest.fixture(scope="session")
def chromium() -> str:
    """The path of a Chromium; the test is skipped, saying so, where there is none."""
    for path in (
        os.environ.get("CHROMIUM"),
        "/usr/bin/chromium",
        "/usr/bin/chromium-browser",
        "/usr/bin/google-chrome",
    ):
        if path and Path(path).exists():
            return path
    pytest.skip("no Chromium on this machine: browser tests are skipped")
