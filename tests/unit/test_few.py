"""A few at once, and a word to come back for whoever is one too many."""

import pytest

from app.kernel.errors import Unavailable
from app.kernel.http.few import Few


def test_who_is_one_too_many_is_told_to_come_back_and_who_leaves_makes_room() -> None:
    few = Few(2, "Others are at it.")
    assert 2 == few.most
    with few:
        with few, pytest.raises(Unavailable, match="Others are at it") as refused, few:
            pass
        assert refused.value.retry_after
        with few:
            pass


def test_who_fails_leaves_too() -> None:
    few = Few(1, "Others are at it.")
    for _ in range(3):
        with pytest.raises(ZeroDivisionError), few:
            raise ZeroDivisionError
