"""What tests of the report page share."""

from collections.abc import Iterator

import httpx
import pytest

from tests.api.report_page.looking import Sold, sell
from tests.conftest import AppServer
from tests.shop import TestMerchant


@pytest.fixture
def sold(merchant: TestMerchant) -> Sold:
    return sell(merchant)


@pytest.fixture
def browser(app_server: AppServer) -> Iterator[httpx.Client]:
    """Somebody's browser, which follows where it is sent."""
    headers = {"Origin": app_server.url, "Accept-Language": "en"}
    with httpx.Client(base_url=app_server.url, headers=headers, follow_redirects=True, timeout=30) as client:
        yield client
