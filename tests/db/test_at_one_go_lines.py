"""Rows written at one go on PostgreSQL: on a line that is made anew when it breaks, and where the database wants table
after table. Of PostgreSQL alone: to SQLite there is no line."""

import asyncio
import itertools
import time
from collections.abc import Iterator
from contextlib import closing
from datetime import timedelta

import pytest
from sqlalchemy import event, make_url, select, text
from sqlalchemy.exc import OperationalError

from app.kernel import at_one_go
from app.kernel.at_one_go import AtOneGo
from app.kernel.database import Database
from app.kernel.errors import Unavailable
from app.kernel.recorder import Recorder
from app.kernel.rollups.tables import RollupDelta
from app.referrals import visits
from app.referrals.models import Visit
from app.referrals.visits import NewVisit, Way
from tests.clock import START
from tests.conftest import NewDatabase
from tests.db.test_at_one_go import came, claimed, rows_of
from tests.proxy import Proxy, between

_numbers = itertools.count(1)
_merchants = itertools.count(90_000)


@pytest.fixture(scope="module")
def direct(postgres_url: str, tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    """A database, by a good line."""
    return NewDatabase("postgresql", tmp_path_factory.mktemp("lines"), request)(f"at-one-go-{next(_numbers)}")


@pytest.fixture
def bad_line(direct: str) -> Iterator[Proxy]:
    """A bad line to it."""
    with between(make_url(direct).port or 0) as opened:
        yield opened


@pytest.fixture
def through(direct: str, bad_line: Proxy) -> Iterator[Database]:
    """The database, by the bad line."""
    with closing(Database(make_url(direct).set(port=bad_line.port))) as opened:
        yield opened


def test_where_a_statement_may_write_one_table_only_they_are_written_one_after_the_other(through: Database) -> None:
    """Citus says so of tables that it has laid out over machines."""
    refused = "CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {} RETURN NEW; END $$".format(
        "IF current_query() LIKE 'WITH%' THEN RAISE 'not supported' USING ERRCODE = 'feature_not_supported'; END IF;"
    )
    with through.transaction() as session:
        session.execute(text(refused))
        session.execute(
            text("CREATE TRIGGER refuse BEFORE INSERT ON visit_claims FOR EACH ROW EXECUTE FUNCTION refuse()")
        )
    line, merchant, other = AtOneGo(through), next(_merchants), next(_merchants)
    try:
        line.append(rows_of(merchant, ["a", "b"]))
        line.append(rows_of(other, ["c"]))
    finally:
        line.close()
        with through.transaction() as session:
            session.execute(text("DROP FUNCTION refuse CASCADE"))
    assert [(["a", "b"], 3), (["c"], 3)] == [
        (claimed(through, each), came(through, each)) for each in (merchant, other)
    ]


def test_a_line_that_broke_between_two_batches_is_made_anew_at_once(bad_line: Proxy, through: Database) -> None:
    line, merchants = AtOneGo(through), [next(_merchants) for _ in range(2)]
    line.append(rows_of(merchants[0], ["a"]))
    bad_line.cut()
    time.sleep(0.1)  # until the news is here
    line.append(rows_of(merchants[1], ["b"]))
    line.close()
    assert [["a"], ["b"]] == [claimed(through, merchant) for merchant in merchants]


def test_a_line_that_broke_at_work_is_trouble_once(
    bad_line: Proxy, through: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(AtOneGo, "_has_hung_up", lambda _: False)  # it breaks just after that was looked at
    line, merchants = AtOneGo(through), [next(_merchants) for _ in range(3)]
    line.append(rows_of(merchants[0], ["a"]))
    bad_line.cut()
    with pytest.raises(OperationalError) as raised:
        line.append(rows_of(merchants[1], ["b"]))
    assert raised.value.connection_invalidated
    line.append(rows_of(merchants[2], ["c"]))
    line.close()
    assert [["a"], [], ["c"]] == [claimed(through, merchant) for merchant in merchants]


def test_a_line_that_broke_while_nobody_worked_is_made_anew(
    bad_line: Proxy, through: Database, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(at_one_go, "KEPT_FOR", -1.0)
    line, merchant, later = AtOneGo(through), next(_merchants), next(_merchants)
    line.append(rows_of(merchant, ["a"]))
    bad_line.cut()
    line.append(rows_of(later, ["b"]))
    line.close()
    assert [["a"], ["b"]] == [claimed(through, each) for each in (merchant, later)]


def record(recorder: Recorder, merchant: int, count: int, line: Proxy | None = None) -> list[str | BaseException]:
    """What became of so many visits that stand in the queue together, whose first commit's answer is lost on `line`."""
    way = Way(merchant, "ref_1", "click", None, None, "whatsapp")

    async def all_at_once() -> list[str | BaseException]:
        facts = [NewVisit.by(way, None, START + timedelta(seconds=number)) for number in range(count)]
        waiting = [asyncio.ensure_future(recorder.record(fact)) for fact in facts]
        await asyncio.sleep(0.05)
        if line is not None:
            line.lose(1)
            recorder.start()
        return await asyncio.gather(*waiting, return_exceptions=True)

    return asyncio.run(all_at_once())


def test_visits_whose_answer_was_lost_are_not_written_again(direct: str, bad_line: Proxy, through: Database) -> None:
    recorder, merchant = Recorder(through), next(_merchants)
    recorder.register_plain(NewVisit, visits.rows_of)
    lost = record(recorder, merchant, 40, bad_line)
    kept = record(recorder, merchant, 10)
    recorder.stop()
    assert 1 == bad_line.lost
    assert [Unavailable] * 40 == [type(outcome) for outcome in lost]
    with closing(Database(direct)) as books, books.reading() as session:
        written = list(session.scalars(select(Visit.visit_id).where(Visit.merchant_id == merchant)))
        counted = session.scalars(
            select(RollupDelta.visits).where(RollupDelta.merchant_id == merchant, RollupDelta.dimension == "total")
        )
        assert 50 == len(written) == sum(counted)  # those that were lost stand, once
    assert set(kept) <= set(written)


def test_a_busy_recorder_begins_no_transaction_for_visits_and_looks_for_no_connection(
    through: Database,
) -> None:
    recorder, merchant, begun, asked = Recorder(through), next(_merchants), list[object](), list[object]()
    recorder.register_plain(NewVisit, visits.rows_of)
    event.listen(through.engine, "begin", begun.append)
    event.listen(through.engine, "checkout", lambda *about: asked.append(about))
    recorder.start()
    for _ in range(10):
        record(recorder, merchant, 20)
    recorder.stop()
    assert [] == begun
    assert 1 <= len(asked) <= 4  # of two threads, each of which may have had to wait for a while
