"""A storm of webhooks: all messages of hundreds of orders, each five times, shuffled, eight at a time."""

import random
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Final

import pytest

from app.orders.stripe import messages
from tests.shop import JSON, TestMerchant
from tests.soak import SOAK
from tests.till import Till, taken

ORDERS: Final = 400 if SOAK else 30
EACH: Final = 5
AT_ONCE: Final = 8
_NETWORKS: Final = ("whatsapp", "x", "email")


@dataclass(frozen=True)
class Street:
    """What is bought: made once, since it is the webhooks that storm."""

    variants: tuple[str, ...]
    clicks: tuple[str, ...]


@pytest.mark.soak
@pytest.mark.timeout(900)  # four hundred orders and their ten thousand webhooks
def test_all_webhooks_of_hundreds_of_orders_shuffled_and_repeated_make_the_books_of_stripe(
    till: Till, seller: TestMerchant
) -> None:
    chance = random.Random(400)
    street = opened(seller, chance)
    before = len(till.published)
    sessions = [buy(till, street, chance) for _ in range(ORDERS)]
    told = [message for message in till.published[before:] if message.type in messages.INTERESTING]
    storm = told * EACH
    chance.shuffle(storm)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        attempts = [attempt for sent in pool.map(till.double.webhooks.deliver, storm) for attempt in sent]

    assert {200: len(storm)} == Counter(attempt.status for attempt in attempts)
    assert len(told) >= 5 * ORDERS
    assert set(messages.TAKING) - {"charge.refund.updated"} <= {message.type for message in told}
    orders = till.orders(seller)
    ours = {order["external_id"]: (order["net"], order["refunded"], taken(order)) for order in orders}
    assert at_stripe(till, sessions) == ours
    assert_reports_and_credits_say_the_same(till, seller, orders)


def opened(seller: TestMerchant, chance: random.Random) -> Street:
    """Things to buy, and friends through whom buyers come."""
    products = [seller.product(price=1000 + number) for number in range(10)]
    clicks = []
    for product in products:
        friend, buyer = seller.shopper(), seller.shopper()
        clicks.append(buyer.follow(friend.share(product["id"], chance.choice(_NETWORKS))["code"]))
    return Street(tuple(product["variants"][0]["id"] for product in products), tuple(clicks))


def buy(till: Till, street: Street, chance: random.Random) -> str:
    """One purchase, paid in one of three ways or not at all, perhaps refunded in steps, perhaps disputed; its
    session."""
    place = chance.randrange(len(street.variants))
    opened = till.checkout(street.variants[place], chance.randint(1, 3), click=street.clicks[place])
    session = str(opened["session"])
    how = chance.random()
    if how < 0.05:
        till.double.expire(session)
    elif how < 0.35:
        till.double.pay_later(session)
        till.double.settle(session, succeeded=chance.random() < 0.8)
    else:
        till.double.pay(session)
    if till.session(session)["payment_status"] == "paid":
        take_back(till, session, chance)
    return session


def take_back(till: Till, session: str, chance: random.Random) -> None:
    """Perhaps refunds in steps, of which some fail; perhaps a dispute after them, of all that is left, of less or of
    more; and perhaps a refund after one that was won."""
    refund_in_steps(till, session, chance)
    if chance.random() < 0.35:
        return
    till.clock.move(seconds=1)
    is_inquiry = chance.random() < 0.3
    dispute = till.dispute(session, chance.choice([None, 300, 5000]), inquiry=is_inquiry)
    if is_inquiry and chance.random() < 0.5:
        till.double.escalate(dispute)
    if chance.random() < 0.7:
        till.clock.move(seconds=1)
        closed = till.double.close_dispute(dispute, won=chance.random() < 0.5)
        if closed["status"] == "won":
            refund_in_steps(till, session, chance)


def refund_in_steps(till: Till, session: str, chance: random.Random) -> None:
    for _ in range(chance.choice([0, 1, 2])):
        till.clock.move(seconds=1)
        refund = till.refund(session, chance.randint(1, 200), pending=chance.random() < 0.2)
        if chance.random() < 0.2:
            till.double.fail_refund(refund)


Books = dict[str, tuple[int, int, dict[str, int]]]
"""By session: what was paid, what was taken back, and that by each refund and dispute."""


def at_stripe(till: Till, sessions: list[str]) -> Books:
    """What Stripe says of what was paid. A bank may dispute more than was left: only that can be taken."""
    books: Books = {}
    payments = {till.payment(session): session for session in sessions}
    by_session: dict[str, list[tuple[int, str, int]]] = defaultdict(list)
    standing = till.taken_at_stripe()
    for each in (*till.listed("/v1/refunds"), *till.listed("/v1/disputes")):
        if each["id"] in standing and each["payment_intent"] in payments:
            by_session[payments[each["payment_intent"]]].append((each["created"], each["id"], standing[each["id"]]))
    for session in sessions:
        said = till.session(session)
        if said["payment_status"] == "paid":
            left = int(said["amount_total"])
            parts: dict[str, int] = {}
            for _, id, amount in sorted(by_session[session]):
                parts[id] = min(amount, left)
                left -= parts[id]
            books[session] = (int(said["amount_total"]), int(said["amount_total"]) - left, parts)
    return books


def assert_reports_and_credits_say_the_same(till: Till, seller: TestMerchant, orders: list[JSON]) -> None:
    for order in orders:
        lines: list[JSON] = seller.explanation(order["id"])["lines"]
        assert order["net"] - order["refunded"] == sum(line["net"] for line in lines)
        assert set(_NETWORKS) >= {line["network"] for line in lines}
    till.clock.move(minutes=1)  # a report ends before now
    total = seller.report("network", livemode=False)["totals"][0]
    assert (len(orders), sum(order["net"] for order in orders), sum(order["refunded"] for order in orders)) == (
        total["orders"],
        total["gross"],
        total["refunded"],
    )
