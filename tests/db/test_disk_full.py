"""The disk full: what would write is told to come back (503), reading goes on, and it heals without a restart.

SQLite: the database on a small disk that is really full where one can be mounted; and, everywhere on Linux, a server
that may let no file grow, which SQLite takes for a broken disk. PostgreSQL: its database in a tablespace on a small
disk. Where that cannot be mounted the test is skipped and says so.
"""

import os
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from sqlalchemy import create_engine, text

from app import migrate
from app.kernel.database import Database
from tests import postgres
from tests.db.asking import Shop, is_put_off
from tests.disk import Allowance, SmallDisk, can_limit_files, small_disk
from tests.served import Server
from tests.shop import ok


@dataclass(frozen=True)
class Place:
    """A server, and the disk on which its database lies."""

    server: Server
    disk: SmallDisk | Allowance


@pytest.fixture(params=["sqlite on a full disk", "sqlite that may not grow", "postgresql on a full disk"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Place]:
    if request.param == "sqlite on a full disk":
        with small_disk(tmp_path / "disk", megabytes=8) as disk:
            yield from _served(f"sqlite:///{disk.folder / 'grapevine.db'}", tmp_path, disk)
    elif request.param == "sqlite that may not grow":
        if not can_limit_files():
            pytest.skip("this system cannot keep a process's files from growing")
        yield from _served(f"sqlite:///{tmp_path / 'grapevine.db'}", tmp_path, None)
    else:
        with postgres.cluster() as cluster, small_disk(cluster.home / "disk", megabytes=48) as disk:
            yield from _served(_in_tablespace(cluster, disk.folder), tmp_path, disk)
            cluster.kill()  # it would hold the disk


def _served(database_url: str, folder: Path, disk: SmallDisk | None) -> Iterator[Place]:
    server = Server(database_url, folder)
    server.start()
    assert server.process is not None
    yield Place(server, disk or Allowance(server.process.pid))
    server.kill()


def _in_tablespace(cluster: postgres.Cluster, folder: Path) -> str:
    """A database whose tables lie in `folder`; the rest of PostgreSQL, its log of writes above all, does not: without
    room for that it stops altogether."""
    place = folder / "tables"
    place.mkdir()
    os.chown(place, cluster.home.stat().st_uid, -1)
    engine = create_engine(cluster.url.replace("postgresql", "postgresql+psycopg") + "/postgres")
    with engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        connection.execute(text(f"CREATE TABLESPACE small LOCATION '{place}'"))
        connection.execute(text("CREATE DATABASE small TABLESPACE small"))
    engine.dispose()
    database = Database(f"{cluster.url}/small")
    migrate.upgrade(database)
    database.close()
    return f"{cluster.url}/small"


def test_writing_waits_reading_goes_on_and_it_heals_by_itself(place: Place) -> None:
    with httpx.Client(base_url=place.server.url, verify=False, timeout=60) as http:
        shop = Shop.begin(http)
        told = [ok(shop.writes["order"]())["id"]]
        place.disk.fill()
        going = set(shop.writes)
        for _ in range(90):  # PostgreSQL goes on while there is room in the pages that it has
            answers = {name: ask() for name, ask in shop.writes.items() if name in going}
            told += [ok(answer)["id"] for name, answer in answers.items() if name == "order" and answer.is_success]
            for name, answer in answers.items():
                if not answer.is_success:
                    is_put_off(answer)
                    going.remove(name)
            if not going:
                break
        assert set() == going
        assert {} == {name: answer.text for name, answer in shop.reads.items() if answer.status_code != 200}

        place.disk.free()
        assert {} == {name: answer.text for name, answer in shop.done().items() if not answer.is_success}
        told.append(ok(shop.writes["order"]())["id"])
        listed = {order["id"] for order in ok(http.get("/v1/orders?limit=100", headers=shop.key))["data"]}
        assert set(told) <= listed
    assert "Traceback" not in place.server.log, place.server.log[-5000:]
