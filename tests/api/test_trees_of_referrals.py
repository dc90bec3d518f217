"""What became of one referral, and why an order was credited so, for whoever reads reports."""

import httpx

from tests.conftest import AppServer
from tests.sharing import a_chain, numbers, tree
from tests.shop import TestMerchant, ok


def test_the_tree_of_one_referral_has_what_became_of_it_and_nothing_beside(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    (first, second) = (node["referral"] for node in tree(merchant, "ana", depth=0)["data"])
    whole = tree(merchant, "ana", referral=first)
    assert (2, {"eur": 100}, {"eur": 32100}) == numbers(whole["totals"], "descendants", "own_net", "subtree_net")
    assert [0, 1, 2] == [node["level"] for node in whole["data"]]
    alone = tree(merchant, "ana", referral=second)
    assert (0, {"eur": 7}, {"eur": 7}) == numbers(alone["totals"], "descendants", "own_net", "subtree_net")
    assert [second] == [node["referral"] for node in alone["data"]]


def test_whose_referral_it_is_not_has_no_tree_of_it(merchant: TestMerchant) -> None:
    a_chain().into(merchant)
    (_, of_bo) = tree(merchant, "ana", depth=1)["data"][0], tree(merchant, "bo", depth=0)["data"][0]["referral"]
    for referral in (of_bo, "ref_nothing", "", "\x7f"):
        answer = merchant.http.get("/v1/sharers/ana/tree", params={"referral": referral})
        assert 404 == answer.status_code, referral


def test_whoever_reads_reports_is_told_why_an_order_was_credited_so(
    app_server: AppServer, merchant: TestMerchant
) -> None:
    order = merchant.order(1_000)
    path = f"{app_server.url}/v1/reports/orders/{order['id']}/attribution"
    told = ok(httpx.get(path, headers={"Authorization": f"Bearer {merchant.report_key}"}), 200)
    assert merchant.explanation(order["id"]) == told
    key = ok(merchant.http.post("/v1/keys", json={"kind": "report", "suppressed": True}), 201)["key"]
    assert 403 == httpx.get(path, headers={"Authorization": f"Bearer {key}"}).status_code
    assert 401 == httpx.get(path).status_code
