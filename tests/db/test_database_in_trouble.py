"""A database that is locked, may only be read, breaks its connections or is damaged: what would write is told to come
back (503 with Retry-After, in both lanes), reading goes on where it can, and nothing has to be started again."""

import sqlite3
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from pathlib import Path

import httpx
import pytest
from sqlalchemy import make_url, text
from sqlalchemy.exc import DatabaseError, IntegrityError, SQLAlchemyError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

from app import main
from app.kernel import engines
from app.kernel.database import Database
from app.kernel.trouble import in_trouble
from app.storefront.shelf import PATIENCE
from tests.clock import TestClock
from tests.conftest import NewDatabase, settings_for
from tests.db.asking import Shop, is_put_off
from tests.net import free_port, serving
from tests.proxy import between
from tests.threads import together


@contextmanager
def shop_on(database_url: str, folder: Path) -> Iterator[httpx.Client]:
    """A server on this database, to be spoken with."""
    port = free_port()
    own = f"http://127.0.0.1:{port}"
    settings = settings_for(
        database_url,
        folder,
        public_url=own,
        jobs=False,
        stripe_api_key="sk_live_of_nobody",
        stripe_webhook_secret="whsec_of_the_tests",
    )
    with (
        serving(main.application(settings, TestClock()), port),
        httpx.Client(base_url=own, verify=False, timeout=60) as http,
    ):
        yield http


def all_writes_are_put_off(shop: Shop) -> None:
    for ask in shop.writes.values():
        is_put_off(ask())


def all_reads_go_on(shop: Shop) -> None:
    assert {} == {name: answer.text for name, answer in shop.reads.items() if answer.status_code != 200}


def all_writes_are_done(shop: Shop) -> None:
    assert {} == {name: answer.text for name, answer in shop.done().items() if not answer.is_success}


def test_a_file_that_another_process_has_locked_is_waited_for_but_not_for_ever(
    sqlite_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engines, "PATIENCE", 0.4)
    with shop_on(sqlite_url, tmp_path) as http:
        shop = Shop.begin(http)
        other = sqlite3.connect(make_url(sqlite_url).database or "", isolation_level=None)
        other.execute("BEGIN IMMEDIATE")
        began = time.monotonic()
        together(*(lambda ask=ask: is_put_off(ask()) for ask in shop.writes.values()))
        assert time.monotonic() - began < 3, "those who wait add up"
        all_reads_go_on(shop)
        other.execute("ROLLBACK")
        other.close()
        all_writes_are_done(shop)


def test_a_file_that_may_only_be_read_is_read(sqlite_url: str, tmp_path: Path) -> None:
    with shop_on(sqlite_url, tmp_path) as http:
        shop = Shop.begin(http)
    read_only = sqlite_url.replace("sqlite:///", "sqlite:///file:") + "?mode=ro&uri=true"
    with shop_on(read_only, tmp_path) as http:
        shop.http = http
        all_writes_are_put_off(shop)
        all_reads_go_on(shop)


def test_a_standby_is_read_until_it_may_be_written_again(postgres_db: str, tmp_path: Path) -> None:
    """So PostgreSQL answers after a failover, and at some providers when the disk is full."""

    def may_write(allowed: bool) -> None:
        name = make_url(postgres_db).database
        with operator.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
            connection.execute(text(f'ALTER DATABASE "{name}" SET default_transaction_read_only = {not allowed}'))
            break_off = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = :name"
            connection.execute(text(break_off + " AND pid <> pg_backend_pid()"), {"name": name})

    with closing(Database(postgres_db)) as operator, shop_on(postgres_db, tmp_path) as http:
        shop = Shop.begin(http)
        may_write(False)
        all_writes_are_put_off(shop)
        all_reads_go_on(shop)
        may_write(True)
        all_writes_are_done(shop)


def test_connections_that_were_broken_off_are_made_anew_without_anybody_noticing(
    postgres_db: str, tmp_path: Path
) -> None:
    with closing(Database(postgres_db)) as operator, shop_on(postgres_db, tmp_path) as http:
        shop = Shop.begin(http)
        for _ in range(3):
            with operator.engine.connect() as connection:
                connection.execute(
                    text("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()")
                )
            all_writes_are_done(shop)
            all_reads_go_on(shop)


def test_while_the_database_hangs_walls_are_shown_from_memory_and_writing_is_done_when_it_goes_on(
    postgres_db: str, tmp_path: Path
) -> None:
    direct = make_url(postgres_db)
    assert direct.port is not None
    with (
        between(direct.port) as line,
        shop_on(direct.set(port=line.port).render_as_string(hide_password=False), tmp_path) as http,
        ThreadPoolExecutor(4) as others,
    ):
        shop = Shop.begin(http)
        all_reads_go_on(shop)
        line.hang()
        waiting = [others.submit(shop.writes[name]) for name in ("like", "order")]
        for path in (f"/v1/walls/{shop.wall}/widget", f"/w/{shop.wall}", f"/p/{shop.product}", "/healthz"):
            assert http.get(path, timeout=PATIENCE + 3).status_code == 200
        assert not any(each.done() for each in waiting)
        line.flow()
        assert [201, 201] == [each.result(20).status_code for each in waiting]
        all_writes_are_done(shop)


def test_a_commit_waits_for_the_disk(database: Database) -> None:
    """So that a power cut takes nothing that was answered. A test cannot cut the power; this is what it rests on."""
    with database.reading() as session:
        if database.is_sqlite:
            found = {name: session.scalar(text(f"PRAGMA {name}")) for name in ("journal_mode", "synchronous")}
            assert {"journal_mode": "wal", "synchronous": 2} == found  # 2: FULL
        else:
            assert session.scalar(text("SHOW synchronous_commit")) == "on"


def test_what_the_database_cannot_help_is_told_from_what_it_can(database: Database, tmp_path: Path) -> None:
    def raised(statement: str) -> SQLAlchemyError:
        with pytest.raises(SQLAlchemyError) as caught, database.transaction() as session:
            session.execute(text(statement))
        return caught.value

    assert not in_trouble(ValueError())
    assert in_trouble(NoConnectionFree())
    with pytest.raises(IntegrityError) as refused, database.transaction() as session:  # noqa: PT012
        names = "hash, merchant_id, key_id, kind, hint, created_at"
        session.execute(text(f"INSERT INTO api_keys ({names}) VALUES ('0', 999999, 'k', 's', 'h', 1)"))  # of nobody
    assert not in_trouble(refused.value)
    if database.is_sqlite:
        (tmp_path / "damaged.db").write_bytes(b"no database" * 1000)
        damaged = Database(f"sqlite:///{tmp_path / 'damaged.db'}")
        with pytest.raises(DatabaseError) as caught, damaged.reading() as session:
            session.execute(text("SELECT 1"))
        damaged.close()
        assert in_trouble(caught.value)
    else:
        assert not in_trouble(raised("SELECT 1 FROM nowhere"))
        ours = "25P02"  # something was asked after an error at which nobody had looked
        assert not in_trouble(raised(f"DO $$ BEGIN RAISE SQLSTATE '{ours}'; END $$"))
        for state in ("25006", "53100", "53200", "53300", "57P01", "57P03", "58030", "XX001", "08006", "55P03"):
            assert in_trouble(raised(f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")), state


def test_a_machine_that_went_without_a_word_is_noticed() -> None:
    given = Database("postgresql://somebody@127.0.0.1:1/nowhere?connect_timeout=1")
    arguments = given.engine.dialect.create_connect_args(given.url)[1]
    began = time.monotonic()
    with pytest.raises(SQLAlchemyError) as caught, given.reading() as session:
        session.execute(text("SELECT 1"))
    assert time.monotonic() - began < 5
    assert in_trouble(caught.value)
    assert arguments["connect_timeout"] == "1"
    given.close()


_names = iter(range(10**6))


@pytest.fixture
def sqlite_url(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> str:
    return NewDatabase("sqlite", tmp_path_factory.mktemp("trouble"), request)("trouble")


@pytest.fixture
def postgres_db(tmp_path: Path, request: pytest.FixtureRequest) -> str:
    return NewDatabase("postgresql", tmp_path, request)(f"in-trouble-{next(_names)}")
