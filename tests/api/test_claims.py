"""Claiming a visit: the first within half an hour binds it, and two people are never merged (api.md)."""

from datetime import timedelta

import httpx
import pytest
from sqlalchemy import select

from app.kernel.ids import new_id
from app.referrals.models import Claim, Visit
from app.referrals.visits import CLAIMABLE_FOR
from tests.clock import START, TestClock
from tests.conftest import AppServer
from tests.shop import Shopper, TestMerchant, ok
from tests.threads import together


@pytest.fixture
def code(merchant: TestMerchant) -> str:
    return str(merchant.shopper().share(merchant.product()["id"])["code"])


def claim(shopper: Shopper, click: str, **headers: str) -> httpx.Response:
    return shopper.http.post(f"/v1/visits/{click}/claim", headers={**shopper.headers, **headers})


def bound(server: AppServer, click: str) -> list[str]:
    """Who claimed the visit."""
    with server.database.reading() as session:
        return list(session.scalars(select(Claim.visitor_id).where(Claim.visit_id == click)))


def copies(server: AppServer, click: str) -> list[str]:
    """The visits that were made because somebody else claimed this one."""
    with server.database.reading() as session:
        copied = select(Claim.visit_id).where(Claim.claimed_id == click, Claim.visit_id != click)
        return list(session.scalars(select(Visit.visit_id).where(Visit.visit_id.in_(copied))))


def test_the_first_claim_binds_the_visit(merchant: TestMerchant, code: str, app_server: AppServer) -> None:
    bo = merchant.shopper()
    click = bo.follow(code, claim=False)
    assert bound(app_server, click) == []
    answer = ok(claim(bo, click), 200)
    assert (click, True) == (answer["click"], answer["visitor"].startswith("vt_vis_"))
    bo.token = answer["visitor"]
    assert [bo.id] == bound(app_server, click)


def test_a_claim_again_changes_nothing(
    merchant: TestMerchant, code: str, clock: TestClock, app_server: AppServer
) -> None:
    bo = merchant.shopper()
    click = bo.follow(code)
    clock.move(hours=5)
    assert {"click": click, "visitor": None, "bound": True} == ok(claim(bo, click))
    assert copies(app_server, click) == []


def test_another_visitor_gets_a_visit_of_their_own(merchant: TestMerchant, code: str, app_server: AppServer) -> None:
    bo, cy = merchant.shopper(), merchant.shopper()
    click = bo.follow(code)
    other = cy.claim(click)
    assert other != click
    assert ([bo.id], [cy.id], [other]) == (
        bound(app_server, click),
        bound(app_server, other),
        copies(app_server, click),
    )
    assert other == cy.claim(click) == cy.claim(other)
    assert [other] == copies(app_server, click)


@pytest.mark.parametrize(
    ("later", "binds"), [(CLAIMABLE_FOR, True), (CLAIMABLE_FOR + timedelta(microseconds=1), False)]
)
def test_after_half_an_hour_a_claim_gets_a_new_visit(
    merchant: TestMerchant, code: str, clock: TestClock, later: timedelta, binds: bool
) -> None:
    bo = merchant.shopper()
    click = bo.follow(code, claim=False)
    clock.set(clock.now() + later)
    assert binds == (bo.claim(click) == click)


def test_a_copied_address_makes_nobody_the_same_person(merchant: TestMerchant, code: str, clock: TestClock) -> None:
    bo, cy = merchant.shopper(), merchant.shopper()
    click = bo.follow(code)
    cy.claim(click)
    clock.move(minutes=1)
    order = merchant.order(visitor=cy.token, click_id=cy.click)
    explanation = merchant.explanation(order["id"])
    assert explanation["buyer"] == cy.id
    assert [cy.click] == [touch["touch"] for touch in explanation["journey"] if touch["counted"]]


@pytest.mark.parametrize("headers", [{"Sec-GPC": "1"}, {"DNT": "1"}])
def test_who_says_no_is_not_bound(
    merchant: TestMerchant, code: str, app_server: AppServer, headers: dict[str, str]
) -> None:
    bo = merchant.shopper()
    click = bo.follow(code, claim=False)
    assert {"click": click, "visitor": None, "bound": False} == ok(claim(bo, click, **headers))
    assert bound(app_server, click) == []
    order = merchant.order(click_id=click)  # the click id still travels with the purchase
    assert ["whatsapp"] == [line["network"] for line in merchant.explanation(order["id"])["lines"]]


def test_a_visit_that_is_not_there_cannot_be_claimed(merchant: TestMerchant, app_server: AppServer) -> None:
    number = 10**9
    for missing in (new_id("clk", number, START), "clk_", "x", merchant.product()["id"], "%00", "clk_" + "0" * 31):
        assert 404 == claim(merchant.shopper(), missing).status_code


def test_claims_at_the_same_time_bind_one_visitor(merchant: TestMerchant, code: str, app_server: AppServer) -> None:
    people = [merchant.shopper() for _ in range(6)]
    for person in people:
        person.share(merchant.product()["id"])
    click = people[0].follow(code, claim=False)
    clicks = together(*(lambda person=person: person.claim(click) for person in people))
    assert 6 == len(set(clicks))
    assert 1 == clicks.count(click)
    assert [people[clicks.index(click)].id] == bound(app_server, click)
    assert 5 == len(copies(app_server, click))


def test_a_late_claim_twice_at_the_same_time_makes_one_visit(
    merchant: TestMerchant, code: str, clock: TestClock, app_server: AppServer
) -> None:
    bo = merchant.shopper()
    bo.share(merchant.product()["id"])
    click = bo.follow(code, claim=False)
    clock.move(hours=1)
    assert 1 == len(set(together(*(lambda: bo.claim(click) for _ in range(6)))))
    assert 1 == len(copies(app_server, click))


def test_a_late_claim_brings_nothing_back_to_life(merchant: TestMerchant, clock: TestClock) -> None:
    ana, bo = merchant.shopper(), merchant.shopper()
    like = ana.like(merchant.product()["id"])
    click = bo.follow(like["code"], claim=False)
    clock.move(days=31)
    assert 404 == claim(bo, click).status_code
    clock.move(days=-30)
    ok(ana.http.delete(f"/v1/likes/{like['id']}", headers=ana.headers))
    assert 404 == claim(bo, click).status_code


def test_a_claim_after_the_purchase_credits_who_led_to_it(merchant: TestMerchant, code: str, clock: TestClock) -> None:
    bo = merchant.shopper()
    bo.like(merchant.product()["id"])
    click = bo.follow(code, claim=False)
    clock.move(minutes=5)
    order = merchant.order(net=1000, visitor=bo.token)
    assert ["(direct)"] == [line["network"] for line in merchant.explanation(order["id"])["lines"]]

    clock.move(minutes=5)
    bo.claim(click)

    explained = merchant.explanation(order["id"])
    assert [("whatsapp", 1000)] == [(line["network"], line["net"]) for line in explained["lines"]]
    assert {"(direct)": 0, "whatsapp": 1000} == {
        network: sum(entry["gross"] for entry in explained["entries"] if entry["network"] == network)
        for network in ("(direct)", "whatsapp")
    }
