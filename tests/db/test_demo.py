"""`grapevine demo` as a process of its own: twice in one folder on different ports, begun anew, behind a proxy."""

from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest

from tests.browser.demo import Demo, running
from tests.conftest import NewDatabase
from tests.net import free_port
from tests.shop import JSON, ok

pytestmark = pytest.mark.slow


def shown(demo: Demo) -> httpx.Response:
    """The wall as the blog's page asks for it."""
    return httpx.get(f"{demo.url}/v1/walls/{demo.wall}/widget", headers={"Origin": origin(demo)})


def origin(demo: Demo) -> str:
    return demo.blog.rstrip("/")


def pictures(demo: Demo) -> set[str]:
    """Where the wall's pictures are."""
    found = [urlsplit(card["image"]) for card in ok(shown(demo))["cards"]]
    return {f"{address.scheme}://{address.netloc}" for address in found}


def sale(demo: Demo, number: str) -> JSON:
    body = {"external_id": number, "placed_at": "2026-03-02T10:00:00Z", "currency": "eur", "net": 1000}
    headers = {"Authorization": f"Bearer {demo.secret_key}"}
    return dict(ok(httpx.post(f"{demo.url}/v1/orders", json=body, headers=headers)))


def test_the_demonstration_moves_to_another_port_and_keeps_what_it_has(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    url = new_database("demo-ports")
    with running(tmp_path, url) as first:
        assert origin(first) == shown(first).headers["access-control-allow-origin"]
        assert {origin(first)} == pictures(first)
    nowhere = f"http://127.0.0.1:{free_port()}"
    with running(tmp_path, url, HTTP_PROXY=nowhere, http_proxy=nowhere) as second:
        assert (first.wall, first.secret_key) == (second.wall, second.secret_key)
        assert second.url != first.url
        assert origin(second) == shown(second).headers["access-control-allow-origin"]
        assert {origin(second)} == pictures(second)
        former = httpx.get(f"{second.url}/v1/walls/{second.wall}/widget", headers={"Origin": origin(first)})
        assert "access-control-allow-origin" not in former.headers
        assert "pay" in bought(second)


def bought(demo: Demo) -> str:
    """The address of the simulated checkout for something on the wall, asked for from behind a proxy."""
    variants = [variant for card in ok(shown(demo))["cards"] for variant in card["variants"] if variant["available"]]
    body = {"items": [{"variant": variants[0]["id"], "quantity": 1}], "wall": demo.wall}
    return str(ok(httpx.post(f"{demo.url}/v1/checkouts", json=body, headers={"Origin": origin(demo)}), 201)["url"])


def test_every_order_of_the_demonstration_is_a_test_order_and_its_reports_show_it(
    new_database: NewDatabase, tmp_path: Path
) -> None:
    with running(tmp_path, new_database("demo-orders")) as demo:
        assert sale(demo, "1")["test"] is True
        answer = httpx.get(
            f"{demo.url}/v1/reports/attribution",
            params={"from": "2026-03-01", "to": "2026-03-03"},
            headers={"Authorization": f"Bearer {demo.report_key}"},
        )
        report = ok(answer)
        assert report["livemode"] is False
        assert [("eur", 1, 1000)] == [(row["currency"], row["orders"], row["net"]) for row in report["totals"]]


def test_the_demonstration_begins_anew_where_the_database_is_its_own(tmp_path: Path) -> None:
    url = f"sqlite:///{tmp_path}/grapevine.db"
    with running(tmp_path, url) as first:
        sale(first, "1")
    with running(tmp_path, url, "--reset") as second:
        assert first.wall != second.wall
        headers = {"Authorization": f"Bearer {second.secret_key}"}
        assert [] == ok(httpx.get(f"{second.url}/v1/orders", headers=headers))["data"]
    (tmp_path / "grapevine.db").unlink()
    with running(tmp_path, url) as third:  # what was kept of a shop that is gone does not stop a new one
        assert second.wall != third.wall
        assert 200 == shown(third).status_code
