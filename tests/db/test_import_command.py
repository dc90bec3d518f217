"""`grapevine import`, alone and beside a server: each product is counted once."""

import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import event, func, select
from sqlalchemy.orm import Session

from app.catalog import imports
from app.catalog.models import Import
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.outbox import Outbox, OutboxRow, Worker
from tests.db.conftest import Run

DATA = Path(__file__).parents[1] / "data"


def test_a_shop_of_twenty_products_is_brought_in_whole(grapevine: Run, merchant: str) -> None:
    told = grapevine("import", DATA / "shopify_apparel.csv", "--merchant", merchant)

    assert (0, "20 created, 0 updated, 0 unchanged, 0 failed\n") == (told.exit_code, told.stdout)


def catalogue(folder: Path, count: int) -> Path:
    file = folder / "catalogue.csv"
    file.write_text("Handle,Title\n" + "".join(f"item-{number},Item {number}\n" for number in range(count)))
    return file


@contextmanager
def beside(database: Database, progress: imports.Progress) -> Iterator[Worker]:
    """The worker of a server that looks for work all the time."""
    clock = SystemClock()
    handlers = {imports.TOPIC: partial(imports.run, database, clock, progress=progress)}
    yield (worker := Worker(database, clock, Outbox(clock), handlers, poll_seconds=0.001))
    worker.stop()


def newest_import(database: Database) -> tuple[str, int, int]:
    """Its status, how far it is, and how many promises are left in the outbox."""
    with database.reading() as session:
        begun = session.scalar(select(Import).order_by(Import.created_at.desc()).limit(1))
        left = session.scalar(select(func.count()).select_from(OutboxRow)) or 0
    return (begun.status, begun.position, left) if begun else ("none", 0, left)


def test_an_import_beside_a_server_counts_each_product_once(
    grapevine: Run, merchant: str, database: Database, tmp_path: Path
) -> None:
    with beside(database, lambda _: None) as server:
        server.start()
        for told in ("300 created, 0 updated, 0 unchanged", "0 created, 0 updated, 300 unchanged"):
            done = grapevine("import", catalogue(tmp_path, 300), "--merchant", merchant)
            assert (0, f"{told}, 0 failed\n") == (done.exit_code, done.stdout)
            assert ("finished", 300) == newest_import(database)[:2]
    assert 0 == newest_import(database)[2]


def test_where_the_server_was_faster_the_command_looks_on_until_it_has_finished(
    grapevine: Run, merchant: str, database: Database, tmp_path: Path
) -> None:
    started, taken = threading.Event(), threading.Event()

    def slowly(_: Import) -> None:
        taken.set()
        time.sleep(0.05)

    with beside(database, slowly) as server:

        def server_first(_: Session) -> None:
            if not started.is_set() and newest_import(database) == ("queued", 0, 1):
                started.set()
                server.start()
                assert taken.wait(20)

        event.listen(Session, "after_commit", server_first)
        done = grapevine("import", catalogue(tmp_path, 300), "--merchant", merchant)
        event.remove(Session, "after_commit", server_first)
    assert taken.is_set()
    assert (0, "300 created, 0 updated, 0 unchanged, 0 failed\n") == (done.exit_code, done.stdout)
    assert ("finished", 300, 0) == newest_import(database)


def test_a_file_that_was_not_read_to_its_end_is_no_success(
    grapevine: Run, merchant: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def faulty(*_: object) -> Iterator[imports.Item]:
        yield from ()
        raise ZeroDivisionError

    monkeypatch.setattr(imports, "READERS", {"shopify_csv": faulty})
    told = grapevine("import", DATA / "shopify_apparel.csv", "--merchant", merchant)

    assert 1 == told.exit_code
    assert told.stdout.startswith("line 1, file: ")
