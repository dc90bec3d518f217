"""docs/events.md is run: its program keeps a file in step, and its examples have the fields that events have."""

import json
import os
import re
import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from app.delivery.facts import TYPES
from app.kernel.feed_relay import Relay
from app.kernel.journal import JOURNAL
from tests.conftest import AppServer
from tests.doubts import found, raised
from tests.shop import JSON, TestMerchant, ok

DOCUMENT = (Path(__file__).parents[2] / "docs" / "events.md").read_text("utf-8")
EXAMPLES = {
    title: json.loads(example)
    for title, example in re.findall(r"^### (\S+)\n.*?^```json\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
}
PROGRAM = re.findall(r"^```python\n(.*?)^```$", DOCUMENT, re.MULTILINE | re.DOTALL)
CATALOGUE = "Handle,Title,Variant Price\nmug,Mug,19.99\n"


@pytest.fixture
def busy(app_server: AppServer, merchant: TestMerchant) -> TestMerchant:
    """A merchant to whom everything happened."""
    import_ = {"data": {"format": "shopify_csv"}, "files": {"file": ("mug.csv", CATALOGUE.encode())}}
    merchant.finished(ok(merchant.http.post("/v1/imports", **import_), 202))  # type: ignore[arg-type]
    product = ok(merchant.http.get("/v1/products"))["data"][0]["id"]
    ana, bo = merchant.shopper(), merchant.shopper()
    share, like = ana.share(product), ana.like(product)
    ok(merchant.public.delete(f"/v1/likes/{like['id']}", headers=ana.headers))
    click = bo.follow(share["code"])
    merchant.clock.move(minutes=1)
    ok(merchant.http.put(f"/v1/identities/{bo.id}", json={"person": "customer-7"}))
    ok(merchant.http.put("/v1/coupons/ANA10", json={"referral": share["id"]}))
    order = merchant.order(net=1999, click_id=click)["id"]
    ok(merchant.http.patch(f"/v1/orders/{order}", json={"net": 1799, "note": "Discount by phone"}))
    ok(merchant.http.post(f"/v1/orders/{order}/refunds", json={"external_id": "r1", "amount": 500}), 201)
    (doubt,) = raised(app_server, merchant, found(order))
    ok(merchant.http.post(f"/v1/doubts/{doubt}/decisions", json={"verdict": "credit"}), 201)
    return merchant


def keep_in_step(server: AppServer, merchant: TestMerchant, file: Path) -> dict[str, list[JSON]]:
    """Run the program; the rows of each kind that it has then."""
    Relay(server.database, server.clock, of=JOURNAL).place_all()
    where = {"GRAPEVINE": server.url, "KEY": merchant.report_key, "WAREHOUSE": str(file)}
    subprocess.run([sys.executable, "-c", PROGRAM[0]], env={**os.environ, **where}, check=True, timeout=60)
    kept: dict[str, list[JSON]] = {}
    with sqlite3.connect(file) as opened:
        for kind, data in opened.execute("SELECT kind, data FROM facts ORDER BY id"):
            kept.setdefault(kind, []).append(json.loads(data))
    opened.close()
    return kept


def test_the_program_keeps_a_file_in_step(app_server: AppServer, busy: TestMerchant, tmp_path: Path) -> None:
    kept = keep_in_step(app_server, busy, tmp_path / "warehouse.db")
    report = ok(busy.http.get("/v1/reports/attribution?group_by=network&from=2026-01-01&to=2027-01-01"))
    by_network: dict[str, int] = {}
    for line in kept["credit"]:
        by_network[line["network"]] = by_network.get(line["network"], 0) + line["net"]
    assert {row["network"]: row["net"] for row in report["data"]} == {
        name: net for name, net in by_network.items() if net
    }
    assert {"like": "2026-03-02T10:00:00Z", "share": None} == {
        row["kind"]: row["withdrawn_at"] for row in kept["referral"]
    }
    order = busy.order(net=500)["id"]
    assert order in {row["id"] for row in keep_in_step(app_server, busy, tmp_path / "warehouse.db")["order"]}


def test_every_type_is_shown_with_the_fields_that_it_has(app_server: AppServer, busy: TestMerchant) -> None:
    Relay(app_server.database, app_server.clock, of=JOURNAL).place_all()
    told = ok(busy.http.get("/v1/events?limit=1000"))
    ok(busy.http.delete(f"/v1/visitors/{busy.shopper().like(busy.product()['id'])['visitor'][3:37]}"))
    Relay(app_server.database, app_server.clock, of=JOURNAL).place_all()
    events = told["data"] + ok(busy.http.get("/v1/events", params={"cursor": told["next_cursor"]}))["data"]
    assert list(TYPES) == list(EXAMPLES)
    for kind, example in EXAMPLES.items():
        assert kind == example["type"]
        found = next(event for event in events if event["type"] == kind)
        assert fields(found["data"]) == fields(example["data"]), kind
    assert {*events[0]} == {*EXAMPLES["referral.created"]}


def fields(data: Any) -> Any:
    """The names, those within lists only where the example has some."""
    return {name: {*value} if name in ("correction", "decision", "refund") else None for name, value in data.items()}
