"""Moving in: past facts come in any order and any number of requests, and mean the same."""

import random
import socket
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from urllib.parse import urlsplit

import pytest
from sqlalchemy import func, select

from app.kernel.ids import merchant_of
from app.kernel.outbox import OutboxRow
from app.orders.models import Order
from app.referrals.models import Claim, Referral, Visit
from tests.conftest import AppServer
from tests.history import (
    Line,
    counts,
    coupon,
    day,
    identity,
    move_in,
    net_by,
    order,
    refund,
    send,
    share,
    touch,
    written,
)
from tests.shop import JSON, TestMerchant, ok
from tests.threads import together

STORY = [
    share("s1", "ana", day(1)),
    share("s2", "bo", day(3), parent="s1", network="x"),
    touch("t1", "bo", "s1", day(2)),
    touch("t2", "cy-phone", "s2", day(4)),
    touch("t3", "dee", "s1", day(4), network="mastodon"),
    identity("cy-phone", "cy", day(5)),
    identity("cy-laptop", "cy", day(5)),
    coupon("BO5", "s2", day(3)),
    order("o1", "cy-laptop", 10_000, day(5)),
    order("o2", "dee", 4_000, day(6), coupon=" bo5 "),
    order("o3", "nobody", 999, day(6)),
    order("o4", None, 1, day(6)),
    refund("r1", "o1", 2_500, day(7)),
    refund("r2", "o2", 5_000, day(8), reason="chargeback"),
    refund("r3", "o9", 1, day(8)),
]
"""Bo had it from Ana. Cy saw Bo's on the phone and bought on the laptop; Dee came through Ana and had Bo's code, and
took back more than there was. Of o9 nobody ever hears."""

BY_SHARER = {"bo": 7_500, "(none)": 1_000}
BY_NETWORK = {"x": 7_500, "(direct)": 1_000}


def orders(merchant: TestMerchant) -> dict[str, JSON]:
    listed = ok(merchant.http.get("/v1/orders", params={"limit": 100}))["data"]
    return {each["external_id"]: each for each in listed}


def test_a_story_is_told_and_its_sales_are_divided(merchant: TestMerchant) -> None:
    told = move_in(merchant, *STORY)

    assert {"accepted": 15, "unchanged": 0, "refused": [], "refused_count": 0} == told
    assert BY_SHARER == net_by(merchant)
    assert BY_NETWORK == net_by(merchant, "network")


def test_the_same_story_again_changes_nothing(merchant: TestMerchant) -> None:
    move_in(merchant, *STORY)
    before = merchant.report("sharer,network,kind,depth", **{"from": "2025-01-01"}), orders(merchant)
    merchant.clock.move(days=1)
    for _ in range(2):
        assert (0, 15, 0) == counts(move_in(merchant, *STORY))
    after = merchant.report("sharer,network,kind,depth", **{"from": "2025-01-01"}), orders(merchant)
    assert before[0]["data"] == after[0]["data"]
    assert before[1] == after[1]


@pytest.mark.parametrize("seed", range(3))
def test_the_order_of_lines_and_where_they_are_cut_into_requests_does_not_matter(
    merchant: TestMerchant, seed: int
) -> None:
    shuffled = random.Random(seed).sample(STORY, len(STORY))
    for begin in range(0, len(shuffled), 4):
        move_in(merchant, *shuffled[begin : begin + 4])
    assert BY_SHARER == net_by(merchant)
    assert BY_NETWORK == net_by(merchant, "network")
    assert (0, 15, 0) == counts(move_in(merchant, *STORY))


def test_within_a_request_a_fact_is_taken_once_and_what_stands_first_stays(merchant: TestMerchant) -> None:
    twice = move_in(merchant, *STORY, STORY[0], {**STORY[0], "visitor": "eve"}, {**STORY[8], "net": 1}, STORY[12])
    assert (15, 2, 2) == counts(twice)
    assert [(17, "visitor"), (18, "net")] == [(line["line"], line["field"]) for line in twice["refused"]]
    assert BY_SHARER == net_by(merchant)


def test_nobody_is_the_source_until_the_referral_comes(merchant: TestMerchant) -> None:
    move_in(merchant, touch("t1", "bo", "s1", day(2), network="x"), order("o1", "bo", 500, day(3)))
    assert {"(none)": 500} == net_by(merchant)
    assert {"x": 500} == net_by(merchant, "network")
    move_in(merchant, share("s1", "ana", day(1)))
    assert {"ana": 500} == net_by(merchant)
    assert {"x": 500} == net_by(merchant, "network")


def test_a_refund_waits_for_its_order_also_for_one_that_comes_by_itself(merchant: TestMerchant) -> None:
    assert (2, 0, 0) == counts(move_in(merchant, refund("r1", "o1", 300, day(9)), refund("r2", "o2", 100, day(9))))
    assert (0, 1, 0) == counts(move_in(merchant, refund("r1", "o1", 300, day(9))))
    move_in(merchant, order("o1", None, 1_000, day(8)))
    merchant.order(400, external_id="o2")
    assert {"o1": 300, "o2": 100} == {name: each["refunded"] for name, each in orders(merchant).items()}
    assert ["r1"] == [each["external_id"] for each in orders(merchant)["o1"]["refunds"]]
    assert {"(none)": 1_000} == net_by(merchant)
    assert (0, 2, 0) == counts(move_in(merchant, refund("r1", "o1", 300, day(9)), refund("r2", "o2", 100, day(9))))


def test_what_was_told_by_api_is_known(merchant: TestMerchant) -> None:
    made = merchant.order(1_000, external_id="o1", coupon="ANA10", placed_at="2026-01-05T00:00:00.5Z")
    merchant.refund(made["id"], 200, external_id="r1")
    said = [order("o1", None, 1_000, day(5), coupon="ana10"), refund("r1", "o1", 200, day(6))]
    assert (0, 2, 0) == counts(move_in(merchant, *said))
    other = move_in(merchant, {**said[0], "net": 900, "currency": "usd"}, {**said[1], "amount": 100})
    assert ["currency", "amount"] == [line["field"] for line in other["refused"]]
    assert "net 1000" in other["refused"][0]["detail"]
    assert ["api"] == [each["source"] for each in orders(merchant).values()]


def test_what_was_moved_in_is_an_order_like_others(merchant: TestMerchant) -> None:
    move_in(merchant, order("o1", "bo", 1_000, day(5)), refund("r1", "o1", 200, day(6)))
    found = orders(merchant)["o1"]
    assert ("history", "bo", 1_000, 1_000, 200, False) == tuple(
        found[name] for name in ("source", "visitor", "gross", "net", "refunded", "test")
    )
    refused = merchant.http.post(f"/v1/orders/{found['id']}/refunds", json={"external_id": "r2", "amount": 801})
    assert 422 == refused.status_code
    merchant.refund(found["id"], 800)
    assert {} == net_by(merchant)


def test_a_visitor_of_ours_and_a_person_of_theirs_are_one(merchant: TestMerchant) -> None:
    product = merchant.product()["id"]
    ana, bo = merchant.shopper(), merchant.shopper()
    shared = ana.share(product)
    bo.follow(shared["code"])
    made = merchant.order(1_000, visitor=bo.id)
    assert {ana.id: 1_000} == net_by(merchant)
    move_in(merchant, identity(ana.id, "customer-7", day(1)), order("o1", "customer-8", 500, "2026-03-02T10:00:00Z"))
    move_in(merchant, identity(bo.id, "customer-8", day(1)))
    assert {"customer-7": 1_500} == net_by(merchant)
    assert [True] == [each["counted"] for each in merchant.explanation(made["id"])["journey"]]


def test_an_imported_click_may_lead_through_a_live_referral(merchant: TestMerchant) -> None:
    ana = merchant.shopper()
    shared = ana.share(merchant.product()["id"])
    at = merchant.clock.now().isoformat()
    move_in(merchant, touch("t1", "bo", shared["id"], at), order("o1", "bo", 700, at), coupon("ANA", shared["id"], at))
    assert {ana.id: 700} == net_by(merchant)
    merchant.order(300, coupon="ana")
    assert {ana.id: 1_000} == net_by(merchant)


def test_products_and_walls_are_ours_where_they_are_known_and_else_what_they_are_called(
    merchant: TestMerchant,
) -> None:
    mug = merchant.product("Mug", external_id="sku-1")["id"]
    wall = merchant.wall(mug)["id"]
    named = [share("s1", "a", day(1), product="sku-1", wall=wall), share("s2", "a", day(1), product=mug, wall="blog")]
    named.append(share("s3", "a", day(1), product="sku-2"))
    touches = [touch(f"t{n}", f"v{n}", f"s{n}", day(2)) for n in (1, 2, 3)]
    sales = [order(f"o{n}", f"v{n}", n * 100, day(3)) for n in (1, 2, 3)]
    move_in(merchant, *named, *touches, *sales)
    assert {mug: 300, "sku-2": 300} == net_by(merchant, "product")
    assert {wall: 100, "blog": 200} == {
        key: net for key, net in net_by(merchant, "wall").items() if key in (wall, "blog")
    }
    merchant.product("Cup", external_id="sku-2")  # known by its name only now: the same fact all the same
    assert (0, 3, 0) == counts(move_in(merchant, *named))
    other = move_in(merchant, {**named[0], "product": "sku-2"}, {**named[1], "wall": wall})
    assert ["product", "wall"] == [line["field"] for line in other["refused"]]


def test_loops_of_parents_are_taken(merchant: TestMerchant) -> None:
    loop = [share("s1", "ana", day(1), parent="s3"), share("s2", "bo", day(1), parent="s1")]
    loop += [share("s3", "cy", day(1), parent="s2"), share("s4", "dee", day(1), parent="s4")]
    sales = [touch("t1", "eve", "s3", day(2)), order("o1", "eve", 900, day(3))]
    sales += [touch("t2", "fay", "s4", day(2)), order("o2", "fay", 100, day(3))]
    assert (8, 0, 0) == counts(move_in(merchant, *sales, *loop))
    assert {"cy": 900, "dee": 100} == net_by(merchant)


def test_the_lines_of_a_request_were_received_when_it_began_unless_they_say(
    merchant: TestMerchant, app_server: AppServer
) -> None:
    began = merchant.clock.now()
    said = touch("t2", "bo", "s1", day(2), received_at=day(20))
    move_in(merchant, share("s1", "ana", day(1)), touch("t1", "bo", "s1", day(2)), said)
    merchant.clock.move(hours=1)
    assert (0, 2, 0) == counts(move_in(merchant, touch("t1", "bo", "s1", day(2)), {**said, "received_at": day(21)}))
    number = merchant_of(merchant.id)
    with app_server.database.reading() as session:
        for name, moment in (("t1", began), ("t2", datetime(2026, 1, 20, tzinfo=UTC))):
            assert moment == session.get_one(Visit, (number, name)).received_at
            assert moment == session.get_one(Claim, (number, name)).received_at
        assert began == session.get_one(Referral, (number, "s1")).received_at


def test_what_is_another_merchants_is_only_a_name(new_merchant: Callable[..., TestMerchant]) -> None:
    ours, theirs = new_merchant(), new_merchant()
    product = theirs.product(external_id="sku-1")["id"]
    ana = theirs.shopper()
    shared = ana.share(product)
    theirs_before = theirs.order(1_000, visitor=ana.id)
    move_in(theirs, *STORY)
    foreign = [
        share("s1", ana.id, day(1), product=product, parent=shared["id"]),
        touch("t1", "bo", shared["id"], day(2), network="x"),
        order("o1", "bo", 100, day(3)),
        order("o2", ana.id, 50, day(3)),
        identity(ana.id, "cy", day(1)),
        coupon("BO5", shared["id"], day(1)),
        refund("r1", "o1", 10, day(4)),
    ]
    assert (7, 0, 0) == counts(move_in(ours, *foreign))
    assert {"(none)": 140} == net_by(ours)
    assert {**BY_SHARER, "(none)": 2_000} == net_by(theirs)
    assert theirs_before == orders(theirs)[theirs_before["external_id"]]


def test_two_requests_at_the_same_time_lose_nothing_and_count_nothing_twice(merchant: TestMerchant) -> None:
    answers = together(*(lambda: move_in(merchant, *STORY) for _ in range(4)))
    assert (15, 45, 0) == tuple(map(sum, zip(*map(counts, answers), strict=True)))
    assert BY_SHARER == net_by(merchant)


def test_a_live_sale_beside_it_is_divided_by_all_that_is_known(merchant: TestMerchant) -> None:
    people = range(40)
    past = [share("s", "ana", day(1)), *(touch(f"t{n}", f"v{n}", "s", day(2)) for n in people)]
    past += [order(f"o{n}", f"v{n}", 100, day(3)) for n in people]

    def live() -> None:
        for n in people:
            body = {"external_id": f"live-{n}", "placed_at": day(4), "currency": "eur", "net": 10}
            ok(merchant.http.post("/v1/orders", json=body))

    together(lambda: move_in(merchant, *past) and None, live)
    assert {"ana": 4_000, "(none)": 400} == net_by(merchant)


def test_many_lines_are_more_than_one_transaction_and_one_answer(merchant: TestMerchant) -> None:
    many: list[Line] = [share("s", "ana", day(1))]
    for n in range(1_100):
        many += [touch(f"t{n}", f"v{n}", "s", day(2)), order(f"o{n}", f"v{n}", n, day(3))]

    def pieces() -> Iterator[bytes]:
        content = written(many)
        for begin in range(0, len(content), 1_021):
            yield content[begin : begin + 1_021]

    assert (2_201, 0, 0) == counts(ok(send(merchant, pieces()), 200))
    assert {"ana": sum(range(1_100))} == net_by(merchant)


def test_who_goes_away_has_moved_in_as_far_as_they_came(merchant: TestMerchant, app_server: AppServer) -> None:
    """What was committed stays, and its sales are divided without anybody asking."""
    many = [share("s", "ana", day(1))]
    for n in range(1_200):
        many += [touch(f"t{n}", f"v{n}", "s", day(2)), order(f"o{n}", f"v{n}", 100, day(3))]
    content = written(many)
    where = urlsplit(app_server.url)
    with socket.create_connection((where.hostname, where.port)) as line:
        head = f"POST /v1/history HTTP/1.1\r\nHost: x\r\nAuthorization: Bearer {merchant.secret_key}\r\n"
        line.sendall(f"{head}Content-Length: {len(content)}\r\n\r\n".encode() + content[:-20_000])
    kept = divided(app_server, merchant)
    assert 900 <= kept < 1_200
    assert {"ana": 100 * kept} == net_by(merchant)
    told = move_in(merchant, *many)
    assert (len(many), 0) == (told["accepted"] + told["unchanged"], told["refused_count"])
    assert told["unchanged"] in (2 * kept + 1, 2 * kept + 2)  # whole batches: one may end between a click and its sale
    assert {"ana": 120_000} == net_by(merchant)


def divided(server: AppServer, merchant: TestMerchant) -> int:
    """How many orders the merchant has, once a worker has divided them all."""
    number = merchant_of(merchant.id)
    for _ in range(400):
        with server.database.reading() as session:
            left, found = (
                session.scalar(select(func.count()).select_from(table).where(table.merchant_id == number)) or 0
                for table in (OutboxRow, Order)
            )
        if found and not left:
            return found
        time.sleep(0.05)
    raise AssertionError(f"{found} orders, {left} promises left")
