"""Which pages a browser lets read our answers (api.md, Browser calls)."""

from collections.abc import Callable
from pathlib import Path

import httpx
import pytest

from app import main
from tests.clock import TestClock
from tests.conftest import NewDatabase, keys_at, settings_for
from tests.net import free_port, serving
from tests.shop import TestMerchant

NewMerchant = Callable[..., TestMerchant]
BLOG, STRANGER = "https://blog.example", "https://stranger.example"
ALLOWED = "access-control-allow-origin"


@pytest.fixture
def merchant(new_merchant: NewMerchant) -> TestMerchant:
    return new_merchant(allowed_origins=[BLOG])


def like(merchant: TestMerchant, origin: str | None) -> httpx.Response:
    headers = {} if origin is None else {"Origin": origin}
    return merchant.public.post("/v1/likes", json={"product": merchant.product()["id"]}, headers=headers)


def preflight(merchant: TestMerchant, path: str, origin: str) -> httpx.Response:
    headers = {
        "Origin": origin,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type,grapevine-visitor",
    }
    return merchant.public.options(path, headers=headers)


def test_a_listed_origin_may_call(merchant: TestMerchant) -> None:
    answer = like(merchant, BLOG)
    assert (201, BLOG) == (answer.status_code, answer.headers[ALLOWED])
    assert "origin" in answer.headers["vary"].lower()
    assert "access-control-allow-credentials" not in answer.headers


def test_an_unlisted_origin_is_refused_and_nothing_is_written(merchant: TestMerchant) -> None:
    product = merchant.product()["id"]
    body = {"product": product}
    answer = merchant.public.post("/v1/likes", json=body, headers={"Origin": STRANGER})
    assert (403, "origin_not_allowed") == (answer.status_code, answer.json()["code"])
    assert ALLOWED not in answer.headers
    assert 1 == merchant.shopper().like(product)["likes"]


def test_our_own_pages_and_sandboxed_frames_may_call(merchant: TestMerchant) -> None:
    for origin in (merchant.base, "null"):
        answer = like(merchant, origin)
        assert (201, origin) == (answer.status_code, answer.headers[ALLOWED])


def test_calls_without_an_origin_are_served(merchant: TestMerchant) -> None:
    answer = like(merchant, None)
    assert answer.status_code == 201
    assert ALLOWED not in answer.headers


def test_a_star_lets_every_page_call(new_merchant: NewMerchant) -> None:
    answer = like(new_merchant(allowed_origins=["*"]), STRANGER)
    assert (201, STRANGER) == (answer.status_code, answer.headers[ALLOWED])


def test_another_merchants_list_does_not_count(merchant: TestMerchant, new_merchant: NewMerchant) -> None:
    other = new_merchant(allowed_origins=["https://other.example"])
    answer = like(other, BLOG)
    assert answer.status_code == 403
    assert ALLOWED not in answer.headers


def test_a_page_may_read_why_its_call_was_refused(merchant: TestMerchant) -> None:
    answer = merchant.public.post("/v1/likes", json={"product": 5}, headers={"Origin": BLOG})
    assert (422, BLOG) == (answer.status_code, answer.headers[ALLOWED])


def test_a_preflight_of_a_listed_origin_is_granted(merchant: TestMerchant) -> None:
    click = "clk_" + "0" * 30
    for path in ("/v1/likes", "/v1/shares", f"/v1/visits/{click}/claim"):
        answer = preflight(merchant, path, BLOG)
        assert (204, BLOG) == (answer.status_code, answer.headers[ALLOWED])
        assert {"POST", "DELETE"} <= set(answer.headers["access-control-allow-methods"].replace(" ", "").split(","))
        granted = set(answer.headers["access-control-allow-headers"].replace(" ", "").split(","))
        assert {"content-type", "grapevine-visitor"} <= granted
        assert int(answer.headers["access-control-max-age"]) > 0


def test_what_needs_a_key_is_not_called_from_pages(merchant: TestMerchant) -> None:
    assert ALLOWED not in preflight(merchant, "/v1/keys", BLOG).headers


def test_a_preflight_is_granted_to_origins_that_somebody_lists(new_database: NewDatabase, tmp_path: Path) -> None:
    port = free_port()
    own = f"http://127.0.0.1:{port}"
    settings = settings_for(new_database("preflights"), tmp_path, public_url=own)  # in the shared one some list "*"
    asked = (BLOG, "null", own, STRANGER, BLOG + ".evil.example", "http://blog.example")
    with serving(main.application(settings, TestClock()), port), httpx.Client(base_url=own) as http:
        keys_at(own, allowed_origins=[BLOG])
        answers = [
            http.options("/v1/likes", headers={"Origin": origin, "Access-Control-Request-Method": "POST"})
            for origin in asked
        ]
    assert [BLOG, "null", own, None, None, None] == [answer.headers.get(ALLOWED) for answer in answers]
    assert {"Origin"} == {answer.headers["vary"] for answer in answers}


def test_a_widget_may_be_read_by_its_pages(merchant: TestMerchant) -> None:
    wall = merchant.wall(merchant.product()["id"])["id"]
    for origin in (BLOG, merchant.base, "null"):
        answer = merchant.public.get(f"/v1/walls/{wall}/widget", headers={"Origin": origin})
        assert answer.status_code == 200
        assert answer.headers[ALLOWED] in (origin, "*")
