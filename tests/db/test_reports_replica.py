"""Reports read from a streaming replica (GRAPEVINE_REPORTS_DATABASE_URL): a real one, that lags, goes away, comes back
and is made a database of its own. What is answered is as of when the replica has seen everything."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from psycopg import connect
from sqlalchemy import text
from typer.testing import CliRunner

from app import main, migrate
from app.cli import cli
from app.kernel import replica as kernel
from app.kernel.as_of import writing_now
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.settings import WrongSettings, load
from tests import postgres
from tests.clock import TestClock
from tests.conftest import keys_at, settings_for
from tests.net import free_port, serving
from tests.proxy import between
from tests.shop import JSON, TestMerchant, ok

pytestmark = pytest.mark.slow

RESTS = 0.2
WHENEVER = {"from": "2020-01-01", "to": "2100-01-01"}


@pytest.fixture(scope="module")
def primary() -> Iterator[postgres.Cluster]:
    with postgres.cluster() as made:
        database = Database(f"{made.url}/postgres")
        migrate.upgrade(database)
        database.close()
        yield made


@pytest.fixture(scope="module")
def standby(primary: postgres.Cluster) -> Iterator[postgres.Cluster]:
    """For who leaves it as it was; the last one does not."""
    with postgres.standby_of(primary) as made:
        yield made


@pytest.fixture
def merchant(
    primary: postgres.Cluster, standby: postgres.Cluster, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[TestMerchant]:
    monkeypatch.setattr(kernel, "_REST", RESTS)
    port = free_port()
    given = {"public_url": f"http://127.0.0.1:{port}", "reports_database_url": f"{standby.url}/postgres"}
    settings = settings_for(f"{primary.url}/postgres", tmp_path, **given)
    with serving(main.application(settings), port):  # by the system's clock, as PostgreSQL dates what it commits
        keys = keys_at(settings.public_url)
        known = TestMerchant(keys["id"], keys["secret_key"], keys["report_key"], settings.public_url, TestClock())
        yield known
        known.close()


def sell(merchant: TestMerchant) -> datetime:
    """A sale; when it was certainly known."""
    merchant.order(placed_at=(datetime.now(UTC) - timedelta(minutes=1)).isoformat())
    return datetime.now(UTC)


def sales(report: JSON) -> tuple[int, datetime]:
    """How many, as of when."""
    return sum(total["orders"] for total in report["totals"]), datetime.fromisoformat(report["as_of"])


def until_sold(merchant: TestMerchant, orders: int) -> datetime:
    """As of when the report knows them."""
    deadline = time.monotonic() + 15
    while (found := sales(merchant.report()))[0] != orders:
        assert time.monotonic() < deadline, found
        time.sleep(0.05)
    return found[1]


@contextmanager
def lagging(standby: postgres.Cluster) -> Iterator[None]:
    """It plays nothing of what comes."""
    with connect(f"{standby.url}/postgres", autocommit=True) as operator:
        operator.execute("SELECT pg_wal_replay_pause()")  # a request only: what has come may still be played
        try:
            until(lambda: operator.execute("SELECT pg_get_wal_replay_pause_state()").fetchone() == ("paused",))
            yield
        finally:
            operator.execute("SELECT pg_wal_replay_resume()")


def test_what_is_told_is_as_of_when_the_replica_has_seen_everything(
    merchant: TestMerchant, standby: postgres.Cluster
) -> None:
    assert sell(merchant) <= until_sold(merchant, 1) <= datetime.now(UTC)
    assert datetime.now(UTC) - until_sold(merchant, 1) < timedelta(seconds=5), "nothing new is no lag"
    with lagging(standby):
        began = datetime.now(UTC)
        sell(merchant)
        for _ in range(3):
            number, as_of = sales(merchant.report())
            assert number == 1
            assert as_of <= began
        listed = ok(merchant.http.get("/v1/sharers"))
        assert datetime.fromisoformat(listed["as_of"]) <= began
        future = (datetime.now(UTC) + timedelta(days=1)).isoformat()
        assert sales(merchant.report(as_of=future))[1] <= began
        assert len(ok(merchant.http.get("/v1/orders"))["data"]) == 2, "all else is asked of the database itself"
    assert began < until_sold(merchant, 2)


def test_a_list_goes_on_as_it_began_although_the_replica_is_behind_now(
    merchant: TestMerchant, standby: postgres.Cluster
) -> None:
    product = merchant.product()["id"]
    for _ in range(3):
        sharer = merchant.shopper()
        buyer = merchant.shopper()
        buyer.follow(sharer.share(product)["code"])
        placed_at = (datetime.now(UTC) + timedelta(seconds=1)).isoformat()
        merchant.order(visitor=buyer.id, placed_at=placed_at)
    until(lambda: len(ok(merchant.http.get("/v1/sharers", params=WHENEVER))["data"]) == 3)
    standby.stop()
    first = ok(merchant.http.get("/v1/sharers", params={**WHENEVER, "limit": 2}))  # of the database itself
    standby.start()
    time.sleep(RESTS * 1.5)
    with lagging(standby):
        rest = {**WHENEVER, "limit": 2, "cursor": first["next_cursor"]}
        second = ok(merchant.http.get("/v1/sharers", params=rest))
    assert first["as_of"] == second["as_of"]
    assert len({row["sharer"] for row in first["data"] + second["data"]}) == 3


def until(is_so: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 15
    while not is_so():
        assert time.monotonic() < deadline
        time.sleep(0.05)


def test_while_the_replica_is_away_the_database_is_read_itself(
    merchant: TestMerchant, standby: postgres.Cluster, caplog: pytest.LogCaptureFixture
) -> None:
    sell(merchant)
    until_sold(merchant, 1)
    standby.stop()
    sell(merchant)
    assert sales(merchant.report())[0] == 2
    assert "not from its replica" in caplog.text
    standby.start()
    time.sleep(RESTS * 1.5)
    with lagging(standby):
        sell(merchant)
        assert sales(merchant.report())[0] == 2, "it is read again"
    until_sold(merchant, 3)


def test_another_database_is_no_replica(
    primary: postgres.Cluster, postgres_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GRAPEVINE_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("GRAPEVINE_DATABASE_URL", f"{primary.url}/postgres")
    monkeypatch.setenv("GRAPEVINE_REPORTS_DATABASE_URL", f"{postgres_url}/postgres")
    refused = CliRunner().invoke(cli, ["serve", "--port", str(free_port())])
    assert (2, "is no replica of the database") == (refused.exit_code, refused.output.partition("it ")[2][:29])
    monkeypatch.setenv("GRAPEVINE_REPORTS_DATABASE_URL", "sqlite:///reports.db")
    with pytest.raises(WrongSettings, match="GRAPEVINE_REPORTS_DATABASE_URL needs PostgreSQL"):
        load()


def test_a_replica_that_is_away_hinders_no_start(primary: postgres.Cluster) -> None:
    database = Database(f"{primary.url}/postgres")
    nowhere = f"postgresql://grapevine@127.0.0.1:{free_port()}/postgres"
    assert kernel.why_not(f"{primary.url}/postgres", nowhere) is None
    reports = kernel.Reports(database, nowhere)
    now = datetime.now(UTC)
    with reports.view(now, 1) as (_, as_of):
        assert as_of == now
    reports.close()
    database.close()


def test_behind_a_balancer_a_report_is_as_of_what_its_own_replica_has_seen(
    primary: postgres.Cluster, standby: postgres.Cluster
) -> None:
    database = Database(f"{primary.url}/postgres")
    with postgres.standby_of(primary) as second, between(standby.port) as balancer:
        reports = kernel.Reports(database, f"postgresql://grapevine@127.0.0.1:{balancer.port}/postgres")
        note(primary, "first")  # so that each has something to be as of
        until(lambda: has(standby, "first") and has(second, "first"))
        with reports.view(datetime.now(UTC), 1):
            balancer.target = second.port
            with reports.view(datetime.now(UTC), 1):
                pass  # a line to each, from now on taken in turn
        with lagging(standby):
            began = datetime.now(UTC)
            note(primary, "afterwards")
            until(lambda: has(second, "afterwards"))
            seen = []
            for _ in range(4):
                with reports.view(datetime.now(UTC), 1) as (session, as_of):
                    seen.append((session.scalar(_HAS, {"name": "afterwards"}), as_of <= began))
        reports.close()
    database.close()
    assert {False, True} == {has_it for has_it, _ in seen}, "either was asked"
    assert all(has_it or is_earlier for has_it, is_earlier in seen)


def test_what_is_still_being_written_is_not_known_whatever_was_committed_since(
    primary: postgres.Cluster, standby: postgres.Cluster
) -> None:
    database = Database(f"{primary.url}/postgres")
    reports = kernel.Reports(database, f"{standby.url}/postgres")
    with database.transaction() as session:
        began = writing_now(session, 1, SystemClock())
        note(primary, "beside")
        until(lambda: has(standby, "beside"))
        seen = [as_of_view(reports)]
        with lagging(standby):
            note(primary, "later")
            seen.append(as_of_view(reports))
    assert [True, True] == [as_of < began for as_of in seen]
    until(lambda: as_of_view(reports) > began)
    reports.close()
    database.close()


def as_of_view(reports: kernel.Reports) -> datetime:
    with reports.view(datetime.now(UTC), 1) as (_, as_of):
        return as_of


_HAS = text("SELECT to_regclass(:name) IS NOT NULL")


def note(primary: postgres.Cluster, name: str) -> None:
    with connect(f"{primary.url}/postgres", autocommit=True) as operator:
        operator.execute(f"CREATE TABLE {name} ()".encode())


def has(replica: postgres.Cluster, name: str) -> bool:
    with connect(f"{replica.url}/postgres", autocommit=True) as reader:
        return reader.execute("SELECT to_regclass(%s) IS NOT NULL", (name,)).fetchone() == (True,)


def test_a_replica_that_was_made_a_database_of_its_own_is_read_no_more(
    merchant: TestMerchant, standby: postgres.Cluster
) -> None:
    sell(merchant)
    until_sold(merchant, 1)
    with connect(f"{standby.url}/postgres", autocommit=True) as operator:
        operator.execute("SELECT pg_promote()")
    known = sell(merchant)
    assert sales(merchant.report())[0] == 2
    assert known <= sales(merchant.report())[1]
