"""What is decided about doubts, and what becomes of credit: at once, explained, and never of what was told before."""

from datetime import datetime, timedelta

import pytest

from app.trust.found import About
from tests.conftest import AppServer
from tests.doubts import found, raised
from tests.shop import JSON, Shopper, TestMerchant, ok


def refuse(merchant: TestMerchant, doubt: str, verdict: str = "refuse") -> None:
    ok(merchant.http.post(f"/v1/doubts/{doubt}/decisions", json={"verdict": verdict}))


def earned(merchant: TestMerchant, as_of: datetime | None = None) -> dict[str, int]:
    """Net by sharer."""
    query = {} if as_of is None else {"as_of": as_of.isoformat()}
    return {row["sharer"]: row["net"] for row in merchant.report("sharer", **query)["data"] if row["net"]}


@pytest.fixture
def sold(merchant: TestMerchant, ana: Shopper, bo: Shopper, product: str) -> dict[str, str]:
    """Somebody came through Ana, then through Bo, and bought: Bo's, by the last touch."""
    through_ana, through_bo = ana.share(product), bo.share(product)
    buyer = merchant.shopper()
    buyer.follow(through_ana["code"])
    merchant.clock.move(minutes=1)
    click = buyer.follow(through_bo["code"])
    merchant.clock.move(minutes=1)
    order = merchant.order(net=5000, visitor=buyer.id, placed_at=merchant.clock.now().isoformat())["id"]
    merchant.clock.move(minutes=1)
    return {"order": order, "visit": click, "referral": through_bo["id"], "ana": ana.id, "bo": bo.id}


@pytest.mark.parametrize("about", list(About))
def test_what_is_refused_earns_nothing_until_it_is_credited_again(
    app_server: AppServer, merchant: TestMerchant, sold: dict[str, str], about: About
) -> None:
    (doubt,) = raised(app_server, merchant, found(sold[about.value], "own_mail", about, alike=1))
    assert {sold["bo"]: 5000} == earned(merchant)
    before = merchant.clock.now()
    merchant.clock.move(minutes=1)
    refuse(merchant, doubt)
    refused = merchant.clock.now()
    others = {"(none)": 5000} if about is About.ORDER else {sold["ana"]: 5000}
    assert others == earned(merchant)
    assert doubt in str(merchant.explanation(sold["order"]))
    merchant.clock.move(minutes=1)
    refuse(merchant, doubt, "credit")
    assert {sold["bo"]: 5000} == earned(merchant)
    merchant.clock.move(minutes=1)
    just_before = refused - timedelta(microseconds=1)
    assert [{sold["bo"]: 5000}] * 2 + [others] == [earned(merchant, at) for at in (before, just_before, refused)]


def test_a_rule_that_refuses_from_now_on_takes_what_it_had_only_flagged_and_gives_it_back(
    app_server: AppServer, merchant: TestMerchant, sold: dict[str, str]
) -> None:
    raised(app_server, merchant, found(sold["referral"], "click_stuffing", About.REFERRAL))
    rules: list[tuple[JSON, str]] = [({"click_stuffing": {"do": "refuse"}}, "ana"), ({}, "bo")]
    for said, earns in rules:
        merchant.clock.move(minutes=1)
        ok(merchant.http.put("/v1/rules", json={"rules": said}))
        assert {sold[earns]: 5000} == earned(merchant)
