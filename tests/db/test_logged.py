"""What `grapevine serve` logs, in a process of its own, while things go wrong."""

import json
from pathlib import Path
from typing import Any

import httpx
from sqlalchemy import text

from app.kernel.database import Database
from tests.conftest import ADMIN_TOKEN, SECRET, WEBHOOK_SECRET, NewDatabase, keys_at
from tests.served import Server
from tests.shop import BROWSER, ok

AGENT = "Mozilla/5.0 (Odd; rv:77.7) Peculiar/9"
STRANGER = "203.0.113.77"


def rename(url: str, table: str, name: str) -> None:
    database = Database(url)
    with database.transaction() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))
    database.close()


def lines(server: Server) -> list[dict[str, Any]]:
    """Each line that was logged; those of a program that is not JSON would fail here."""
    return [json.loads(line) for line in server.log.splitlines() if line]


def test_each_line_names_its_request_and_none_tells_a_secret(new_database: NewDatabase, tmp_path: Path) -> None:
    url = new_database("logged")
    server = Server(url, tmp_path, settings={"GRAPEVINE_TRUSTED_PROXIES": "127.0.0.1"})
    server.start()
    try:
        made = keys_at(server.url)
        key = {"Authorization": f"Bearer {made['secret_key']}"}
        about = {"User-Agent": AGENT, "X-Forwarded-For": STRANGER, "Connection": "close"}
        with httpx.Client(base_url=server.url, headers=about, verify=False, timeout=30) as http:
            product = ok(http.post("/v1/products", json={"title": "Mug"}, headers=key), 201)["id"]
            like = ok(http.post("/v1/likes", json={"product": product}), 201)
            token = {"Grapevine-Visitor": like["visitor"]}
            rename(url, "referrals", "elsewhere")
            rename(url, "links", "nowhere")
            share = {"product": product, "network": "x", "caption": "write to ana@mail.example"}
            failed = http.post("/v1/shares", json=share, headers={**token, "X-Request-Id": "share-that-fails"})
            shown = http.get("/v1/me", headers={**token, "X-Request-Id": "me-that-fails"})
            page = http.get("/r/123456789", headers={"User-Agent": BROWSER, "X-Request-Id": "page-that-fails"})
        assert (500, 500) == (failed.status_code // 100 * 100, shown.status_code // 100 * 100)
        assert ["share-that-fails", "me-that-fails", "page-that-fails"] == [
            each.headers["x-request-id"] for each in (failed, shown, page)
        ]
    finally:
        server.kill()
        rename(url, "elsewhere", "referrals")
        rename(url, "nowhere", "links")
    named = [line["request_id"] for line in lines(server) if "request_id" in line]
    assert {"me-that-fails", "page-that-fails"} <= {*named}
    assert {"at", "level", "logger", "message"} <= set.intersection(*(set(line) for line in lines(server)))
    secrets = (ADMIN_TOKEN, SECRET, WEBHOOK_SECRET, "sk_live_of_nobody", made["secret_key"], made["report_key"])
    people = (like["visitor"], "ana@mail.example", STRANGER, "Peculiar/9")
    assert [] == [each for each in (*secrets, *people) if each in server.log]
