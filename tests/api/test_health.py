"""Whether the server is alive and ready, as monitors ask."""

from pathlib import Path

import httpx
import pytest

from app import main
from app.kernel.database import Database
from tests.clock import TestClock
from tests.conftest import AppServer, NewDatabase, settings_for
from tests.db.hooked import Hooked
from tests.net import free_port, serving


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_monitors_may_ask_with_get_or_head(app_server: AppServer, path: str) -> None:
    got = httpx.get(app_server.url + path, verify=False)
    head = httpx.head(app_server.url + path, verify=False)

    assert (200, "ok") == (got.status_code, got.json()["status"])
    assert (200, b"") == (head.status_code, head.content)
    assert 405 == httpx.delete(app_server.url + path, verify=False).status_code


def test_without_a_key_of_stripes_nothing_is_told_of_comparisons(app_server: AppServer) -> None:
    shown = httpx.get(app_server.url + "/readyz", verify=False).json()

    assert (shown.pop("books") or {"error": None})["error"] is None, "nobody has looked yet, or they add up"
    assert {"endpoints_behind", "oldest_waiting_at", "waiting"} == {*shown.pop("webhooks")}
    assert [] == [each for each in shown.pop("warnings") if not each.startswith("webhooks:")], "others' may be behind"
    assert {"status": "ok", "database": "ok", "migrations": "ok", "clock": "ok", "reconciliation": None} == shown


def test_webhooks_that_are_behind_are_told_and_hinder_nothing(new_database: NewDatabase, tmp_path: Path) -> None:
    port, clock = free_port(), TestClock()
    settings = settings_for(new_database("behind"), tmp_path, public_url=f"http://127.0.0.1:{port}", jobs=False)
    database = Database(settings.database)
    with serving(main.application(settings, clock), port):
        hooked = Hooked(database, clock)
        hooked.wait(hooked.endpoint(), "ref_a")
        clock.move(minutes=5)
        answer = httpx.get(f"{settings.public_url}/readyz")
    database.close()
    shown = answer.json()

    assert (200, "ok") == (answer.status_code, shown["status"])
    expected = {"endpoints_behind": 1, "oldest_waiting_at": "2026-03-02T10:00:00Z", "waiting": 1}
    assert expected == shown["webhooks"]
    told_late = "webhooks: 1 endpoint told late, since 2026-03-02 10:00 UTC at the longest: does a worker run?"
    assert [told_late] == shown["warnings"]
