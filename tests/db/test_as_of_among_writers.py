"""While others write, reports stay quick and right, and no sale waits for whoever looks who writes."""

import fcntl
from contextlib import closing
from datetime import datetime, timedelta
from pathlib import Path

import pytest
from sqlalchemy import delete, insert
from sqlalchemy.orm import Session

from app.attribution import stale
from app.attribution.models import CreditLine, StaleOrder
from app.kernel import as_of
from app.kernel.as_of import Writer, writing_now
from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.replica import Reports
from app.reports import attribution, credit_ranking, credit_reading, ledger
from app.reports.credit_keeping import Keeping
from tests.clock import START, TestClock
from tests.db.as_known import Running, buy, question_of
from tests.db.selling import LINEAR, Market
from tests.db.selling import market as new_market
from tests.saying import credit_writers


def test_while_everybody_sells_the_kept_sums_answer(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Although something is written between `as_of` and the opening of the view."""
    monkeypatch.setattr(as_of, "PATIENCE", 20.0)
    with new_market(database, tmp_path, Running()) as market:
        buy(market, market.clock)
        Keeping(database).add_up_all()
        now = market.clock.now()
        for times in range(4):
            buy(market, market.clock)
            if times == 2:
                Keeping(database).add_up_all()
            with Reports(database).view(market.clock.now(), market.merchant, exactly=True) as (session, _):
                told = [compared(session, market.merchant, at) for at in (now, market.clock.now())]
            assert [1, times + 2] == told


def compared(session: Session, merchant: int, at: datetime) -> int:
    """How many orders the kept sums know; that is what the ledger says."""
    question = question_of(merchant, at, ("network",))
    assert credit_reading.answers(session, question)
    found = credit_reading.answering(session, question)
    assert (ledger.totals(session, question), ledger.grouped(session, question)) == found
    ranked = credit_ranking.ranked(session, question)
    assert ranked is not None
    assert ledger.totals(session, question) == ranked.totals
    assert list(attribution.streamed(session, question)) == list(attribution.answer(session, question).rows)
    return ranked.totals["eur"].orders


def test_a_database_under_two_names_has_one_file_that_says_who_writes(tmp_path: Path) -> None:
    with closing(Database(f"sqlite:///{tmp_path / 'a.db'}")) as one:
        with one.transaction() as session:
            writing_now(session, 1, TestClock())
        (tmp_path / "b.db").symlink_to(tmp_path / "a.db")
        with closing(Database(f"sqlite:///{tmp_path / 'b.db'}")) as other, one.transaction() as session:
            writing_now(session, 1, TestClock())
            assert 1 == len(list(as_of.writers(other, START)))
        assert 0o600 == (tmp_path / "a.db-writing").stat().st_mode & 0o777


def test_no_sale_waits_for_a_stranger_who_keeps_the_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(as_of, "_FILE_WITHIN", 0.05)
    (tmp_path / "a.db-writing").touch()
    with closing(Database(f"sqlite:///{tmp_path / 'a.db'}")) as database, (tmp_path / "a.db-writing").open() as file:
        fcntl.flock(file, fcntl.LOCK_SH)
        with database.transaction() as session:
            assert START == writing_now(session, 1, TestClock())
    assert "reports may not see that something is being written" in caplog.text


def test_who_waits_for_writers_looks_less_and_less_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(as_of, "PATIENCE", 0.3)
    looks: list[int] = []

    def look() -> as_of.Writers:
        looks.append(1)
        return [Writer(None, to_micros(START) - 10)]

    assert START - timedelta(microseconds=11) == as_of.waited_for(look, 1, START)
    assert 3 <= len(looks) <= 12


def test_work_behind_the_scenes_says_that_it_writes_credit(market: Market, monkeypatch: pytest.MonkeyPatch) -> None:
    orders = [market.sell() for _ in range(3)]
    said = credit_writers(monkeypatch)
    market.begin(LINEAR)
    market.work()
    recomputed = len(said)
    with market.here.database.transaction() as session:
        session.execute(delete(CreditLine).where(CreditLine.merchant_id == market.merchant))
        rows = [{"merchant_id": market.merchant, "order_id": order} for order in orders]
        session.execute(insert(StaleOrder), rows)
    stale.drain(market.here.database, market.clock, market.merchant)
    assert 0 < recomputed < len(said)
    assert all(said)
