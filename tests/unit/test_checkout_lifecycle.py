"""How a checkout and its refunds go on, whatever the order in which it is heard."""

from functools import reduce
from itertools import permutations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.orders.lifecycle import furthest, net_part, refund_counts


@pytest.mark.parametrize(
    ("heard", "becomes"),
    [
        (("asking", "open", "paid"), "paid"),
        (("open", "paying", "paid"), "paid"),
        (("open", "paying", "failed"), "failed"),
        (("asking", "open", "expired"), "expired"),
        (("open", "expired", "paid"), "paid"),
    ],
)
def test_the_end_is_the_same_for_every_order_of_hearing(heard: tuple[str, ...], becomes: str) -> None:
    assert {becomes} == {reduce(furthest, order) for order in permutations(heard)}


@pytest.mark.parametrize(
    ("statuses", "counts"),
    [
        (["pending"], True),
        (["requires_action"], True),
        (["succeeded", "pending"], True),
        (["failed", "succeeded"], False),
        (["pending", "canceled", "pending"], False),
        (["something_new"], True),
    ],
)
def test_a_refund_counts_until_it_has_failed_or_was_cancelled(statuses: list[str], counts: bool) -> None:
    assert counts is refund_counts(statuses)


def test_a_refund_takes_its_part_of_the_net_half_a_cent_rounded_up() -> None:
    assert net_part(refunded=1, net=1000, paid=2000, taken=0, left=1000) == 1
    assert net_part(refunded=2, net=1000, paid=2000, taken=1, left=999) == 0
    assert net_part(refunded=1, net=0, paid=0, taken=0, left=0) == 0


@given(st.integers(1, 10**9), st.data())
def test_refunds_of_all_that_was_paid_take_the_whole_net(paid: int, data: st.DataObject) -> None:
    net = data.draw(st.integers(0, paid))
    cuts = sorted(data.draw(st.lists(st.integers(0, paid), max_size=8)))
    taken = 0
    for refunded in (*cuts, paid):
        part = net_part(refunded, net, paid, taken, net - taken)
        assert part >= 0
        taken += part
        assert abs(taken * paid - refunded * net) * 2 <= paid
    assert taken == net


def test_no_refund_takes_more_than_is_left() -> None:
    assert net_part(refunded=1000, net=1000, paid=1000, taken=0, left=300) == 300
    assert net_part(refunded=500, net=1000, paid=1000, taken=600, left=400) == 0
