"""A page elsewhere that passes its visitors' choices on, and what their browsers then ask of the server."""

import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import count

from playwright.sync_api import BrowserContext, Page, Request

from tests.browser import foreign
from tests.browser.foreign import STRICT, Elsewhere
from tests.browser.journeys import wait_for
from tests.shop import TestMerchant, ok

IN_FORCE = 1.2
"""Seconds after which every page is served by a changed setting."""
_numbers = count(1)


def mode(shop: TestMerchant, privacy: str) -> Iterator[None]:
    """Have the merchant keep so much of people, until it is as before."""
    before = ok(shop.http.get("/v1/merchant"))["privacy"]
    for each in (privacy, before):
        ok(shop.http.patch("/v1/merchant", json={"privacy": each}))
        time.sleep(IN_FORCE)
        if each == privacy:
            yield


@dataclass
class Calls:
    """What a browser asks of the server, beside what it shows."""

    sent: list[Request] = field(default_factory=list)

    @classmethod
    def of(cls, context: BrowserContext) -> "Calls":
        calls = cls()
        context.on("request", lambda call: calls.sent.append(call) if call.method in ("POST", "DELETE") else None)
        return calls

    def names(self) -> list[str]:
        """The calls so far, but beacons."""
        paths = [(call.method, call.url.partition("/v1/")[2]) for call in self.sent]
        return [f"{method} {path.partition('/')[0]}" for method, path in paths if path and path != "beacons"]

    def seen_by(self) -> list[bool]:
        """Of each beacon, whether it names a visitor."""
        told = [call.post_data_json or [] for call in self.sent if call.url.endswith("/v1/beacons")]
        return ["visitor" in beacon for beacons in told for beacon in beacons]


@dataclass
class Landing:
    """A page elsewhere with a lamp on it, and the address by which somebody's link leads there."""

    shop: TestMerchant
    site: Elsewhere
    lamp: str
    code: str
    path: str

    def write(self, before: str = "", **attributes: str) -> str:
        """The page's address, without a visit."""
        return self.site.write(before + foreign.product(self.lamp, **attributes), self.path, policy=STRICT)

    def visit(self) -> str:
        """The address with a fresh visit of somebody's link."""
        click = self.shop.shopper().follow(self.code, claim=False)
        return f"{self.site.origin}{self.path}?gv_click={click}"


def landing_of(shop: TestMerchant, site: Elsewhere) -> Landing:
    """A lamp of its own, passed on by somebody."""
    lamp = shop.product("Lamp")["id"]
    return Landing(shop, site, lamp, shop.shopper().share(lamp)["code"], f"/choices-{next(_numbers)}")


def bound(page: Page, address: str) -> bool:
    """Open the address; whether the visit is bound once it is claimed last."""
    with page.expect_response("**/claim") as answered:
        page.goto(address)
    return bool(answered.value.json()["bound"])


def seen_by(page: Page, calls: Calls) -> set[bool]:
    """Whether the page's beacons name a visitor, once it has told what was seen on it, as if it were left."""

    def told() -> list[bool]:
        page.evaluate("dispatchEvent(new Event('pagehide'))")
        return calls.seen_by()

    return set(wait_for(told))


def at_hand(page: Page) -> None:
    """Wait until the page can say what people chose. It is asked again and again: a strict policy forbids to leave a
    condition behind in it."""
    assert wait_for(lambda: page.evaluate("Boolean(window.grapevine?.consent)")), "the module never came"
