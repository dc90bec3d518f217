"""What may be asked of the report that sets the models side by side, and what is refused."""

import csv
import io
import json
from collections.abc import Callable

import pytest

from app.reports.models_api import AT_ONCE
from tests.history import ALL
from tests.policies import FIRST, change
from tests.shop import JSON, TestMerchant
from tests.side_by_side import MODELS, Past, a_story, asked, at, column, paths_of, rows

NewMerchant = Callable[..., TestMerchant]


@pytest.fixture
def story() -> Past:
    return a_story()


def test_filters_choose_rows_and_change_no_figure(merchant: TestMerchant, story: Past) -> None:
    story.into(merchant)
    whole = rows(asked(merchant))
    assert rows(asked(merchant, network="x")) == {"x": whole["x"]}
    assert rows(asked(merchant, network="x,(direct)")) == {name: whole[name] for name in ("x", "(direct)")}
    without = {name: net for name, net in whole.items() if name != "whatsapp"}
    assert rows(asked(merchant, **{"-network": "whatsapp"})) == without
    assert rows(asked(merchant, network="nowhere")) == {}
    report = asked(merchant, network="email")
    assert report["totals"] == [{"currency": "eur", **whole["email"]}]


def test_a_filter_on_something_else_than_the_rows_shows_its_part_of_them(merchant: TestMerchant) -> None:
    past = Past().shared("x", product="cup", by="ana").shared("email", product="mug", by="bo")
    past.tell("referral", 0, id="s-more", type="share", visitor="bo", network="x", product="mug")
    past.touched("bea", "x", "more", "email").bought("bea", 5, 900).bought("cem", 5, 50).into(merchant)
    whole, cups = rows(asked(merchant)), rows(asked(merchant, product="cup"))
    mugs, none = rows(asked(merchant, sharer="bo")), rows(asked(merchant, product="(none)"))
    assert (whole["x"]["linear"], cups["x"]["linear"], mugs["x"]["linear"]) == (600, 300, 300)
    assert (whole["x"]["shapley"], cups["x"]["shapley"], mugs["x"]["shapley"]) == (450, 300, 300)
    assert (cups["x"]["markov"], mugs["x"]["markov"], mugs["email"]["markov"]) == (300, 300, 300)
    assert none == {"(direct)": dict.fromkeys(MODELS, 50)}


def test_rows_come_as_csv_and_ndjson_too(merchant: TestMerchant, story: Past) -> None:
    story.into(merchant)
    data = asked(merchant)["data"]
    text = merchant.http.get("/v1/reports/models", params={**ALL, "format": "csv"})
    assert text.headers["content-type"] == "text/csv; charset=utf-8"
    read = list(csv.DictReader(io.StringIO(text.text)))
    assert list(read[0]) == ["network", "currency", *MODELS]
    assert read == [{name: str(value) for name, value in row.items()} for row in data]
    lines = merchant.http.get("/v1/reports/models", params={**ALL, "format": "ndjson"}).text.splitlines()
    assert [json.loads(line) for line in lines] == data


def test_it_can_be_made_as_of_an_earlier_time(merchant: TestMerchant, story: Past) -> None:
    story.into(merchant)
    before = asked(merchant, as_of=at(2.5))
    assert column(before, "last_touch") == {"whatsapp": 3_000, "(direct)": 500}  # not yet refunded
    # Bea has been to two places; so has Fay by then, and Eve to one.
    assert paths_of(before) == (1, 3)
    assert before["as_of"] == "2025-01-03T12:00:00Z"
    assert paths_of(asked(merchant, as_of=at(0.5))) == (0, 0)


def test_what_was_reported_before_the_policy_changed_can_be_reported_again(merchant: TestMerchant, story: Past) -> None:
    story.into(merchant)
    then = str(merchant.clock.now())
    before = asked(merchant)
    merchant.clock.move(days=1)
    change(merchant, {"windows": {"click": 1}}, since="beginning")
    assert before == asked(merchant, as_of=then)
    assert {"(direct)"} == rows(asked(merchant)).keys()


def test_a_policy_that_is_yet_to_come_into_force_is_not_told(merchant: TestMerchant, story: Past) -> None:
    story.into(merchant)
    change(merchant, FIRST, since="2026-12-01")
    report = asked(merchant)
    assert ("last_touch", 1) == (report["policy"]["model"], report["policy_version"])


def test_joining_people_counts_as_of_when_it_was_said(merchant: TestMerchant) -> None:
    Past().shared("x").touched("phone", "x").touched("laptop", "x").joined("phone", "laptop").into(merchant)
    assert paths_of(asked(merchant)) == (0, 1)
    assert paths_of(asked(merchant, as_of=at(8))) == (0, 2)


def test_test_orders_are_kept_apart(merchant: TestMerchant, story: Past) -> None:
    story.into(merchant)
    before = asked(merchant)
    merchant.order(net=77, test=True)
    assert asked(merchant)["data"] == before["data"]
    assert rows(asked(merchant, livemode=False)) == {"(direct)": dict.fromkeys(MODELS, 77)}


def test_another_merchant_sees_nothing_of_it(new_merchant: NewMerchant, story: Past) -> None:
    story.into(new_merchant())
    other = new_merchant()
    report = asked(other)
    assert (report["data"], paths_of(report)) == ([], (0, 0))


def test_it_tells_under_which_policy(merchant: TestMerchant) -> None:
    assert ("current", 1) == (asked(merchant)["policy_name"], asked(merchant)["policy_version"])


def test_rows_come_in_any_order_and_by_pages(merchant: TestMerchant, story: Past) -> None:
    story.touched("kim", "x", day=1).bought("kim", 2, 777, currency="jpy").into(merchant)
    names = sorted((row["currency"], row["network"]) for row in asked(merchant)["data"])
    assert names == [(row["currency"], row["network"]) for row in asked(merchant, sort="network")["data"]]
    by_first = [row["first_touch"] for row in asked(merchant, sort="first_touch", currency="eur")["data"]]
    assert sorted(by_first) == by_first
    whole = asked(merchant, sort="-markov")
    paged: list[JSON] = []
    more: JSON | None = {}
    while more is not None:
        page = asked(merchant, sort="-markov", limit=1, **more)
        assert whole["totals"] == page["totals"]
        assert 1 == len(page["data"])
        paged += page["data"]
        merchant.clock.move(seconds=1)
        merchant.order(net=10**6)  # comes too late
        more = {"cursor": page["next_cursor"]} if page["next_cursor"] else None
    assert whole["data"] == paged


def test_a_page_as_csv_links_to_the_next(merchant: TestMerchant, story: Past) -> None:
    story.into(merchant)
    whole = asked(merchant)["data"]
    first = merchant.http.get("/v1/reports/models", params={**ALL, "format": "csv", "limit": 3})
    second = merchant.http.get(first.links["next"]["url"])
    read = [row["network"] for page in (first, second) for row in csv.DictReader(io.StringIO(page.text))]
    assert [row["network"] for row in whole] == read


def test_it_stands_beside_the_period_before(merchant: TestMerchant) -> None:
    past = Past().shared("x", "email", "copy").touched("bea", "x", day=1).bought("bea", 2, 1_000)
    past.touched("cem", "x", "email", day=11).bought("cem", 13, 1_500).touched("dan", "copy", day=3)
    past.bought("dan", 4, 70).into(merchant)
    period = {"from": "2025-01-11", "to": "2025-01-21"}
    report = asked(merchant, compare="previous", **period)
    alone = asked(merchant, **period)
    before = asked(merchant, **{"from": "2025-01-01", "to": "2025-01-11"})
    told = {row["network"]: row for row in report["data"]}
    assert {"from": "2025-01-01T00:00:00Z", "to": "2025-01-11T00:00:00Z"} == report["previous"]
    assert rows(alone) == {name: net for name, net in rows(report).items() if any(net.values())}
    nothing = dict.fromkeys(MODELS, 0)
    assert {name: row["previous"] for name, row in told.items()} == {"email": nothing, **rows(before)}
    assert (None, -1.0, -1.0) == tuple(told[name]["change"] for name in ("email", "x", "copy"))
    [total] = report["totals"]
    assert (dict.fromkeys(MODELS, 1070), 0.401869) == (total["previous"], total["change"])
    assert (before["paths"], alone["paths"]) == (report["previous_paths"], report["paths"])
    text = merchant.http.get(
        "/v1/reports/models", params={**ALL, **period, "compare": "previous", "format": "csv"}
    ).text
    flat = {row["network"]: row for row in csv.DictReader(io.StringIO(text))}
    assert ("1000", "-1.0") == (flat["x"]["previous_linear"], flat["x"]["change"])


def test_what_a_link_was_for_and_where_it_was_seen_filter_too(merchant: TestMerchant) -> None:
    past = Past().shared("x", by="ana")
    past.tell("referral", 0, id="s-liked", type="like", visitor="bo", network="onsite")
    past.tell("touch", 1, id="t-seen", visitor="bea", type="click", referral="s-x", network="facebook")
    past.touched("bea", "liked", day=2, type="click").bought("bea", 3, 100).into(merchant)
    whole = rows(asked(merchant))
    assert {"facebook", "onsite"} == whole.keys()
    for name, value in (("kind", "share"), ("shared_to", "x"), ("seen_from", "facebook")):
        assert {"facebook": whole["facebook"]} == rows(asked(merchant, **{name: value})), name
        assert {"onsite": whole["onsite"]} == rows(asked(merchant, **{f"-{name}": value})), name


def test_two_are_answered_at_once(merchant: TestMerchant) -> None:
    with AT_ONCE, AT_ONCE:
        answer = merchant.http.get("/v1/reports/models")
    assert 503 == answer.status_code
    assert "Retry-After" in answer.headers
    asked(merchant)


@pytest.mark.parametrize(
    ("query", "name"),
    [
        ({"order": 0}, "order"),
        ({"sort": "net"}, "sort"),
        ({"limit": 0}, "limit"),
        ({"cursor": "abc"}, "cursor"),
        ({"compare": "next"}, "compare"),
        ({"depth": "1"}, "depth"),
        ({"order": 4}, "order"),
        ({"order": "x"}, "order"),
        ({"group_by": "sharer"}, "group_by"),
        ({"group_by": "network,wall"}, "group_by"),
        ({"format": "xml"}, "format"),
        ({"currency": "xxx"}, "currency"),
        ({"from": "2026-13-01"}, "from"),
        ({"modell": "markov"}, "modell"),
    ],
)
def test_bad_input_is_refused_by_name(merchant: TestMerchant, query: JSON, name: str) -> None:
    answer = merchant.http.get("/v1/reports/models", params={**ALL, **query})
    assert answer.status_code == 422
    assert any(name in error["pointer"] for error in answer.json()["errors"])


def test_more_channels_than_can_be_solved_are_refused_by_name(merchant: TestMerchant) -> None:
    past = Past()
    for number in range(2_001):
        past.tell("referral", 0, id=f"s-{number}", type="share", visitor="ana", network="x", wall=f"w{number}")
        past.touched(f"v{number}", str(number))
    past.bought("v7", 3, 100).into(merchant)
    for order, name in ((1, "group_by"), (2, "order")):
        answer = merchant.http.get("/v1/reports/models", params={**ALL, "group_by": "wall", "order": order})
        assert answer.status_code == 422
        assert answer.json()["errors"][0]["pointer"].endswith(name)
        assert "2001 channels are more than 2000" in answer.json()["errors"][0]["detail"]


def test_reports_need_a_key(merchant: TestMerchant) -> None:
    assert merchant.public.get("/v1/reports/models").status_code == 401
    key = {"Authorization": f"Bearer {merchant.report_key}"}
    assert merchant.public.get("/v1/reports/models", headers=key).status_code == 200
