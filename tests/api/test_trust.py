"""Rules, doubts and decisions by HTTP."""

from collections.abc import Callable
from functools import partial
from typing import Any

import httpx
import pytest

from app.kernel.feed_relay import Relay
from app.kernel.journal import JOURNAL
from app.trust.found import About
from app.trust.rules import RULES
from tests.conftest import AppServer
from tests.doubts import found, raised
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together

NewMerchant = Callable[..., TestMerchant]
EVIDENCE: dict[str, Any] = {"order": "ord_1", "alike": 2}


@pytest.fixture
def doubt(app_server: AppServer, merchant: TestMerchant) -> str:
    """The id of something doubtful about an order."""
    return raised(app_server, merchant, found("ord_1", **EVIDENCE))[0]


def rule(merchant: TestMerchant, code: str) -> JSON:
    return next(each for each in ok(merchant.http.get("/v1/rules"))["data"] if each["code"] == code)


def put(merchant: TestMerchant, **rules: JSON) -> httpx.Response:
    return merchant.http.put("/v1/rules", json={"rules": rules})


def one(merchant: TestMerchant, doubt: str) -> JSON:
    return dict(ok(merchant.http.get(f"/v1/doubts/{doubt}")))


def listed(merchant: TestMerchant, **query: Any) -> list[str]:
    """What the doubts are about, newest first."""
    return [each["subject"] for each in ok(merchant.http.get("/v1/doubts", params=query))["data"]]


def decide(merchant: TestMerchant, doubt: str, verdict: str, **more: Any) -> httpx.Response:
    return merchant.http.post(f"/v1/doubts/{doubt}/decisions", json={"verdict": verdict, **more})


def wrong(answer: httpx.Response) -> dict[str, str]:
    """What is wrong with a request, by pointer."""
    assert 422 == answer.status_code, answer.text
    return {each["pointer"]: each["detail"] for each in answer.json()["errors"]}


# -- rules -------------------------------------------------------------------------------------------------------


def test_by_themselves_only_own_links_and_programs_refuse(merchant: TestMerchant) -> None:
    rules = ok(merchant.http.get("/v1/rules"))["data"]
    assert list(RULES) == [each["code"] for each in rules]
    assert {"own_visitor", "own_person", "crawler"} == {each["code"] for each in rules if each["do"] == "refuse"}
    assert {"refuse", "flag"} == {each["do"] for each in rules}
    assert ("policy", "always") == (rule(merchant, "own_person")["fixed"], rule(merchant, "crawler")["fixed"])
    assert "self_referral" in rule(merchant, "own_visitor")["because"]["en"]


def test_a_rule_says_what_it_sees_with_the_thresholds_that_stand(merchant: TestMerchant) -> None:
    ok(put(merchant, too_fast={"thresholds": {"seconds": 90}}))
    shown = rule(merchant, "too_fast")
    assert {"seconds": {"value": 90, "default": 3, "least": 1, "most": 600, "unit": "seconds"}} == shown["thresholds"]
    assert "within 1 minute and 30 seconds" in shown["explanation"]["en"]
    assert "1 minute et 30\u00a0secondes" in shown["explanation"]["fr"]
    assert "flag" == shown["do"] == shown["usual"]


def test_what_is_not_named_does_as_usual_again(merchant: TestMerchant) -> None:
    ok(put(merchant, own_mail={"do": "refuse"}, too_fast={"do": "hold", "thresholds": {"seconds": 9}}))
    assert ("refuse", "hold") == (rule(merchant, "own_mail")["do"], rule(merchant, "too_fast")["do"])
    ok(put(merchant, too_fast={"do": "off"}))
    shown = rule(merchant, "too_fast")
    assert ("flag", "off", 3) == (
        rule(merchant, "own_mail")["do"],
        shown["do"],
        shown["thresholds"]["seconds"]["value"],
    )


def test_rules_that_cannot_be_are_refused_by_name_and_change_nothing(merchant: TestMerchant) -> None:
    ok(put(merchant, own_card={"do": "hold"}))
    errors = wrong(
        put(
            merchant,
            own_mail={"do": "off"},
            own_male={"do": "off"},
            own_person={"do": "flag"},
            crawler={"do": "off"},
            too_fast={"thresholds": {"seconds": 601, "minutes": 1}},
            own_device={"thresholds": {"a/b": 1}},
            velocity_visits={"thresholds": {"visits": 9}},
        )
    )
    assert {
        "/rules/own_male",
        "/rules/own_person",
        "/rules/crawler",
        "/rules/too_fast/thresholds/seconds",
        "/rules/too_fast/thresholds/minutes",
        "/rules/own_device/thresholds/a~1b",
        "/rules/velocity_visits/thresholds/visits",
    } == set(errors)
    assert "self_referral" in errors["/rules/own_person"]
    assert "must be from 1 to 600" == errors["/rules/too_fast/thresholds/seconds"]
    assert ("hold", "flag") == (rule(merchant, "own_card")["do"], rule(merchant, "own_mail")["do"])


@pytest.mark.parametrize(
    "said",
    [
        {"do": "ignore"},
        {"thresholds": {"seconds": "2"}},
        {"thresholds": {"seconds": 2.0}},
        {"thresholds": {"seconds": True}},
        {"thresholds": {"seconds": 10**30}},
        {"thresholds": {"se\x00conds": 2}},
        {"thresholds": None},
        {"threshold": {}},
        None,
    ],
)
def test_a_rule_said_wrongly_is_refused(merchant: TestMerchant, said: JSON | None) -> None:
    assert all(each.startswith("/rules/too_fast") for each in wrong(put(merchant, too_fast=said)))  # type: ignore[arg-type]


def test_a_change_of_rules_is_in_the_audit_trail(merchant: TestMerchant) -> None:
    ok(put(merchant, own_mail={"do": "hold"}, too_fast={"thresholds": {"seconds": 5}}))
    ok(put(merchant, own_mail={"do": "hold"}, too_fast={"thresholds": {"seconds": 5}}))
    entries = ok(merchant.http.get("/v1/audit", params={"action": "rules.changed"}))["data"]
    assert [
        {
            "own_mail": {"from": {"do": "flag"}, "to": {"do": "hold"}},
            "too_fast": {"from": {"do": "flag", "seconds": 3}, "to": {"do": "flag", "seconds": 5}},
        }
    ] == [each["changes"] for each in entries]


# -- doubts ------------------------------------------------------------------------------------------------------


def test_a_doubt_is_told_as_data_and_in_words(merchant: TestMerchant, doubt: str) -> None:
    shown = one(merchant, doubt)
    words = shown.pop("explanation")
    first = shown["decisions"][0]
    assert {
        "id": doubt,
        "about": "order",
        "subject": "ord_1",
        "rule": "own_mail",
        "state": "open",
        "effect": "none",
        "evidence": EVIDENCE,
        "decision": first,
        "decisions": [first],
        "at": "2026-03-02T10:00:00Z",
    } == shown
    assert ("flag", "none", None, "rule", None) == tuple(
        first[name] for name in ("verdict", "effect", "note", "by", "key")
    )
    assert words["en"].startswith("The sharer has 2 orders with the mail address of ord_1,")
    assert words["fr"].endswith("Le crédit est comme si rien n’avait été trouvé.")


def test_the_queue_is_asked_by_what_stands(app_server: AppServer, merchant: TestMerchant) -> None:
    ok(put(merchant, own_card={"do": "hold"}))
    what = [found(f"ord_{number}", "own_card" if number % 2 else "own_mail") for number in range(4)]
    ids = raised(app_server, merchant, *what, found("ref_1", "click_stuffing", About.REFERRAL))
    ok(decide(merchant, ids[1], "credit"), 201)
    ok(decide(merchant, ids[0], "refuse"), 201)
    assert ["ref_1", "ord_3", "ord_2", "ord_1", "ord_0"] == listed(merchant)
    assert ["ref_1", "ord_3", "ord_2"] == listed(merchant, state="open")
    assert ["ord_1", "ord_0"] == listed(merchant, state="decided")
    assert ["ord_3"] == listed(merchant, state="open", effect="hold")
    assert ["ord_0"] == listed(merchant, effect="refuse")
    assert ["ord_3", "ord_1"] == listed(merchant, rule="own_card")
    assert ["ref_1"] == listed(merchant, about="referral")
    assert ["ord_2"] == listed(merchant, subject="ord_2")
    assert [] == listed(merchant, subject="ord_2", rule="own_card")


def test_the_queue_comes_in_pages_and_a_cursor_belongs_to_its_question(
    app_server: AppServer, merchant: TestMerchant
) -> None:
    raised(app_server, merchant, *(found(f"ord_{number}") for number in range(5)))
    seen: list[str] = []
    query: dict[str, Any] = {"state": "open", "limit": 2}
    while True:
        page = ok(merchant.http.get("/v1/doubts", params=query))
        seen += [each["subject"] for each in page["data"]]
        if page["next_cursor"] is None:
            break
        query["cursor"] = page["next_cursor"]
    assert [f"ord_{number}" for number in (4, 3, 2, 1, 0)] == seen
    others = [{**query, "state": "decided"}, {**query, "rule": "own_mail"}, {"cursor": query["cursor"]}]
    orders = {"state": "open", "cursor": query["cursor"].partition(".")[0]}
    for asked in (*others, orders, {"cursor": "x"}, {"cursor": f"x{query['cursor']}"}):
        assert {"cursor"} == set(wrong(merchant.http.get("/v1/doubts", params=asked)))
    assert ["ord_2", "ord_1", "ord_0"] == listed(
        merchant, state="open", cursor=ok(merchant.http.get("/v1/doubts?state=open&limit=2"))["next_cursor"], limit=100
    )


@pytest.mark.parametrize(
    "query",
    [{"rule": "own_male"}, {"state": "waiting"}, {"effect": "credit"}, {"about": "sharer"}, {"subject": "\x00"}],
    ids=lambda query: next(iter(query)),
)
def test_what_cannot_be_asked_is_refused(merchant: TestMerchant, query: dict[str, str]) -> None:
    assert set(query) == set(wrong(merchant.http.get("/v1/doubts", params=query)))


# -- decisions ---------------------------------------------------------------------------------------------------


def test_a_decision_stands_with_its_note_and_key_until_it_is_undone(merchant: TestMerchant, doubt: str) -> None:
    merchant.clock.move(minutes=1)
    decided = ok(decide(merchant, doubt, "refuse", note=" The same household "), 201)
    key = next(each["id"] for each in ok(merchant.http.get("/v1/keys"))["data"] if each["kind"] == "secret")
    assert decided == one(merchant, doubt)
    assert ("decided", "refuse") == (decided["state"], decided["effect"])
    last = decided["decisions"][-1]
    assert ("refuse", "The same household", "merchant", key, "2026-03-02T10:01:00Z") == tuple(
        last[name] for name in ("verdict", "note", "by", "key", "at")
    )
    assert decided["explanation"]["en"].endswith("You decided that nothing is earned through it.")
    undone = ok(decide(merchant, doubt, "reopen"), 201)
    assert ("open", "none", 3) == (undone["state"], undone["effect"], len(undone["decisions"]))
    assert undone["explanation"]["en"].endswith("Credit is as if nothing had been found.")


def test_the_same_verdict_again_changes_nothing(merchant: TestMerchant, doubt: str) -> None:
    first = ok(decide(merchant, doubt, "refuse", note="The same household"), 201)
    assert first == ok(decide(merchant, doubt, "refuse", note="The same household"), 200)
    assert first == ok(decide(merchant, doubt, "refuse", note=""), 200)
    assert 3 == len(ok(decide(merchant, doubt, "refuse", note="His brother"), 201)["decisions"])


def test_a_decision_is_made_once_for_its_idempotency_key(merchant: TestMerchant, doubt: str) -> None:
    headers = {"Idempotency-Key": "decide-1"}
    where, body = f"/v1/doubts/{doubt}/decisions", {"verdict": "refuse"}
    first = ok(merchant.http.post(where, json=body, headers=headers), 201)
    ok(decide(merchant, doubt, "credit"), 201)
    assert first == ok(merchant.http.post(where, json=body, headers=headers), 201)
    assert "credit" == one(merchant, doubt)["decision"]["verdict"]


def test_of_who_decides_at_once_the_last_stands(merchant: TestMerchant, doubt: str) -> None:
    answers = together(*(partial(decide, merchant, doubt, verdict) for verdict in ("refuse", "credit") * 3))
    assert {answer.status_code for answer in answers} <= {200, 201}
    shown = one(merchant, doubt)
    new = [answer for answer in answers if answer.status_code == 201]
    assert 1 + len(new) == len(shown["decisions"])
    assert shown in [answer.json() for answer in answers]


def test_rules_and_decisions_at_once_agree_in_the_end(
    app_server: AppServer, merchant: TestMerchant, doubt: str
) -> None:
    dos = ["hold", "refuse", "off", "hold"]
    answers = together(
        *(partial(put, merchant, own_mail={"do": do}) for do in dos),
        partial(decide, merchant, doubt, "reopen"),
        partial(decide, merchant, doubt, "credit"),
        partial(decide, merchant, doubt, "reopen"),
    )
    assert {200} | {answer.status_code for answer in answers} <= {200, 201}
    shown, effects = one(merchant, doubt), {"hold": "hold", "refuse": "refuse", "off": "none", "flag": "none"}
    by_rule = effects[rule(merchant, "own_mail")["do"]]
    assert ("none" if shown["state"] == "decided" else by_rule) == shown["effect"]


def test_another_merchants_doubt_answers_as_one_that_is_not(
    new_merchant: NewMerchant, merchant: TestMerchant, doubt: str
) -> None:
    other = new_merchant()
    for name in (doubt, doubt[:-1] + "0", "ord_1", "x", "%00", "a" * 3000):
        assert 404 == other.http.get(f"/v1/doubts/{name}").status_code
        assert 404 == decide(other, name, "credit").status_code
    assert [] == listed(other)
    assert 1 == len(one(merchant, doubt)["decisions"])


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"verdict": "flag"},
        {"verdict": None},
        {"verdict": "credit", "note": 7},
        {"verdict": "credit", "note": "a" * 2001},
        {"verdict": "credit", "note": "\x00"},
        {"verdict": "credit", "effect": "none"},
    ],
    ids=lambda body: "-".join(body) or "nothing",
)
def test_a_decision_said_wrongly_is_refused(merchant: TestMerchant, doubt: str, body: JSON) -> None:
    assert wrong(merchant.http.post(f"/v1/doubts/{doubt}/decisions", json=body))
    assert 1 == len(one(merchant, doubt)["decisions"])


def test_a_decision_is_in_the_audit_trail(merchant: TestMerchant, doubt: str) -> None:
    ok(decide(merchant, doubt, "refuse", note="The same household"), 201)
    ok(decide(merchant, doubt, "refuse"), 200)
    (entry,) = ok(merchant.http.get("/v1/audit", params={"action": "doubt.decided"}))["data"]
    assert doubt == entry["subject"]
    assert {
        "verdict": {"from": "flag", "to": "refuse"},
        "effect": {"from": "none", "to": "refuse"},
        "note": {"from": None, "to": "The same household"},
    } == entry["changes"]


def test_a_report_key_neither_sees_nor_decides(merchant: TestMerchant, doubt: str) -> None:
    headers = {"Authorization": f"Bearer {merchant.report_key}"}
    for method, path in (
        ("GET", "/v1/rules"),
        ("PUT", "/v1/rules"),
        ("GET", "/v1/doubts"),
        ("GET", f"/v1/doubts/{doubt}"),
        ("POST", f"/v1/doubts/{doubt}/decisions"),
    ):
        assert 403 == merchant.public.request(method, path, headers=headers).status_code


def test_what_is_doubted_and_decided_is_in_the_feed(app_server: AppServer, merchant: TestMerchant, doubt: str) -> None:
    merchant.clock.move(minutes=1)
    decided = ok(decide(merchant, doubt, "refuse"), 201)
    ok(put(merchant, own_mail={"do": "hold"}))
    ok(decide(merchant, doubt, "reopen"), 201)
    Relay(app_server.database, app_server.clock, of=JOURNAL).place_all()
    query = {"types": "doubt.raised,doubt.decided"}
    events = ok(merchant.http.get("/v1/events", params=query))["data"]
    assert ["doubt.raised", "doubt.decided", "doubt.decided"] == [each["type"] for each in events]
    shown = {name: value for name, value in one(merchant, doubt).items() if name not in NOT_IN_EVENTS}
    assert [shown] * 3 == [{name: each["data"][name] for name in shown} for each in events]
    assert [decided["decision"], one(merchant, doubt)["decision"]] == [each["data"]["decision"] for each in events[1:]]
    assert 3 == len({each["id"] for each in events})


NOT_IN_EVENTS = ("explanation", "decision", "decisions")
