"""A running server compares Stripe's books with ours by itself, unless it is told not to."""

import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

from app import main
from app.kernel.periodic import PeriodicJob
from app.orders.reconciliation.runs import NAME
from tests.books import Books, opened
from tests.clock import TestClock
from tests.conftest import NewDatabase
from tests.net import free_port, serving


def test_a_server_with_jobs_repairs_what_no_webhook_told(new_database: NewDatabase, tmp_path: Path) -> None:
    with opened(new_database("hourly"), tmp_path, TestClock()) as books:
        seller = books.seller()
        books.sell_and_take_back(seller, 2)
        due(books)
        settings = books.till.settings.model_copy(update={"jobs": True})
        with serving(main.application(settings, books.till.clock), free_port()):
            wait_for(lambda: books.ours(seller) == books.theirs(seller))

        books.till.clock.move(hours=2)
        books.sell_and_take_back(seller, 1)
        due(books)
        with serving(main.application(settings.model_copy(update={"reconcile": False}), books.till.clock), free_port()):
            time.sleep(1)
        assert 2 == len(books.ours(seller))


def due(books: Books) -> None:
    """The hourly comparison is due now."""
    with books.till.database.transaction() as session:
        session.merge(PeriodicJob(name=NAME, due_at=books.till.clock.now() - timedelta(minutes=1), turn=0))


def wait_for(seen: Callable[[], bool]) -> None:
    for _ in range(400):
        if seen():
            return
        time.sleep(0.05)
    raise AssertionError("it did not happen")
