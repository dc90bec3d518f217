"""A session whose answer was lost is looked for while its buyer waits: in a short time, on few pages."""

from collections.abc import Callable

import pytest

from tests.shop import JSON, TestMerchant, ok
from tests.till import Till, items, variant

SESSIONS = "/v1/checkout/sessions"
KEY = {"Idempotency-Key": "k"}


@pytest.fixture
def wanted(seller: TestMerchant) -> JSON:
    return items({"variant": variant(seller)})


@pytest.fixture
def ask_for_one_a_page(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.orders.stripe.client.PAGE", 1)


def lists(till: Till) -> int:
    """Pages of sessions that were asked for so far."""
    return sum((seen.method, seen.path) == ("GET", SESSIONS) for seen in till.double.faults.seen)


@pytest.mark.usefixtures("ask_for_one_a_page")
def test_what_others_bought_since_is_not_gone_through(
    till: Till, seller: TestMerchant, new_seller: Callable[..., TestMerchant], wanted: JSON
) -> None:
    others = variant(new_seller())
    till.double.faults.lose_answers(2, path=SESSIONS, method="POST")
    assert 503 == till.ask(wanted, **KEY).status_code
    (made,) = till.sessions_of(seller)
    till.clock.move(minutes=62)
    for _ in range(8):
        till.checkout(others)
    till.clock.move(minutes=33)
    before = lists(till)

    opened = ok(till.ask(wanted, **KEY), 201)

    assert (made["url"], 1) == (opened["url"], lists(till) - before)


@pytest.fixture
def unseen(till: Till, seller: TestMerchant, new_seller: Callable[..., TestMerchant], wanted: JSON) -> JSON:
    """The session of an attempt whose answers were lost, behind very many of another seller's; its key is spent."""
    others = variant(new_seller())
    till.double.faults.lose_answers(2, path=SESSIONS, method="POST")
    assert 503 == till.ask(wanted, **KEY).status_code
    (made,) = till.sessions_of(seller)
    for _ in range(8):
        till.checkout(others)
    till.clock.move(minutes=95)
    return made


@pytest.mark.usefixtures("ask_for_one_a_page")
def test_among_very_many_it_is_not_looked_for_long_and_what_was_not_found_is_never_shown(
    till: Till, seller: TestMerchant, unseen: JSON, wanted: JSON
) -> None:
    before = lists(till)

    opened = ok(till.ask(wanted, **KEY), 201)

    assert 5 == lists(till) - before
    assert unseen["url"] != opened["url"] == ok(till.ask(wanted, **KEY), 201)["url"]
    assert {unseen["url"], opened["url"]} == {each["url"] for each in till.sessions_of(seller)}

    # Nobody was told of the other. It says so when it ends, and that ends nothing of what the buyer sees.
    till.double.expire(unseen["id"])
    till.tell_all(unseen["id"])
    assert "open" == till.status(opened)
    session = opened["url"].rpartition("/")[2]
    till.double.pay(session)
    till.tell_all(session)
    assert [session] == [order["external_id"] for order in till.orders(seller)]


@pytest.mark.usefixtures("ask_for_one_a_page")
def test_both_being_paid_all_the_same_is_in_the_books(
    till: Till, seller: TestMerchant, unseen: JSON, wanted: JSON
) -> None:
    """As when a merchant copies the address out of Stripe's own pages."""
    shown = ok(till.ask(wanted, **KEY), 201)["url"].rpartition("/")[2]

    for each in (unseen["id"], shown):
        till.double.pay(each)
        till.tell_all(each)

    assert {unseen["id"], shown} == {order["external_id"] for order in till.orders(seller)}
