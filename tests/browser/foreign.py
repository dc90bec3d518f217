"""Websites that are not ours: pages on an origin of their own, into which a test puts elements."""

from collections.abc import Callable

from playwright.sync_api import BrowserContext, ConsoleMessage, FrameLocator, Page
from starlette.responses import HTMLResponse, Response
from starlette.types import Receive, Scope, Send

from tests.shop import JSON

STRICT = (
    "default-src 'self'; script-src 'self' {api}; connect-src {api}; img-src *; style-src 'self'; "
    "require-trusted-types-for 'script'; trusted-types 'none'"
)
"""The strictest policy that the elements promise to live under (widgets/README.md)."""


class Elsewhere:
    """A website at `origin`, which embeds from the server at `api`. Its pages are written by tests."""

    def __init__(self, origin: str, api: str) -> None:
        self.origin = origin
        self._api = api
        self._pages: dict[str, HTMLResponse] = {}

    def write(self, body: str, path: str | None = None, *, policy: str | None = None, api: str | None = None) -> str:
        """Put `body` after the embed line on a page, and give its address. `{api}` in `policy` is the server, and
        `api` another one to embed from."""
        path = path or f"/page-{len(self._pages)}"
        embed = f'<script type="module" src="{api or self._api}/embed.js"></script>'
        page = f'<!doctype html><html lang="en"><head><title>Elsewhere</title>{embed}</head><body>{body}</body></html>'
        headers = {"Content-Security-Policy": policy.format(api=self._api)} if policy else {}
        self._pages[path] = HTMLResponse(page, headers=headers)
        return self.origin + path

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """ASGI. What nobody wrote is empty, such as the icon that browsers ask for."""
        if scope["type"] == "http":
            await self._pages.get(scope["path"], Response(status_code=204))(scope, receive, send)


def framed(page: Page, site: Elsewhere, body: str, sandbox: str) -> FrameLocator:
    """Show `body` in a frame whose page may only do what `sandbox` says."""
    page.goto(site.write(f'<iframe sandbox="{sandbox}" src="{site.write(body)}" width="900" height="700"></iframe>'))
    return page.frame_locator("iframe")


def wall(wall_id: str, inside: str = "", **attributes: str) -> str:
    """The element of a wall, with a fallback `inside`."""
    return element("wall", wall_id, inside, **attributes)


def product(product_id: str, inside: str = "", **attributes: str) -> str:
    """The element of a product, with a fallback `inside`."""
    return element("product", product_id, inside, **attributes)


def element(kind: str, public_id: str, inside: str, **attributes: str) -> str:
    given = "".join(f' {name}="{value}"' for name, value in ({kind: public_id} | attributes).items())
    return f"<grapevine-{kind}{given}>{inside}</grapevine-{kind}>"


def complaints(context: BrowserContext) -> list[str]:
    """What the browser complains about from now on: errors, failed loads, breaches of a content policy."""
    heard: list[str] = []

    def listen(message: ConsoleMessage) -> None:
        if message.type == "error":
            heard.append(f"{message.text} ({message.location['url']})")

    context.on("console", listen)
    context.on("weberror", lambda failure: heard.append(str(failure.error)))
    return heard


def events(page: Page, name: str) -> Callable[[], list[JSON]]:
    """What the elements tell the page under `name`, on each page that is opened from now on."""
    page.add_init_script(
        f"window.told = []; addEventListener('grapevine-{name}', event => window.told.push(event.detail))"
    )

    def told() -> list[JSON]:
        seen: list[JSON] = page.evaluate("window.told")
        return seen

    return told


def priced(*prices: tuple[int, str]) -> list[JSON]:
    """Variants of these prices."""
    return [{"price": {"amount": amount, "currency": currency}} for amount, currency in prices]
