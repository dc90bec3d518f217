"""Who writes too often, or tries keys and codes, is told to come later; whoever looks or follows a link never is."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Any

import httpx
import pytest

from app import main
from tests.clock import TestClock
from tests.conftest import ADMIN_TOKEN, NewDatabase, merchant_at, settings_for
from tests.net import free_port, serving
from tests.shop import BROWSER, JSON, TestMerchant, ok

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")

FEW = {
    "key": "8/minute",
    "visitor": "3/minute",
    "network": "5/minute",
    "beacons": "4/minute",
    "checkouts": "2/minute",
    "wrong_keys": "3/minute",
    "misses": "3/minute",
}
_blocks = count(1)
PAGE = "https://blog.example"


@dataclass(frozen=True)
class Place:
    """A server that lets few through, and a merchant who was made while it let all."""

    url: str
    merchant: TestMerchant
    product: str
    wall: str
    code: str

    def at(self, address: str, **headers: str) -> httpx.Client:
        """Somebody who comes from there: the tests' server believes what a proxy on loopback says."""
        about = {"X-Forwarded-For": address, "User-Agent": BROWSER, **headers}
        return httpx.Client(base_url=self.url, headers=about, timeout=30, verify=False)


@pytest.fixture(scope="module")
def place(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    folder, url = tmp_path_factory.mktemp("few"), new_database("rate-limits")
    given: dict[str, Any] = {"jobs": False, "reconcile": False}
    port, clock = free_port(), TestClock()
    own = f"http://127.0.0.1:{port}"
    with serving(main.application(settings_for(url, folder, public_url=own, rate_limits="off"), clock), port):
        merchant = merchant_at(own, clock, allowed_origins=[PAGE])
        product = merchant.product()["id"]
        wall, code = merchant.wall(product)["id"], merchant.shopper().share(product)["code"]
        merchant.close()
    few = ",".join(f"{name}={rate}" for name, rate in FEW.items())
    settings = settings_for(url, folder, public_url=own, rate_limits=few, **given)
    with serving(main.application(settings, clock), port):
        yield Place(own, merchant, product, wall, code)


@pytest.fixture
def block() -> str:
    """The beginning of addresses of a block that nobody came from before."""
    return f"93.184.{next(_blocks)}"


def is_too_much(answer: httpx.Response, policy: str) -> None:
    """429 as everybody understands it (RFC 6585, 4; draft-ietf-httpapi-ratelimit-headers)."""
    assert answer.status_code == 429, (answer.status_code, answer.text)
    seconds = int(answer.headers["retry-after"])
    assert 1 <= seconds <= 60
    most = FEW[policy].partition("/")[0]
    assert f'"{policy}";q={most};w=60' == answer.headers["ratelimit-policy"]
    assert f'"{policy}";r=0;t={seconds}' == answer.headers["ratelimit"]


def is_problem(answer: httpx.Response) -> None:
    assert answer.headers["content-type"] == "application/problem+json"
    assert ("too_many_requests", 429) == (answer.json()["code"], answer.json()["status"])
    assert answer.headers["retry-after"] in answer.json()["detail"]


def like(place: Place) -> JSON:
    return {"product": place.product}


def test_a_visitor_writes_so_often_and_is_told_what_is_left(place: Place, block: str) -> None:
    with place.at(f"{block}.1") as http:
        visitor = {"Grapevine-Visitor": ok(http.post("/v1/likes", json=like(place)))["visitor"]}
        answers = [http.post("/v1/likes", json=like(place), headers=visitor) for _ in range(4)]
    assert [200, 200, 200, 429] == [answer.status_code for answer in answers]
    said = [answer.headers["ratelimit"].partition(";t")[0] for answer in answers]
    # One of five was without a token; with 3 of its own, a visitor is the nearer to the end.
    assert ['"network";r=3', '"visitor";r=1', '"visitor";r=0', '"visitor";r=0'] == said
    is_too_much(answers[-1], "visitor")
    is_problem(answers[-1])


def test_neighbours_share_what_their_block_may_write_and_others_do_not(place: Place, block: str) -> None:
    answers = []
    for number in range(6):
        with place.at(f"{block}.{number}") as http:
            answers.append(http.post("/v1/likes", json=like(place)))
    assert [201] * 5 == [answer.status_code for answer in answers[:5]]
    is_too_much(answers[5], "network")
    with place.at(f"93.185.{block.rpartition('.')[2]}.1") as other:
        assert 201 == other.post("/v1/likes", json=like(place)).status_code


def test_one_who_sends_any_key_along_is_no_less_counted(place: Place, block: str) -> None:
    with place.at(f"{block}.1") as http:
        answers = [http.post("/v1/likes", json=like(place), headers={"Authorization": f"Bearer {n}"}) for n in range(6)]
    assert [201] * 5 == [answer.status_code for answer in answers[:5]]
    is_too_much(answers[5], "network")


def test_a_page_of_another_origin_may_read_that_it_is_too_much(place: Place, block: str) -> None:
    with place.at(f"{block}.1", Origin=PAGE) as http:
        answers = [http.post("/v1/likes", json=like(place)) for _ in range(6)]
    assert {PAGE} == {answer.headers["access-control-allow-origin"] for answer in answers}
    is_too_much(answers[-1], "network")


def test_checkouts_which_hold_goods_are_fewer(place: Place, block: str) -> None:
    with place.at(f"{block}.1") as http:
        answers = [http.post("/v1/checkouts", json={"items": []}) for _ in range(3)]
    assert [422, 422] == [answer.status_code for answer in answers[:2]]
    is_too_much(answers[2], "checkouts")


def test_beacons_are_counted_by_block_alone(place: Place, block: str) -> None:
    body = [{"type": "wall_view", "wall": place.wall}]
    with place.at(f"{block}.1", Origin=PAGE) as http:
        answers = [http.post("/v1/beacons", json=body) for _ in range(5)]
        assert 201 == http.post("/v1/likes", json=like(place)).status_code
    assert [202] * 4 == [answer.status_code for answer in answers[:4]]
    is_too_much(answers[4], "beacons")
    is_problem(answers[4])
    assert PAGE == answers[4].headers["access-control-allow-origin"]


def test_a_key_writes_so_often_wherever_it_is_used_and_reads_as_often_as_it_likes(place: Place) -> None:
    operator = {"Authorization": f"Bearer {ADMIN_TOKEN}"}
    with httpx.Client(base_url=place.url, verify=False) as http:
        made = ok(http.post("/v1/merchants", json={"name": "Bo", "currency": "eur"}, headers=operator), 201)
        key = {"Authorization": f"Bearer {made['secret_key']}"}
        answers = [http.post("/v1/products", json={"title": str(n)}, headers=key) for n in range(9)]
        assert [201] * 8 == [answer.status_code for answer in answers[:8]]
        assert '"key";r=7;t=' in answers[0].headers["ratelimit"]
        is_too_much(answers[8], "key")
        is_problem(answers[8])
        again = {"Authorization": f"bearer {made['secret_key']}"}
        is_too_much(http.post("/v1/products", json={"title": "a"}, headers=again), "key")
        reads = [http.get("/v1/products", headers=key) for _ in range(12)]
        assert {200} == {answer.status_code for answer in reads}
        assert not any("ratelimit" in answer.headers for answer in reads)


def test_who_tries_keys_is_stopped_and_a_key_that_was_right_goes_on(place: Place, block: str) -> None:
    """A script gone wrong in an office must not cut off the office."""
    right = {"Authorization": f"Bearer {place.merchant.report_key}"}
    unseen = {"Authorization": f"Bearer {place.merchant.secret_key}"}
    with place.at(f"{block}.1") as http, place.at(f"{block}.2") as neighbour:
        assert 200 == neighbour.get("/v1/sharers", headers=right).status_code
        tried = [http.get("/v1/sharers", headers={"Authorization": f"Bearer rk_{n}"}) for n in range(5)]
        assert [401] * 3 == [answer.status_code for answer in tried[:3]]
        is_too_much(tried[3], "wrong_keys")
        is_problem(tried[4])
        assert 200 == neighbour.get("/v1/sharers", headers=right).status_code
        # What would be right is not told either: nobody learns anything by trying.
        is_too_much(http.get("/v1/products", headers=unseen), "wrong_keys")
        # Shoppers of the block have no key, and go on.
        assert 201 == http.post("/v1/likes", json=like(place)).status_code
    with place.at(f"93.186.{block.rpartition('.')[2]}.1") as other:
        assert 200 == other.get("/v1/products", headers=unseen).status_code


def test_the_form_of_the_report_page_is_no_way_round(place: Place, block: str) -> None:
    with place.at(f"{block}.1", Origin=place.url) as http:
        answers = [http.post("/reports/session", data={"key": f"rk_{n}"}) for n in range(4)]
        assert [403] * 3 == [answer.status_code for answer in answers[:3]]
        is_too_much(answers[3], "wrong_keys")


def test_a_key_beside_the_form_of_the_report_page_is_no_way_round_either(place: Place, block: str) -> None:
    with place.at(f"{block}.1", Origin=place.url) as http:
        keys = [f"Bearer rk_{n}" for n in range(3)] + [f"Bearer {place.merchant.report_key}"]
        answers = [
            http.post("/reports/session", data={"key": f"rk_{n}"}, headers={"Authorization": key})
            for n, key in enumerate(keys)
        ]
        assert [403] * 3 == [answer.status_code for answer in answers[:3]]
        is_too_much(answers[3], "wrong_keys")


def test_asking_what_a_link_looks_like_is_no_way_round(place: Place, block: str) -> None:
    with place.at(f"{block}.1") as http:
        asked = [f"{place.url}/r/{code}" for code in ("zzzzzzzz1", "zzzzzzzz2", "zzzzzzzz3", "zzzzzzzz4", place.code)]
        answers = [http.get("/oembed", params={"url": url}) for url in asked]
        assert [404, 404, 404, 429, 200] == [answer.status_code for answer in answers]
        is_too_much(answers[3], "misses")
        elsewhere = [http.get("/oembed", params={"url": f"{place.url}/w/wall_{n}"}) for n in range(4)]
        assert {404} == {answer.status_code for answer in elsewhere}


@pytest.mark.parametrize("form", ["/r/{}", "/r/{}.svg", "/embed/r/{}"])
def test_who_tries_codes_is_told_so_and_every_link_that_exists_is_followed(place: Place, block: str, form: str) -> None:
    with place.at(f"{block}.1") as http:
        tried = [http.get(form.format(f"zzzzzzzzz{n}")) for n in range(5)]
        assert [404] * 3 == [answer.status_code for answer in tried[:3]]
        is_too_much(tried[3], "misses")
        is_too_much(tried[4], "misses")
        if form.endswith(".svg"):
            is_problem(tried[4])
        else:
            assert b"<html" in tried[4].content, "people read it"
        assert [200] * 5 == [http.get(form.format(place.code)).status_code for _ in range(5)]


def test_who_only_looks_is_never_counted(place: Place, block: str) -> None:
    looks = (
        *(f"/v1/walls/{place.wall}/widget", f"/v1/products/{place.product}/widget", f"/r/{place.code}"),
        *(f"/w/{place.wall}", f"/p/{place.product}", "/embed.js", "/healthz"),
    )
    with place.at(f"{block}.1") as http:
        for path in looks:
            answers = [http.get(path) for _ in range(7)]
            assert {200} == {answer.status_code for answer in answers}, path
            assert not any("ratelimit" in answer.headers for answer in answers)


def test_signed_messages_are_never_turned_away(place: Place, block: str) -> None:
    with place.at(f"{block}.1") as http:
        for path in ("/v1/stripe/webhook", f"/v1/connectors/shopify/{place.merchant.id}"):
            answers = [http.post(path, content=b"{}") for _ in range(12)]
            assert 429 not in {answer.status_code for answer in answers}


@pytest.mark.parametrize("address", ["127.0.0.1", "10.0.0.7", "192.168.0.9", "fd00::7"])
def test_behind_a_proxy_that_nobody_named_no_block_is_one(place: Place, address: str) -> None:
    """Or all shoppers of a server that was set up in haste would be turned away together."""
    with place.at(address) as http:
        assert {201} == {http.post("/v1/likes", json=like(place)).status_code for _ in range(12)}


def test_ipv6_neighbours_share_a_block_of_48_bits(place: Place) -> None:
    answers = []
    for number in range(6):
        with place.at(f"2606:2800:220:{number}::{number}") as http:
            answers.append(http.post("/v1/likes", json=like(place)))
    is_too_much(answers[5], "network")
    with place.at("2606:2800:221::1") as other:
        assert 201 == other.post("/v1/likes", json=like(place)).status_code


def test_a_refusal_is_never_given_again_by_its_idempotency_key(place: Place, block: str) -> None:
    with place.at(f"{block}.1") as http, place.at(f"93.187.{block.rpartition('.')[2]}.1") as other:
        for _ in range(2):
            http.post("/v1/checkouts", json={"items": []})
        key = {"Idempotency-Key": f"k-{block}"}
        assert 429 == http.post("/v1/checkouts", json={"items": []}, headers=key).status_code
        assert 422 == other.post("/v1/checkouts", json={"items": []}, headers=key).status_code
