"""A database of each kind for tests of what stands on it, without a server before it."""

import itertools
from collections.abc import Iterator

import pytest

from app.kernel.database import Database
from tests.clock import TestClock
from tests.conftest import NewDatabase

_numbers = itertools.count(1)


@pytest.fixture(scope="module")
def database_url(new_database: NewDatabase) -> str:
    """A migrated database for the tests of one file."""
    return new_database(f"ground-{next(_numbers)}")


@pytest.fixture
def database(database_url: str) -> Iterator[Database]:
    opened = Database(database_url)
    yield opened
    opened.close()


@pytest.fixture
def still_clock() -> TestClock:
    """A clock that nobody else moves."""
    return TestClock()
