"""Stripe's books and ours are compared, and what no webhook told is repaired: on both databases, over HTTP."""

from datetime import timedelta
from itertools import count

import httpx
import pytest
from sqlalchemy import select

from app import main
from app.kernel.ids import new_id
from app.kernel.periodic import PeriodicJob, Timetable
from app.orders.models import Refund
from app.orders.reconciliation import runs as reconciliation
from app.orders.reconciliation.models import Reconciliation
from app.orders.stripe.gateway import Gateway
from app.orders.stripe.problems import CheckoutUnavailable
from tests.books import Books
from tests.clock import START
from tests.shop import ok
from tests.threads import together
from tests.till import variant


def another_session(books: Books, metadata: dict[str, str]) -> str:
    """A session that somebody else makes at the same account."""
    form = {
        "mode": "payment",
        "success_url": "https://print.example/thanks",
        "line_items[0][quantity]": "1",
        "line_items[0][price_data][currency]": "eur",
        "line_items[0][price_data][unit_amount]": "1000",
        "line_items[0][price_data][product_data][name]": "Print",
        **{f"metadata[{name}]": value for name, value in metadata.items()},
    }
    headers = {"Authorization": f"Bearer {books.till.double.api_key}"}
    return str(ok(httpx.post(f"{books.till.stripe_url}/v1/checkout/sessions", data=form, headers=headers))["id"])


def test_three_days_without_webhooks_and_the_books_are_equal(books: Books) -> None:
    till, seller = books.till, books.seller()
    mug = variant(seller)
    paid = till.checkout(mug, 2)
    left, refused, later = till.checkout(mug), till.checkout(mug), till.checkout(mug, 3)
    till.double.pay(paid["session"])
    till.double.pay_later(later["session"])
    till.double.pay_later(refused["session"])
    till.clock.move(days=1)
    till.double.settle(later["session"], succeeded=True)
    till.double.settle(refused["session"], succeeded=False)
    refund = till.refund(paid["session"], 500)
    till.refund(paid["session"], 300)
    till.clock.move(days=1)
    till.double.fail_refund(refund)
    won, lost = till.checkout(mug), till.checkout(mug)
    till.double.pay(won["session"])
    till.double.pay(lost["session"])
    first, second = till.dispute(won["session"]), till.dispute(lost["session"])
    till.double.close_dispute(first, won=True)
    till.double.close_dispute(second, won=False)
    till.clock.move(days=1)
    assert {} == books.ours(seller) != books.theirs(seller)

    made = books.reconcile()

    assert [None] == [each.error for each in made]
    assert books.theirs(seller) == books.ours(seller)
    assert 4 == len(books.ours(seller))
    assert ["expired", "failed"] == [till.status(left), till.status(refused)]
    assert made[0].repaired == len(books.repairs()) > 6
    assert {paid["session"], later["session"], won["session"], lost["session"]} < {it for _, it in books.repairs()}

    before = books.repairs()
    till.clock.move(hours=1)
    again = books.reconcile()
    assert [0] == [each.repaired for each in again]
    assert before == books.repairs()
    assert timedelta(hours=2) == again[0].started_at - again[0].since


class Interrupted(Exception):
    """The process ends here."""


@pytest.mark.parametrize("after", [1, 7])
def test_a_comparison_that_is_broken_off_anywhere_is_made_again_and_writes_nothing_twice(
    books: Books, after: int
) -> None:
    seller = books.seller()
    books.sell_and_take_back(seller, 5)
    steps = count()

    def step() -> None:
        if next(steps) == after:
            raise Interrupted

    with pytest.raises(Interrupted):
        reconciliation.reconcile(books.here, books.gateway, step=step)
    assert books.theirs(seller) != books.ours(seller)
    assert {"finished_at": None, "error": None} == ok(httpx.get(f"{books.till.url}/readyz"))["reconciliation"]
    (made,) = books.reconcile()

    assert made.finished_at is not None
    assert timedelta(days=30) == made.started_at - made.since
    assert books.theirs(seller) == books.ours(seller)
    assert len(set(books.repairs())) == len(books.repairs())


def test_two_processes_that_compare_at_once_beside_the_webhooks_write_everything_once(books: Books) -> None:
    till, seller = books.till, books.seller()
    books.sell_and_take_back(seller, 8)
    other = main.assemble(books.till.settings, till.clock)
    gateway = Gateway(books.till.settings, other.watch)

    def webhooks() -> None:
        till.double.webhooks.release(shuffle=1, repeat=2, concurrency=2)
        till.double.webhooks.drain(30)

    together(
        lambda: books.reconcile() and None,
        lambda: reconciliation.reconcile(other, gateway) and None,
        webhooks,
    )
    gateway.close()
    other.database.close()

    assert books.theirs(seller) == books.ours(seller)
    assert 8 == len(books.ours(seller))
    assert {200} == {attempt.status for attempt in till.double.webhooks.attempts}
    with till.database.reading() as session:
        refunds = session.scalars(select(Refund.external_id).where(Refund.dropped_at.is_(None))).all()
    assert len(set(refunds)) == len(refunds) > 4


def test_each_connected_account_is_compared_for_its_own_merchants(books: Books) -> None:
    ana, bo, cy = books.seller(stripe_account="acct_ana"), books.seller(stripe_account="acct_bo"), books.seller()
    dee = books.seller(stripe_account="acct_ana")
    for number, seller in enumerate((ana, bo, cy, dee)):
        books.sell_and_take_back(seller, 2 + number)

    made = books.reconcile()

    assert ["", "acct_ana", "acct_bo"] == [each.account for each in made]
    assert all(each.finished_at is not None and each.repaired > 0 for each in made)
    accounts = ((ana, "acct_ana"), (bo, "acct_bo"), (cy, None), (dee, "acct_ana"))
    for seller, account in accounts:
        assert books.theirs(seller, account) == books.ours(seller)
    assert [2, 3, 4, 5] == [len(books.ours(seller)) for seller in (ana, bo, cy, dee)]


def test_what_others_sell_through_the_same_account_is_ignored(books: Books) -> None:
    till, seller = books.till, books.seller()
    books.sell_and_take_back(seller, 1)
    elsewhere = {"gv_merchant": new_id("mer", 10**9, START), "gv_checkout": "chk_" + "0" * 30}
    for number, metadata in enumerate(({}, {"order": "17"}, elsewhere, {"gv_merchant": "nobody", "gv_checkout": "x"})):
        session = another_session(books, metadata)
        till.double.pay(session)
        till.refund(session, 10 + number)

    books.reconcile()

    assert books.theirs(seller) == books.ours(seller)
    assert 1 == len(books.repairs())
    assert [0] == [each.repaired for each in books.reconcile()]


def test_a_sale_of_which_stripe_lists_no_event_any_more_is_found_among_the_sessions(books: Books) -> None:
    till, seller = books.till, books.seller()
    books.reconcile()
    till.clock.move(days=1)
    mug = variant(seller)
    bought, left, later = till.checkout(mug), till.checkout(mug), till.checkout(mug)
    till.double.pay(bought["session"])
    till.double.pay_later(later["session"])
    till.tell(*till.told(later["session"]))
    till.double.settle(later["session"], succeeded=False)
    refund, dispute = till.refund(bought["session"], 500), till.dispute(bought["session"], 1500)
    till.clock.move(days=2)
    till.double.sweep()
    till.clock.move(days=38)
    assert ["open", "open", "paying"] == [till.status(each) for each in (bought, left, later)]

    (made,) = books.reconcile()

    assert 0 == made.events
    assert books.theirs(seller) == books.ours(seller) != {}
    assert [{refund: 500, dispute: 1500}] == [taken for _, _, taken in books.ours(seller).values()]
    assert ["paid", "expired", "failed"] == [till.status(each) for each in (bought, left, later)]
    expected = {bought["session"], left["session"], later["session"], refund, dispute}
    assert expected == {it for _, it in books.repairs()}
    till.clock.move(hours=1)
    assert [0] == [each.repaired for each in books.reconcile()]


@pytest.mark.parametrize("days", [80, 100, 400])
def test_what_was_taken_back_while_we_were_long_away_is_found(books: Books, days: int) -> None:
    till, seller = books.till, books.seller()
    bought = till.checkout(variant(seller), 2)
    till.double.pay(bought["session"])
    till.tell_all(bought["session"])
    (before,) = books.reconcile()
    assert 0 == before.repaired
    till.clock.move(days=10)
    refund = till.refund(bought["session"], 700)
    till.clock.move(days=days - 10)

    (made,) = books.reconcile()

    assert before.started_at - timedelta(hours=1) == made.since
    assert [refund] == [it for _, it in books.repairs()]
    assert books.theirs(seller) == books.ours(seller)


def test_comparisons_that_found_nothing_are_forgotten_in_time_but_never_the_last(books: Books) -> None:
    for days in (0, 100, 100, 300):
        books.till.clock.move(days=days)
        (made,) = books.reconcile()

    with books.till.database.reading() as session:
        kept = session.scalars(select(Reconciliation).order_by(Reconciliation.started_at)).all()
    assert [300, 0] == [(made.started_at - each.started_at).days for each in kept]


def test_what_waits_for_a_payment_that_settles_later_is_left_alone(books: Books) -> None:
    till, seller = books.till, books.seller()
    opened_one = till.checkout(variant(seller))
    till.double.pay_later(opened_one["session"])
    till.tell_all(opened_one["session"])
    till.clock.move(days=2)

    assert [0, 0] == [each.repaired for each in books.reconcile() + books.reconcile()]
    assert "paying" == till.status(opened_one)


def test_it_is_done_each_hour_by_itself_and_a_failure_is_kept_and_not_fatal(books: Books) -> None:
    till, seller = books.till, books.seller()
    timetable = Timetable(books.here.database, till.clock, reconciliation.periodic(books.here, books.gateway))
    assert 0 == timetable.run_due()
    books.sell_and_take_back(seller, 2)
    till.clock.move(minutes=1)
    books.trouble(*[500] * 50)

    assert 1 == timetable.run_due()
    assert "NotReconciled: Stripe could not be asked: APIError (500)" == hourly(books).error
    assert {} == books.ours(seller)

    till.double.faults.mend()
    till.clock.move(hours=1, minutes=6)
    assert 1 == timetable.run_due()
    assert (None, till.clock.now()) == (hourly(books).error, hourly(books).finished_at)
    assert books.theirs(seller) == books.ours(seller) != {}


def hourly(books: Books) -> PeriodicJob:
    with books.till.database.reading() as session:
        return session.get_one(PeriodicJob, reconciliation.NAME)


def test_without_a_key_nothing_is_done_by_itself(books: Books) -> None:
    without = Gateway(books.till.settings.model_copy(update={"stripe_api_key": ""}), books.here.watch)

    assert [] == reconciliation.periodic(books.here, without)
    with pytest.raises(CheckoutUnavailable, match="No Stripe key"):
        reconciliation.reconcile(books.here, without)
