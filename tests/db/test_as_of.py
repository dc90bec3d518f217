"""The same question with the same `as_of` has the same answer for ever: although the time of writing is read before the
commit, although writers are killed, on a replaced database, and while everybody writes."""

import random
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import pytest

from app.attribution import policy_changes
from app.attribution.engine import Model, Policy
from app.backup import taking
from app.kernel import as_of
from app.kernel.as_of import Writer, known, writing_now
from app.kernel.clock import from_micros, to_micros
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.replica import Reports
from app.orders import service as orders
from app.orders.lifecycle import Taking
from app.reports.credit_keeping import Keeping
from tests.clock import START, TestClock
from tests.conftest import SECRET
from tests.db.as_known import Running, Told, ask, buy, held
from tests.db.backups import NewPlace, restore
from tests.db.selling import Market
from tests.db.selling import market as new_market
from tests.soak import SOAK
from tests.threads import together


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports do not wait long for who writes."""
    monkeypatch.setattr(as_of, "PATIENCE", 0.02)


@pytest.fixture
def reader(database: Database) -> Iterator[Database]:
    """Another process's way to the same database, as far as the database can tell."""
    opened = Database(database.url)
    yield opened
    opened.close()


def test_what_was_told_while_somebody_wrote_is_told_again_afterwards(market: Market, reader: Database) -> None:
    market.sell()
    market.clock.move(hours=1)
    with held(lambda hold: buy(market, market.clock, hold)):
        began = market.clock.now()
        market.clock.move(seconds=1)
        told = [ask(database, market.merchant, market.clock.now()) for database in (market.here.database, reader)]
        asked = ask(reader, market.merchant, market.clock.now(), market.clock.now() + timedelta(days=1))
    for each in (*told, asked):
        assert (True, 1) == (began - timedelta(seconds=1) < each.as_of < began, each.orders)
        assert each == ask(reader, market.merchant, market.clock.now(), each.as_of)
    now = ask(reader, market.merchant, market.clock.now())
    assert (market.clock.now(), 2) == (now.as_of, now.orders)


def test_a_report_waits_for_a_writer_that_ends_in_a_moment(
    market: Market, reader: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(as_of, "PATIENCE", 20.0)
    ended: list[Told] = []
    with held(lambda hold: buy(market, market.clock, hold)):
        market.clock.move(seconds=1)
        now = market.clock.now()
        asking = threading.Thread(target=lambda: ended.append(ask(reader, market.merchant, now)))
        asking.start()
        asking.join(0.05)
        assert asking.is_alive()
    asking.join(20)
    assert [(now, 1)] == [(told.as_of, told.orders) for told in ended]


def test_writers_of_other_merchants_keep_nobody_from_what_is_known(market: Market, reader: Database) -> None:
    """On SQLite nobody else can have written since one of them began, so its beginning is what is known."""
    market.sell()
    market.clock.move(hours=1)
    with held(lambda hold: buy(market, market.clock, hold)):
        began = market.clock.now()
        market.clock.move(seconds=1)
        told = ask(reader, market.merchant + 1, market.clock.now())
    tick = timedelta(microseconds=1)
    assert told.as_of == (began - tick if reader.is_sqlite else market.clock.now())


def test_a_policy_that_is_being_changed_is_not_known_yet(market: Market, reader: Database) -> None:
    market.sell()
    market.clock.move(hours=1)

    def change(hold: Callable[[], object]) -> None:
        with market.here.database.transaction() as session:
            now = writing_now(session, market.merchant, market.clock)
            policy = Policy(model=Model.FIRST_TOUCH)
            policy_changes.put(session, market.here.outbox, market.merchant, policy, "now", now)
            hold()

    with held(change):
        market.clock.move(seconds=1)
        told = ask(reader, market.merchant, market.clock.now())
    assert told == ask(reader, market.merchant, market.clock.now(), told.as_of)
    assert (1, 2) == (told.policy, ask(reader, market.merchant, market.clock.now()).policy)


def test_what_was_written_since_the_question_came_is_not_in_its_answer(market: Market) -> None:
    """Also where kept sums have it already."""
    market.sell()
    now = market.clock.now()
    market.clock.move(hours=1)
    with Reports(market.here.database).view(now, market.merchant):
        market.sell()
        Keeping(market.here.database).add_up_all()
    told = ask(market.here.database, market.merchant, now)
    assert (now, 1) == (told.as_of, told.orders)


def test_what_is_undone_to_a_savepoint_and_said_again_is_said(market: Market, reader: Database) -> None:
    def write(hold: Callable[[], object]) -> None:
        with market.here.database.transaction() as session:
            with suppress(ZeroDivisionError), session.begin_nested():
                writing_now(session, market.merchant, market.clock)
                raise ZeroDivisionError
            for _ in range(2):
                writing_now(session, market.merchant, market.clock)
            hold()

    with held(write):
        began = market.clock.now()
        market.clock.move(seconds=1)
        assert ask(reader, market.merchant, market.clock.now()).as_of < began
    assert market.clock.now() == ask(reader, market.merchant, market.clock.now()).as_of


_WRITER = """
import sys, time
from datetime import datetime
from app.kernel.as_of import writing_now
from app.kernel.clock import SystemClock
from app.kernel.database import Database

with Database(sys.argv[1]).transaction() as session:
    print(writing_now(session, int(sys.argv[2]), SystemClock()).isoformat(), flush=True)
    time.sleep(60)
"""


def test_a_writer_of_another_process_is_seen_and_where_it_is_killed_it_is_none(database: Database) -> None:
    url = database.url.render_as_string(hide_password=False)
    with subprocess.Popen([sys.executable, "-c", _WRITER, url, "7"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        began = datetime.fromisoformat(process.stdout.readline().strip())
        assert ask(database, 7, datetime.now(UTC)).as_of < began
        process.send_signal(signal.SIGKILL)
    deadline = time.monotonic() + 20
    while ask(database, 7, now := datetime.now(UTC)).as_of < now:
        assert time.monotonic() < deadline


def test_what_was_told_is_told_again_of_a_restored_backup(market: Market, place: NewPlace, file: Path) -> None:
    kind = "sqlite" if market.here.database.is_sqlite else "postgresql"
    market.sell()
    market.clock.move(hours=1)
    with held(lambda hold: buy(market, market.clock, hold)):
        market.clock.move(seconds=1)
        told = ask(market.here.database, market.merchant, market.clock.now())
    taking.back_up(market.here.database, file, secret=SECRET, at=START, told=lambda *_: None)
    restore(file, url := place(kind))
    restored = Database(url)
    assert told == ask(restored, market.merchant, market.clock.now(), told.as_of)
    assert 2 == ask(restored, market.merchant, market.clock.now()).orders
    restored.close()


ENOUGH = 5
"""More different answers than this are compared."""


@dataclass
class Crowd:
    """Buyers, and readers who remember what they were told."""

    market: Market
    reader: Database
    end: float
    told: list[Told] = field(default_factory=list)
    missed: list[Told] = field(default_factory=list)

    @property
    def goes_on(self) -> bool:
        """Until the end; on a busy machine, until enough was told to be compared."""
        now = time.monotonic()
        return now < self.end or (now < self.end + 20 and len({each.said for each in self.told}) <= ENOUGH)

    def write(self, seed: int) -> None:
        chance, market = random.Random(seed), self.market
        while self.goes_on:
            order = buy(market, market.clock, lambda: time.sleep(chance.choice((0, 0, 0.01))))
            if chance.random() < 0.3:
                with market.here.database.transaction() as session:
                    now = writing_now(session, market.merchant, market.clock)
                    taking = Taking(new_id("rfd", market.merchant, now), "refund", now, 7, 7)
                    orders.take_back(session, market.here.events, market.merchant, order.order_id, taking, now)

    def read(self) -> None:
        keeping = Keeping(self.market.here.database)
        while self.goes_on:
            self.told.append(self.ask())
            if len(self.told) % 10 == 0:
                keeping.add_up_all()

    def write_and_read(self) -> None:
        while self.goes_on:
            order = buy(self.market, self.market.clock)
            told = self.ask()
            self.told.append(told)
            if told.as_of < order.received_at:
                self.missed.append(told)

    def ask(self, then: datetime | None = None) -> Told:
        return ask(self.reader, self.market.merchant, self.market.clock.now(), then)


def test_while_everybody_writes_all_that_was_told_is_told_again(
    database: Database, tmp_path: Path, reader: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And who was answered finds what they told."""
    monkeypatch.setattr(as_of, "PATIENCE", 20.0)
    seconds = 30.0 if SOAK else 1.0
    with new_market(database, tmp_path, Running()) as market:
        crowd = Crowd(market, reader, time.monotonic() + seconds)
        writing = [partial(crowd.write, seed) for seed in range(3)]
        together(*writing, crowd.read, crowd.write_and_read)
        assert len({each.said for each in crowd.told}) > ENOUGH
        in_time = sorted(crowd.told, key=lambda each: each.as_of)
        assert sorted(each.orders for each in crowd.told) == [each.orders for each in in_time]
        assert crowd.told == [crowd.ask(each.as_of) for each in crowd.told]
        assert not crowd.missed


def test_a_machine_whose_clock_is_ahead_holds_nobody_back() -> None:
    now = START
    ahead = Writer(None, to_micros(now + timedelta(hours=1)))
    behind = Writer(None, to_micros(now - timedelta(hours=1)))
    assert now == known([ahead], 1, now)
    assert now - timedelta(hours=1, microseconds=1) == known([ahead, behind], 1, now)


@pytest.mark.parametrize("hours", [-500, 0, 500])
def test_since_when_somebody_writes_is_known_to_the_millisecond(database: Database, hours: int) -> None:
    """On PostgreSQL; on SQLite to the microsecond."""
    for days in range(0, 60, 7):
        now = START + timedelta(days=days)
        begun = now + timedelta(hours=hours, microseconds=1234)
        with database.transaction() as session:
            writing_now(session, 1, TestClock(begun))
            (writer,) = as_of.writers(database, now)
        assert timedelta(0) <= begun - from_micros(writer.since) < timedelta(milliseconds=1)
