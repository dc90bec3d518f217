"""A storm of webhooks: all messages of fifty orders, each five times, shuffled, eight at a time."""

import random
from concurrent.futures import ThreadPoolExecutor

from tests.shop import JSON, TestMerchant
from tests.till import Till


def buy(till: Till, seller: TestMerchant, chance: random.Random, number: int) -> str:
    """One purchase through a friend's link, paid in one of three ways, perhaps refunded once or twice; its session."""
    product = seller.product(price=1000 + number)
    friend, buyer = seller.shopper(), seller.shopper()
    buyer.follow(friend.share(product["id"], chance.choice(["whatsapp", "x", "email"]))["code"])
    opened = till.checkout(product["variants"][0]["id"], chance.randint(1, 3), click=buyer.click)
    session = str(opened["session"])
    if chance.random() < 0.3:
        till.double.pay_later(session)
        till.double.settle(session, succeeded=chance.random() < 0.8)
    else:
        till.double.pay(session)
    payment = till.session(session)["payment_intent"]
    if till.session(session)["payment_status"] == "paid":
        for _ in range(chance.choice([0, 0, 1, 2])):
            refund = till.double.refund(payment, chance.randint(1, 400))
            if chance.random() < 0.2:
                till.double.fail_refund(str(refund["id"]))
    return session


def at_stripe(till: Till, session: str) -> tuple[int, int] | None:
    """What Stripe says was paid and refunded; None where nothing was paid."""
    made = till.session(session)
    if made["payment_status"] != "paid":
        return None
    return int(made["amount_total"]), int(str(till.double.charge_of(str(made["payment_intent"]))["amount_refunded"]))


def test_all_webhooks_of_fifty_orders_shuffled_and_repeated_make_the_books_of_stripe(
    till: Till, seller: TestMerchant
) -> None:
    chance = random.Random(50)
    sessions = [buy(till, seller, chance, number) for number in range(50)]
    messages = [till.double.message(str(event["id"])) for session in sessions for event in till.told(session)] * 5
    chance.shuffle(messages)

    with ThreadPoolExecutor(8) as pool:
        attempts = [attempt for sent in pool.map(till.double.webhooks.deliver, messages) for attempt in sent]

    assert {200} == {attempt.status for attempt in attempts}
    books = {order["external_id"]: order for order in till.orders(seller)}
    paid = {session: said for session in sessions if (said := at_stripe(till, session)) is not None}
    assert paid == {session: (order["net"], order["refunded"]) for session, order in books.items()}
    for order in books.values():
        lines: list[JSON] = seller.explanation(order["id"])["lines"]
        assert order["net"] - order["refunded"] == sum(line["net"] for line in lines)
        assert {"whatsapp", "x", "email"} >= {line["network"] for line in lines}
    till.clock.move(minutes=1)  # a report ends before now
    total = seller.report("network", livemode=False)["totals"][0]
    assert (len(paid), sum(gross for gross, _ in paid.values()), sum(back for _, back in paid.values())) == (
        total["orders"],
        total["gross"],
        total["refunded"],
    )
