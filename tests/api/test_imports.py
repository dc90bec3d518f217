"""Imports of catalogues: what is told of a file, and that neither repetition nor a crash counts anything twice."""

from io import BytesIO
from pathlib import Path

import httpx
import pytest
from sqlalchemy import delete, func, select

from app.catalog import imports, kept_file
from app.catalog.models import Import, ImportChunk
from app.kernel.ids import merchant_of
from app.kernel.outbox import Outbox, OutboxRow
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok

DATA = Path(__file__).parents[1] / "data"
COUNTS = ("created", "updated", "unchanged", "failed")


def upload(merchant: TestMerchant, content: bytes, file_format: str = "shopify_csv") -> httpx.Response:
    files = {"file": ("products.csv", content, "text/csv")}
    return merchant.http.post("/v1/imports", data={"format": file_format}, files=files)


def bring_in(merchant: TestMerchant, name: str) -> JSON:
    return merchant.finished(ok(upload(merchant, (DATA / name).read_bytes()), 202))


def counts(state: JSON) -> tuple[int, ...]:
    return tuple(state[name] for name in COUNTS)


def products(merchant: TestMerchant) -> dict[str, JSON]:
    listed = ok(merchant.http.get("/v1/products", params={"limit": 100}))["data"]
    return {product["external_id"]: product for product in listed}


def rows(*numbers: int, price: str = "10") -> bytes:
    lines = [f"item-{number},Item {number},{price}" for number in numbers]
    return "\n".join(["Handle,Title,Variant Price", *lines]).encode()


def test_a_file_of_shopifys_becomes_products(merchant: TestMerchant) -> None:
    begun = ok(upload(merchant, (DATA / "shopify_old.csv").read_bytes()), 202)
    assert begun["status"] in ("queued", "running", "finished")
    state = merchant.finished(begun)

    found = products(merchant)
    assert state["status"] == "finished"
    assert {"tea-bowl", "on-request"} <= set(found)
    assert "old-vase" not in found  # not published
    assert state["created"] == len(found)
    bowl = found["tea-bowl"]
    assert 'Tea "Moon" Bowl' == bowl["title"]
    assert "<" not in bowl["description"]
    assert "alert" not in bowl["description"]
    assert 3 == len(bowl["variants"])
    assert {"amount": 2400, "currency": "eur"} == bowl["variants"][0]["price"]
    assert found["on-request"]["variants"][0]["price"] is None


@pytest.mark.parametrize(
    "name", ["shopify_old.csv", "shopify_new.csv", "shopify_nasty.csv", "shopify_cp1252.csv", "shopify_utf16.csv"]
)
def test_the_same_file_again_changes_nothing(merchant: TestMerchant, name: str) -> None:
    first = bring_in(merchant, name)
    before = products(merchant)
    again = bring_in(merchant, name)
    assert (0, 0) == (again["created"], again["updated"])
    assert again["unchanged"] >= first["created"] > 0
    assert (first["failed"], first["errors"]) == (again["failed"], again["errors"])
    assert before == products(merchant)


def test_a_shop_of_twenty_products_is_brought_in_whole_and_the_second_time_nothing_changes(
    merchant: TestMerchant,
) -> None:
    first, again = (bring_in(merchant, "shopify_apparel.csv") for _ in range(2))
    found = products(merchant)

    assert ("finished", (20, 0, 0, 0), []) == (first["status"], counts(first), first["errors"])
    assert ("finished", (0, 0, 20, 0), []) == (again["status"], counts(again), again["errors"])
    assert 20 == len(found)
    tote = found["market-tote"]
    assert ["Small", "Medium", "Large"] == [variant["title"] for variant in tote["variants"]]
    assert {2500} == {variant["price"]["amount"] for variant in tote["variants"]}
    assert {None} == {variant["stock"] for product in found.values() for variant in product["variants"]}
    assert "Padded Vest" == found["quilted-vest"]["title"]
    assert ["https://cdn.example/photos/vest@2x.jpg"] == found["quilted-vest"]["images"]
    assert found["rain-shell"]["description"].startswith("Waterproof shell in recycled nylon, with")


def test_what_cannot_be_kept_or_given_out_loses_its_row_alone(merchant: TestMerchant) -> None:
    options = ",".join(letter * 250 for letter in "xyz")
    content = (
        "Handle,Title,Option1 Value,Option2 Value,Option3 Value,Variant Price,Variant Inventory Qty\n"
        "good,Good,,,,9999999999.99,1000000000\n"
        f"long,Long,{options},10,1\n"
        "costly,Costly,,,,10000000000,1\n"
        "many,Many,,,,10,3000000000\n"
        "last,Last,,,,10,1\n"
    )
    state = merchant.finished(ok(upload(merchant, content.encode())))

    assert ("finished", (2, 0, 0, 3)) == (state["status"], counts(state))
    assert [3, 4, 5] == [error["line"] for error in state["errors"]]
    found = products(merchant)
    assert {"good", "last"} == set(found)
    assert 999_999_999_999 == found["good"]["variants"][0]["price"]["amount"]
    assert 1_000_000_000 == found["good"]["variants"][0]["stock"]


def test_a_bad_row_is_told_with_its_line_and_loses_no_other(merchant: TestMerchant) -> None:
    state = bring_in(merchant, "shopify_nasty.csv")
    lines = (DATA / "shopify_nasty.csv").read_text().splitlines()
    told = {error["line"] for error in state["errors"]}
    for begin in ("not-a-number", "below-zero", "too-fine", "no-title"):
        line = next(number for number, text in enumerate(lines, 1) if text.startswith(begin))
        assert line in told, begin
    assert state["status"] == "finished"
    assert state["failed"] >= 4
    assert {"good-one", "good-two", "good-three"} <= set(products(merchant))
    assert products(merchant)["good-three"]["title"] == "<script>alert(1)</script>"


def test_what_has_changed_in_a_file_is_updated(merchant: TestMerchant) -> None:
    assert (3, 0, 0, 0) == counts(merchant.finished(ok(upload(merchant, rows(1, 2, 3)))))
    changed = rows(1, 2, 4) + b"\nitem-3,Item 3,11\n"
    assert (1, 1, 2, 0) == counts(merchant.finished(ok(upload(merchant, changed))))
    assert 1100 == products(merchant)["item-3"]["variants"][0]["price"]["amount"]


class _Killed(BaseException):
    """Stands for the end of the process in the middle of the work."""


def test_an_import_that_was_killed_goes_on_where_it_was(merchant: TestMerchant, app_server: AppServer) -> None:
    number, database = merchant_of(merchant.id), app_server.database
    content = rows(*range(350)) + b"\nbad,Bad,about ten\n"
    with database.transaction() as session:  # as the endpoint does, but nobody is told to begin
        outbox = Outbox(app_server.clock)
        begun = imports.start(session, outbox, number, "shopify_csv", BytesIO(content), app_server.clock.now())
        session.execute(delete(OutboxRow).where(OutboxRow.merchant_id == number))
        import_id = begun.import_id

    told: list[int] = []

    def die_after_the_first(state: Import) -> None:
        told.append(state.created)
        raise _Killed

    for _ in range(2):
        with pytest.raises(_Killed):
            imports.bring_in(database, app_server.clock, number, import_id, die_after_the_first)
    assert [imports.BATCH, 2 * imports.BATCH] == told
    state = ok(merchant.http.get(f"/v1/imports/{import_id}"))
    assert ("running", 2 * imports.BATCH) == (state["status"], state["created"])

    imports.bring_in(database, app_server.clock, number, import_id, lambda _: None)
    state = ok(merchant.http.get(f"/v1/imports/{import_id}"))
    assert ("finished", (350, 0, 0, 1)) == (state["status"], counts(state))
    assert 1 == len(state["errors"])
    again = imports.bring_in(database, app_server.clock, number, import_id, lambda _: None)
    assert 350 == again.created
    with database.reading() as session:
        left = select(func.count()).select_from(ImportChunk).where(ImportChunk.import_id == import_id)
        assert 0 == session.scalar(left)


def test_a_file_larger_than_a_piece_is_read_whole(merchant: TestMerchant) -> None:
    description = "x" * 5000
    lines = ["Handle,Title,Body (HTML)", *(f"item-{number},Item {number},{description}" for number in range(450))]
    content = "\n".join(lines).encode()
    assert len(content) > 2 * kept_file.PIECE
    assert (450, 0, 0, 0) == counts(merchant.finished(ok(upload(merchant, content))))


@pytest.mark.parametrize(
    "content", [b"", b"\n\n", b"\x00" * 100, b"\xff\xfe", b"%PDF-1.7 ...", b"Handle,Title\n", b'"' * 1001]
)
def test_a_file_that_is_no_catalogue_is_told_so_and_changes_nothing(merchant: TestMerchant, content: bytes) -> None:
    state = merchant.finished(ok(upload(merchant, content), 202))
    assert (0, 0, 0) == counts(state)[:3]
    assert {} == products(merchant)


@pytest.mark.parametrize(
    ("fields", "pointer"),
    [({"format": "word"}, "/format"), ({}, "/format"), ({"format": "shopify_csv\x00"}, "/format")],
)
def test_a_format_that_is_not_known_is_refused(merchant: TestMerchant, fields: JSON, pointer: str) -> None:
    answer = merchant.http.post("/v1/imports", data=fields, files={"file": ("a.csv", b"Handle,Title\n", "text/csv")})
    assert answer.status_code == 422
    assert [pointer] == [error["pointer"] for error in answer.json()["errors"]]


def test_an_upload_without_a_file_is_refused(merchant: TestMerchant) -> None:
    for answer in (
        merchant.http.post("/v1/imports", data={"format": "shopify_csv"}),
        merchant.http.post("/v1/imports", data={"format": "shopify_csv", "file": "words"}),
        merchant.http.post("/v1/imports"),
        merchant.http.post(
            "/v1/imports", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data; boundary=x"}
        ),
        merchant.http.post("/v1/imports", content=b"--x\r\n", headers={"Content-Type": "multipart/form-data"}),
    ):
        assert answer.status_code in (400, 422), answer.text
        assert answer.headers["content-type"] == "application/problem+json"


@pytest.mark.slow
def test_a_file_above_64_mebibytes_is_too_large(merchant: TestMerchant) -> None:
    answer = upload(merchant, b"x" * (64 * 1024 * 1024 + 1))
    assert (413, "too_large") == (answer.status_code, answer.json()["code"])


def test_an_import_that_is_not_there_is_not_found(merchant: TestMerchant) -> None:
    for missing in ("imp_", "x", "imp_" + "0" * 30, merchant.product()["id"]):
        assert merchant.http.get(f"/v1/imports/{missing}").status_code == 404
