"""What the ledger makes of Stripe's messages, whatever their order: straight in the database, without HTTP."""

from collections.abc import Callable
from functools import partial
from itertools import islice, permutations
from pathlib import Path

import pytest
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from app.kernel.database import Database
from app.orders import service, settling
from app.orders.lifecycle import Taking
from app.orders.webhooks.bookkeeper import Applied
from tests import migrated
from tests.clock import TestClock
from tests.db.selling import Market
from tests.db.selling import market as new_market
from tests.db.stripe_story import Story
from tests.reckoning import reckoned
from tests.soak import SOAK


@pytest.mark.soak
@pytest.mark.parametrize("won", [True, False], ids=["won", "lost"])
def test_the_end_is_the_same_for_every_order_of_arrival(market: Market, won: bool) -> None:
    """In the ordinary run all of them on SQLite, and on PostgreSQL one of seven."""
    for arrival in islice(permutations(range(5)), None, None, 1 if SOAK or market.here.database.is_sqlite else 7):
        story = Story(market, net=1000, paid=1500)
        disputed = partial(story.tell_of_dispute, "du", 1200, at=1)
        closed = partial(disputed, event="closed", status="won" if won else "lost")
        things: list[list[Callable[[], Applied]]] = [
            [partial(story.tell_of_session, "completed", "unpaid")],
            [partial(story.tell_of_session, "async_payment_succeeded", "paid")],
            [partial(story.tell_of_refund, "re", 500, "succeeded")],
            [partial(disputed, event=event, status="needs_response") for event in ("created", "funds_withdrawn")],
            [closed, partial(disputed, event="funds_reinstated", status="won")] if won else [closed],
        ]

        for place in arrival:
            for tell in things[place]:
                tell()

        assert story.taken() == {story.id("re"): 333} | ({} if won else {story.id("du"): 667}), arrival
        assert story.status() == ("partially_refunded" if won else "disputed"), arrival
        story.assert_credits_add_up()


def test_what_a_message_did_is_told(market: Market) -> None:
    story = Story(market, net=1000, paid=1000)
    merchant = market.merchant

    waits = story.tell_of_refund("re", 100, "succeeded")
    assert (True, None, None, story.id("re"), False) == _of(waits)
    assert 1 == story.waiting()
    assert (True, merchant, None, story.session, False) == _of(story.tell_of_session("completed", "unpaid"))
    sold = story.tell_of_session("async_payment_succeeded", "paid")
    order = story.order()
    assert order is not None
    assert 0 == story.waiting()
    assert (True, merchant, order.order_id, story.session, True) == _of(sold)
    assert (False, None, None, None, False) == _of(story.tell_of_session("async_payment_succeeded", "paid"))
    assert (True, merchant, order.order_id, story.session, False) == _of(story.tell_of_session("completed", "paid"))
    assert (True, merchant, order.order_id, story.id("re"), True) == _of(story.tell_of_refund("re", 100, "failed"))
    assert (True, merchant, order.order_id, story.id("re"), False) == _of(story.tell_of_refund("re", 100, "pending"))


def test_a_cancellation_takes_what_all_others_leave(market: Market) -> None:
    story = Story(market, net=1000, paid=1000)
    story.tell_of_session("completed", "paid")
    story.tell_of_refund("re_a", 300, "succeeded")
    _settle(story, [settling.cancellation(market.clock.now())], {settling.CANCELLED})
    assert {story.id("re_a"): 300, settling.CANCELLED: 700} == story.taken()
    cancelled_at = market.clock.now()
    story.assert_credits_add_up()

    market.clock.move(minutes=1)
    story.tell_of_refund("re_b", 500, "succeeded")
    assert {story.id("re_a"): 300, story.id("re_b"): 500, settling.CANCELLED: 200} == story.taken()
    story.tell_of_refund("re_c", 200, "succeeded")
    assert 0 == story.taken()[settling.CANCELLED]
    assert "cancelled" == story.status()
    story.tell_of_refund("re_a", 300, "failed")
    assert 300 == story.taken()[settling.CANCELLED]
    order = story.order()
    assert order is not None
    assert {cancelled_at} == {row.at for row in order.refunds if row.external_id == settling.CANCELLED}
    assert 1000 == order.refunded
    story.assert_credits_add_up()

    assert not _settle(story, [], {"of nobody"})
    assert _settle(story, [], {settling.CANCELLED})
    assert {story.id("re_b"): 500, story.id("re_c"): 200} == story.taken()
    story.assert_credits_add_up()


def test_settling_twice_writes_nothing_and_another_amount_is_appended(market: Market) -> None:
    story = Story(market, net=1000, paid=1000)
    story.tell_of_session("completed", "paid")
    order = story.order()
    assert order is not None
    with market.here.database.transaction() as session:
        by_hand = Taking("by hand", "refund", market.clock.now(), 50, 50)
        service.take_back(session, market.here.events, market.merchant, order.order_id, by_hand, market.clock.now())
    takes = Taking("re_1", "refund", market.clock.now(), paid_back=400, amount=400)

    assert [True, False] == [_settle(story, [takes], {"re_1"}) for _ in range(2)]
    market.clock.move(seconds=1)
    less = Taking("re_1", "refund", takes.at, paid_back=300, amount=300)
    assert [True, False] == [_settle(story, [less], {"re_1"}) for _ in range(2)]

    order = story.order()
    assert order is not None
    assert [("by hand", 50, False), ("re_1", 300, False), ("re_1", 400, True)] == sorted(
        (row.external_id, row.amount, row.dropped_at is not None) for row in order.refunds
    )
    assert 350 == order.refunded
    story.assert_credits_add_up()


_REFUNDS, _DISPUTES = ("re_a", "re_b"), ("du_a", "du_b")
_NAMES = (*_REFUNDS, *_DISPUTES)
_DISPUTE_MESSAGES = (
    ("created", "warning_needs_response"),
    ("created", "needs_response"),
    ("updated", "under_review"),
    ("funds_withdrawn", "needs_response"),
    ("closed", "lost"),
    ("closed", "won"),
    ("funds_reinstated", "won"),
)


class Ledgers(RuleBasedStateMachine):
    """Messages of one sale, in any order and again; after each the books are as reckoned from all that was told."""

    market: Market

    @initialize(net=st.integers(0, 900), beside=st.integers(0, 100), amounts=st.tuples(*[st.integers(0, 1000)] * 4))
    def begin(self, net: int, beside: int, amounts: tuple[int, int, int, int]) -> None:
        self.story = Story(self.market, net, net + beside)
        self.told = {
            name: (place % 2, amount) for place, (name, amount) in enumerate(zip(_NAMES, amounts, strict=True))
        }
        self.heard: set[tuple[str, str]] = set()
        self.sold = False

    @rule(kind=st.sampled_from([("completed", "unpaid"), ("completed", "paid"), ("async_payment_succeeded", "paid")]))
    def hear_of_the_session(self, kind: tuple[str, str]) -> None:
        self.story.tell_of_session(*kind)
        self.sold = self.sold or kind[1] == "paid"

    @rule(name=st.sampled_from(_REFUNDS), status=st.sampled_from(["pending", "succeeded", "failed", "canceled"]))
    def hear_of_a_refund(self, name: str, status: str) -> None:
        at, amount = self.told[name]
        self.story.tell_of_refund(name, amount, status, at)
        self.heard.add((name, status))

    @rule(name=st.sampled_from(_DISPUTES), said=st.sampled_from(_DISPUTE_MESSAGES))
    def hear_of_a_dispute(self, name: str, said: tuple[str, str]) -> None:
        at, amount = self.told[name]
        self.story.tell_of_dispute(name, amount, *said, at=at)
        self.heard |= {(name, word) for word in said if word not in ("created", "updated", "closed")}

    @invariant()
    def the_books_are_right(self) -> None:
        if not self.sold:
            assert self.story.order() is None
            return
        wanted = reckoned(self.story.net, self.story.paid, self.told, self.heard)
        assert {self.story.id(name): amount for name, amount in wanted.items()} == self.story.taken()
        self.story.assert_credits_add_up()


def test_whatever_comes_in_whatever_order_the_books_are_right(tmp_path: Path) -> None:
    database = Database(migrated.on_sqlite(tmp_path / "life.db"))
    with new_market(database, tmp_path, TestClock()) as market:
        machine = type("Life", (Ledgers,), {"market": market})
        few = settings(
            max_examples=40, stateful_step_count=12, deadline=None, suppress_health_check=[HealthCheck.too_slow]
        )
        run_state_machine_as_test(machine, settings=few)
    database.close()


def _settle(story: Story, wanted: list[Taking], mine: set[str]) -> bool:
    order = story.order()
    assert order is not None
    with story.here.database.transaction() as session:
        locked = service.get(session, order.merchant_id, order.order_id, lock=True)
        return settling.settle(session, story.here.events, locked, wanted, mine, story.market.clock.now())


def _of(applied: Applied) -> tuple[bool, int | None, str | None, str | None, bool]:
    return applied.new, applied.merchant_id, applied.order_id, applied.object_id, applied.changed
