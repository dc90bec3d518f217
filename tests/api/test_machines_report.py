"""Visits of machines, counted at the link and told by `GET /v1/reports/machines`."""

import time
from collections.abc import Callable
from datetime import datetime

import httpx
import pytest

from app.referrals.machines import NAMES
from tests.shop import BROWSER, JSON, TestMerchant, ok
from tests.threads import together

PATH = "/v1/reports/machines"
SLACK = "Slackbot-LinkExpanding 1.0 (+https://api.slack.com/robots)"
GOOGLE = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)"


def ask(merchant: TestMerchant, code: str, agent: str, **headers: str) -> httpx.Response:
    return merchant.public.get(f"/r/{code}", headers={"User-Agent": agent, **headers})


def report(
    merchant: TestMerchant, group_by: str = "machine", total: int | None = None, query: JSON | None = None
) -> JSON:
    """The report; with `total`, once so many are counted, for nobody waits until they are."""
    for _ in range(200):
        told = dict(ok(merchant.http.get(PATH, params={"group_by": group_by, **(query or {})})))
        if total is None or told["totals"]["visits"] >= total:
            return told
        time.sleep(0.02)
    raise AssertionError(f"never so many: {told}")


def rows(told: JSON, name: str) -> dict[str, int]:
    return {row[name]: row["visits"] for row in told["data"]}


def test_machines_are_counted_apart_from_people(merchant: TestMerchant) -> None:
    share = merchant.shopper().share(merchant.product()["id"], network="slack")
    for agent in (SLACK, SLACK, GOOGLE, "curl/8.0", ""):
        assert ask(merchant, share["code"], agent).status_code == 200
    assert ask(merchant, share["code"], SLACK, Range="bytes=0-32767").status_code == 200  # which is how it asks
    ask(merchant, share["code"], BROWSER)
    ask(merchant, share["code"], BROWSER, Range="bytes=0-100")
    ask(merchant, share["code"], BROWSER, **{"Sec-Purpose": "prefetch"})
    merchant.public.head(f"/r/{share['code']}", headers={"User-Agent": BROWSER})  # X asks so
    merchant.public.head(f"/r/{share['code']}", headers={"User-Agent": SLACK})  # no card was given
    ask(merchant, "123456789", GOOGLE)
    told = report(merchant, total=6)
    assert {"slack": 3, "googlebot": 1, "script": 1, "none": 1} == rows(told, "machine")
    assert {"visits": 6} == told["totals"]
    assert "UTC" == told["timezone"]
    assert {"preview": 3, "crawler": 3} == rows(report(merchant, "kind"), "kind")
    merchant.clock.move(minutes=1)
    assert 1 == ok(merchant.http.get("/v1/reports/spread"))["totals"]["visits"]


def test_a_machine_that_has_the_card_already_has_come_again(merchant: TestMerchant) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    tag = ask(merchant, share["code"], GOOGLE).headers["etag"]
    assert ask(merchant, share["code"], GOOGLE, **{"If-None-Match": tag}).status_code == 304
    assert {"googlebot": 2} == rows(report(merchant, total=2), "machine")


def test_they_are_told_by_what_was_shared_where(merchant: TestMerchant) -> None:
    mug, hat = merchant.product(), merchant.product()
    wall = merchant.wall(mug["id"])
    ana = merchant.shopper()
    on_x, mailed = ana.share(mug["id"], network="x"), ana.share(hat["id"], network="email")
    of_wall, liked = ana.share(wall=wall["id"], network="x"), ana.like(mug["id"])
    for times, referral in enumerate((on_x, mailed, of_wall, liked), 1):
        for _ in range(times):
            ask(merchant, referral["code"], GOOGLE)
    assert {"x": 4, "onsite": 4, "email": 2} == rows(report(merchant, "network", total=10), "network")
    assert {mug["id"]: 5, "(none)": 3, hat["id"]: 2} == rows(report(merchant, "product"), "product")
    assert {wall["id"]: 3, "(none)": 7} == rows(report(merchant, "wall"), "wall")
    by_link = {each["id"]: times for times, each in enumerate((on_x, mailed, of_wall, liked), 1)}
    assert by_link == rows(report(merchant, "referral"), "referral")
    assert {"network": "onsite", "kind": "crawler", "visits": 4} in report(merchant, "network,kind")["data"]
    assert {"x": 4} == rows(report(merchant, "network", query={"network": "x"}), "network")
    assert {"x": 4, "email": 2} == rows(report(merchant, "network", query={"-network": "onsite"}), "network")
    assert {"onsite": 4} == rows(
        report(merchant, "network", query={"wall": "(none)", "product": mug["id"], "-network": "x"}), "network"
    )


def test_days_are_days_in_utc_and_count_whole(merchant: TestMerchant) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    for _ in range(3):  # 2, 3 and 4 March, at ten
        ask(merchant, share["code"], GOOGLE)
        merchant.clock.move(days=1)
    three = {"2026-03-02": 1, "2026-03-03": 1, "2026-03-04": 1}
    assert three == rows(report(merchant, "day", total=3), "day")
    for query, days in (
        ({"from": "2026-03-03"}, {"2026-03-03", "2026-03-04"}),
        ({"to": "2026-03-03"}, {"2026-03-02"}),
        ({"to": "2026-03-03T00:00:01Z"}, {"2026-03-02", "2026-03-03"}),
        ({"from": "2026-03-02T23:00:00Z", "to": "2026-03-04"}, {"2026-03-02", "2026-03-03"}),
        ({"from": "2026-03-04T00:30:00+01:00"}, {"2026-03-03", "2026-03-04"}),
        ({"from": "2026-03-03", "timezone": "Asia/Tokyo"}, {"2026-03-03", "2026-03-04"}),
        ({"from": "2026-03-06", "to": "2026-03-07"}, set()),
    ):
        assert days == set(rows(report(merchant, "day", query=query), "day")), query
    assert {} == rows(report(merchant, "day", query={"from": "2027-01-01", "to": "2027-02-01"}), "day")


def test_it_comes_as_a_table_and_as_lines_too(merchant: TestMerchant) -> None:
    share = merchant.shopper().share(merchant.product()["id"], network="email")
    ask(merchant, share["code"], SLACK)
    report(merchant, total=1)
    query = {"group_by": "network,machine"}
    table = merchant.http.get(PATH, params={**query, "format": "csv"})
    assert "network,machine,visits\r\nemail,slack,1\r\n" == table.text
    assert table.headers["content-type"] == "text/csv; charset=utf-8"
    lines = merchant.http.get(PATH, params={**query, "format": "ndjson"})
    assert '{"network": "email", "machine": "slack", "visits": 1}\n' == lines.text


@pytest.mark.parametrize(
    "query",
    [
        {"group_by": "hour"},
        {"group_by": ""},
        {"from": "yesterday"},
        {"from": "2026-03-02", "to": "2026-03-02"},
        {"format": "xml"},
        {"livemode": "true"},
        {"timezone": "Mars"},
        {"network": ",".join("x" * 101)},
    ],
)
def test_a_question_that_means_nothing_is_refused(merchant: TestMerchant, query: dict[str, str]) -> None:
    assert 422 == merchant.http.get(PATH, params=query).status_code


def test_nobody_sees_the_machines_of_others(merchant: TestMerchant, new_merchant: Callable[..., TestMerchant]) -> None:
    other = new_merchant()
    share = merchant.shopper().share(merchant.product()["id"])
    ask(other, share["code"], GOOGLE)
    assert {"googlebot": 1} == rows(report(merchant, total=1), "machine")
    assert [] == report(other, "referral")["data"]
    with_report_key = {"Authorization": f"Bearer {merchant.report_key}"}
    assert 200 == merchant.public.get(PATH, headers=with_report_key).status_code
    assert 401 == merchant.public.get(PATH).status_code


def test_many_at_once_are_all_counted(merchant: TestMerchant) -> None:
    codes = [merchant.shopper().share(merchant.product()["id"])["code"] for _ in range(3)]

    def crawl() -> None:
        for number in range(30):
            ask(merchant, codes[number % 3], (GOOGLE, SLACK)[number % 2])

    together(*[crawl] * 4)
    assert {"googlebot": 60, "slack": 60} == rows(report(merchant, total=120), "machine")
    assert {40} == {row["visits"] for row in report(merchant, "referral")["data"]}


def test_however_many_agents_come_the_rows_are_few(merchant: TestMerchant) -> None:
    share = merchant.shopper().share(merchant.product()["id"])
    for number in range(40):
        ask(merchant, share["code"], f"Crawler-{number}/1.0")
    told = report(merchant, total=40)
    assert {"other": 40} == rows(told, "machine")
    assert set(rows(told, "machine")) <= NAMES


def test_what_was_taken_back_later_is_still_told(merchant: TestMerchant) -> None:
    ana = merchant.shopper()
    like = ana.like(merchant.product()["id"])
    ask(merchant, like["code"], GOOGLE)
    ok(ana.http.delete(f"/v1/likes/{like['id']}", headers=ana.headers))
    merchant.clock.move(days=1)
    assert {"onsite": 1} == rows(report(merchant, "network", total=1), "network")


def test_it_tells_as_of_when_and_which_days(merchant: TestMerchant) -> None:
    told = report(merchant, query={"from": "2026-11-20T15:00:00Z", "to": "2026-11-21T01:00:00Z"})
    assert ("2026-11-20T00:00:00Z", "2026-11-22T00:00:00Z") == (told["from"], told["to"])
    assert merchant.clock.now() == datetime.fromisoformat(told["as_of"])
    whole = report(merchant, query={"from": "2026-11-20", "to": "2026-11-21"})
    assert ("2026-11-20T00:00:00Z", "2026-11-21T00:00:00Z") == (whole["from"], whole["to"])
    last = report(merchant, query={"from": "2026-11-20", "to": "9998-12-31T12:00:00Z"})
    assert "9999-01-01T00:00:00Z" == last["to"]


def test_machines_are_chosen_by_name_and_kind(merchant: TestMerchant) -> None:
    share = merchant.shopper().share(merchant.product()["id"], network="slack")
    for agent in (SLACK, GOOGLE):
        ask(merchant, share["code"], agent)
    report(merchant, total=2)
    assert {"slack": 1} == rows(report(merchant, query={"kind": "preview"}), "machine")
    assert {"slack": 1} == rows(report(merchant, query={"-machine": "googlebot"}), "machine")
