"""`grapevine import --history`: past facts from a file, alone and beside a server that computes too."""

import json
import threading
from collections.abc import Iterable
from pathlib import Path
from typing import Any

from sqlalchemy import func, select

from app import main
from app.attribution import stale
from app.attribution.models import CreditLine, StaleOrder
from app.kernel.database import Database
from app.kernel.ids import merchant_of
from app.kernel.outbox import OutboxRow
from tests.bench.history import history
from tests.conftest import settings_for
from tests.db.conftest import Run

SHARE = {
    "kind": "referral",
    "id": "s1",
    "type": "share",
    "visitor": "ana",
    "network": "x",
    "at": "2025-01-01T00:00:00Z",
}
CLICK = {"kind": "touch", "id": "t1", "type": "click", "visitor": "bo", "referral": "s1", "at": "2025-01-02T00:00:00Z"}
ORDER = {"kind": "order", "id": "o1", "visitor": "bo", "currency": "eur", "net": 5000, "at": "2025-01-03T00:00:00Z"}


def file_of(folder: Path, *lines: dict[str, Any] | str) -> Path:
    file = folder / "past.ndjson"
    file.write_text("".join(f"{line if isinstance(line, str) else json.dumps(line)}\n" for line in lines))
    return file


def credited(database: Database, merchant: str) -> dict[str, int]:
    """What each sharer of the merchant's has, in minor units."""
    with database.reading() as session:
        whose = select(CreditLine.sharer, func.sum(CreditLine.gross - CreditLine.reversed))
        rows = session.execute(whose.where(CreditLine.merchant_id == merchant_of(merchant)).group_by(CreditLine.sharer))
        return {sharer: int(net) for sharer, net in rows if net}


def left_over(database: Database) -> int:
    """Promises and stale orders."""
    with database.reading() as session:
        return sum(session.scalar(select(func.count()).select_from(table)) or 0 for table in (OutboxRow, StaleOrder))


def test_a_history_is_brought_in_and_divided(grapevine: Run, merchant: str, database: Database, tmp_path: Path) -> None:
    told = grapevine("import", "--history", file_of(tmp_path, ORDER, CLICK, SHARE), "--merchant", merchant)

    assert (0, "3 accepted, 0 unchanged, 0 refused\n") == (told.exit_code, told.stdout)
    assert {"ana": 5000} == credited(database, merchant)
    assert 0 == left_over(database)


def test_the_same_file_again_changes_nothing(grapevine: Run, merchant: str, database: Database, tmp_path: Path) -> None:
    file = file_of(tmp_path, ORDER, CLICK, SHARE)
    grapevine("import", "--history", file, "--merchant", merchant)
    told = grapevine("import", file, "--history", "--merchant", merchant)

    assert (0, "0 accepted, 3 unchanged, 0 refused\n") == (told.exit_code, told.stdout)
    assert {"ana": 5000} == credited(database, merchant)


def test_a_refused_line_is_told_and_makes_it_no_success(
    grapevine: Run, merchant: str, database: Database, tmp_path: Path
) -> None:
    wrong = {**CLICK, "id": "t2", "colour": "[red]"}
    told = grapevine("import", "--history", file_of(tmp_path, SHARE, "{", wrong, CLICK, ORDER), "--merchant", merchant)

    assert 1 == told.exit_code
    assert "line 2: " in told.stdout
    assert "line 3: colour: " in told.stdout
    assert told.stdout.endswith("3 accepted, 0 unchanged, 2 refused\n")
    assert {"ana": 5000} == credited(database, merchant)


def test_an_empty_file_is_a_history_without_facts(grapevine: Run, merchant: str, tmp_path: Path) -> None:
    told = grapevine("import", "--history", file_of(tmp_path), "--merchant", merchant)
    assert (0, "0 accepted, 0 unchanged, 0 refused\n") == (told.exit_code, told.stdout)


def test_whose_facts_they_are_must_be_clear(grapevine: Run, merchant: str, tmp_path: Path) -> None:
    told = grapevine("import", "--history", file_of(tmp_path, SHARE), "--merchant", "mer_nobody")
    assert 2 == told.exit_code
    assert "there is no merchant mer_nobody" in told.stderr


def lines_of(folder: Path, lines: Iterable[bytes]) -> Path:
    file = folder / "many.ndjson"
    file.write_bytes(b"".join(lines))
    return file


def test_beside_a_server_that_computes_too_everything_is_counted_once(
    grapevine: Run, merchant: str, database: Database, database_url: str, tmp_path: Path
) -> None:
    """Both make the same ledger that one alone makes."""
    server = main.assemble(settings_for(database_url, tmp_path))
    stopped = threading.Event()

    def compute() -> None:
        while not stopped.is_set():
            stale.drain(server.database, server.clock, merchant_of(merchant))
            stopped.wait(0.02)

    beside = threading.Thread(target=compute)
    beside.start()
    try:
        told = grapevine("import", "--history", lines_of(tmp_path, history(3000)), "--merchant", merchant)
    finally:
        stopped.set()
        beside.join(20)
        server.database.close()
    assert (0, "3000 accepted, 0 unchanged, 0 refused\n") == (told.exit_code, told.stdout)
    other = grapevine("merchant", "Alone").stdout.split()[1]
    grapevine("import", "--history", lines_of(tmp_path, history(3000)), "--merchant", other)
    assert credited(database, other) == credited(database, merchant)
    assert 0 == left_over(database)
