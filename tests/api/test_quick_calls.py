"""Likes and shares taken at a glance are answered as FastAPI would have answered them, refusals to the word."""

import json

import httpx
import pytest

from tests.shop import TestMerchant

AT_A_GLANCE = "application/json"
BY_FASTAPI = "application/json; charset=utf-8"


@pytest.fixture
def mug(merchant: TestMerchant) -> str:
    return str(merchant.product("Mug")["id"])


def asked(merchant: TestMerchant, path: str, body: bytes, media_type: str, token: str | None = None) -> httpx.Response:
    headers = {"Content-Type": media_type} | ({} if token is None else {"Grapevine-Visitor": token})
    return merchant.public.post(path, content=body, headers=headers)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"null",
        b"[]",
        b'"prod"',
        b"{",
        b"{}",
        b'{"product": 5}',
        b'{"product": ""}',
        b'{"product": "prod_1"}',
        b'{"product": "MUG", "wal": "typo"}',
        b'{"product": "MUG", "wall": "\\u0000"}',
        b'{"product": "MUG", "via": "\\ud800"}',
        b'{"product": "MUG", "via": "' + b"x" * 65 + b'"}',
        b'{"product": "MUG", "network": "carrier-pigeon"}',
        b'{"product": "MUG", "via": NaN}',
        b'{"product": "\xff"}',
        b'{"product": "MUG"} more',
        b"[" * 2000,
    ],
    ids=lambda body: repr(body[:30]),
)
@pytest.mark.parametrize("path", ["/v1/likes", "/v1/shares"])
def test_a_refusal_is_the_same_either_way(merchant: TestMerchant, mug: str, path: str, body: bytes) -> None:
    body = body.replace(b"MUG", mug.encode())
    quick, usual = (asked(merchant, path, body, media_type) for media_type in (AT_A_GLANCE, BY_FASTAPI))
    assert usual.status_code in (400, 404, 422)
    assert (usual.status_code, usual.headers["content-type"]) == (quick.status_code, quick.headers["content-type"])
    assert usual.json() == quick.json()


@pytest.mark.parametrize(
    ("path", "fields"),
    [
        ("/v1/likes", {}),
        ("/v1/likes", {"via": None, "wall": None}),
        ("/v1/shares", {"network": " whatsapp ", "caption": "  so nice é "}),
    ],
    ids=["like", "like-with-nulls", "share"],
)
def test_an_answer_has_the_same_fields_either_way(
    merchant: TestMerchant, mug: str, path: str, fields: dict[str, str | None]
) -> None:
    body = json.dumps({"product": f" {mug} "} | fields).encode()
    first = asked(merchant, path, body, AT_A_GLANCE)
    token = first.json()["visitor"]
    again, usual = (asked(merchant, path, body, media_type, token) for media_type in (AT_A_GLANCE, BY_FASTAPI))
    assert (201, 200, 200) == (first.status_code, again.status_code, usual.status_code)
    assert (usual.json(), usual.headers["content-type"]) == (again.json(), again.headers["content-type"])
    assert usual.json() == {**first.json(), "visitor": None}


def test_a_token_that_is_too_long_is_refused_as_ever(merchant: TestMerchant, mug: str) -> None:
    body = json.dumps({"product": mug}).encode()
    answer = asked(merchant, "/v1/likes", body, AT_A_GLANCE, "vt_" + "x" * 198)
    assert (422, ["Grapevine-Visitor"]) == (answer.status_code, [each["pointer"] for each in answer.json()["errors"]])
    assert asked(merchant, "/v1/likes", body, AT_A_GLANCE, "vt_" + "x" * 197).status_code == 201


def test_a_body_that_is_too_large_is_refused_as_ever(merchant: TestMerchant, mug: str) -> None:
    body = json.dumps({"product": mug, "via": "x" * 1024 * 1024}).encode()
    answer = asked(merchant, "/v1/likes", body, AT_A_GLANCE)
    assert (413, "too_large") == (answer.status_code, answer.json()["code"])


def test_two_members_of_one_name_mean_the_last_either_way(merchant: TestMerchant, mug: str) -> None:
    body = f'{{"product": "prod_1", "product": "{mug}"}}'.encode()
    assert [201, 201] == [asked(merchant, "/v1/likes", body, each).status_code for each in (AT_A_GLANCE, BY_FASTAPI)]
