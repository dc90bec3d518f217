"""What machines are shown of a merchant's own page: what it says of itself, read at most once in ten minutes."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import httpx
import pytest
from starlette.types import Receive, Scope, Send

from app import main
from app.storefront.links import page_cards
from tests.clock import TestClock
from tests.conftest import NewDatabase, merchant_at, settings_for
from tests.net import free_port, serving
from tests.shop import TestMerchant
from tests.threads import together

pytestmark = pytest.mark.parametrize("new_database", ["sqlite"], indirect=True, scope="session")
"""Pages are read alike, whatever database is behind."""

BOT = {"User-Agent": "Twitterbot/1.0"}
HEAD = (
    '<title>{title}</title><meta property="og:description" content="Bread"><meta property="og:image" content="/a.png">'
)


@dataclass
class Site:
    """The merchant's own website. `asked` are the paths that were asked for, in order."""

    origin: str
    pages: dict[str, tuple[int, dict[str, str], bytes]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    slow: float = 0.0

    def write(self, path: str, body: str | bytes, status: int = 200, **headers: str) -> str:
        given = {"content-type": "text/html", **{name.replace("_", "-"): value for name, value in headers.items()}}
        self.pages[path] = (status, given, body.encode() if isinstance(body, str) else body)
        return self.origin + path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        self.asked.append(scope["path"])
        if self.slow:
            time.sleep(self.slow)
        status, headers, body = self.pages.get(
            scope["path"], (404, {"content-type": "text/html"}, b"<title>No</title>")
        )
        told = [(name.encode(), value.encode()) for name, value in headers.items()]
        await send({"type": "http.response.start", "status": status, "headers": told})
        await send({"type": "http.response.body", "body": body})


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    port = free_port()
    made = Site(f"http://127.0.0.1:{port}")
    with serving(made, port):
        yield made


@pytest.fixture(scope="module")
def merchant(new_database: NewDatabase, tmp_path_factory: pytest.TempPathFactory, site: Site) -> Iterator[TestMerchant]:
    """A merchant of a server that may read pages on this machine."""
    port, clock = free_port(), TestClock()
    folder: Path = tmp_path_factory.mktemp("cards")
    url = f"http://127.0.0.1:{port}"
    settings = settings_for(
        new_database("page_cards"), folder, public_url=url, jobs=False, outgoing_allow=("127.0.0.0/8",)
    )
    with serving(main.application(settings, clock), port):
        made = merchant_at(url, clock, allowed_origins=[site.origin])
        yield made
        made.close()


def card(merchant: TestMerchant, url: str) -> str:
    share = merchant.shopper().share(None, "x", merchant=merchant.id, url=url)
    return seen(merchant, share["code"])


def seen(merchant: TestMerchant, code: str) -> str:
    answer = merchant.public.get(f"/r/{code}", headers=BOT)
    assert 200 == answer.status_code
    assert f'rel="canonical" href="{merchant.base}/r/{code}"' in answer.text
    return answer.text


def test_a_card_says_what_the_page_says_and_asks_it_once(merchant: TestMerchant, site: Site) -> None:
    url = site.write("/slow", HEAD.format(title="Slow &lt;mornings&gt;"))
    share = merchant.shopper().share(None, "x", merchant=merchant.id, url=url)
    texts = together(*[lambda: seen(merchant, share["code"])] * 6)
    assert 1 == len(set(texts))
    assert '<meta property="og:title" content="Slow &lt;mornings&gt;">' in texts[0]
    assert '<meta property="og:description" content="Bread">' in texts[0]
    assert f'<meta property="og:image" content="{site.origin}/a.png">' in texts[0]
    assert "Slow &lt;mornings&gt;" in card(merchant, url)  # somebody else's share of the same page
    assert 1 == site.asked.count("/slow")


def test_people_never_wait_for_the_page(merchant: TestMerchant, site: Site) -> None:
    url = site.write("/for-people", HEAD.format(title="People"))
    share = merchant.shopper().share(None, "x", merchant=merchant.id, url=url)
    led = merchant.public.get(f"/r/{share['code']}", headers={"User-Agent": "Mozilla/5.0 Firefox/140.0"})
    assert 302 == led.status_code
    assert "/for-people" not in site.asked


@pytest.mark.parametrize(
    ("status", "headers", "body"),
    [
        (404, {}, "<title>Foreign</title>"),
        (500, {}, "<title>Foreign</title>"),
        (200, {"content_type": "application/json"}, "<title>Foreign</title>"),
        (200, {}, "<p>Foreign</p>"),
        (302, {"location": "http://localhost:{port}/foreign"}, ""),
        (302, {"location": "http://169.254.169.254/latest"}, ""),
        (302, {"location": "file:///etc/passwd"}, ""),
        (302, {"location": "/unreadable"}, ""),
    ],
)
def test_a_page_that_cannot_be_read_is_said_in_words(
    merchant: TestMerchant, site: Site, status: int, headers: dict[str, str], body: str
) -> None:
    port = site.origin.rpartition(":")[2]
    site.write("/foreign", "<title>Foreign</title>")  # the same, under a name that is not the merchant's
    site.write("/unreadable", "", 302, location="/unreadable")
    given = {name: value.replace("{port}", port) for name, value in headers.items()}
    url = site.write(f"/unreadable-{status}-{len(site.pages)}", body, status, **given)
    text = card(merchant, url)
    assert '<meta property="og:title" content="Vine &amp; Thread">' in text
    assert "Foreign" not in text
    assert f"127.0.0.1:{port}" in text


def test_the_beginning_of_a_large_page_is_enough(merchant: TestMerchant, site: Site) -> None:
    url = site.write("/large", HEAD.format(title="Large") + "<p>x" * 500_000)
    assert 'og:title" content="Large"' in card(merchant, url)


def test_a_slow_page_holds_nobody_up(merchant: TestMerchant, site: Site) -> None:
    mug = merchant.product()["id"]
    urls = [site.write(f"/slow-{number}", HEAD.format(title="Late")) for number in range(6)]
    shares = [merchant.shopper().share(None, "x", merchant=merchant.id, url=url)["code"] for url in urls]
    site.slow = 1.5

    def timed(ask: Callable[[], str]) -> tuple[str, float]:
        begun = time.monotonic()
        return ask(), time.monotonic() - begun

    def payload() -> str:
        return httpx.get(f"{merchant.base}/v1/products/{mug}/widget", verify=False).text

    try:
        *cards, other = together(
            *(partial(timed, partial(seen, merchant, code)) for code in shares), partial(timed, payload)
        )
    finally:
        site.slow = 0.0
    assert (mug in other[0], True) == (True, other[1] < 1.4)
    assert all(waited < page_cards.PATIENCE + 3 for _, waited in cards)
    assert all("Vine &amp; Thread" in text for text, _ in cards)
