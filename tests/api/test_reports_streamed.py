"""Reports of any size as CSV and NDJSON: sent while they are read, and few rows are held at once."""

import csv
import io
import json
import time
import tracemalloc
from contextlib import ExitStack
from typing import NamedTuple

import httpx
import pytest
from sqlalchemy import QueuePool, insert

from app.attribution.marks import mark, quarter_of
from app.attribution.models import CreditLine
from app.kernel.clock import to_micros
from app.kernel.ids import merchant_of, new_ids
from app.reports.credit_keeping import Keeping
from app.reports.streaming import AT_ONCE
from tests.conftest import AppServer
from tests.shop import TestMerchant, ok
from tests.soak import SOAK

ROWS = 100_000 if SOAK else 6_000
WHEN = {"from": "2026-01-01", "to": "2027-01-01"}
BY_KEPT_SUMS, BY_THE_LEDGER = "sharer", "sharer,network"


def sold_by(merchant: TestMerchant, server: AppServer, people: int) -> None:
    """One order that so many people brought, of each of whom the net is another; and a name that a spreadsheet would
    run. All of it is added up."""
    order = merchant.order(net=1000)
    at = merchant.clock.now()
    merchant_id = merchant_of(order["id"], "ord")
    same = {
        "merchant_id": merchant_id,
        "order_id": order["id"],
        "policy_version": 1,
        "source": "touch",
        "network": "x",
        "level": 0,
        "currency": "eur",
        "reversed": 0,
        "livemode": True,
        "order_at": at,
        "written_at": at,
    }
    ids = new_ids("crd", merchant_id, at, people)
    lines = [
        {**same, "credit_id": credit_id, "sharer": f"=person {number}", "gross": number + 1}
        for number, credit_id in enumerate(ids)
    ]
    database = server.database
    with database.transaction() as session:
        session.execute(insert(CreditLine), lines)
        mark(session, merchant_id, {quarter_of("current", True, to_micros(at))}, at)
    Keeping(database).add_up_all()
    merchant.clock.move(seconds=1)


@pytest.mark.parametrize(
    ("group_by", "sort"),
    [(BY_KEPT_SUMS, "-net"), (BY_KEPT_SUMS, "gross"), (BY_THE_LEDGER, "-sharer"), ("sharer,day", "orders")],
)
def test_what_is_sent_while_it_is_read_is_the_report(
    merchant: TestMerchant, app_server: AppServer, group_by: str, sort: str
) -> None:
    sold_by(merchant, app_server, 500)
    asked = {**WHEN, "group_by": group_by, "sort": sort}
    rows = ok(merchant.http.get("/v1/reports/attribution", params=asked))["data"]
    assert len(rows) > 500
    lines = merchant.http.get("/v1/reports/attribution", params={**asked, "format": "ndjson"}).text.splitlines()
    assert rows == [json.loads(line) for line in lines]
    table = merchant.http.get("/v1/reports/attribution", params={**asked, "format": "csv"}).text
    told = list(csv.DictReader(io.StringIO(table, newline="")))
    assert [(row["sharer"].replace("=", "'="), str(row["net"])) for row in rows] == [
        (row["sharer"], row["net"]) for row in told
    ]


class Sent(NamedTuple):
    """How an answer came: the seconds to its first piece and to its end, its lines and bytes, and the most memory
    that was held meanwhile, the server's included."""

    first: float
    last: float
    lines: int
    length: int
    peak: int


def sent(merchant: TestMerchant, **asked: str) -> Sent:
    tracemalloc.start()
    try:
        begun = time.monotonic()
        with merchant.http.stream("GET", "/v1/reports/attribution", params={**WHEN, **asked}) as answer:
            assert 200 == answer.status_code
            pieces = [(time.monotonic() - begun, len(piece), piece.count(b"\n")) for piece in answer.iter_raw()]
        peak = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    return Sent(pieces[0][0], pieces[-1][0], sum(each[2] for each in pieces), sum(each[1] for each in pieces), peak)


@pytest.mark.soak
def test_of_many_rows_the_first_are_sent_early_and_few_are_held(merchant: TestMerchant, app_server: AppServer) -> None:
    sold_by(merchant, app_server, ROWS)
    sent(merchant, limit="1", format="csv")  # what is kept from the first answer on
    for group_by in (BY_KEPT_SUMS, BY_THE_LEDGER):
        asked = {"group_by": group_by, "format": "csv"}
        found = sent(merchant, **asked)
        assert ROWS < found.lines <= ROWS + 2, found
        assert found.length > 15 * ROWS
        assert found.first < found.last / 2, found
        whole = sent(merchant, **asked, limit=str(ROWS))
        assert found.peak < min(8_000_000, whole.peak / 2), (found, whole)


@pytest.mark.soak
def test_who_goes_away_leaves_nothing_open(merchant: TestMerchant, app_server: AppServer) -> None:
    sold_by(merchant, app_server, ROWS // 2)
    pool = app_server.database.engine.pool
    assert isinstance(pool, QueuePool)
    for group_by in (BY_KEPT_SUMS, BY_THE_LEDGER):
        asked = {**WHEN, "group_by": group_by, "format": "ndjson"}
        with merchant.http.stream("GET", "/v1/reports/attribution", params=asked) as answer:
            next(answer.iter_raw(chunk_size=100))
    until = time.monotonic() + 10
    while pool.checkedout() and time.monotonic() < until:
        time.sleep(0.02)
    assert 0 == pool.checkedout()


def test_few_are_sent_long_answers_at_once_and_short_ones_hold_nothing(
    merchant: TestMerchant, app_server: AppServer
) -> None:
    sold_by(merchant, app_server, 500)
    long = {**WHEN, "group_by": BY_KEPT_SUMS, "format": "csv"}
    pool = app_server.database.engine.pool
    assert isinstance(pool, QueuePool)
    with ExitStack() as others:
        for _ in range(AT_ONCE.most):
            others.enter_context(AT_ONCE)
        refused = merchant.http.get("/v1/reports/attribution", params=long)
        assert (503, "unavailable") == (refused.status_code, refused.json()["code"])
        assert int(refused.headers["Retry-After"]) > 0
        assert 0 == pool.checkedout()
        short = merchant.http.get("/v1/reports/attribution", params={**long, "group_by": "network"})
        assert (200, str(len(short.content))) == (short.status_code, short.headers["Content-Length"])
        page = merchant.http.get("/v1/reports/attribution", params={**long, "limit": "400"})
        assert 401 == len(page.text.splitlines()), "it was read before, and holds nothing"
    assert 502 <= len(merchant.http.get("/v1/reports/attribution", params=long).text.splitlines())


def test_the_report_page_passes_long_answers_on_as_they_come(merchant: TestMerchant, app_server: AppServer) -> None:
    sold_by(merchant, app_server, 500)
    asked = {**WHEN, "group_by": BY_KEPT_SUMS, "format": "csv"}
    with httpx.Client(base_url=app_server.url, headers={"Origin": app_server.url}, verify=False) as browser:
        browser.post("/reports/session", data={"key": merchant.report_key})
        told = browser.get("/reports/v1/reports/attribution", params=asked)
        assert merchant.http.get("/v1/reports/attribution", params=asked).text == told.text
        assert (200, "chunked") == (told.status_code, told.headers.get("Transfer-Encoding"))
        assert "no-store" == told.headers["Cache-Control"]
        whole = told.text.splitlines()[1:]
        page = browser.get("/reports/v1/reports/attribution", params={**asked, "limit": "300"})
        following = page.headers["Link"].removeprefix("<").removesuffix('>; rel="next"')
        rest = browser.get(following)
        assert whole == [*page.text.splitlines()[1:], *rest.text.splitlines()[1:]]
        assert "Link" not in rest.headers
        with ExitStack() as others:
            for _ in range(AT_ONCE.most):
                others.enter_context(AT_ONCE)
            refused = browser.get("/reports/v1/reports/attribution", params=asked)
        assert (503, True) == (refused.status_code, int(refused.headers["Retry-After"]) > 0)


@pytest.mark.parametrize("form", ["csv", "ndjson"])
def test_what_cannot_be_asked_is_refused_before_anything_is_sent(merchant: TestMerchant, form: str) -> None:
    answer = merchant.http.get("/v1/reports/attribution", params={"format": form, "sort": "price"})
    assert (422, "sort") == (answer.status_code, answer.json()["errors"][0]["pointer"])
