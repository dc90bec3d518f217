"""An import that several read at once, whose reader dies, or that cannot be read: nothing is counted twice, and the
merchant is told how it ended."""

from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from io import BytesIO
from typing import BinaryIO

import pytest
from sqlalchemy import delete, func, select

from app.catalog import imports
from app.catalog.feeds.items import FeedProduct, FeedVariant, RowError
from app.catalog.imports import BATCH, MOST_ERRORS, TRIES
from app.catalog.models import Import, ImportChunk, Product
from app.kernel.database import Database
from app.kernel.outbox import LEASE, Outbox, OutboxRow, Worker
from app.merchants import service as merchants
from app.merchants.service import NewMerchant
from tests.clock import TestClock
from tests.threads import together


class _Killed(BaseException):
    """Stands for the end of the process in the middle of the work."""


def die(_: Import) -> None:
    raise _Killed


def go_on(_: Import) -> None:
    pass


def catalogue(count: int) -> bytes:
    return b"Handle,Title,Tags\n" + b"".join(b"item-%d,Item %d,new\n" % (number, number) for number in range(count))


@dataclass
class Desk:
    """A merchant who brings in catalogues, and those who read them."""

    database: Database
    clock: TestClock
    merchant: int

    def upload(self, content: bytes, file_format: str = "shopify_csv") -> str:
        with self.database.transaction() as session:
            outbox, now = Outbox(self.clock), self.clock.now()
            begun = imports.start(session, outbox, self.merchant, file_format, BytesIO(content), now)
        return begun.import_id

    def read(self, begun: str, progress: imports.Progress = go_on) -> Import:
        return imports.bring_in(self.database, self.clock, self.merchant, begun, progress)

    def work(self, progress: imports.Progress = go_on) -> int:
        """What a worker does that looks for work once."""
        job = partial(imports.run, self.database, self.clock, progress=progress)
        return Worker(self.database, self.clock, Outbox(self.clock), {imports.TOPIC: job}).run_due()

    def die_at_work(self) -> None:
        with pytest.raises(_Killed):
            self.work(die)

    def state(self, begun: str) -> Import:
        with self.database.reading() as session:
            return imports.get(session, self.merchant, begun)

    def count(self, table: type[Product | ImportChunk | OutboxRow]) -> int:
        with self.database.reading() as session:
            return session.scalar(select(func.count()).where(table.merchant_id == self.merchant)) or 0

    def kept(self) -> tuple[int, int, int]:
        """How many products, pieces of files and promises there are."""
        return self.count(Product), self.count(ImportChunk), self.count(OutboxRow)

    def leave(self) -> None:
        with self.database.transaction() as session:
            merchants.close(session, merchants.get(session, self.merchant), self.clock.now())

    def assert_whole(self, begun: str, count: int) -> None:
        """Each of `count` products was counted once, and nothing is left to do."""
        state = self.state(begun)
        assert ("finished", count, count) == (state.status, state.position, state.created)
        assert (0, 0, 0, []) == (state.updated, state.unchanged, state.failed, state.errors)
        assert (count, 0, 0) == self.kept()


@pytest.fixture
def desk(database: Database, still_clock: TestClock) -> Desk:
    new = NewMerchant("Vine & Thread", "eur", "UTC", [], [])
    with database.transaction() as session:
        session.execute(delete(OutboxRow))
        merchant = merchants.create(session, new, still_clock.now())
    return Desk(database, still_clock, merchant.merchant_id)


def test_several_who_read_at_once_count_each_product_once(desk: Desk) -> None:
    begun = desk.upload(catalogue(330))
    states = together(*[partial(desk.read, begun)] * 4)

    assert "finished" in {state.status for state in states}
    assert desk.work() == 1
    desk.assert_whole(begun, 330)


def test_who_was_outrun_stops_and_leaves_the_rest(desk: Desk) -> None:
    begun = desk.upload(catalogue(4 * BATCH))
    told: list[int] = []

    def let_another_go_ahead(state: Import) -> None:
        told.append(state.position)
        with pytest.raises(_Killed):
            desk.read(begun, die)

    state = desk.read(begun, let_another_go_ahead)

    assert ("running", 2 * BATCH, None) == (state.status, state.position, state.finished_at)
    assert [BATCH] == told
    assert "finished" == desk.read(begun).status
    assert 4 * BATCH == desk.count(Product)


def test_who_reads_on_after_another_has_finished_changes_nothing(desk: Desk) -> None:
    begun = desk.upload(catalogue(3 * BATCH))
    state = desk.read(begun, lambda _: assert_finished(desk.read(begun)))

    assert_finished(state)
    assert desk.work() == 1
    desk.assert_whole(begun, 3 * BATCH)


def assert_finished(state: Import) -> None:
    assert "finished" == state.status


def test_a_reader_whose_lease_ran_out_stops_for_the_one_who_has_it(desk: Desk) -> None:
    begun = desk.upload(catalogue(4 * BATCH))

    def sleep_too_long(state: Import) -> None:
        if state.position == BATCH:
            desk.clock.move(seconds=61)
            desk.die_at_work()  # another worker, who has the lease now, and reads one batch

    assert 1 == desk.work(sleep_too_long)
    state = desk.state(begun)
    assert ("running", 2 * BATCH, 1) == (state.status, state.position, desk.count(OutboxRow))

    desk.clock.move(seconds=LEASE.total_seconds())
    assert 1 == desk.work()
    desk.assert_whole(begun, 4 * BATCH)


def test_a_reader_who_was_outrun_by_a_sleeper_goes_on_from_where_that_one_got(desk: Desk) -> None:
    begun = desk.upload(catalogue(4 * BATCH))

    def sleeper_wakes(state: Import) -> None:
        if state.position == BATCH:
            with pytest.raises(_Killed):
                desk.read(begun, die)

    assert 1 == desk.work(sleeper_wakes)
    desk.assert_whole(begun, 4 * BATCH)


def test_two_imports_of_the_same_products_at_once_make_them_once(desk: Desk) -> None:
    first, second = desk.upload(catalogue(200)), desk.upload(catalogue(200))
    states = together(partial(desk.read, first), partial(desk.read, second))

    assert [("finished", 200)] * 2 == [(state.status, state.position) for state in states]
    assert (200, 200) == (sum(state.created for state in states), sum(state.unchanged for state in states))
    assert 200 == desk.count(Product)


def test_an_import_whose_reader_always_dies_has_failed_in_the_end(desk: Desk) -> None:
    begun = desk.upload(catalogue(BATCH * (TRIES + 2)))
    for _ in range(TRIES):
        desk.die_at_work()
        desk.clock.move(seconds=61)

    assert 1 == desk.work()
    state = desk.state(begun)
    assert ("failed", TRIES * BATCH) == (state.status, state.created)
    assert state.finished_at is not None
    assert [f"given up after {TRIES} attempts; what was read until then stands"] == [e["detail"] for e in state.errors]
    assert (0, 0) == (desk.count(ImportChunk), desk.count(OutboxRow))


def test_the_import_of_a_merchant_who_has_left_fails_at_once(desk: Desk) -> None:
    begun = desk.upload(catalogue(3))
    desk.leave()

    assert 1 == desk.work()
    state = desk.state(begun)
    assert ("failed", 0, [{"line": 1, "field": "file", "detail": "the merchant has left"}]) == (
        state.status,
        state.created,
        state.errors,
    )
    assert (0, 0, 0) == desk.kept()


def test_an_import_stops_where_its_merchant_leaves(desk: Desk) -> None:
    begun = desk.upload(catalogue(3 * BATCH))

    assert 1 == desk.work(lambda _: desk.leave())
    state = desk.state(begun)
    assert ("failed", BATCH) == (state.status, state.created)
    assert BATCH == desk.count(Product)


def product(line: int, title: str = "Mug") -> FeedProduct:
    variant = FeedVariant(f"item-{line}", None, None, 1000, None, None)
    return FeedProduct(line, f"item-{line}", title, None, None, None, (), (), (variant,))


def breaks_off(_: BinaryIO, currency: str) -> Iterator[imports.Item]:
    yield from (product(line) for line in range(2, 2 + BATCH))
    yield RowError(2 + BATCH, "Title", "missing")
    raise ZeroDivisionError


def refused_by_the_database(_: BinaryIO, currency: str) -> Iterator[imports.Item]:
    yield from (product(line) for line in range(2, 2 + BATCH))
    yield product(2 + BATCH, "\ud800")


def full_of_errors(_: BinaryIO, currency: str) -> Iterator[imports.Item]:
    yield from (RowError(line, "Title", "missing") for line in range(2, 1502))
    raise ZeroDivisionError


@pytest.fixture
def formats(monkeypatch: pytest.MonkeyPatch) -> None:
    """Formats whose readers have faults, as a new one may."""
    faulty = {"breaks": breaks_off, "refused": refused_by_the_database, "errors": full_of_errors}
    monkeypatch.setattr(imports, "READERS", {**imports.READERS, **faulty})


@pytest.mark.usefixtures("formats")
@pytest.mark.parametrize(("file_format", "line"), [("breaks", 1), ("refused", 2 + BATCH)])
def test_a_fault_of_ours_ends_the_import_and_is_told(desk: Desk, file_format: str, line: int) -> None:
    begun = desk.upload(b"", file_format)

    assert 1 == desk.work()
    state = desk.state(begun)
    assert ("failed", BATCH, BATCH) == (state.status, state.created, state.position)
    assert [(line, "file")] == [(error["line"], error["field"]) for error in state.errors]
    assert "by a fault of ours" in state.errors[0]["detail"]
    assert (BATCH, 0, 0) == desk.kept()


@pytest.mark.usefixtures("formats")
def test_why_an_import_failed_is_told_however_much_there_is_to_tell(desk: Desk) -> None:
    begun = desk.upload(b"", "errors")

    assert 1 == desk.work()
    state = desk.state(begun)
    assert (MOST_ERRORS, "file", 1500) == (len(state.errors), state.errors[-1]["field"], state.failed)
