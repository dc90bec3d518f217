"""What is remembered of a person at each touchpoint, by the merchant's mode and by what the person says: one table."""

import json
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from sqlalchemy import select

from app.kernel.ids import merchant_of
from app.referrals.models import Beacon, Claim, Referral, Visit
from tests.shop import BROWSER, JSON, Shopper, TestMerchant, ok
from tests.till import Till

NEVER = frozenset[str]()
DELIBERATE = frozenset({"like", "share"})
"""What somebody does on purpose has its visitor, unless the merchant keeps none."""
TOLD = frozenset({"sale", "bulk", "identity"})
"""Another shop's server tells, and no browser of anybody's speaks with it."""
KNOWN = DELIBERATE | TOLD | {"claim", "view", "checkout", "paid"}
ALL = KNOWN | {"beacon"}

GPC, DNT = {"Sec-GPC": "1"}, {"DNT": "1"}

TABLE = {
    ("none", "nothing"): NEVER,
    ("none", "gpc"): NEVER,
    ("none", "dnt"): NEVER,
    ("none", "opted out"): NEVER,
    ("none", "consents"): NEVER,
    ("counts", "nothing"): KNOWN,
    ("counts", "gpc"): DELIBERATE | TOLD,
    ("counts", "dnt"): DELIBERATE | TOLD,
    ("counts", "opted out"): DELIBERATE,
    ("counts", "consents"): KNOWN,
    ("consented", "nothing"): DELIBERATE,
    ("consented", "gpc"): DELIBERATE,
    ("consented", "dnt"): DELIBERATE,
    ("consented", "opted out"): DELIBERATE,
    ("consented", "consents"): ALL,
    ("consented", "consents, by gpc"): DELIBERATE | TOLD,
    ("consented", "consents, opted out"): DELIBERATE,
    ("consented", "withdrew"): DELIBERATE,
}


@dataclass
class Market:
    """A merchant with a link to follow, and somebody who was known before."""

    till: Till
    seller: TestMerchant
    visitor: Shopper
    said: dict[str, str]

    def __post_init__(self) -> None:
        self.mug = self.seller.product()
        self.other = str(self.seller.product("Other")["id"])
        self.code = str(self.seller.shopper().share(self.mug["id"])["code"])

    def post(self, path: str, body: object) -> Any:
        agent = {"User-Agent": BROWSER}
        headers = {**agent, **self.said, **self.visitor.headers}
        return ok(self.seller.public.post(path, content=json.dumps(body), headers={**headers, **JSON_TYPE}))

    def written(self, table: type[Any], *conditions: Any) -> list[Any]:
        number = merchant_of(self.seller.id, "mer")
        with self.till.database.reading() as session:
            return list(session.scalars(select(table).where(table.merchant_id == number, *conditions)))

    # Each touchpoint once; whether who it was is kept beside what happened.

    def claim(self) -> bool:
        click = self.seller.shopper().follow(self.code, claim=False)
        answer = self.post(f"/v1/visits/{click}/claim", {})
        assert click == answer["click"]
        theirs = bool([self.visitor.id] == [claim.visitor_id for claim in self.written(Claim, Claim.visit_id == click)])
        assert [theirs] == [answer["bound"]]
        return theirs

    def beacon(self) -> bool:
        click = self.seller.shopper().follow(self.code, claim=False)
        told = {"type": "card_open", "product": self.mug["id"], "visitor": self.visitor.token, "click": click}
        assert {"kept": 1, "refused": 0} == self.post("/v1/beacons", [told])
        (kept,) = self.written(Beacon, Beacon.type == "card_open")
        assert (kept.visitor_id is None) == (kept.click_id is None), "a click is somebody's too"
        return bool(kept.visitor_id == self.visitor.id)

    def view(self) -> bool:
        told = {"type": "card_view", "code": self.code, "visitor": self.visitor.token}
        assert {"kept": 1, "refused": 0} == self.post("/v1/beacons", [told])
        return bool(self.written(Visit, Visit.type == "view"))

    def checkout(self) -> bool:
        wanted = {"items": [{"variant": self.mug["variants"][0]["id"], "quantity": 1}], "click": "clk_travels"}
        self.session = self.post("/v1/checkouts", wanted)["url"].rpartition("/")[2]
        asked = self.till.session(self.session)["metadata"]
        assert "clk_travels" == asked["gv_click"]
        return bool(self.visitor.id == asked.get("gv_visitor"))

    def paid(self) -> bool:
        self.till.double.pay(self.session)
        self.till.tell_all(self.session)
        return bool(self.visitor.id == self.till.order_of(self.seller, self.session)["visitor"])

    def sale(self) -> bool:
        return bool(self.visitor.id == self.seller.order(visitor=self.visitor.token)["visitor"])

    def bulk(self) -> bool:
        sale = {"external_id": "bulk", "placed_at": self.seller.clock.now().isoformat(), "currency": "eur", "net": 5}
        answer = ok(self.seller.http.post("/v1/orders/bulk", json={"orders": [sale | {"visitor": self.visitor.id}]}))
        return bool(self.visitor.id == ok(self.seller.http.get(f"/v1/orders/{answer['results'][0]['id']}"))["visitor"])

    def identity(self) -> bool:
        answer = self.seller.http.put(f"/v1/identities/{self.visitor.id}", json={"person": "customer-1"})
        kept = self.seller.http.get(f"/v1/identities/{self.visitor.id}").is_success
        assert kept is (answer.status_code == 200), answer.text
        return kept

    def like(self) -> bool:
        return self._is_mine(self.post("/v1/likes", {"product": self.other}))

    def share(self) -> bool:
        return self._is_mine(self.post("/v1/shares", {"product": self.other, "network": "x"}))

    def _is_mine(self, answer: JSON) -> bool:
        (made,) = self.written(Referral, Referral.referral_id == answer["id"])
        assert answer["visitor"] is None, "they had a token, or get none"
        return bool(made.visitor_id == self.visitor.id)


JSON_TYPE = {"Content-Type": "application/json"}
TOUCHPOINTS = ("claim", "beacon", "view", "checkout", "paid", "sale", "bulk", "identity", "like", "share")


def agree(shopper: Shopper, **of: str) -> JSON:
    return dict(ok(shopper.http.post("/v1/consents", json={"version": "1", **of}, headers=shopper.headers)))


@pytest.mark.parametrize(("mode", "says"), TABLE, ids=[", ".join(each) for each in TABLE])
def test_what_is_remembered(
    till: Till, seller: TestMerchant, until_seen: Callable[[], None], mode: str, says: str
) -> None:
    visitor = seller.shopper()
    market = Market(till, seller, visitor, GPC if "gpc" in says else DNT if says == "dnt" else {})
    visitor.like(market.mug["id"])
    if "consents" in says or says == "withdrew":
        receipt = agree(visitor, merchant=seller.id)
        if says == "withdrew":
            ok(visitor.http.delete(f"/v1/consents/{receipt['id']}", headers=visitor.headers), 204)
    if "opted out" in says:
        assert {"opted_out": True} == ok(visitor.http.post("/v1/me/opt-out", headers=visitor.headers))
    ok(seller.http.patch("/v1/merchant", json={"privacy": mode}))
    until_seen()
    assert TABLE[mode, says] == {each for each in TOUCHPOINTS if getattr(market, each)()}


def test_who_is_new_gets_a_token_where_they_may_be_remembered_and_else_none(
    till: Till, new_seller: Callable[..., TestMerchant], until_seen: Callable[[], None]
) -> None:
    """By mode: for a claim, a like, and both under Global Privacy Control."""
    expected = {"none": (0, 0, 0, 0), "counts": (1, 1, 0, 1), "consented": (0, 1, 0, 1)}
    for mode, given in expected.items():
        seller = new_seller()
        mug = seller.product()["id"]
        code = seller.shopper().share(mug)["code"]
        ok(seller.http.patch("/v1/merchant", json={"privacy": mode}))
        until_seen()
        got = []
        for said in ({}, GPC):
            click = seller.shopper().follow(code, claim=False)
            for path, body in ((f"/v1/visits/{click}/claim", {}), ("/v1/likes", {"product": mug})):
                answer = ok(seller.public.post(path, json=body, headers=said))
                got.append(int(answer["visitor"] is not None))
        assert given == tuple(got), mode


def test_where_no_visitors_are_kept_each_like_is_counted_and_cannot_be_taken_back(
    till: Till, seller: TestMerchant, until_seen: Callable[[], None]
) -> None:
    mug, visitor = seller.product()["id"], seller.shopper()
    visitor.like(seller.product("Other")["id"])
    ok(seller.http.patch("/v1/merchant", json={"privacy": "none"}))
    until_seen()
    first = visitor.like(mug)
    assert (1, 2) == (first["likes"], visitor.like(mug)["likes"])
    answer = visitor.http.delete(f"/v1/likes/{first['id']}", headers=visitor.headers)
    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


def test_an_order_is_not_corrected_to_a_buyer_who_left(till: Till, seller: TestMerchant) -> None:
    visitor = seller.shopper()
    visitor.like(seller.product()["id"])
    order = seller.order()["id"]
    ok(visitor.http.post("/v1/me/opt-out", headers=visitor.headers))
    answer = seller.http.patch(f"/v1/orders/{order}", json={"visitor": visitor.id})
    assert (422, "/visitor") == (answer.status_code, answer.json()["errors"][0]["pointer"])
    ok(visitor.http.delete("/v1/me/opt-out", headers=visitor.headers))
    assert visitor.id == ok(seller.http.patch(f"/v1/orders/{order}", json={"visitor": visitor.id}))["visitor"]
