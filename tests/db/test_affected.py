"""Which orders a change can touch: never one too few, whatever is learnt in whatever order."""

import random

import pytest

from app.attribution import shell
from app.kernel.database import Database
from tests.db.changing import World

CHANGES = 45


@pytest.mark.parametrize("seed", range(6))
def test_after_any_changes_the_books_are_what_all_facts_together_say(
    database: Database, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    chance = random.Random(seed)
    world = World(database, chance)
    world.keep_policies(chance.randint(0, 2))
    monkeypatch.setattr(shell, "FEW", chance.choice([0, 1, 100]))  # at once, or left to a worker
    for number in range(CHANGES):
        world.something()
        if number % 9 == 8:
            world.catch_up()
            assert (0, []) == world.left()
            assert world.computed() == world.books()
