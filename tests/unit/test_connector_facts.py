"""What a shop has told of an order adds up to the same, in whatever order and however often it comes."""

import itertools
import json
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.orders.connectors import facts, fields, shopify, woocommerce
from app.orders.connectors.facts import Holds
from app.orders.connectors.said import Move, RefundSaid, ShopSaid, Version
from app.orders.lifecycle import TakenBack
from tests.shop_stories import STORIES, told

READ = {"shopify": shopify.read, "woocommerce": woocommerce.read}
ORDER = Version(
    changed=5, rank=(1,), counts=True, cancelled=False, test=False, placed=1, currency="eur", paid=1000, net=900,
    hints=(), coupons=(), lines=(),
)  # fmt: skip
UNPAID = replace(ORDER, changed=1, counts=False, paid=0, net=0)


def said(version: Version | None = None, *refunds: RefundSaid, fate: Any = None) -> ShopSaid:
    return ShopSaid("1", version, refunds, fate)


def refund(state: Any = "done", amount: int = 100, currency: str = "eur", at: int = 7, id_: str = "r") -> RefundSaid:
    return RefundSaid(id_, at, {f"{id_}-move": Move(state, amount, currency)})


def sum_of(messages: Iterable[tuple[ShopSaid, str]]) -> facts.Told:
    told: facts.Told = {}
    for message, id_ in messages:
        told = facts.grown(told, message, id_)
        told = json.loads(json.dumps(told))  # as it is kept
    return told


def after(*messages: ShopSaid) -> Holds:
    found = facts.holds(sum_of((message, str(id_)) for id_, message in enumerate(messages)), "shop")
    assert found is not None
    return found


def backs(holds: Holds) -> list[tuple[str, int, bool]]:
    return [(each.id, each.paid_back, each.counts) for each in holds.taken_back]


@pytest.mark.parametrize(("system", "story"), STORIES, ids=[name for _, name in STORIES])
def test_every_order_of_a_story_adds_up_to_the_same(system: str, story: str) -> None:
    messages = []
    for topic, body, delivery in told(system, story, 1):
        read = READ[system](topic, fields.parse(json.dumps(body).encode()))
        assert read is not None
        messages.append((read, delivery))
    sums = [sum_of(each) for each in itertools.permutations(messages)]
    assert [sums[0]] * len(sums) == sums
    assert sums[0] == sum_of([*messages, *messages])


@given(st.data())
def test_whatever_is_told_adds_up_to_the_same(data: st.DataObject) -> None:
    versions = st.builds(
        lambda changed, rank, counts, net: replace(ORDER, changed=changed, rank=(rank,), counts=counts, net=net),
        st.integers(1, 3), st.integers(0, 1), st.booleans(), st.integers(0, 3),
    )  # fmt: skip
    moves = st.builds(Move, st.sampled_from(["pending", "done", "failed"]), st.integers(0, 9), st.just("eur"))
    refunds = st.builds(
        RefundSaid, st.sampled_from("ab"), st.integers(1, 3), st.dictionaries(st.sampled_from("xy"), moves)
    )
    message = st.builds(
        ShopSaid, st.just("1"), st.none() | versions, st.lists(refunds, max_size=2).map(tuple),
        st.sampled_from([None, "deleted", "restored"]),
    )  # fmt: skip
    messages = list(enumerate(data.draw(st.lists(message, max_size=6))))
    numbered = [(each, str(id_)) for id_, each in messages]
    shuffled = data.draw(st.permutations(numbered + numbered))
    assert sum_of(numbered) == sum_of(shuffled)


def test_nothing_holds_before_money_is_known_to_have_come_in() -> None:
    for messages in ([], [said(UNPAID)], [said(None, refund())], [said(fate="deleted")]):
        assert facts.holds(sum_of((message, "1") for message in messages), "shop") is None


def test_what_was_told_before_changes_nothing() -> None:
    once = sum_of([(said(ORDER, refund(), fate="deleted"), "1")])
    assert once == facts.grown(once, said(ORDER, refund(), fate="deleted"), "1")
    assert once != facts.grown(once, said(ORDER, fate="deleted"), "2")


def test_the_newest_that_counts_says_what_was_paid_and_the_newest_whether_it_stands() -> None:
    edited = replace(ORDER, changed=6, net=500)
    assert Holds(edited, is_cancelled=False, taken_back=()) == after(said(edited), said(ORDER))
    gone = replace(edited, changed=7, counts=False, net=0, paid=0)
    assert Holds(edited, is_cancelled=True, taken_back=()) == after(said(gone), said(ORDER), said(edited))
    cancelled = replace(edited, changed=7, cancelled=True)
    assert Holds(cancelled, is_cancelled=True, taken_back=()) == after(said(cancelled), said(ORDER))
    assert not after(said(cancelled), said(replace(ORDER, changed=8))).is_cancelled


def test_of_one_moment_the_further_version_counts_and_of_two_equal_ones_always_the_same() -> None:
    further = replace(ORDER, rank=(2,), net=1)
    assert further == after(said(further), said(ORDER)).version == after(said(ORDER), said(further)).version
    other = replace(ORDER, net=2)
    assert after(said(other), said(ORDER)) == after(said(ORDER), said(other))


def test_an_order_is_deleted_if_it_was_deleted_more_often_than_restored() -> None:
    deleted, restored = said(fate="deleted"), said(ORDER, fate="restored")
    assert after(said(ORDER), deleted).is_cancelled
    assert not after(restored, said(ORDER), deleted).is_cancelled
    assert after(restored, deleted, said(ORDER), deleted).is_cancelled


def test_a_refund_is_the_furthest_of_what_was_told_of_its_movements() -> None:
    assert [("shop:r", 100, True)] == backs(after(said(None, refund("pending")), said(ORDER)))
    assert [("shop:r", 100, True)] == backs(after(said(ORDER, refund("done")), said(None, refund("pending"))))
    assert [("shop:r", 0, False)] == backs(after(said(ORDER, refund("failed")), said(None, refund("done"))))
    nothing_moved = RefundSaid("r", 7, {})
    assert [("shop:r", 0, False)] == backs(after(said(ORDER, nothing_moved)))


def test_a_refund_happened_when_it_was_first_told_to_have() -> None:
    (found,) = after(said(ORDER, refund(at=9)), said(None, refund(at=3)), said(None, refund(at=5))).taken_back
    assert TakenBack("shop:r", "refund", found.at, 100, counts=True) == found
    assert 3 == found.at.microsecond


def test_where_the_newest_lists_the_refunds_that_stand_no_others_do() -> None:
    listed = replace(ORDER, refunds=("a",))
    both = [refund(id_="a"), refund(id_="b")]
    assert [("shop:a", 100, True)] == backs(after(said(listed, *both)))
    assert {"shop:a", "shop:b"} == facts.refund_ids(sum_of([(said(listed, *both), "1")]), "shop")
    assert set() == facts.refund_ids({}, "shop")


@pytest.mark.parametrize(
    ("amount", "currency", "elsewhere", "back"),
    [
        (250, "usd", ("usd", 2000), 125),
        (2000, "usd", ("usd", 2000), 1000),
        (2001, "usd", ("usd", 2000), 1000),
        (1, "usd", ("usd", 2000), 1),  # half a cent
        (250, "gbp", ("usd", 2000), 0),
        (250, "usd", ("usd", 0), 0),
        (250, "usd", None, 0),
        (250, "eur", None, 250),
    ],
)
def test_money_in_the_buyers_currency_is_that_part_of_the_order(
    amount: int, currency: str, elsewhere: tuple[str, int] | None, back: int
) -> None:
    order = replace(ORDER, elsewhere=elsewhere)
    assert [("shop:r", back, back > 0)] == backs(after(said(order, refund(amount=amount, currency=currency))))
