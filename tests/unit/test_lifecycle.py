"""What is taken back of an order, whatever the order in which it is heard."""

from datetime import UTC, datetime, timedelta
from itertools import permutations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from app.orders.lifecycle import TakenBack, Taking, dispute_counts, refund_counts, status, takings
from tests.reckoning import reckoned

START = datetime(2026, 1, 1, tzinfo=UTC)


def taken_back(id: str, paid_back: int, *, at: int = 0, counts: bool = True, reason: str = "refund") -> TakenBack:
    return TakenBack(id, reason, START + timedelta(seconds=at), paid_back, counts)


@pytest.mark.parametrize(
    ("heard", "counts"),
    [
        ([], False),
        (["needs_response"], True),
        (["under_review"], True),
        (["lost"], True),
        (["funds_withdrawn"], True),
        (["funds_withdrawn", "warning_needs_response"], True),
        (["warning_needs_response", "warning_under_review", "warning_closed"], False),
        (["prevented"], False),
        (["something_new"], False),
        (["needs_response", "funds_withdrawn", "won"], False),
        (["needs_response", "funds_withdrawn", "won", "funds_reinstated"], False),
        (["lost", "funds_reinstated"], False),
        (["won"], False),
    ],
)
def test_a_dispute_counts_while_its_funds_are_gone(heard: list[str], counts: bool) -> None:
    assert {counts} == {dispute_counts(order) for order in permutations(heard)}
    assert counts is dispute_counts(heard * 2)


def test_each_takes_its_part_of_the_net_in_its_turn() -> None:
    said = [taken_back("re_2", 501, at=2), taken_back("re_1", 500, at=1), taken_back("re_3", 499, at=2)]

    for order in permutations(said):
        taken = takings(1000, 1500, order)
        assert [("re_1", 333), ("re_2", 334), ("re_3", 333)] == [(each.id, each.amount) for each in taken]
    assert taken[0] == Taking("re_1", "refund", START + timedelta(seconds=1), paid_back=500, amount=333)


def test_what_does_not_count_takes_nothing_and_leaves_its_place_to_the_others() -> None:
    said = [taken_back("re_1", 500, counts=False), taken_back("re_2", 700, at=1)]
    assert [("re_2", 467)] == [(each.id, each.amount) for each in takings(1000, 1500, said)]


def test_a_dispute_of_more_than_is_left_takes_what_is_left() -> None:
    refund, dispute = taken_back("re_1", 600), taken_back("du_1", 1500, at=1, reason="chargeback")
    assert [400, 600] == [each.amount for each in takings(1000, 1500, [refund, dispute])]
    late = taken_back("re_0", 600, at=2)
    assert [1000, 0] == [each.amount for each in takings(1000, 1500, [dispute, late])]


def test_of_an_order_of_nothing_nothing_is_taken() -> None:
    assert [0] == [each.amount for each in takings(0, 0, [taken_back("re_1", 5)])]
    assert [0] == [each.amount for each in takings(0, 500, [taken_back("re_1", 500)])]


@pytest.mark.parametrize(
    ("counting", "becomes"),
    [
        ([], "paid"),
        ([("refund", 0)], "partially_refunded"),
        ([("refund", 400)], "partially_refunded"),
        ([("refund", 400), ("refund", 600)], "refunded"),
        ([("refund", 1200)], "refunded"),
        ([("chargeback", 1)], "disputed"),
        ([("refund", 900), ("chargeback", 100)], "disputed"),
        ([("cancellation", 1000)], "cancelled"),
        ([("refund", 1000), ("cancellation", 0)], "cancelled"),
        ([("chargeback", 1000), ("cancellation", 0)], "cancelled"),
    ],
)
def test_an_order_is_what_was_gravest(counting: list[tuple[str, int]], becomes: str) -> None:
    assert {becomes} == {status(1000, order) for order in permutations(counting)}


def test_an_order_of_nothing_is_paid_until_something_is_taken_back() -> None:
    assert ("paid", "refunded") == (status(0, []), status(0, [("refund", 0)]))


_REFUND_WORDS = ("pending", "requires_action", "succeeded", "failed", "canceled")
_DISPUTE_WORDS = (
    *("warning_needs_response", "warning_under_review", "warning_closed", "needs_response", "under_review"),
    *("funds_withdrawn", "funds_reinstated", "won", "lost", "prevented"),
)
_KIND = ("re", "re", "du", "du")


class Life(RuleBasedStateMachine):
    """Facts of refunds and disputes come in any order and again. Beside the code under test, whoever remembers all
    that was said reckons anew each time, with fractions, what should hold."""

    @initialize(paid=st.integers(0, 10_000), data=st.data())
    def sell(self, paid: int, data: st.DataObject) -> None:
        self.paid = paid
        self.net = data.draw(st.integers(0, paid))
        self.amounts = data.draw(st.lists(st.integers(0, paid), min_size=4, max_size=4))
        self.heard: list[tuple[int, str]] = []

    @rule(which=st.sampled_from((0, 1)), word=st.sampled_from(_REFUND_WORDS))
    def hear_of_a_refund(self, which: int, word: str) -> None:
        self.heard.append((which, word))

    @rule(which=st.sampled_from((2, 3)), word=st.sampled_from(_DISPUTE_WORDS))
    def hear_of_a_dispute(self, which: int, word: str) -> None:
        self.heard.append((which, word))

    @rule(data=st.data())
    def hear_again_and_in_another_order(self, data: st.DataObject) -> None:
        before = self.taken()
        again = data.draw(st.lists(st.sampled_from(self.heard))) if self.heard else []
        self.heard = data.draw(st.permutations(self.heard + again))
        assert before == self.taken()

    def taken(self) -> list[Taking]:
        words: dict[int, list[str]] = {}
        for which, word in self.heard:
            words.setdefault(which, []).append(word)
        said = [
            taken_back(f"{_KIND[which]}{which}", self.amounts[which], at=which % 2, counts=counts, reason=reason)
            for which, heard in words.items()
            for reason, counts in [
                ("refund", refund_counts(heard)) if which < 2 else ("chargeback", dispute_counts(heard))
            ]
        ]
        return takings(self.net, self.paid, said)

    @invariant()
    def what_is_taken_is_what_should_be(self) -> None:
        told = {f"{_KIND[which]}{which}": (which % 2, amount) for which, amount in enumerate(self.amounts)}
        heard = [(f"{_KIND[which]}{which}", word) for which, word in self.heard]
        assert reckoned(self.net, self.paid, told, heard) == {each.id: each.amount for each in self.taken()}

    @invariant()
    def never_more_is_taken_than_there_was(self) -> None:
        amounts = [each.amount for each in self.taken()]
        assert all(amount >= 0 for amount in amounts)
        assert sum(amounts) <= self.net


Life.TestCase.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)
TestLife = Life.TestCase


@given(st.integers(1, 10**9), st.lists(st.integers(0, 10**9), max_size=6), st.data())
def test_the_order_of_hearing_never_matters(paid: int, backs: list[int], data: st.DataObject) -> None:
    said = [taken_back(f"t{number}", back, at=number // 2) for number, back in enumerate(backs)]
    net = data.draw(st.integers(0, paid))
    assert takings(net, paid, said) == takings(net, paid, data.draw(st.permutations(said)))
