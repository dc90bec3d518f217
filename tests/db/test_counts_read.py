"""Counts as reports ask for them: of any period and any values, exactly, and in few words."""

import random
from collections.abc import Iterator

import pytest
from sqlalchemy import event

from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.rollups import reading
from app.kernel.rollups.tables import DIMENSIONS, QUARTER
from tests.clock import START
from tests.db import counted
from tests.db.counted import Street, added_up, facts

QUARTER_OF_START = to_micros(START)


@pytest.fixture(scope="module")
def street(database_url: str) -> Iterator[Street]:
    """One for all tests: nobody spoils it."""
    database = Database(database_url)
    with counted.street(database) as made:
        yield made
    database.close()


def test_nothing_at_all_is_counted_as_nothing(street: Street) -> None:
    with street.database.reading() as session:
        assert reading.extent(session, 2**40) is None
        assert {} == reading.sums(session, 2**40, "total", [(0, 900 * QUARTER)])
        assert {} == reading.sums(session, street.merchant, "total", [])
    street.folding().fold_all()
    assert 0 == street.folding().fold_all()


def test_any_period_and_any_choice_of_values_is_added_up_exactly(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    chance = random.Random(5)
    street.record([*street.come(chance, 100), *street.say(chance, 30), *street.look(chance, 50)])
    street.folding().fold_all()
    street.record(street.come(chance, 50))  # not folded yet
    truth = facts(street)
    for number in range(10):
        monkeypatch.setattr(reading, "_MOST_KEYS", (0, 5_000)[number % 2])  # whichever way they are asked for
        edges = sorted(QUARTER_OF_START + chance.randrange(-100, 400) * QUARTER for _ in range(6))
        periods = [(edges[0], edges[1]), (edges[2], edges[3]), (edges[3], edges[5])]
        dimension = chance.choice(DIMENSIONS)
        values = {value for of, value, _ in truth if of == dimension}
        only = None if number % 5 == 4 else set(chance.sample(sorted(values), min(2, len(values)))) | {"unheard of"}
        with street.database.reading() as session:
            found = reading.sums(session, street.merchant, dimension, periods, only)
        expected = {
            (index, value): counts
            for index, period in enumerate(periods)
            for value, counts in added_up(truth, dimension, *period).items()
            if only is None or value in only
        }
        assert expected == {key: tuple(counts) for key, counts in found.items()}


def test_many_values_of_many_days_are_asked_for_in_few_words(street: Street) -> None:
    """Whoever may read reports may ask so, and would keep the server busy with a key for each value of each day."""
    said: list[int] = []
    day = 96 * QUARTER
    periods = [(QUARTER_OF_START + number * day, QUARTER_OF_START + (number + 1) * day) for number in range(1000)]

    def listen(*about: object) -> None:
        said.append(len(str(about[3])))

    event.listen(street.database.engine, "before_cursor_execute", listen)
    try:
        with street.database.reading() as session:
            reading.sums(session, street.merchant, "product", periods, [f"prod_{number:028d}" for number in range(100)])
    finally:
        event.remove(street.database.engine, "before_cursor_execute", listen)
    assert 500_000 > sum(said), "characters: what days and values take, and not their product"
