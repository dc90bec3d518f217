"""`grapevine reconcile`: what was repaired, in lines that a person reads; killed in the middle, it is run again."""

import os
import re
import signal
import subprocess
import sys
import time
from collections import Counter
from collections.abc import Iterator
from itertools import count
from pathlib import Path

import pytest
from sqlalchemy import update
from typer.testing import CliRunner, Result

from app.cli import cli
from app.kernel.clock import SystemClock
from app.merchants.models import Merchant
from tests.books import Books, opened
from tests.clock import TestClock
from tests.conftest import NewDatabase
from tests.served import ROOT

TODAY = SystemClock().now().replace(microsecond=0)

_numbers = count(1)
ID = r"[a-z]{2,4}_\w+"


@pytest.fixture
def books(new_database: NewDatabase, tmp_path: Path) -> Iterator[Books]:
    # The command goes by the machine's own clock, and so must the world that it finds.
    with opened(new_database(f"command-{next(_numbers)}"), tmp_path, TestClock(TODAY)) as ready:
        yield ready


def environment(books: Books) -> dict[str, str]:
    settings = books.till.settings
    return {
        "GRAPEVINE_DATA_DIR": str(settings.data_dir),
        "GRAPEVINE_DATABASE_URL": settings.database_url,
        "GRAPEVINE_SECRET": settings.secret,
        "GRAPEVINE_STRIPE_API_KEY": settings.stripe_api_key,
        "GRAPEVINE_STRIPE_API_BASE": settings.stripe_api_base,
        "GRAPEVINE_STRIPE_WEBHOOK_SECRET": settings.stripe_webhook_secret[0],
    }


@pytest.fixture
def reconcile(books: Books, monkeypatch: pytest.MonkeyPatch) -> "Command":
    for name, value in environment(books).items():
        monkeypatch.setenv(name, value)
    return Command()


class Command:
    def __call__(self, *words: str) -> Result:
        return CliRunner().invoke(cli, ["reconcile", *words])


def test_it_tells_what_it_repaired_for_whom(books: Books, reconcile: Command) -> None:
    ana, bo = books.seller(name="Ana's [bold] shop"), books.seller(name="Bo", stripe_account="acct_1Bo")
    books.sell_and_take_back(ana, 4)
    books.sell_and_take_back(bo, 1)

    told = reconcile()

    assert 0 == told.exit_code, told.output
    assert (books.theirs(ana), books.theirs(bo, "acct_1Bo")) == (books.ours(ana), books.ours(bo))
    head, own, connected, *rest = told.output.splitlines()
    assert ["account", "since", "events", "sessions", "repaired"] == head.split()
    assert re.fullmatch(r"your own +\d{4}-\d\d-\d\d \d\d:\d\d +\d+ +4 +8", own)
    assert re.fullmatch(r"acct_1Bo +\d{4}-\d\d-\d\d \d\d:\d\d +2 +1 +1", connected)
    assert f"Ana's [bold] shop ({ana.id}): 8 repaired" in rest
    assert f"Bo ({bo.id}): 1 repaired" in rest
    lines = [line for line in rest if line.startswith("  ")]
    assert 9 == len(lines)
    assert all(re.fullmatch(rf"  \d{{4}}-\d\d-\d\d \d\d:\d\d  a [a-z ]+  {ID}  ord_\w{{30}}", line) for line in lines)
    told_of = [re.split("  +", line)[2] for line in lines]
    assert {"a sale": 5, "a refund": 3, "a dispute that was closed": 1} == Counter(told_of)

    again = reconcile()
    assert (0, "Nothing was missing.") == (again.exit_code, again.output.splitlines()[-1])


def test_where_much_was_missing_the_rest_is_counted(
    books: Books, reconcile: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.orders.reconciliation.cli._MOST", 2)
    books.sell_and_take_back(books.seller(), 5)

    lines = reconcile().output.splitlines()

    assert "  and 7 more: GET /v1/repairs tells all" == lines[-1]
    assert 3 == sum(line.startswith("  ") for line in lines)


def test_where_stripe_cannot_be_asked_it_says_so_and_fails(books: Books, reconcile: Command) -> None:
    books.trouble(*[401] * 9)

    told = reconcile()

    assert 1 == told.exit_code
    assert "Stripe could not be asked: AuthenticationError (401)" in told.output
    assert "Nothing was missing" not in told.output


def test_an_account_that_is_gone_and_where_nobody_sells_is_told_and_is_no_failure(
    books: Books, reconcile: Command
) -> None:
    books.seller(stripe_account="acct_1Gone")
    books.line.refuses = "acct_1Gone"
    assert 1 == reconcile().exit_code
    with books.till.database.transaction() as session:
        session.execute(update(Merchant).values(stripe_account="acct_1New"))

    told = reconcile()

    assert 0 == told.exit_code, told.output
    (line,) = [line for line in told.output.splitlines() if line.startswith("acct_1Gone")]
    assert line.endswith("nobody sells through this account any more, and it does not let us ask")
    assert "Nothing was missing." == told.output.splitlines()[-1]


def test_it_looks_further_back_where_that_is_wanted(books: Books, reconcile: Command) -> None:
    reconcile()

    assert "your own  2026-01-02 00:00" in reconcile("--since", "2026-01-02").output
    assert "your own  2026-01-02 07:30" in reconcile("--since", "2026-01-02T08:30+01:00").output
    assert "2999" not in reconcile("--since", "2999-01-01").output  # it never leaves anything out
    wrong = reconcile("--since", "yesterday")
    assert (2, True) == (wrong.exit_code, "--since must be a date or a time" in wrong.output)


def test_without_a_key_it_says_in_one_line_that_there_is_none(
    reconcile: Command, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("GRAPEVINE_STRIPE_API_KEY")

    refused = reconcile()

    assert (2, "grapevine: No Stripe key is set on this server.\n") == (refused.exit_code, refused.output)


def test_killed_in_the_middle_it_is_run_again_and_writes_nothing_twice(books: Books, reconcile: Command) -> None:
    seller = books.seller()
    books.sell_and_take_back(seller, 25)
    command = [sys.executable, "-m", "app.cli", "reconcile"]
    process = subprocess.Popen(command, cwd=ROOT, env={**os.environ, **environment(books)}, stdout=subprocess.DEVNULL)
    while process.poll() is None and len(books.kept()) < 7:
        time.sleep(0.005)
    process.send_signal(signal.SIGKILL)
    process.wait(20)
    killed_at = books.kept()
    assert books.theirs(seller) != books.ours(seller)

    told = reconcile()

    assert 0 == told.exit_code, told.output
    assert 7 <= len(killed_at) < len(books.kept())
    assert books.theirs(seller) == books.ours(seller)
    assert len(set(books.repairs())) == len(books.repairs())
