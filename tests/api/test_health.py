"""Whether the server is alive and ready, as monitors ask."""

import httpx
import pytest

from tests.conftest import AppServer


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
    assert {
        "status": "ok",
        "database": "ok",
        "migrations": "ok",
        "clock": "ok",
        "reconciliation": None,
        "warnings": [],
    } == shown
