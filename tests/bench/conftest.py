"""A server with something on it, as the benchmark has it, for tests of the benchmark and of what it looks at.

Nothing is pinned to a core: other tests run meanwhile.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.bench import servers, world
from tests.bench.servers import Cores, Server
from tests.bench.world import World
from tests.conftest import NewDatabase

ANYWHERE = Cores(frozenset(), frozenset())


@dataclass(frozen=True)
class Place:
    """A server in a process of its own, and what stands on it."""

    server: Server
    its: World
    is_sqlite: bool


@pytest.fixture(scope="module")
def place(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    """On each kind of database."""
    folder: Path = tmp_path_factory.mktemp("bench")
    with servers.grapevine(ANYWHERE, new_database("bench"), folder) as server:
        yield Place(server, world.make(server, links=8, liked=16), new_database.backend == "sqlite")
