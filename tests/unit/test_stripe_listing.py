"""Long lists of Stripe's: page by page, patient with a short trouble."""

from collections.abc import Callable

import pytest

from app.kernel.errors import InProgress
from app.orders.stripe.listing import ATTEMPTS, Page, patiently, walk
from app.orders.stripe.problems import CheckoutRefused, CheckoutUnavailable


def numbered(pages: int, asked: list[str | None]) -> Callable[[str | None], Page]:
    """A list of so many pages with two objects each."""

    def fetch(after: str | None) -> Page:
        asked.append(after)
        first = 0 if after is None else int(after) + 1
        data = [{"id": str(first)}, {"id": str(first + 1)}]
        return Page.of({"object": "list", "data": data, "has_more": first + 2 < pages * 2})

    return fetch


def test_pages_are_fetched_when_they_are_wanted() -> None:
    asked: list[str | None] = []
    listed = walk(numbered(3, asked))

    assert ["0", "1"] == [next(listed)["id"], next(listed)["id"]]
    assert [None] == asked
    assert ["2", "3", "4", "5"] == [each["id"] for each in listed]
    assert [None, "1", "3"] == asked


def test_an_empty_list_has_nothing() -> None:
    assert [] == list(walk(lambda _: Page.of({"data": [], "has_more": False})))


@pytest.mark.parametrize(
    ("said", "following"),
    [
        ({"data": [{"id": "a"}], "has_more": True}, "a"),
        ({"data": [{"id": "a"}]}, None),
        ({"data": [], "has_more": True}, None),
        ({"data": [{"id": 1}], "has_more": True}, None),
    ],
)
def test_what_follows_is_named_by_the_last_object(said: object, following: str | None) -> None:
    assert following == Page.of(said).next


def test_a_list_that_goes_round_in_a_circle_ends() -> None:
    assert ["a", "a"] == [each["id"] for each in walk(lambda _: Page.of({"data": [{"id": "a"}], "has_more": True}))]


@pytest.mark.parametrize("said", [None, [], {}, {"data": None}, {"data": [1]}, "list"])
def test_what_is_no_list_is_refused(said: object) -> None:
    with pytest.raises(CheckoutUnavailable):
        Page.of(said)


def test_a_trouble_is_waited_for_as_long_as_stripe_asks_and_no_longer_than_is_sensible() -> None:
    troubles = [CheckoutUnavailable(retry_after=3), InProgress(), CheckoutUnavailable(retry_after=60)]
    waited: list[float] = []

    def ask() -> str:
        if troubles:
            raise troubles.pop(0)
        return "yes"

    assert "yes" == patiently(ask, waited.append)
    assert [3.0, 1.0, 20.0] == waited


def test_a_long_trouble_is_raised_and_a_refusal_at_once() -> None:
    waited: list[float] = []

    def unavailable() -> None:
        raise CheckoutUnavailable

    def refused() -> None:
        raise CheckoutRefused

    with pytest.raises(CheckoutUnavailable):
        patiently(unavailable, waited.append)
    assert ATTEMPTS - 1 == len(waited)
    with pytest.raises(CheckoutRefused):
        patiently(refused, waited.append)
    assert ATTEMPTS - 1 == len(waited)
