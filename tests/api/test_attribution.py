"""The journey of a buyer over HTTP: which touch counts, which does not, and what the explanation says of each."""

from collections import Counter
from collections.abc import Callable
from functools import partial
from typing import Any

from tests.clock import TestClock
from tests.shop import JSON, TestMerchant
from tests.threads import together


def told(explanation: JSON) -> list[tuple[str, bool, str | None]]:
    """Touches in their order: which, whether it counted, why not."""
    return [(touch["touch"], touch["counted"], touch["reason"]) for touch in explanation["journey"]]


def test_the_last_of_two_friends_has_the_sale(merchant: TestMerchant, clock: TestClock) -> None:
    product = merchant.product()["id"]
    ana, cy, bo = merchant.shopper(), merchant.shopper(), merchant.shopper()
    first = bo.follow(ana.share(product, "x")["code"])
    clock.move(days=1)
    last = bo.follow(cy.share(product, "email")["code"])
    clock.move(days=1)

    explained = merchant.explanation(merchant.order(net=1000, visitor=bo.token)["id"])

    assert [(first, False, "not_last"), (last, True, None)] == told(explained)
    assert [(cy.id, "email", 1000)] == [(line["sharer"], line["network"], line["net"]) for line in explained["lines"]]
    assert "Only the last touch" in explained["journey"][0]["explanation"]["en"]
    assert ("1/1", 1000) == (explained["journey"][1]["weight"], explained["journey"][1]["amount"])


def test_nobody_earns_by_their_own_link(merchant: TestMerchant, clock: TestClock) -> None:
    ana = merchant.shopper()
    click = ana.follow(ana.share(merchant.product()["id"])["code"])
    clock.move(minutes=1)

    explained = merchant.explanation(merchant.order(visitor=ana.token)["id"])

    assert [(click, False, "self_referral")] == told(explained)
    assert ["(direct)"] == [line["network"] for line in explained["lines"]]
    assert "self_referral" == explained["reason"]


def test_a_click_counts_for_thirty_days_and_a_like_for_seven(merchant: TestMerchant, clock: TestClock) -> None:
    product = merchant.product()["id"]
    for kind, days in (("share", 30), ("like", 7)):
        ana, bo = merchant.shopper(), merchant.shopper()
        made = ana.share(product) if kind == "share" else ana.like(product)
        bo.follow(made["code"])
        clock.move(days=days)
        in_time = merchant.explanation(merchant.order(visitor=bo.token)["id"])
        clock.move(seconds=1)
        too_late = merchant.explanation(merchant.order(visitor=bo.token)["id"])

        assert ([True], [False]) == ([each[1] for each in told(in_time)], [each[1] for each in told(too_late)])
        assert "expired" == too_late["reason"]


def test_a_stronger_touch_silences_a_weaker_one_that_came_later(merchant: TestMerchant, clock: TestClock) -> None:
    product = merchant.product()["id"]
    ana, cy, bo = merchant.shopper(), merchant.shopper(), merchant.shopper()
    click = bo.follow(ana.share(product)["code"])
    clock.move(hours=1)
    like = bo.follow(cy.like(product)["code"])
    clock.move(hours=1)

    explained = merchant.explanation(merchant.order(visitor=bo.token)["id"])

    assert [(click, True, None), (like, False, "weaker_type")] == told(explained)


def test_the_network_that_was_observed_comes_before_the_one_that_was_declared(
    merchant: TestMerchant, clock: TestClock
) -> None:
    ana, bo = merchant.shopper(), merchant.shopper()
    code = ana.share(merchant.product()["id"], "whatsapp")["code"]
    bo.follow(code, Referer="https://old.reddit.com/r/mugs")
    clock.move(minutes=1)
    merchant.order(net=700, visitor=bo.token)
    clock.move(minutes=1)

    rows = merchant.report("network,shared_to,seen_from,kind,depth")["data"]

    names = ("network", "shared_to", "seen_from", "kind", "depth", "net")
    assert [("reddit", "whatsapp", "reddit", "share", "0", 700)] == [tuple(row[name] for name in names) for row in rows]


def test_what_happens_after_the_purchase_changes_nothing(merchant: TestMerchant, clock: TestClock) -> None:
    product = merchant.product()["id"]
    ana, cy, bo = merchant.shopper(), merchant.shopper(), merchant.shopper()
    bo.follow(ana.share(product)["code"])
    clock.move(minutes=1)
    order = merchant.order(visitor=bo.token)["id"]
    before = merchant.explanation(order)["entries"]
    clock.move(minutes=1)

    bo.follow(cy.share(product)["code"])

    explained = merchant.explanation(order)
    assert before == explained["entries"]
    assert [True] == [counted for _, counted, _ in told(explained)]


def test_a_purchase_and_a_claim_at_the_same_moment_see_each_other(merchant: TestMerchant, clock: TestClock) -> None:
    for _ in range(6):
        ana = merchant.shopper()
        click = ana.follow(ana.share(merchant.product()["id"])["code"], claim=False)
        clock.move(minutes=1)

        buy, claim = partial(merchant.order, click_id=click), partial(ana.claim, click)
        asked: tuple[Callable[[], Any], ...] = (buy, claim)
        order, _ = together(*asked)

        explained = merchant.explanation(order["id"])
        assert ("self_referral", ana.id) == (explained["reason"], explained["buyer"])
        booked: Counter[str] = Counter()
        for entry in explained["entries"]:
            booked[entry["network"]] += entry["gross"]
        assert {"(direct)": order["net"]} == {network: gross for network, gross in booked.items() if gross}
