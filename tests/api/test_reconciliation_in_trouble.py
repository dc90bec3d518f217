"""A comparison with Stripe's books goes through short troubles; a long one is told, and the next time goes on."""

from datetime import timedelta

import httpx
import pytest

from app.kernel.clock import rfc3339
from tests.books import Books
from tests.shop import ok


def test_a_short_trouble_is_waited_for(books: Books) -> None:
    seller = books.seller()
    troubles: list[list[int | None]] = [[500, 429], [500, 500, 500, 500], [None, None], [429, 429, 429], [409, 503]]
    for number, trouble in enumerate(troubles):
        books.sell_and_take_back(seller, 1 + number % 2)
        books.trouble(*trouble, path=("/v1/events", "/v1/checkout/sessions")[number % 2])
        books.waited.clear()

        (made,) = books.reconcile()

        assert made.error is None
        assert len(books.waited) in (1, 2, 3)
        assert all(0 < wait <= 20 for wait in books.waited)
        assert books.theirs(seller) == books.ours(seller)


LONG_TROUBLES: list[tuple[int | None, str]] = [
    (500, "Stripe could not be asked: APIError (500)"),
    (429, "Stripe could not be asked: RateLimitError (429)"),
    (401, "Stripe could not be asked: AuthenticationError (401)"),
    (None, "Stripe could not be asked: APIConnectionError"),
]


def test_a_long_trouble_ends_the_comparison_which_says_so_and_the_next_goes_on(books: Books) -> None:
    till, seller = books.till, books.seller()
    (finished,) = books.reconcile()
    for trouble, word in LONG_TROUBLES:
        assert finished.finished_at is not None
        till.clock.move(hours=2)
        books.sell_and_take_back(seller, 2)
        books.trouble(*[trouble] * 50)

        (failed,) = books.reconcile()

        assert (None, word) == (failed.finished_at, failed.error)
        shown = ok(httpx.get(f"{till.url}/readyz"), 200)
        assert ("ok", word) == (shown["status"], shown["reconciliation"]["error"])
        assert rfc3339(finished.finished_at) == shown["reconciliation"]["finished_at"]
        assert [f"the last comparison with Stripe's books failed: {word}"] == shown["warnings"]

        till.double.faults.mend()
        till.clock.move(hours=1)
        (made,) = books.reconcile()
        assert (failed.since, finished.started_at - timedelta(hours=1)) == (made.since, made.since)
        assert books.theirs(seller) == books.ours(seller)
        shown = ok(httpx.get(f"{till.url}/readyz"))
        assert (None, []) == (shown["reconciliation"]["error"], shown["warnings"])
        finished = made

    till.clock.move(hours=4)
    (warning,) = ok(httpx.get(f"{till.url}/readyz"), 200)["warnings"]
    assert "does a worker run?" in warning


def test_an_account_that_is_gone_hinders_no_other(books: Books) -> None:
    gone, here = books.seller(stripe_account="acct_1Gone"), books.seller(stripe_account="acct_2")
    books.sell_and_take_back(here, 2)
    books.sell_and_take_back(gone, 1)
    books.line.refuses = "acct_1Gone"

    made = books.reconcile()

    assert [True, False, True] == [each.finished_at is not None for each in made]
    assert "Stripe could not be asked: PermissionError (403)" == made[1].error
    assert books.theirs(here, "acct_2") == books.ours(here)


def test_one_message_that_makes_no_sense_is_told_and_hinders_nothing_else(
    books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    till, seller = books.till, books.seller()
    books.sell_and_take_back(seller, 3)
    odd = next(event for event in till.double.events("refund.created"))
    books.line.spoils, books.line.spoiled = str(odd["id"]), {"amount": -5}

    (made,) = books.reconcile()

    assert made.finished_at is not None
    assert "a message of Stripe's is left out (see the log)" == made.error
    assert str(odd["id"]) in caplog.text
    shown = httpx.get(f"{till.url}/readyz").text
    assert ("left out" in shown, "evt_" in shown) == (True, False)  # anybody may read it
    assert 3 == len(books.ours(seller))


def test_one_message_at_which_we_fail_ourselves_hinders_nothing_else_and_is_tried_again(
    books: Books, caplog: pytest.LogCaptureFixture
) -> None:
    till, seller = books.till, books.seller()
    books.sell_and_take_back(seller, 3)
    odd = next(event for event in till.double.events("checkout.session.completed"))
    books.line.spoils, books.line.spoiled = str(odd["id"]), {"customer_details": {"email": "\ud800@example.com"}}

    (made,) = books.reconcile()

    assert (None, "a message of Stripe's could not be applied; it is tried again (see the log)") == (
        made.finished_at,
        made.error,
    )
    assert str(odd["id"]) in caplog.text
    shown = httpx.get(f"{till.url}/readyz").text
    assert ("tried again" in shown, "evt_" in shown) == (True, False)
    assert books.theirs(seller) == books.ours(seller)  # the sale was found among the sessions instead
    assert odd["id"] not in books.kept()

    books.line.spoils = ""
    (again,) = books.reconcile()
    assert (made.since, None, 0) == (again.since, again.error, again.repaired)
    assert odd["id"] in books.kept()
