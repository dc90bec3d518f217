"""What streams say: put together for who is slow, and told so that nobody who is cut off misses the rest."""

import hashlib
from datetime import timedelta

from app.kernel.feed_places import Place
from app.kernel.ids import id_from, is_of
from app.storefront.live.events import MOST_SHARES, Update
from tests.clock import START


def at(position: int) -> Place:
    return Place(position, f"m{position}")


def test_of_two_updates_the_last_counts_are_left() -> None:
    first = Update(at(1), at(2), likes={"mug": 1, "cup": 4}, shares=(("mug", None),))
    both = first.then(Update(at(2), at(5), likes={"mug": 0}, shares=(("mug", None), ("cup", "wall"))))
    assert Update(at(1), at(5), {"mug": 0, "cup": 4}, (("mug", None), ("cup", "wall"))) == both


def test_a_card_that_came_and_went_meanwhile_is_not_told() -> None:
    came = Update(at(1), at(2), added=frozenset({"mug", "cup"}))
    assert Update(at(1), at(3), added=frozenset({"cup"})) == came.then(Update(at(2), at(3), removed=frozenset({"mug"})))
    went = Update(at(1), at(2), removed=frozenset({"mug"}))
    assert not went.then(Update(at(2), at(3), added=frozenset({"mug"})))


def test_who_is_slow_hears_of_so_many_shares_the_last() -> None:
    update = Update(at(0), at(0))
    for number in range(MOST_SHARES + 5):
        update = update.then(Update(at(number), at(number + 1), shares=((f"prod_{number}", None),)))
    assert (MOST_SHARES, f"prod_{MOST_SHARES + 4}") == (len(update.shares), update.shares[-1][0])


def test_only_the_last_event_carries_the_new_place() -> None:
    update = Update(at(7), at(9), {"mug": 2}, (("mug", None),), frozenset({"cup"}), frozenset({"tea"}))
    assert [
        'id: 7-m7\nevent: likes\ndata: {"likes":{"mug":2}}',
        'id: 7-m7\nevent: share\ndata: {"product":"mug","wall":null}',
        'id: 9-m9\nevent: cards\ndata: {"added":["cup"],"removed":["tea"]}',
        "",
    ] == update.encoded.decode().split("\n\n")


def test_an_id_that_follows_from_something_is_the_same_again_and_one_of_ours() -> None:
    one, other = (hashlib.sha256(text).digest() for text in (b"one", b"other"))
    made = id_from("clk", 7, START, one)
    assert made == id_from("clk", 7, START, one)
    assert is_of(made, 7, "clk")
    assert 4 == len(
        {
            made,
            id_from("clk", 8, START, one),
            id_from("clk", 7, START, other),
            id_from("clk", 7, START + timedelta(hours=1), one),
        }
    )
