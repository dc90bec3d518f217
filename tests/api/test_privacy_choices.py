"""Saying what may be remembered: receipts for consent, opting out and coming back, and what the server promises."""

from collections.abc import Callable

import httpx
import pytest
from sqlalchemy import select

from app.kernel.ids import merchant_of, new_id
from app.kernel.signing import Signer
from app.privacy import leaving
from app.privacy.models import Consent, Leaver
from app.privacy.tokens import issue
from tests.clock import START, TestClock
from tests.conftest import SECRET, AppServer
from tests.shop import JSON, Shopper, TestMerchant, ok
from tests.threads import together

OPT_OUT = "/v1/me/opt-out"


def agree(shopper: Shopper, version: str = "1", status: int = 201, **body: str) -> JSON:
    answer = ok(shopper.http.post("/v1/consents", json={"version": version, **body}, headers=shopper.headers), status)
    shopper.token = answer["visitor"] or shopper.token
    return dict(answer)


def receipts(server: AppServer, merchant: TestMerchant) -> list[Consent]:
    with server.database.reading() as session:
        theirs = Consent.merchant_id == merchant_of(merchant.id, "mer")
        return list(session.scalars(select(Consent).where(theirs).order_by(Consent.consent_id)))


def withdraw(shopper: Shopper, receipt: str) -> int:
    return shopper.http.delete(f"/v1/consents/{receipt}", headers=shopper.headers).status_code


def test_a_consent_gives_a_receipt_with_version_and_time_and_a_token(
    app_server: AppServer, merchant: TestMerchant, product: str, ana: Shopper
) -> None:
    receipt = agree(ana, "autumn", product=product)
    assert ("autumn", "2026-03-02T10:00:00Z") == (receipt["version"], receipt["at"])
    assert [(receipt["id"], ana.id, "autumn", START, None)] == [
        (each.consent_id, each.visitor_id, each.version, each.at, each.withdrawn_at)
        for each in receipts(app_server, merchant)
    ]


def test_the_same_consent_again_is_the_same_receipt(
    app_server: AppServer, merchant: TestMerchant, product: str, clock: TestClock, ana: Shopper
) -> None:
    first = agree(ana, wall=merchant.wall(product)["id"])
    clock.move(minutes=1)
    again = agree(ana, status=200, merchant=merchant.id)
    assert {**first, "visitor": None} == again
    assert first["id"] != agree(ana, "2", product=product)["id"]
    assert 2 == len(receipts(app_server, merchant))


def test_two_at_once_make_one_receipt(app_server: AppServer, merchant: TestMerchant, ana: Shopper) -> None:
    ana.like(str(merchant.product()["id"]))
    body = {"version": "1", "merchant": merchant.id}
    asked = [lambda: ana.http.post("/v1/consents", json=body, headers=ana.headers) for _ in range(4)]
    answers = together(*asked)
    assert {receipts(app_server, merchant)[0].consent_id} == {ok(answer)["id"] for answer in answers}
    assert 1 == len(receipts(app_server, merchant))


def test_a_consent_is_withdrawn_by_its_own_visitor_alone(
    app_server: AppServer, merchant: TestMerchant, clock: TestClock, ana: Shopper, bo: Shopper
) -> None:
    receipt = agree(ana, merchant=merchant.id)["id"]
    agree(bo, merchant=merchant.id)
    assert [404, 404] == [withdraw(bo, receipt), withdraw(merchant.shopper(), receipt)]
    clock.move(minutes=1)
    withdrawn = clock.now()
    assert 204 == withdraw(ana, receipt)
    clock.move(minutes=1)
    assert 204 == withdraw(ana, receipt)
    assert [withdrawn, None] == [each.withdrawn_at for each in receipts(app_server, merchant)]
    assert receipt != agree(ana, merchant=merchant.id)["id"]


@pytest.mark.parametrize("says", ["Sec-GPC", "DNT", "opted out", "none"])
def test_no_receipt_is_kept_of_who_says_no(
    app_server: AppServer, merchant: TestMerchant, ana: Shopper, until_seen: Callable[[], None], says: str
) -> None:
    ana.like(str(merchant.product()["id"]))
    if says == "opted out":
        ok(ana.http.post(OPT_OUT, headers=ana.headers))
    elif says == "none":
        ok(merchant.http.patch("/v1/merchant", json={"privacy": "none"}))
        until_seen()
    headers = {**ana.headers, **({says: "1"} if says in ("Sec-GPC", "DNT") else {})}
    answer = ok(ana.http.post("/v1/consents", json={"merchant": merchant.id, "version": "1"}, headers=headers), 200)
    assert {"id": None, "version": "1", "at": None, "visitor": None} == answer
    assert [] == receipts(app_server, merchant)


@pytest.mark.parametrize(
    ("body", "pointer"),
    [
        ({}, "/wall"),
        ({"wall": "wall_x", "product": "prod_x"}, "/wall"),
        ({"wall": "prod_01jq2z"}, "/wall"),
        ({"product": "\x00"}, "/product"),
        ({"merchant": "mer_"}, "/merchant"),
        ({"version": "x" * 101}, "/version"),
        ({"version": ""}, "/version"),
        ({"visitor": "vis_x"}, "/visitor"),
    ],
    ids=str,
)
def test_a_consent_names_whose_page_it_was_and_to_what(merchant: TestMerchant, body: JSON, pointer: str) -> None:
    answer = merchant.public.post("/v1/consents", json={"version": "1", **body})
    assert (422, pointer) == (answer.status_code, answer.json()["errors"][0]["pointer"])


def test_a_page_that_is_not_listed_can_say_nothing(new_merchant: Callable[..., TestMerchant]) -> None:
    merchant = new_merchant(allowed_origins=["https://blog.example"])
    ana = merchant.shopper()
    ana.like(str(merchant.product()["id"]))
    evil = {"Origin": "https://evil.example", **ana.headers}
    body = {"merchant": merchant.id, "version": "1"}
    answers = [
        merchant.public.post("/v1/consents", json=body, headers=evil),
        merchant.public.post(OPT_OUT, headers=evil),
    ]
    assert [403, 403] == [answer.status_code for answer in answers]
    good = merchant.public.post(OPT_OUT, headers={**evil, "Origin": "https://blog.example"})
    assert "https://blog.example" == good.headers["access-control-allow-origin"]
    asks = {"Origin": "https://blog.example", "Access-Control-Request-Method": "DELETE"}
    for path in (OPT_OUT, "/v1/consents/cns_x", "/v1/consents"):
        allowed = merchant.public.options(path, headers=asks)
        assert "DELETE" in allowed.headers["access-control-allow-methods"], path


def test_opting_out_holds_until_one_comes_back_and_the_first_time_stands(
    app_server: AppServer, merchant: TestMerchant, clock: TestClock, ana: Shopper
) -> None:
    ana.like(str(merchant.product()["id"]))

    def says(method: str) -> JSON:
        answer = ana.http.request(method, OPT_OUT, headers=ana.headers)
        assert "no-store" == answer.headers["cache-control"]
        return dict(ok(answer, 200))

    assert {"opted_out": False} == says("GET")
    assert {"opted_out": False} == says("DELETE")
    assert {"opted_out": True} == says("POST")
    clock.move(minutes=1)
    assert ({"opted_out": True}, {"opted_out": True}) == (says("POST"), says("GET"))
    with app_server.database.reading() as session:
        theirs = Leaver.merchant_id == merchant_of(merchant.id, "mer")
        (leaver,) = session.scalars(select(Leaver).where(theirs))
    assert (START, None) == (leaver.opted_out_at, leaver.erased_at)
    assert ana.id not in leaver.visitor_hash
    assert ({"opted_out": False}, {"opted_out": False}) == (says("DELETE"), says("GET"))


def test_who_opts_out_is_named_nowhere_any_more(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    code = ana.share(product, name="Ana of the hills")["code"]
    assert "Ana of the hills" in merchant.public.get(f"/r/{code}").text
    ok(ana.http.post(OPT_OUT, headers=ana.headers))
    assert "Ana of the hills" not in merchant.public.get(f"/r/{code}").text
    assert ok(ana.http.get("/v1/me", headers=ana.headers))["name"] is None


def test_what_is_liked_after_opting_out_can_be_taken_back(merchant: TestMerchant, product: str, ana: Shopper) -> None:
    ana.like(str(merchant.product("Other")["id"]))
    ok(ana.http.post(OPT_OUT, headers=ana.headers))
    liked = ana.like(product)["id"]
    assert 0 == ok(ana.http.delete(f"/v1/likes/{liked}", headers=ana.headers))["likes"]


@pytest.mark.parametrize("token", [None, "vt_forged", "vt_vis_01jq2z.aaaa"])
@pytest.mark.parametrize("method", ["GET", "POST", "DELETE"])
def test_a_token_that_proves_nothing_opts_nobody_out(merchant: TestMerchant, method: str, token: str | None) -> None:
    headers = {} if token is None else {"Grapevine-Visitor": token}
    assert 401 == merchant.public.request(method, OPT_OUT, headers=headers).status_code


def test_who_was_erased_is_somebody_new_wherever_they_come_again(
    app_server: AppServer, merchant: TestMerchant, product: str, ana: Shopper
) -> None:
    signer, number = Signer(SECRET.encode()), merchant_of(merchant.id, "mer")
    gone = new_id("vis", number, START)
    with app_server.database.transaction() as session:
        leaving.erased(session, signer, number, [gone], START)

    def again() -> Shopper:
        return Shopper(merchant.public, issue(signer, gone))

    liker, sharer, agreed = again(), again(), again()
    liked = liker.like(product)
    sharer.share(product)
    agree(agreed, product=product)
    claimer = again()
    claimer.follow(liked["code"])
    who = {each.id for each in (liker, sharer, agreed, claimer)}
    assert (4, False) == (len(who), gone in who)
    assert 401 == merchant.public.post(OPT_OUT, headers=again().headers).status_code
    assert liked["likes"] - 1 == ok(liker.http.delete(f"/v1/likes/{liked['id']}", headers=liker.headers))["likes"]
    assert merchant.order(visitor=gone)["visitor"] is None


def test_the_server_says_that_it_honours_global_privacy_control(app_server: AppServer) -> None:
    answer = httpx.get(f"{app_server.url}/.well-known/gpc.json")
    assert ("application/json", {"gpc": True, "lastUpdate": "2026-11-22"}) == (
        answer.headers["content-type"],
        ok(answer, 200),
    )
