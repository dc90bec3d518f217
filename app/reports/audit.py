"""Whether the books add up: what is left of each order is what its credit adds up to, and reports tell just that.

Reads one moment of a merchant's facts and changes nothing. Counts are held against facts by `mending`, kept sums of
credit against lines by `credit_check`; here money is followed from the order to the answer of the report.
"""

import logging
from collections import Counter
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from sqlalchemy import Select, Subquery, and_, case, exists, func, select
from sqlalchemy.orm import Session

from app.attribution import policy_book
from app.attribution.models import CreditLine, StaleOrder
from app.kernel.database import Database
from app.kernel.periodic import Periodic
from app.merchants import accounts
from app.orders.models import Order, Refund
from app.reports import attribution, ledger
from app.reports.ledger import Question

log = logging.getLogger(__name__)

NAME: Final = "books"
EVERY: Final = timedelta(days=1)
MOST: Final = 20
"""Orders that are told one by one, for each policy."""
_BEGINNING: Final = datetime(1970, 1, 1, tzinfo=UTC)
_END: Final = datetime(2200, 1, 1, tzinfo=UTC)

Total = tuple[bool, str]
"""Real or test orders, and their currency."""


class BooksDoNotAddUp(Exception):
    """Those of some merchants; the message says of how many, and the log what it is."""


def periodic(database: Database) -> Periodic:
    """The daily audit of everybody's books. It fails where they do not add up, so that the health page says so."""

    def run(extend: Callable[[], None]) -> None:
        wrong = 0
        with database.reading() as session:
            named = accounts.names(session)
        for merchant_id, (public_id, _) in named.items():
            extend()
            with database.reading() as session:
                found, wait = list(discrepancies(session, merchant_id)), waiting(session, merchant_id)
            if wait:
                log.warning(
                    "no totals of %s were compared: orders that wait to be looked at again: %d", public_id, wait
                )
            for what in found:
                log.error("the books of %s do not add up: %s", public_id, what)
            wrong += bool(found)
        if wrong:
            raise BooksDoNotAddUp(f"those of {wrong} of {len(named)} merchants: `grapevine doctor` says where")

    return Periodic(NAME, EVERY, run)


def discrepancies(session: Session, merchant_id: int) -> Iterator[str]:
    """In words, whatever does not add up, policy by policy; nothing where everything does. Policies that are not
    computed for all orders at this moment are left out, and so are orders that wait to be looked at again: while there
    are any, totals are not compared (`waiting` says how many).

    The session sees one moment (`Database.reading`).
    """
    some_wait = waiting(session, merchant_id) > 0
    book = policy_book.open_book(session, merchant_id)
    left = _left_of_orders(session, merchant_id)
    for policy in book.names:
        if book.standing(policy).status != "computed":
            continue
        yield from _orders(session, merchant_id, policy)
        if some_wait:
            continue
        for live in (True, False):
            yield from _reported(session, _everything(merchant_id, policy, live), left)


def waiting(session: Session, merchant_id: int) -> int:
    """How many orders wait to be looked at again: something was learnt that may change their credit."""
    return session.scalar(select(func.count()).where(StaleOrder.merchant_id == merchant_id)) or 0


def _orders(session: Session, merchant_id: int, policy: str) -> Iterator[str]:
    """Orders whose credit is not what is left of them, of those that do not wait to be looked at again."""
    for order_id, currency, net, left, gross, credited in session.execute(_uneven(merchant_id, policy).limit(MOST)):
        yield (
            f"order {order_id}: sold {net}, left {left}; credited {gross or 0} and {credited or 0} "
            f"({currency}, minor units, policy {policy})"
        )


def _reported(session: Session, question: Question, left: Counter[Total]) -> Iterator[str]:
    """Totals and rows of the report, against the ledger and the orders."""
    report = attribution.answer(session, question)
    rows: Counter[str] = Counter()
    for row in report.rows:
        rows[row.currency] += row.sums.net
    books = ledger.totals(session, question)
    for currency in sorted({*report.totals, *books, *(name for live, name in left if live == question.livemode)}):
        told = {
            "the report's total": report.totals[currency].net if currency in report.totals else 0,
            "its rows": rows[currency],
            "the ledger": books[currency].net if currency in books else 0,
            "the orders": left[question.livemode, currency],
        }
        if len(set(told.values())) > 1:
            sums = ", ".join(f"{name} {amount}" for name, amount in told.items())
            kind = "real" if question.livemode else "test"
            yield f"net of all {kind} orders in {currency} under policy {question.policy}: {sums}"


def _everything(merchant_id: int, policy: str, live: bool) -> Question:
    return Question(
        merchant_id=merchant_id,
        since=_BEGINNING,
        until=_END,
        zone=ZoneInfo("UTC"),
        livemode=live,
        as_of=_END,  # whatever was written, also by a clock that was wrong
        group_by=("network",),
        policy=policy,
    )


def _left_of_orders(session: Session, merchant_id: int) -> Counter[Total]:
    left = _left(merchant_id)
    query = select(left.c.livemode, left.c.currency, func.sum(left.c.left)).group_by(left.c.livemode, left.c.currency)
    return Counter({(bool(live), currency): int(net) for live, currency, net in session.execute(query)})


def _left(merchant_id: int) -> Subquery:
    """What is left of each order: its net less what was taken back and stands, never less than nothing (rule 11)."""
    taken = (
        select(Refund.order_id, func.sum(Refund.amount).label("taken"))
        .where(Refund.merchant_id == merchant_id, Refund.dropped_at.is_(None))
        .group_by(Refund.order_id)
        .subquery("taken")
    )
    rest = Order.net - func.coalesce(taken.c.taken, 0)
    return (
        select(
            *(Order.order_id, Order.currency, Order.livemode, Order.net),
            case((rest < 0, 0), else_=rest).label("left"),
        )
        .outerjoin(taken, taken.c.order_id == Order.order_id)
        .where(Order.merchant_id == merchant_id)
        .subquery("left_of_orders")
    )


def _uneven(merchant_id: int, policy: str) -> Select[*tuple[Any, ...]]:
    left = _left(merchant_id)
    credit = (
        select(
            CreditLine.order_id,
            func.sum(CreditLine.gross).label("gross"),
            func.sum(CreditLine.gross - CreditLine.reversed).label("net"),
        )
        .where(CreditLine.merchant_id == merchant_id, CreditLine.policy == policy)
        .group_by(CreditLine.order_id)
        .subquery("credit")
    )
    gross, net = func.coalesce(credit.c.gross, 0), func.coalesce(credit.c.net, 0)
    waits = exists().where(StaleOrder.merchant_id == merchant_id, StaleOrder.order_id == left.c.order_id)
    even = and_(gross == left.c.net, net == left.c.left)
    return (
        select(left.c.order_id, left.c.currency, left.c.net, left.c.left, credit.c.gross, credit.c.net)
        .outerjoin(credit, credit.c.order_id == left.c.order_id)
        .where(~even, ~waits)
        .order_by(left.c.order_id)
    )
