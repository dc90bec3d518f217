"""Refunds, disputes, and the lines to append (rule 11)."""

import pytest

from app.attribution.engine import Amounts, LineKey, Model, Policy, Source, UplineMode, difference
from tests.unit.attribution.story import Story, chain_of, journey_of, model, net, only, upline

LINEAR = model(Model.LINEAR)


def appended(story: Story, books: list[tuple[LineKey, Amounts]], policy: Policy | None = None) -> list[Amounts]:
    """Bring the books up to date as a shell does, by appending only."""
    changes = difference(books, story.settle(policy).lines)
    books.extend(changes.items())
    return list(changes.values())


def test_refunds_are_applied_in_the_order_in_which_they_were_received() -> None:
    story = journey_of(3, 100).refund("f2", "order", 1, day=20).refund("f1", "order", 98, day=21)
    assert [(t.refund.id, t.taken) for t in story.settle(LINEAR).takings] == [("f2", 1), ("f1", 98)]
    together = journey_of(3, 100).refund("f2", "order", 1, day=20).refund("f1", "order", 98, day=20)
    assert [taking.refund.id for taking in together.settle(LINEAR).takings] == ["f1", "f2"]


def test_more_than_is_left_takes_what_is_left() -> None:
    settlement = journey_of(3, 100).refund("f1", "order", 60, day=20).refund("f2", "order", 60, day=21).settle(LINEAR)
    assert [taking.taken for taking in settlement.takings] == [60, 40]
    assert (net(settlement), settlement.refunded, settlement.net) == ([0, 0, 0], 100, 0)


def test_a_refund_takes_from_each_source_and_then_from_each_of_its_levels() -> None:
    story = chain_of("c", "b", "a", net=100).touch("t0", "buyer", "a", day=8).refund("f", "order", 10)
    settlement = story.settle(model(Model.LINEAR, upline=upline(UplineMode.EQUAL)))
    assert [(line.touch, line.sharer, line.reversed) for line in settlement.lines] == [
        ("t0", "a", 5),
        ("t", "c", 2),
        ("t", "b", 2),
        ("t", "a", 1),
    ]


def test_a_refund_of_nobodys_order_takes_from_nobody() -> None:
    line = only(Story().order("order", "buyer", 500).refund("f", "order", 200).settle())
    assert (line.gross, line.reversed, line.net) == (500, 200, 300)


def test_a_refund_of_an_unknown_order_and_one_of_nothing_change_nothing() -> None:
    story = journey_of(1).refund("f1", "unknown", 500).refund("f2", "order", 0)
    assert story.settle().net == 10_000


def test_a_refund_below_zero_is_no_refund() -> None:
    with pytest.raises(ValueError, match="below zero"):
        journey_of(1).refund("f", "order", -1).facts()


def test_a_dispute_that_was_won_drops_out_from_when_that_was_learnt() -> None:
    story = journey_of(3, 100).refund("d", "order", 50, day=20, dropped=40).refund("f", "order", 10, day=30)
    assert [story.settle(LINEAR, as_of=day).refunded for day in (10, 20, 30, 39, 40)] == [0, 50, 60, 60, 10]
    assert [(t.refund.id, t.taken, t.dropped) for t in story.settle(LINEAR).takings] == [
        ("d", 0, True),
        ("f", 10, False),
    ]


def test_books_are_only_appended_to_and_end_at_the_lines_wanted() -> None:
    story, books = journey_of(3, 100), list[tuple[LineKey, Amounts]]()
    assert appended(story, books, LINEAR) == [Amounts(33, 0), Amounts(33, 0), Amounts(34, 0)]
    assert appended(story, books, LINEAR) == []
    story.refund("f1", "order", 1, day=20)
    assert appended(story, books, LINEAR) == [Amounts(0, 1)]
    story.refund("f2", "order", 99, day=21)
    assert appended(story, books, LINEAR) == [Amounts(0, 33)] * 3
    story.refunds[1] = story.refunds[1]._replace(dropped_at=1)
    assert appended(story, books, LINEAR) == [Amounts(0, -33)] * 3
    assert sum(amounts.net for _, amounts in books) == 99


def test_people_who_are_joined_later_are_re_attributed_by_taking_back_and_giving() -> None:
    story, books = journey_of(1), list[tuple[LineKey, Amounts]]()
    appended(story, books)
    story.identity("sharer1", "customer-7")
    changes = difference(books, story.settle().lines)
    assert [(key.sharer, change) for key, change in changes.items()] == [
        ("customer-7", Amounts(10_000, 0)),
        ("sharer1", Amounts(-10_000, 0)),
    ]


def test_a_key_names_all_that_a_line_is() -> None:
    assert only(journey_of(1).settle()).key == LineKey(Source.TOUCH, "t1", "s1", 0, "sharer1", "whatsapp", "s1")
