"""To whom one writes who has found a hole."""

import asyncio
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import pytest

from app import main
from app.settings import Settings, WrongSettings, load
from app.storefront import headers
from tests.clock import START, TestClock
from tests.conftest import settings_for
from tests.shop import TestMerchant


def shown_by(settings: Settings) -> httpx.Response:
    """What a server with these settings answers, which asks no database for it."""

    async def asked() -> httpx.Response:
        transport = httpx.ASGITransport(main.application(settings, TestClock()))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get("/.well-known/security.txt")

    return asyncio.run(asked())


def test_it_names_the_contact_and_does_not_grow_stale(tmp_path: Path) -> None:
    url, contact = f"sqlite:///{tmp_path}/none.db", "mailto:security@shop.example"
    answer = shown_by(settings_for(url, tmp_path, public_url="https://shop.example", security_contact=contact))
    assert (200, "text/plain; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    fields = dict(line.split(": ", 1) for line in answer.text.splitlines())
    assert contact == fields["Contact"]
    assert "https://shop.example/.well-known/security.txt" == fields["Canonical"]
    assert timedelta(days=30) < datetime.fromisoformat(fields["Expires"]) - START < timedelta(days=365)


def test_where_no_contact_is_set_there_is_none(merchant: TestMerchant) -> None:
    answer = merchant.public.get("/.well-known/security.txt")
    assert (404, "not_found") == (answer.status_code, answer.json()["code"])


@pytest.mark.parametrize(
    "contact", ["security@shop.example", "http://shop.example", "mailto:a@b\nContact: c", "https://"]
)
def test_a_contact_that_is_none_stops_the_start(tmp_path: Path, contact: str) -> None:
    with pytest.raises(WrongSettings, match="GRAPEVINE_SECURITY_CONTACT"):
        load(data_dir=tmp_path, security_contact=contact)


def test_where_the_address_is_https_browsers_are_told_to_stay_there() -> None:
    stay = (b"strict-transport-security", b"max-age=31536000")
    for own, said in (("https://shop.example", True), ("http://localhost:8000", False)):
        assert said == (stay in headers.page_headers(headers.REAL_STRIPE, own))
        assert said == (stay in headers.script_free_headers(own))
