"""The report page of a simulated shop, behind a server: what there is to look at, and who looks."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import httpx
from playwright.sync_api import Page

from app import main
from app.kernel.database import Database
from tests import simulated
from tests.browser.camera import WANTED
from tests.clock import TestClock
from tests.conftest import AppServer, settings_for
from tests.net import free_port, serving
from tests.shop import JSON, ok
from tests.simulated import World

LONG: Final = replace(simulated.YEAR, merchants=1, facts=120_000, orders=4_200)
"""Worth a picture."""
PLACES: Final = ["overview", "year", "people", "person", "tree", "orders", "order", "door", "no"]


@dataclass(frozen=True)
class Reported:
    """A shop whose reports are looked at."""

    world: World

    @property
    def url(self) -> str:
        return f"{self.world.server.url}/reports"

    @property
    def key(self) -> str:
        return self.world.made.merchants[0].report_key

    def of(self, name: str) -> str:
        """The address of one of `PLACES`."""
        return (
            self.url
            + {
                "overview": "",
                "year": "?period=12m",
                "people": "/sharers",
                "person": f"/sharers/{self._widest(named=True)}?period=12m",
                "tree": f"/trees/{self._root()}?period=12m",
                "orders": "/orders",
                "order": f"/orders/{self._order()}",
                "door": "?next=/reports/orders",
                "no": "/orders/ord_nothing",
            }[name]
        )

    def _told(self, path: str, **query: str) -> JSON:
        headers = {"Authorization": f"Bearer {self.key}"}
        return dict(ok(httpx.get(f"{self.world.server.url}/v1/{path}", params=query, headers=headers, verify=False)))

    def _widest(self, named: bool = False) -> str:
        """Of those who sold most, whoever's word went through most generations; of those with a name, if there are."""
        period = {"from": str(self.world.made.options.first_day), "limit": "60" if WANTED else "5"}
        rows = self._told("sharers", **period)["data"]
        people = [row["sharer"] for row in rows if row["name"] or not named] or [row["sharer"] for row in rows]
        shapes = {person: self._told(f"sharers/{person}/tree", limit="1")["totals"] for person in people}
        return str(max(people, key=lambda person: (shapes[person]["depth"] or 0, shapes[person]["referrals"])))

    def _root(self) -> str:
        """The referral of that person's of which most became."""
        nodes = self._told(f"sharers/{self._widest()}/tree", depth="0")["data"]
        return str(max(nodes, key=lambda node: node["referrals_below"])["referral"])

    def _order(self) -> str:
        """One with much to explain."""
        orders = self._told("reports/orders", limit="100" if WANTED else "5")["data"]
        told = [self._told(f"reports/orders/{order['order']}/attribution") for order in orders]
        return str(max(told, key=lambda each: (len(each["journey"]), len(each["refunds"]), each["net"]))["order"])


@contextmanager
def reported(database_url: str, folder: Path) -> Iterator[Reported]:
    """A simulated shop behind a server; a year of it where pictures are wanted."""
    port, clock = free_port(), TestClock()
    url = f"http://127.0.0.1:{port}"
    settings = settings_for(database_url, folder, public_url=url, jobs=False)
    database = Database(settings.database)
    with serving(main.application(settings, clock), port):
        server = AppServer(url, settings, clock, database)
        yield Reported(simulated.world(server, LONG if WANTED else simulated.TINY))
    database.close()


def sign_in(page: Page, reports: Reported) -> None:
    """As a person does."""
    page.goto(reports.url)
    page.get_by_label("Report key").fill(reports.key)
    page.get_by_role("button", name="Look at the reports").click()
    page.wait_for_url(reports.url)
