"""Two doors to the database: one that commits all or nothing, one that sees a single moment."""

import itertools
import threading
import time
from collections import Counter
from datetime import datetime

import pytest
from sqlalchemy import func, select
from sqlalchemy.exc import IntegrityError
from sqlalchemy.orm import Session

from app.kernel.database import Database, insert_new
from app.merchants.models import ApiKey
from app.referrals.models import Claim
from tests.clock import START
from tests.threads import together

_numbers = itertools.count(10**6)


def new_claim(visit: str, visitor: str = "vis_1", merchant: int = 1) -> Claim:
    return Claim(
        merchant_id=merchant, visit_id=visit, claimed_id=visit, visitor_id=visitor, at=START, received_at=START
    )


def claims(session: Session, visit: str) -> int:
    return session.scalar(select(func.count()).select_from(Claim).where(Claim.visit_id == visit)) or 0


@pytest.fixture
def visit() -> str:
    return f"clk_{next(_numbers)}"


def test_what_a_transaction_wrote_stands(database: Database, visit: str) -> None:
    with database.transaction() as session:
        session.add(new_claim(visit))
    with database.reading() as session:
        assert claims(session, visit) == 1


def test_a_transaction_that_fails_leaves_nothing(database: Database, visit: str) -> None:
    with pytest.raises(ZeroDivisionError), database.transaction() as session:  # noqa: PT012  # the block is a transaction
        session.add(new_claim(visit))
        session.flush()
        raise ZeroDivisionError
    with database.reading() as session:
        assert claims(session, visit) == 0


def test_what_is_written_while_reading_is_thrown_away(database: Database, visit: str) -> None:
    with database.reading() as session:
        session.add(new_claim(visit))
        session.flush()
    with database.reading() as session:
        assert claims(session, visit) == 0


def test_reading_sees_one_moment_while_others_write(database: Database, visit: str) -> None:
    with database.reading() as session:
        before = claims(session, visit)
        with database.transaction() as writing:
            writing.add(new_claim(visit))
        assert before == claims(session, visit) == 0
    with database.reading() as session:
        assert claims(session, visit) == 1


def test_a_row_that_points_to_nobody_is_refused(database: Database) -> None:
    key = ApiKey(hash="0" * 64, merchant_id=999_999_999, key_id="key_1", kind="secret", hint="1234", created_at=START)
    with pytest.raises(IntegrityError), database.transaction() as session:
        session.add(key)


@pytest.mark.parametrize(
    "at", [START, START.replace(microsecond=123_456), START.replace(year=1970), START.replace(year=9998)]
)
def test_times_are_kept_exactly(database: Database, visit: str, at: datetime) -> None:
    with database.transaction() as session:
        claim = new_claim(visit)
        claim.at = at
        session.add(claim)
    with database.reading() as session:
        assert at == session.scalars(select(Claim.at).where(Claim.visit_id == visit, Claim.at <= at)).one()


def test_ids_are_compared_as_bytes(database: Database) -> None:
    merchant = next(_numbers)
    with database.transaction() as session:
        session.add_all(new_claim(visit, merchant=merchant) for visit in ("a", "B", "_", "é", "Z", "1"))
    with database.reading() as session:
        query = select(Claim.visit_id).where(Claim.merchant_id == merchant).order_by(Claim.visit_id)
        assert ["1", "B", "Z", "_", "a", "é"] == list(session.scalars(query))


def test_no_writer_starves_and_none_is_told_that_the_database_is_locked(database: Database) -> None:
    order: list[int] = []

    def write(number: int) -> None:
        for _ in range(50):
            with database.transaction() as session:
                session.add(new_claim(f"clk_{next(_numbers)}", merchant=number + 1000))
                order.append(number)

    together(*(lambda number=number: write(number) for number in range(8)))

    assert Counter(order) == dict.fromkeys(range(8), 50)
    if database.is_sqlite:  # in order of asking: whoever is waiting comes before anybody's second turn
        half = Counter(order[:200])
        assert min(half.values()) >= 15, half


def test_two_processes_may_write_to_one_file(database: Database, database_url: str, visit: str) -> None:
    other = Database(database_url)  # another process's queue of writers, as far as SQLite can tell

    def write(through: Database, name: str) -> None:
        for number in range(25):
            with through.transaction() as session:
                session.add(new_claim(f"{visit}-{name}-{number}"))

    together(lambda: write(database, "a"), lambda: write(other, "b"))
    with other.reading() as session:
        query = select(func.count()).select_from(Claim).where(Claim.visit_id.startswith(f"{visit}-", autoescape=True))
        assert session.scalar(query) == 50
    other.close()


def test_a_writer_that_fails_lets_the_next_one_in(database: Database, visit: str) -> None:
    inside = threading.Event()

    def fail() -> None:
        with pytest.raises(ZeroDivisionError), database.transaction():  # noqa: PT012  # the block is a transaction
            inside.set()
            time.sleep(0.05)
            raise ZeroDivisionError

    def follow() -> None:
        inside.wait(5)
        with database.transaction() as session:
            session.add(new_claim(visit))

    together(fail, follow)
    with database.reading() as session:
        assert claims(session, visit) == 1


def test_of_many_who_insert_the_same_at_once_one_succeeds(database: Database) -> None:
    for _ in range(10):
        visit = f"clk_{next(_numbers)}"

        def claim(visitor: str, visit: str = visit) -> bool:
            ids = {"merchant_id": 1, "visit_id": visit, "claimed_id": visit, "visitor_id": visitor}
            with database.transaction() as session:
                return insert_new(session, Claim, **ids, at=START, received_at=START)

        won = together(*(lambda visitor=visitor: claim(visitor) for visitor in "abcd"))

        assert sorted(won) == [False, False, False, True]
        with database.reading() as session:
            standing = session.get(Claim, (1, visit))
            assert standing is not None
            assert "abcd"[won.index(True)] == standing.visitor_id


@pytest.mark.parametrize("begun", ["before", "after"])
def test_what_is_given_back_after_the_end_is_closed(database_url: str, begun: str) -> None:
    ending = Database(database_url)
    if begun == "after":
        ending.close()
    with ending.reading() as session:
        used = session.connection().connection.driver_connection
        if begun == "before":
            ending.close()
        assert 1 == session.scalar(select(1)), "who uses it may end"
    assert used is not None
    with pytest.raises(ending.engine.dialect.loaded_dbapi.Error, match="closed"):
        used.cursor()
