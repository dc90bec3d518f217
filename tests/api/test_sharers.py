"""People by what their word brought, and one of them: by hand."""

import base64
import csv
import io
import json
from collections.abc import Callable

import pytest

from app.kernel.ids import merchant_of
from app.referrals.models import Referral
from tests.clock import TestClock
from tests.conftest import AppServer
from tests.history import ALL
from tests.moving import Past
from tests.sharing import a_chain, listed, numbers, one, tree
from tests.shop import JSON, TestMerchant, ok

NewMerchant = Callable[..., TestMerchant]


def test_people_are_shown_by_name_only_while_a_share_that_says_it_stands(
    merchant: TestMerchant, clock: TestClock, app_server: AppServer
) -> None:
    mug = merchant.product()["id"]
    ana = merchant.shopper()
    code = ana.share(mug, "x", name="Ana")["code"]
    clock.move(hours=1)
    newest = ana.share(mug, "email", name="Ana B.")["id"]
    clock.move(hours=1)
    ana.share(mug, "sms")
    click = merchant.shopper().follow(code)
    merchant.order(net=50, click_id=click)
    clock.move(seconds=1)
    (row,) = listed(merchant)
    assert (ana.id, "Ana B.", 3, 1, 1, 50) == numbers(row, "sharer", "name", "referrals", "visits", "orders", "net")
    assert "Ana B." == one(merchant, ana.id)["name"] == tree(merchant, ana.id)["name"]
    with app_server.database.transaction() as session:
        key = merchant_of(merchant.id), newest
        session.get_one(Referral, key).withdrawn_at = clock.now()
    assert "Ana" == listed(merchant)[0]["name"]
    assert [None, None, "Ana"] == sorted((node["name"] for node in tree(merchant, ana.id)["data"]), key=bool)


def test_a_person_is_found_under_the_name_that_joins_their_devices(merchant: TestMerchant) -> None:
    past = Past().share("a", "phone").share("b", "laptop", "x").touch("t", "dee", "a", day=1).order("o", "dee", day=2)
    past.into(merchant)
    assert 1 == one(merchant, "phone")["referrals"]
    for visitor in ("phone", "laptop"):
        ok(merchant.http.put(f"/v1/identities/{visitor}", json={"person": "customer/7?#"}))
    assert ["customer/7?#"] == [row["sharer"] for row in listed(merchant) if row["net"]]
    assert (2, {"eur": 10_000}) == numbers(one(merchant, "customer/7?#"), "referrals", "own_net")
    assert 2 == len(tree(merchant, "customer/7?#")["data"])
    for gone in ("phone", "laptop"):
        assert 404 == merchant.http.get(f"/v1/sharers/{gone}").status_code
        assert 404 == merchant.http.get(f"/v1/sharers/{gone}/tree").status_code


def test_a_page_shows_what_was_known_when_the_first_was_asked_for(merchant: TestMerchant, clock: TestClock) -> None:
    mug = merchant.product()["id"]
    links = []
    for net in (300, 200, 100):
        sharer = merchant.shopper()
        code = sharer.share(mug)["code"]
        links.append((sharer.id, code))
        merchant.order(net=net, click_id=merchant.shopper().follow(links[-1][1]))
    clock.move(seconds=1)
    first = ok(merchant.http.get("/v1/sharers", params={"limit": 1}))
    clock.move(hours=1)
    merchant.order(net=5000, click_id=merchant.shopper().follow(links[2][1]))
    clock.move(seconds=1)
    rest = ok(merchant.http.get("/v1/sharers", params={"limit": 2, "cursor": first["next_cursor"]}))
    rows = [*first["data"], *rest["data"]]
    assert [(sharer, net) for (sharer, _), net in zip(links, (300, 200, 100), strict=True)] == [
        numbers(row, "sharer", "net") for row in rows
    ]
    assert (None, first["as_of"]) == (rest["next_cursor"], rest["as_of"])
    assert links[2][0] == listed(merchant)[0]["sharer"]


def test_periods_and_filters_choose_sales_and_activity(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    assert [("ana", 7, 1, 1)] == [
        numbers(row, "sharer", "net", "referrals", "visits") for row in listed(merchant, network="email")
    ]
    assert ["cem"] == [row["sharer"] for row in listed(merchant, **{"-sharer": ["ana", "bo"]})]
    assert [] == listed(merchant, currency="usd") == listed(merchant, livemode=False)
    assert ["ana"] == [row["sharer"] for row in listed(merchant, product="mug")]
    assert [] == ok(merchant.http.get("/v1/sharers"))["data"]  # the last thirty days
    early = one(merchant, "ana", to="2025-01-03")
    assert ([], {}, 1, 0) == numbers(early, "totals", "subtree_net", "referrals", "visits")
    assert {} == tree(merchant, "ana", **{"from": "2025-02-01"})["totals"]["subtree_net"]
    assert 4 == tree(merchant, "ana", **{"from": "2025-02-01"})["totals"]["referrals"]
    nobody = ok(merchant.http.get("/v1/sharers/ana", params={"sharer": "bo"}))
    assert [] == nobody["totals"]


def test_csv_and_ndjson_come_with_a_link_to_the_next_page(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    first = merchant.http.get("/v1/sharers", params={**ALL, "limit": 2, "format": "csv"})
    address, _, relation = first.headers["link"].partition(">; ")
    assert 'rel="next"' == relation
    second = merchant.http.get(address.removeprefix("<"))
    assert "link" not in second.headers
    rows = [*csv.DictReader(io.StringIO(first.text)), *csv.DictReader(io.StringIO(second.text))]
    assert [("cem", "30000"), ("bo", "2000"), ("ana", "107")] == [numbers(row, "sharer", "net") for row in rows]
    said = merchant.http.get("/v1/sharers", params={**ALL, "format": "ndjson"})
    assert listed(merchant) == [json.loads(line) for line in said.text.splitlines()]


@pytest.mark.parametrize("sharer", ["nobody", "(none)", "(house)", "a", "%00", "x" * 5000, "%ff", "..%2f", "", "a/b"])
def test_who_never_shared_is_not_found(merchant: TestMerchant, sharer: str) -> None:
    a_chain().into(merchant)
    for path in (f"/v1/sharers/{sharer}", f"/v1/sharers/{sharer}/tree"):
        if sharer:
            assert 404 == merchant.http.get(path).status_code


def test_another_merchants_people_are_not_found(new_merchant: NewMerchant) -> None:
    ours, theirs = new_merchant(), new_merchant()
    a_chain().into(theirs)
    Past().share("a", "zoe").into(ours)
    assert [] == listed(ours)
    for path in ("/v1/sharers/ana", "/v1/sharers/ana/tree", "/v1/sharers/bo"):
        assert (404, 200) == (ours.http.get(path).status_code, theirs.http.get(path).status_code)
    assert 1 == tree(ours, "zoe")["totals"]["referrals"]


def test_a_report_key_reads_people_and_no_key_does_not(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    for path in ("/v1/sharers", "/v1/sharers/ana", "/v1/sharers/ana/tree"):
        assert (401, 200) == (
            merchant.public.get(path).status_code,
            merchant.public.get(path, headers=headers).status_code,
        )


def cursor_of(*parts: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(parts).encode()).decode().rstrip("=")


def test_a_cursor_belongs_to_its_own_question(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    cursor = ok(merchant.http.get("/v1/sharers", params={**ALL, "limit": 1}))["next_cursor"]
    now, mark, *place = json.loads(base64.urlsafe_b64decode(cursor + "=="))
    assert ["eur", 30000, "cem"] == place
    good = {**ALL, "cursor": cursor}
    assert 200 == merchant.http.get("/v1/sharers", params=good).status_code
    for bad in (
        "x",
        "AAAA",
        "é",
        cursor_of(now, "other", *place),
        cursor_of(now + 1, mark, *place),
        cursor_of(-1, mark, *place),
        cursor_of(str(now), mark, *place),
        cursor_of(now, mark, *place[:2]),
        cursor_of(now, mark, "eur", 2**63, "cem"),
        cursor_of(now, mark, "eur", True, "cem"),
        cursor_of(now, mark, "eur", 1, "a\0b"),
        cursor_of(now, mark, "eur", 1, "\ud800"),
        cursor_of(now, mark, "eur", 1, 2),
        cursor_of(),
        base64.urlsafe_b64encode(b"[" * 1400).decode().rstrip("="),
        "x" * 2001,
    ):
        answer = merchant.http.get("/v1/sharers", params={**ALL, "cursor": bad})
        assert (422, "cursor") == (answer.status_code, answer.json()["errors"][0]["pointer"]), bad
    assert 422 == merchant.http.get("/v1/sharers", params={**good, "network": "x"}).status_code
    assert 422 == merchant.http.get("/v1/sharers/ana/tree", params={"cursor": cursor}).status_code


@pytest.mark.parametrize(
    ("path", "query", "name"),
    [
        ("/v1/sharers", {"limit": 101}, "limit"),
        ("/v1/sharers", {"colour": "red"}, "colour"),
        ("/v1/sharers", {"policy": "unheard-of"}, "policy"),
        ("/v1/sharers/ana", {"format": "csv"}, "format"),
        ("/v1/sharers/ana", {"limit": 5}, "limit"),
        ("/v1/sharers/ana/tree", {"depth": -1}, "depth"),
        ("/v1/sharers/ana/tree", {"limit": 1001}, "limit"),
        ("/v1/sharers/ana/tree", {"as_of": "never"}, "as_of"),
    ],
)
def test_what_cannot_be_asked_is_refused(merchant: TestMerchant, path: str, query: JSON, name: str) -> None:
    answer = merchant.http.get(path, params=query)
    assert (422, [name]) == (answer.status_code, [error["pointer"] for error in answer.json()["errors"]])
