"""What a report says, over HTTP: asked again with the `as_of` that it told, it says the same to the last byte."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta

import pytest

from app import main
from app.kernel import as_of
from app.kernel.as_of import writing_now
from app.kernel.ids import merchant_of, new_id
from app.orders import service as orders
from app.orders.sales import Sale
from tests.conftest import AppServer
from tests.db.as_known import held
from tests.saying import credit_writers
from tests.shop import JSON, TestMerchant, ok

EVER = {"from": "2020-01-01", "to": "2100-01-01"}


@pytest.fixture(autouse=True)
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Reports do not wait long for who writes."""
    monkeypatch.setattr(as_of, "PATIENCE", 0.02)


@contextmanager
def writing(server: AppServer, merchant: TestMerchant) -> Iterator[None]:
    """Somebody else's order is written, and not committed until the block ends."""
    here, number = main.assemble(server.settings, server.clock), merchant_of(merchant.id, "mer")

    def write(before_commit: Callable[[], object]) -> None:
        with here.database.transaction() as session:
            now = writing_now(session, number, here.clock)
            sale = Sale(
                external_id=new_id("ord", number, now),
                source="api",
                fingerprint="",
                livemode=True,
                currency="eur",
                gross=700,
                net=700,
                at=now,
            )
            orders.record(session, here.events, number, sale, now)
            before_commit()

    with held(write):
        yield
    here.database.close()


@pytest.mark.parametrize("path", ["attribution", "attribution?format=csv&group_by=sharer,day", "orders", "models"])
def test_what_was_told_is_told_again_to_the_last_byte(app_server: AppServer, merchant: TestMerchant, path: str) -> None:
    merchant.order(net=500)
    app_server.clock.move(hours=1)
    path = f"/v1/reports/{path}{'&' if '?' in path else '?'}from={EVER['from']}&to={EVER['to']}"
    with writing(app_server, merchant):
        began = app_server.clock.now()
        app_server.clock.move(minutes=1)
        told = merchant.report(**EVER)["as_of"]
        first = merchant.http.get(path)
    app_server.clock.move(minutes=1)
    assert first.content == merchant.http.get(f"{path}&as_of={told}").content
    assert first.content != merchant.http.get(path).content
    assert told < began.isoformat()


def test_what_is_to_come_is_answered_as_of_what_is_known(app_server: AppServer, merchant: TestMerchant) -> None:
    def net(report: JSON) -> int:
        return sum(total["net"] for total in report["totals"])

    merchant.order(net=500)
    app_server.clock.move(hours=1)
    to_come = (app_server.clock.now() + timedelta(days=1)).isoformat()
    with writing(app_server, merchant):
        app_server.clock.move(minutes=1)
        told = merchant.report(**EVER, as_of=to_come)
        page = ok(merchant.http.get("/v1/reports/attribution", params={**EVER, "group_by": "day", "limit": 1}))
    assert told == merchant.report(**EVER, as_of=told["as_of"])
    assert (500, told["as_of"]) == (net(told), page["as_of"])
    assert 1200 == net(merchant.report(**EVER))


def test_a_preview_that_is_asked_while_somebody_writes_is_told_again(
    app_server: AppServer, merchant: TestMerchant
) -> None:
    merchant.order(net=500)
    app_server.clock.move(hours=1)
    with writing(app_server, merchant):
        began = app_server.clock.now()
        app_server.clock.move(minutes=1)
        told = ok(merchant.http.post("/v1/attribution/preview", json={"policy": {}}))
    app_server.clock.move(minutes=1)
    asked = {"policy": {}, "as_of": told["as_of"]}
    assert told == ok(merchant.http.post("/v1/attribution/preview", json=asked))
    assert told != ok(merchant.http.post("/v1/attribution/preview", json={"policy": {}}))
    assert told["as_of"] < began.isoformat()


def test_whatever_writes_credit_says_so_first(merchant: TestMerchant, monkeypatch: pytest.MonkeyPatch) -> None:
    said, steps = credit_writers(monkeypatch), []
    ana, ben = merchant.shopper(), merchant.shopper()
    code = ana.share(merchant.product()["id"])["code"]
    click = ben.follow(code)
    order = merchant.order(click_id=click)
    steps.append(len(said))
    merchant.refund(order["id"], 700)
    steps.append(len(said))
    ok(merchant.http.patch(f"/v1/orders/{order['id']}", json={"net": 9_000}))
    steps.append(len(said))
    bulk = {"external_id": "b1", "placed_at": order["placed_at"], "currency": "eur", "net": 900}
    ok(merchant.http.post("/v1/orders/bulk", json={"orders": [bulk]}))
    steps.append(len(said))
    ok(merchant.http.put(f"/v1/identities/{ana.id}", json={"person": "ana"}))
    steps.append(len(said))
    assert steps[0] > 0
    assert sorted(set(steps)) == steps
    assert all(said)
