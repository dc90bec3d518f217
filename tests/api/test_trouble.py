"""When the database is in trouble, callers are told so in the contract's form, and nothing of the inside."""

from pathlib import Path

import httpx
from sqlalchemy import text

from app import main
from app.kernel.database import Database
from tests.clock import TestClock
from tests.conftest import ADMIN_TOKEN, NewDatabase, settings_for
from tests.net import free_port, serving
from tests.shop import ok


def rename(url: str, table: str, name: str) -> None:
    database = Database(url)
    with database.transaction() as session:
        session.execute(text(f"ALTER TABLE {table} RENAME TO {name}"))
    database.close()


def is_trouble(answer: httpx.Response, table: str) -> None:
    """503 where the database says that it is in trouble, 500 where it blames us; never what it said."""
    assert answer.status_code in (500, 503), answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.json()["code"] in ("internal_error", "unavailable")
    assert (answer.status_code == 503) == ("retry-after" in answer.headers)
    assert table not in answer.text


def test_trouble_with_the_database_is_told_and_passes(new_database: NewDatabase, tmp_path: Path) -> None:
    port, url = free_port(), new_database("trouble")
    own = f"http://127.0.0.1:{port}"
    settings = settings_for(url, tmp_path, public_url=own, jobs=False)
    fresh = {"Connection": "close"}  # a connection on which something broke is not used again
    with (
        serving(main.application(settings, TestClock()), port),
        httpx.Client(base_url=own, verify=False, headers=fresh) as http,
    ):
        rename(url, "alembic_version", "elsewhere")
        assert http.get("/readyz").status_code == 503
        empty = dict.fromkeys(("reconciliation", "books", "webhooks"))
        aside: dict[str, object] = {"clock": "ok", **empty, "warnings": []}
        missing = {"status": "unavailable", "database": "ok", "migrations": "missing", **aside}
        assert http.get("/readyz").json() == missing
        rename(url, "elsewhere", "alembic_version")
        assert http.get("/readyz").status_code == 200

        operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
        made = ok(http.post("/v1/merchants", json={"name": "Vine", "currency": "eur"}, headers=operator), 201)
        key = {"Authorization": f"Bearer {made['secret_key']}"}
        product = ok(http.post("/v1/products", json={"title": "Mug"}, headers=key), 201)["id"]

        rename(url, "api_keys", "elsewhere")
        is_trouble(http.get("/v1/products", headers=key), "api_keys")
        rename(url, "elsewhere", "api_keys")
        rename(url, "referrals", "elsewhere")
        is_trouble(http.post("/v1/likes", json={"product": product}), "referrals")
        assert http.get("/healthz").status_code == 200
        rename(url, "elsewhere", "referrals")
        ok(http.get("/v1/products", headers=key), 200)
        ok(http.post("/v1/likes", json={"product": product}), 201)
