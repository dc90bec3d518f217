"""All facts as files: whole, safe, consistent, and where the feed goes on."""

import csv
import json
import tracemalloc
from pathlib import Path
from typing import Any

import pytest

from app.delivery import export
from app.delivery.export import TABLES, Format
from app.kernel.bulk import append
from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.ids import new_ids
from app.referrals.models import Visit
from tests.clock import START
from tests.db.conftest import Run
from tests.db.journalling import a_life, now, read_on
from tests.db.referring import Shop, done, written
from tests.db.selling import Market

MANY = 6_000
A_LITTLE = 4_000_000
"""Bytes: all of it at once would be twice as many."""


def exported(database: Database, merchant: int, folder: Path, file_format: Format = "ndjson") -> dict[str, Any]:
    """What `export.json` says."""
    export.export(database, merchant, f"mer_{merchant}", folder, file_format, START)
    return dict(json.loads((folder / "export.json").read_text()))


def lines(file: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def cells(file: Path) -> list[dict[str, str]]:
    with file.open(newline="") as opened:
        return list(csv.DictReader(opened))


def test_everything_is_there_under_the_names_of_the_api(database: Database, market: Market, tmp_path: Path) -> None:
    a_life(market)
    said = exported(database, market.merchant, tmp_path)
    found = {name: lines(tmp_path / f"{name}.ndjson") for name in TABLES}
    assert said["rows"] == {name: len(rows) for name, rows in found.items()}
    assert {"beacons", "walls", "imports", "order_lines"} == {name for name, rows in found.items() if not rows}
    (order,), refunds = found["orders"], found["refunds"]
    counting = sum(refund["amount"] for refund in refunds if refund["dropped_at"] is None)
    assert order["net"] - counting == sum(line["net"] for line in found["credits"])
    assert (False, "2026-03-02T10:00:00Z") == (order["test"], order["placed_at"])
    assert {visit["referral"] for visit in found["visits"]} <= {each["id"] for each in found["referrals"]}
    assert [{"net", "coupon"} & {*each["before"]} for each in found["corrections"]] == [{"coupon"}, set()]


def test_nothing_of_another_merchants_is_in_it(database: Database, market: Market, tmp_path: Path) -> None:
    a_life(market)
    said = exported(database, Shop(database).merchant, tmp_path)
    assert {"products": 3} == {name: count for name, count in said["rows"].items() if count}


def test_as_csv_it_has_the_same_and_runs_nothing_in_a_spreadsheet(database: Database, tmp_path: Path) -> None:
    shop = Shop(database)
    evil = '=HYPERLINK("http://evil.example"), "a"\nb'
    fact = shop.share(shop.visitor(), shop.products[0])
    fact.caption = evil
    done(written(database, [fact, shop.share(shop.visitor(), shop.products[1])]))
    for file_format in ("csv", "ndjson"):
        exported(database, shop.merchant, tmp_path, file_format)
    plain = lines(tmp_path / "referrals.ndjson")
    rows = cells(tmp_path / "referrals.csv")
    assert [{name: value or "" for name, value in row.items()} for row in plain] == [
        {**row, "caption": row["caption"].removeprefix("'")} for row in rows
    ]
    assert [f"'{evil}", ""] == [row["caption"] for row in rows]
    assert list(TABLES["visits"].columns) == (tmp_path / "visits.csv").read_text().strip().split(",")


def test_the_feed_goes_on_where_the_export_ended(database: Database, tmp_path: Path) -> None:
    shop = Shop(database)
    first = done(written(database, [shop.share(shop.visitor(), shop.products[0])]))[0].referral.referral_id
    now(database, shop.merchant)
    cursor = exported(database, shop.merchant, tmp_path)["cursor"]
    second = done(written(database, [shop.share(shop.visitor(), shop.products[0])]))[0].referral.referral_id
    now(database, shop.merchant)
    assert [first] == [row["id"] for row in lines(tmp_path / "referrals.ndjson")]
    assert [second] == [event.subject for event in read_on(database, shop.merchant, cursor)[0]]


def test_an_export_that_fails_leaves_what_was_there(database: Database, tmp_path: Path) -> None:
    shop = Shop(database)
    exported(database, shop.merchant, tmp_path)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    done(written(database, [shop.share(shop.visitor(), shop.products[0])]))
    (tmp_path / "export.json").unlink()
    (tmp_path / "export.json").mkdir()  # nothing can take its place
    with pytest.raises(OSError, match="export"):
        exported(database, shop.merchant, tmp_path)
    del before["export.json"]
    assert before == {file.name: file.read_bytes() for file in tmp_path.iterdir() if file.is_file()}


def test_memory_does_not_grow_with_what_there_is(database: Database, tmp_path: Path) -> None:
    shop = Shop(database)
    at = to_micros(START)
    ids = new_ids("clk", shop.merchant, START, MANY)
    columns = ("merchant_id", "visit_id", "referral_id", "type", "at", "received_at")
    with database.transaction() as session:
        append(session, Visit, columns, [(shop.merchant, id, "ref_1", "click", at, at) for id in ids])
    del ids
    tracemalloc.start()
    try:
        said = exported(database, shop.merchant, tmp_path)
        assert tracemalloc.get_traced_memory()[1] < A_LITTLE
    finally:
        tracemalloc.stop()
    assert MANY == said["rows"]["visits"]


def test_the_command_says_what_it_wrote_and_what_is_wrong(grapevine: Run, merchant: str, tmp_path: Path) -> None:
    done_ = grapevine("export", "--merchant", merchant, "--to", tmp_path / "out", "--format", "csv")
    assert done_.exit_code == 0, done_.output
    assert "GET /v1/events?cursor=0-" in done_.output
    assert {*(f"{name}.csv" for name in TABLES), "export.json"} == {file.name for file in (tmp_path / "out").iterdir()}
    file = tmp_path / "file"
    file.write_text("")
    for words, complaint in (
        (("--merchant", "mer_1"), "there is no merchant"),
        (("--merchant", merchant, "--format", "xlsx"), "ndjson, csv"),
        (("--merchant", merchant, "--to", file), "file"),
    ):
        refused = grapevine("export", "--to", tmp_path / "out", *words)
        assert refused.exit_code == 2
        assert complaint in refused.output
        assert len(refused.output.strip().splitlines()) == 1
