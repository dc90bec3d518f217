"""Webhooks over HTTP, with somebody's real server at the other end."""

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
from sqlalchemy import select, update
from standardwebhooks import Webhook

from app import main
from app.delivery import endpoints, webhooks_api
from app.delivery.facts import TYPES
from app.delivery.models import WebhookEndpoint
from app.kernel.database import Database
from app.kernel.http.few import Few
from app.kernel.journal import JournalEntry
from tests.clock import START, TestClock
from tests.conftest import AppServer, NewDatabase, merchant_at, settings_for
from tests.net import free_port, serving
from tests.receiver import Receiver, Reply, receiver
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together

PATH = "/v1/webhook-endpoints"
USUAL = ["order.attributed", "order.refunded", "referral.created", "visit.recorded", "import.finished"]


@pytest.fixture(scope="module")
def server(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[AppServer]:
    """The application, which may send to 127.0.0.1."""
    port, clock = free_port(), TestClock()
    url = f"http://127.0.0.1:{port}"
    folder = tmp_path_factory.mktemp("hooks")
    settings = settings_for(new_database("hooks"), folder, public_url=url, outgoing_allow=("127.0.0.1",))
    database = Database(settings.database)
    with serving(main.application(settings, clock), port):
        yield AppServer(url, settings, clock, database)
    database.close()


@pytest.fixture
def shop(server: AppServer) -> Iterator[TestMerchant]:
    """A merchant of the test's own; what the clock says is the machine's time, as the standard's library asks."""
    server.clock.set(datetime.now(UTC))
    made = merchant_at(server.url, server.clock)
    yield made
    made.close()


@pytest.fixture
def there() -> Iterator[Receiver]:
    with receiver() as served:
        yield served


def made(shop: TestMerchant, url: str, **fields: Any) -> JSON:
    return dict(ok(shop.http.post(PATH, json={"url": url, **fields}), 201))


def deliveries(shop: TestMerchant, endpoint: JSON, **query: str) -> list[JSON]:
    return list(ok(shop.http.get(f"{PATH}/{endpoint['id']}/deliveries", params=query))["data"])


def settled(shop: TestMerchant, endpoint: JSON, count: int = 1) -> list[JSON]:
    """Its deliveries, oldest first, once they are so many and none waits."""
    found = until(
        lambda: deliveries(shop, endpoint, limit="100"),
        lambda found: len(found) >= count and all(each["state"] != "waiting" for each in found),
    )
    return list(reversed(found))


def until(look: Callable[[], Any], holds: Callable[[Any], Any], seconds: float = 15) -> Any:
    deadline = time.monotonic() + seconds
    while not holds(found := look()):
        assert time.monotonic() < deadline, found
        time.sleep(0.02)
    return found


def all_placed(server: AppServer) -> None:
    """Wait until all that was written has its place in the journal."""
    unplaced = select(JournalEntry.entry_id).where(JournalEntry.position.is_(None)).limit(1)

    def look() -> str | None:
        with server.database.reading() as session:
            return session.scalar(unplaced)

    until(look, lambda found: found is None)


def problem(answer: httpx.Response, status: int) -> JSON:
    assert answer.status_code == status, answer.text
    return dict(answer.json())


def test_from_a_share_to_a_refund_everything_arrives_in_order_and_signed(shop: TestMerchant, there: Receiver) -> None:
    endpoint = made(shop, there.url, types=["*"])
    product, ana, bo = shop.product()["id"], shop.shopper(), shop.shopper()
    share = ana.share(product)
    click = bo.follow(share["code"])
    order = shop.order(net=1000, click_id=click)
    shop.refund(order["id"], 100)
    shop.refund(order["id"], 200)
    until(lambda: [each.event["type"] for each in there.told], lambda types: types.count("order.refunded") == 2)
    told = settled(shop, endpoint)
    of_order = [each["event"] for each in told if each["subject"] == order["id"]]
    assert of_order == [each for each in there.ids if each in of_order]
    assert {"referral.created", "order.recorded", "order.attributed"} <= {each.event["type"] for each in there.told}
    (created,) = there.of_type("referral.created")
    assert (share["id"], "whatsapp", product) == tuple(created["data"][name] for name in ("id", "network", "product"))
    assert order["id"] in {
        each["data"].get("order") or each["data"]["id"] for each in there.of_type("order.attributed")
    }
    believing = Webhook(endpoint["secret"])
    for request in there.told:
        assert {"id", "type", "timestamp", "data"} == set(request.event)
        assert request.event == believing.verify(request.body, request.headers)
    assert not any(str(ana.token) in each.body.decode() for each in there.told)


def test_an_endpoint_says_all_of_itself_but_its_secret(shop: TestMerchant) -> None:
    endpoint = made(shop, "https://shop.example/a?b=c", description="Our books")
    assert endpoint.pop("secret").startswith("whsec_")
    expected = {
        "id": endpoint["id"],
        "url": "https://shop.example/a?b=c",
        "types": USUAL,
        "description": "Our books",
        "created_at": endpoint["created_at"],
        **dict.fromkeys(("disabled_at", "disabled_reason", "failing_since", "former_secret_until", "notice")),
    }
    assert expected == endpoint == ok(shop.http.get(f"{PATH}/{endpoint['id']}"))
    assert {"data": [endpoint], "next_cursor": None} == ok(shop.http.get(PATH))


def test_a_secret_is_shown_once_not_even_to_a_repeated_call(shop: TestMerchant) -> None:
    once = {"Idempotency-Key": "once"}
    body = {"url": "https://shop.example/"}
    first = ok(shop.http.post(PATH, json=body, headers=once), 201)
    again = ok(shop.http.post(PATH, json=body, headers=once), 201)
    assert {**first, "secret": None} == again
    assert 1 == len(ok(shop.http.get(PATH))["data"])
    rotated = ok(shop.http.post(f"{PATH}/{first['id']}/rotate", headers=once))
    assert {**rotated, "secret": None} == ok(shop.http.post(f"{PATH}/{first['id']}/rotate", headers=once))
    assert first["secret"] != rotated["secret"]


def test_while_a_secret_is_exchanged_both_sign_then_the_new_one_alone(
    shop: TestMerchant, there: Receiver, server: AppServer
) -> None:
    endpoint = made(shop, there.url)
    rotated = ok(shop.http.post(f"{PATH}/{endpoint['id']}/rotate", json={"overlap_hours": 1}))
    assert rotated["former_secret_until"] is not None
    assert ok(shop.http.post(f"{PATH}/{endpoint['id']}/test"))["delivered"]
    request = there.told[-1]
    for secret in (endpoint["secret"], rotated["secret"]):
        assert "webhook.test" == Webhook(secret).verify(request.body, request.headers)["type"]
    server.clock.move(hours=1)
    assert ok(shop.http.post(f"{PATH}/{endpoint['id']}/test"))["delivered"]
    assert 1 == len(there.told[-1].headers["webhook-signature"].split())
    at_once = ok(shop.http.post(f"{PATH}/{endpoint['id']}/rotate", json={"overlap_hours": 0}))
    assert at_once["former_secret_until"] is None


def test_a_secret_that_is_exchanged_once_more_leaves_no_receiver_behind(shop: TestMerchant, there: Receiver) -> None:
    endpoint = made(shop, there.url)
    secrets = [endpoint["secret"]]
    secrets += [ok(shop.http.post(f"{PATH}/{endpoint['id']}/rotate"))["secret"] for _ in range(2)]
    assert ok(shop.http.post(f"{PATH}/{endpoint['id']}/test"))["delivered"]
    request = there.told[-1]
    for secret in secrets:
        assert "webhook.test" == Webhook(secret).verify(request.body, request.headers)["type"]
    last = ok(shop.http.post(f"{PATH}/{endpoint['id']}/rotate", json={"overlap_hours": 0}))["secret"]
    assert ok(shop.http.post(f"{PATH}/{endpoint['id']}/test"))["delivered"]
    assert 1 == len(there.told[-1].headers["webhook-signature"].split())
    assert "webhook.test" == Webhook(last).verify(there.told[-1].body, there.told[-1].headers)["type"]


def test_what_fails_is_told_again_and_the_log_says_how_it_went(
    shop: TestMerchant, there: Receiver, server: AppServer
) -> None:
    endpoint = made(shop, there.url)
    there.reply = lambda _: Reply(500, body=b"no such table")
    share = shop.shopper().share(shop.product()["id"])
    (waiting,) = until(lambda: deliveries(shop, endpoint), lambda found: found and found[0]["attempts"])
    until(lambda: _log(shop, endpoint, waiting), len)
    assert [waiting["id"]] == [each["id"] for each in deliveries(shop, endpoint, state="waiting")]
    assert [] == deliveries(shop, endpoint, state="delivered") == deliveries(shop, endpoint, state="given_up")
    known = ok(shop.http.get(f"{PATH}/{endpoint['id']}"))
    assert known["failing_since"] is not None
    assert "Nothing has arrived" in known["notice"]
    there.reply = lambda _: Reply()
    server.clock.move(seconds=7)
    (delivered,) = settled(shop, endpoint)
    assert (2, None) == (delivered["attempts"], delivered["next_attempt_at"])
    log = _log(shop, endpoint, delivered)
    assert [(500, "answered 500: no such table"), (204, None)] == [(each["status"], each["problem"]) for each in log]
    shown = ok(shop.http.get(f"{PATH}/{endpoint['id']}/deliveries/{delivered['id']}"))
    assert (share["id"], delivered["event"]) == (shown["body"]["data"]["id"], shown["body"]["id"])
    assert ok(shop.http.get(f"{PATH}/{endpoint['id']}"))["notice"] is None


def _log(shop: TestMerchant, endpoint: JSON, delivery: JSON) -> list[JSON]:
    return list(ok(shop.http.get(f"{PATH}/{endpoint['id']}/deliveries/{delivery['id']}"))["log"])


def test_a_delivery_is_told_again_when_it_is_asked_for(shop: TestMerchant, there: Receiver) -> None:
    endpoint = made(shop, there.url)
    shop.shopper().share(shop.product()["id"])
    (first,) = settled(shop, endpoint)
    again = ok(shop.http.post(f"{PATH}/{endpoint['id']}/deliveries/{first['id']}/retry"))
    assert ("waiting", 0) == (again["state"], again["attempts"])
    assert [first["event"]] * 2 == [each.id for each in there.wait_for(2)]


def test_events_are_replayed_by_id_by_time_and_by_cursor(
    shop: TestMerchant, there: Receiver, server: AppServer
) -> None:
    product, replay = shop.product()["id"], f"{PATH}/{{}}/replay"
    before = shop.shopper().share(product)
    all_placed(server)
    server.clock.move(hours=1)
    endpoint = made(shop, there.url, types=["referral.created"])
    since = server.clock.now()
    shares = [shop.shopper().share(product)["id"] for _ in range(2)]
    told = settled(shop, endpoint, 2)
    assert shares == [each["subject"] for each in told]
    once = {"Idempotency-Key": "again"}
    for _ in range(2):
        body = {"events": [told[1]["event"]]}
        answer = shop.http.post(replay.format(endpoint["id"]), json=body, headers=once)
        assert {"deliveries": 1, "cursor": None} == ok(answer, 202)
    assert [told[1]["event"]] == [each.id for each in there.wait_for(3)[2:]]
    ok(shop.http.post(replay.format(endpoint["id"]), json={"since": since.isoformat()}), 202)
    assert {each["event"] for each in told} == {each.id for each in there.wait_for(5)[3:]}
    ok(shop.http.post(replay.format(endpoint["id"]), json={"cursor": ""}), 202)
    assert {before["id"], *shares} == {each.event["data"]["id"] for each in there.wait_for(8)[5:]}
    later = shop.shopper().share(product)["id"]
    assert later == there.wait_for(9)[8].event["data"]["id"]


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/since"),
        ({"cursor": "", "events": ["evt_1"]}, "/events"),
        ({"since": None, "events": None}, "/since"),
        ({"cursor": "what is this"}, "/cursor"),
        ({"events": []}, "/events"),
        ({"events": ["evt_nobody"]}, "/events/0"),
        ({"since": 5}, "/since"),
        ({"until": "2026-01-01T00:00:00Z"}, "/until"),
    ],
    ids=str,
)
def test_a_replay_of_what_cannot_be_says_so(shop: TestMerchant, body: JSON, pointer: str) -> None:
    endpoint = made(shop, "https://shop.example/")
    answer = problem(shop.http.post(f"{PATH}/{endpoint['id']}/replay", json=body), 422)
    assert [pointer] == [each["pointer"] for each in answer["errors"]]


def test_a_replay_of_three_things_names_those_that_are_too_many(shop: TestMerchant) -> None:
    endpoint = made(shop, "https://shop.example/")
    body = {"since": "2026-01-01T00:00:00Z", "cursor": "", "events": ["evt_1"]}
    answer = problem(shop.http.post(f"{PATH}/{endpoint['id']}/replay", json=body), 422)
    assert "/cursor: cannot be said beside `since`; /events: cannot be said beside `since`" == answer["detail"]
    nothing = problem(shop.http.post(f"{PATH}/{endpoint['id']}/replay", json={}), 422)
    assert "/since: say from when on: this, or `cursor`, or `events`" == nothing["detail"]


def test_a_replay_in_the_far_past_or_future_is_one_of_all_or_of_nothing(shop: TestMerchant, there: Receiver) -> None:
    share = shop.shopper().share(shop.product()["id"])
    endpoint = made(shop, there.url)
    for since in ("9999-12-31T00:00:00Z", "1970-01-01T00:00:00Z"):
        ok(shop.http.post(f"{PATH}/{endpoint['id']}/replay", json={"since": since}), 202)
    assert share["id"] == there.wait_for(1)[0].event["data"]["id"]


def test_another_merchants_events_cannot_be_replayed(shop: TestMerchant, there: Receiver, server: AppServer) -> None:
    theirs = merchant_at(server.url, server.clock)
    other = made(theirs, there.url)
    theirs.shopper().share(theirs.product()["id"])
    (told,) = settled(theirs, other)
    endpoint = made(shop, there.url)
    answer = shop.http.post(f"{PATH}/{endpoint['id']}/replay", json={"events": [told["event"]]})
    assert 422 == answer.status_code
    for path in (f"{other['id']}/deliveries/{told['id']}", f"{endpoint['id']}/deliveries/{told['id']}"):
        assert 404 == shop.http.get(f"{PATH}/{path}").status_code
    theirs.close()


def test_a_test_says_what_came_back(shop: TestMerchant, there: Receiver) -> None:
    endpoint = made(shop, there.url)
    told = ok(shop.http.post(f"{PATH}/{endpoint['id']}/test", headers={"Idempotency-Key": "1"}))
    assert (True, 204, None) == (told["delivered"], told["status"], told["problem"])
    assert told == ok(shop.http.post(f"{PATH}/{endpoint['id']}/test", headers={"Idempotency-Key": "1"}))
    assert ["webhook.test"] == [each.event["type"] for each in there.told]
    assert endpoint["id"] == there.told[0].event["data"]["endpoint"]
    there.reply = lambda _: Reply(404, body=b"<script>nobody here</script>")
    told = ok(shop.http.post(f"{PATH}/{endpoint['id']}/test"))
    assert (False, 404) == (told["delivered"], told["status"])
    assert "answered 404: <script>nobody here</script>" == told["problem"]
    assert [] == deliveries(shop, endpoint)


def test_tests_do_not_keep_all_who_answer_busy(
    shop: TestMerchant, there: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks_api, "AT_ONCE", Few(1, "Not now."))
    there.reply = lambda _: Reply(after=0.5)
    path = f"{PATH}/{made(shop, there.url)['id']}/test"
    answers = together(*(lambda: shop.http.post(path),) * 2)
    assert [200, 503] == sorted(each.status_code for each in answers)
    assert "2" in {each.headers.get("retry-after") for each in answers}
    ok(shop.http.post(path))


def test_a_secret_that_cannot_be_read_is_said_and_cured_by_another(
    shop: TestMerchant, there: Receiver, server: AppServer
) -> None:
    endpoint = made(shop, there.url)
    with server.database.transaction() as session:
        broken = update(WebhookEndpoint).where(WebhookEndpoint.endpoint_id == endpoint["id"])
        session.execute(broken.values(secret="1.c2VhbGVkIHVuZGVyIGFub3RoZXI="))
    assert "Rotate it" in problem(shop.http.post(f"{PATH}/{endpoint['id']}/test"), 503)["detail"]
    ok(shop.http.post(f"{PATH}/{endpoint['id']}/rotate"))
    assert ok(shop.http.post(f"{PATH}/{endpoint['id']}/test"))["delivered"]


def test_nothing_is_sent_while_it_is_disabled_and_nothing_is_lost(shop: TestMerchant, there: Receiver) -> None:
    endpoint = made(shop, there.url)
    disabled = ok(shop.http.patch(f"{PATH}/{endpoint['id']}", json={"disabled": True}))
    assert ("asked", True) == (disabled["disabled_reason"], "set `disabled` to false" in disabled["notice"])
    shares = [shop.shopper().share(shop.product()["id"])["id"] for _ in range(2)]
    time.sleep(0.5)
    assert [] == there.told
    enabled = ok(shop.http.patch(f"{PATH}/{endpoint['id']}", json={"disabled": False}))
    assert (None, None, None) == tuple(enabled[name] for name in ("disabled_at", "disabled_reason", "notice"))
    assert set(shares) == {each.event["data"]["id"] for each in there.wait_for(2)}


def test_who_is_gone_is_told_nothing_until_they_are_enabled(shop: TestMerchant, there: Receiver) -> None:
    endpoint = made(shop, there.url)
    there.reply = lambda _: Reply(410)
    shop.shopper().share(shop.product()["id"])
    known = until(lambda: ok(shop.http.get(f"{PATH}/{endpoint['id']}")), lambda known: known["disabled_at"])
    assert ("gone", True) == (known["disabled_reason"], "410" in known["notice"])


def test_a_deleted_endpoint_is_told_nothing_and_is_not_found(shop: TestMerchant, there: Receiver) -> None:
    there.reply = lambda _: Reply(500)
    endpoint = made(shop, there.url)
    shop.shopper().share(shop.product()["id"])
    there.wait_for(1)
    assert 204 == shop.http.delete(f"{PATH}/{endpoint['id']}").status_code
    shop.clock.move(days=1)
    shop.shopper().share(shop.product()["id"])
    time.sleep(0.5)
    assert 1 == len(there.told)
    for method, path in (("GET", ""), ("DELETE", ""), ("GET", "/deliveries"), ("POST", "/test"), ("POST", "/rotate")):
        assert 404 == shop.http.request(method, f"{PATH}/{endpoint['id']}{path}").status_code, path
    assert [] == ok(shop.http.get(PATH))["data"]


def test_an_address_to_which_nothing_can_be_sent_is_refused(shop: TestMerchant) -> None:
    endpoint = made(shop, "https://shop.example/")
    for url in (
        "http://shop.example/",
        "https://10.0.0.1/",
        "https://169.254.169.254/latest/meta-data/",
        "https://[::1]/",
        "https://2130706433/",
        "https://user:word@shop.example/",
        "https://localhost/",
        "https://shop.example:22/",
        "javascript:alert(1)",
        "shop.example",
        "",
        "https://shop.example/" + "x" * 2000,
        "https://shop.example/\x00",
    ):
        body = {"url": url}
        for answer in (shop.http.post(PATH, json=body), shop.http.patch(f"{PATH}/{endpoint['id']}", json=body)):
            assert ["/url"] == [each["pointer"] for each in problem(answer, 422)["errors"]], url


def test_who_may_not_be_told_by_http_reads_which_setting_would_allow_it(shop: TestMerchant) -> None:
    refused = problem(shop.http.post(PATH, json={"url": "http://shop.example/"}), 422)["detail"]
    assert "by https alone, but to hosts of GRAPEVINE_OUTGOING_ALLOW" in refused


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({"types": ["order.eaten"]}, "/types/0"),
        ({"types": []}, "/types"),
        ({"types": None}, "/types"),
        ({"types": "order.refunded"}, "/types"),
        ({"description": "x" * 201}, "/description"),
        ({"secret": "whsec_mine"}, "/secret"),
        ({"disabled": None}, "/disabled"),
    ],
    ids=str,
)
def test_what_cannot_be_is_refused_and_named(shop: TestMerchant, body: JSON, pointer: str) -> None:
    endpoint = made(shop, "https://shop.example/")
    answer = problem(shop.http.patch(f"{PATH}/{endpoint['id']}", json=body), 422)
    assert [pointer] == [each["pointer"] for each in answer["errors"]]
    if pointer == "/types/0":
        assert all(each in str(answer) for each in TYPES)


def test_types_are_kept_once_and_a_star_means_all(shop: TestMerchant) -> None:
    endpoint = made(shop, "https://shop.example/", types=["order.refunded", "order.refunded", "visit.recorded"])
    assert ["order.refunded", "visit.recorded"] == endpoint["types"]
    changed = ok(shop.http.patch(f"{PATH}/{endpoint['id']}", json={"types": ["*", "order.refunded"]}))
    assert ["*"] == changed["types"]


def test_a_merchant_has_so_many_endpoints_at_most(shop: TestMerchant, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(endpoints, "MOST", 5)
    for number in range(5):
        made(shop, f"https://shop.example/{number}")
    answer = problem(shop.http.post(PATH, json={"url": "https://shop.example/"}), 409)
    assert "There are 5 webhook endpoints" in answer["detail"]
    page = ok(shop.http.get(PATH, params={"limit": 3}))
    rest = ok(shop.http.get(PATH, params={"limit": 3, "cursor": page["next_cursor"]}))
    assert [f"https://shop.example/{number}" for number in reversed(range(5))] == [
        each["url"] for each in (*page["data"], *rest["data"])
    ]


def test_a_report_key_may_do_nothing_here(shop: TestMerchant) -> None:
    headers = {"Authorization": f"Bearer {shop.report_key}"}
    for method, path in (("GET", ""), ("POST", ""), ("GET", "/whe_1/deliveries"), ("POST", "/whe_1/test")):
        answer = shop.public.request(method, f"{PATH}{path}", headers=headers, json={"url": "https://shop.example/"})
        assert 403 == answer.status_code, path


def test_a_list_of_deliveries_goes_on_where_it_stopped(shop: TestMerchant, there: Receiver) -> None:
    endpoint = made(shop, there.url)
    product = shop.product()["id"]
    shares = [shop.shopper().share(product)["id"] for _ in range(5)]
    settled(shop, endpoint, 5)
    path = f"{PATH}/{endpoint['id']}/deliveries"
    page = ok(shop.http.get(path, params={"limit": 3, "state": "delivered"}))
    rest = ok(shop.http.get(path, params={"limit": 3, "state": "delivered", "cursor": page["next_cursor"]}))
    assert list(reversed(shares)) == [each["subject"] for each in (*page["data"], *rest["data"])]
    assert rest["next_cursor"] is None
    assert 422 == shop.http.get(path, params={"state": "lost"}).status_code
    assert 422 == shop.http.get(path, params={"cursor": "lost"}).status_code
    assert START < shop.clock.now()


def test_a_name_is_in_nothing_that_is_told_waits_or_is_kept(shop: TestMerchant, there: Receiver) -> None:
    """So nobody need take it back from a receiver: what waits is sent as it was written, a name was never in it."""
    endpoint = made(shop, there.url, types=["*"])
    there.reply = lambda _: Reply(500)
    product, ana, bo = shop.product()["id"], shop.shopper(), shop.shopper()
    share = ana.share(product)
    ok(ana.http.patch("/v1/me", json={"name": "Ana Belle"}, headers=ana.headers))
    ana.like(product)
    shop.order(net=1000, click_id=bo.follow(share["code"]))
    types = {"referral.created", "visit.recorded", "order.recorded", "order.attributed"}
    waiting = until(
        lambda: deliveries(shop, endpoint, state="waiting", limit="100"),
        lambda found: types <= {each["type"] for each in found} and any(each["attempts"] for each in found),
    )
    for each in waiting:
        shown = shop.http.get(f"{PATH}/{endpoint['id']}/deliveries/{each['id']}")
        assert ok(shown)["body"]["id"] == each["event"]
        assert "Ana Belle" not in shown.text
    ok(ana.http.patch("/v1/me", json={"name": None}, headers=ana.headers))
    there.reply = lambda _: Reply()

    def left() -> list[JSON]:
        shop.clock.move(seconds=10)  # again and again: one that was on its way may have failed just now
        return deliveries(shop, endpoint, state="waiting")

    until(left, lambda found: not found)
    assert not any("Ana Belle" in each.body.decode() for each in there.told)


def test_the_document_explains_every_call_with_examples(server: AppServer) -> None:
    document = ok(httpx.get(f"{server.url}/openapi.json"))
    calls = {path: methods for path, methods in document["paths"].items() if path.startswith(PATH)}
    found = [(path, method, call) for path, methods in calls.items() for method, call in methods.items()]
    assert 11 == len(found)
    for path, method, call in found:
        for parameter in call["parameters"]:
            assert parameter.get("description") or parameter["name"] == "idempotency-key", (path, parameter)
            assert parameter["in"] != "path" or parameter["schema"]["examples"], (path, parameter)
        for shape in _shapes(call):
            schema = _resolved(document, shape)
            assert schema["description"], (path, method)
            assert schema["examples"], (path, method)


def _shapes(call: JSON) -> Iterator[JSON]:
    """Of a call's body and of what it answers."""
    parts = [call["requestBody"]] if "requestBody" in call else []
    parts += [answer for status, answer in call["responses"].items() if status.startswith("2")]
    for part in parts:
        yield from (content["schema"] for content in part.get("content", {}).values())


def _resolved(document: JSON, schema: JSON) -> JSON:
    """A body that may be left out is one of two, a list is as good as what it lists."""
    if "anyOf" in schema:
        schema = schema["anyOf"][0]
    if "$ref" not in schema:
        return schema
    found = document["components"]["schemas"][schema["$ref"].rsplit("/", 1)[1]]
    if "next_cursor" in found["properties"]:
        return _resolved(document, found["properties"]["data"]["items"])
    return dict(found)
