"""What sharers are called: every reader asks one place, which says the same in Python and in SQL."""

import itertools
import re
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from app.kernel.database import Database
from app.referrals import names
from app.referrals.models import Referral
from app.referrals.names import Chosen
from tests.clock import START
from tests.db.referring import Shop, done, written

APP = Path(__file__).parents[2] / "app"
SECOND = timedelta(seconds=1)


@pytest.fixture
def shop(database: Database) -> Shop:
    return Shop(database)


@pytest.mark.parametrize(
    ("expected", "said", "choice"),
    [
        (None, None, None),
        ("Ana", "Ana", None),
        (None, "Ana", Chosen(None, START)),  # at the same moment: no is no
        (None, "Ana", Chosen(None, START + SECOND)),
        ("Ana", "Ana", Chosen(None, START - SECOND)),
        ("Bo", "Ana", Chosen("Bo", START)),
        ("Bo", None, Chosen("Bo", START - SECOND)),
        (None, None, Chosen(None, START - SECOND)),
    ],
)
def test_the_later_word_counts(expected: str | None, said: str | None, choice: Chosen | None) -> None:
    assert expected == names.shown(said, START, choice)


def test_sql_says_the_same(shop: Shop) -> None:
    moments = (START - SECOND, START, START + SECOND)
    choices = [None, *(Chosen(name, at) for name in (None, "Bo") for at in moments)]
    stories = list(itertools.product((None, "Ana"), choices, (False, True)))
    facts = [replace(shop.share(shop.visitor()), name=said) for said, _, _ in stories]
    made = done(written(shop.database, facts))
    with shop.database.transaction() as session:
        for (said, choice, is_withdrawn), fact, each in zip(stories, facts, made, strict=True):
            referral = session.get_one(Referral, (shop.merchant, each.referral.referral_id))
            referral.withdrawn_at = START if is_withdrawn else None
            if choice is not None:
                names.choose(session, shop.merchant, fact.visitor_id, choice.name, choice.at)
            session.flush()
            expected = None if is_withdrawn else names.shown(said, START, choice)
            in_sql = names.joined(select(names.SHOWN)).where(Referral.referral_id == referral.referral_id)
            assert (expected, expected) == (names.shown_name(session, referral), session.scalar(in_sql))


def test_nobody_else_reads_the_name_that_came_with_a_share() -> None:
    """Whoever did would go on showing a name that was taken away."""
    reading = re.compile(r"\b(?:Referral|referral|shared)\.name\b|_REFERRALS\.name\b")
    readers = {str(file.relative_to(APP)) for file in APP.rglob("*.py") if reading.search(file.read_text("utf-8"))}
    assert {"referrals/names.py"} == readers
