"""A small world in the database of a server: for tests that hold what a report says against what is true."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import httpx

from app.kernel.signing import Signer
from app.simulation import truth
from app.simulation.making import Made, simulate
from app.simulation.opening import Opened
from app.simulation.options import Options
from tests.clock import START
from tests.conftest import SECRET, AppServer
from tests.shop import JSON, ok
from tests.soak import SOAK

UNTIL = START.date()
SMALL = Options(until=UNTIL, seed=11, merchants=2, facts=8_000, days=365, orders=600)
"""A year, with a day of twenty-five hours in it and one of twenty-three."""
TINY = Options(until=UNTIL, seed=3, merchants=1, facts=1_500, days=15, orders=120)
YEAR = Options(until=UNTIL, seed=7, merchants=4, facts=1_000_000, days=365, orders=20_000)
DAY = Options(until=UNTIL, seed=3, merchants=1, facts=3_000, days=1, orders=150)
"""Nobody has been there before, so each buyer came once."""


@dataclass(frozen=True)
class World:
    """A world behind a server, and the truth about it."""

    server: AppServer
    made: Made

    @property
    def merchants(self) -> list[tuple[Opened, truth.Merchant]]:
        return list(zip(self.made.merchants, self.made.truths, strict=True))

    def report(self, merchant: Opened, name: str, **query: str) -> JSON:
        """What a report says; all of the world's time unless asked otherwise."""
        return self.ask(merchant, f"reports/{name}", **query)

    def ask(self, merchant: Opened, path: str, **query: str) -> JSON:
        """What is answered there of all of the world's time, unless asked otherwise."""
        period = {"from": str(self.made.options.first_day), "to": str(self.made.options.until)}
        answer = httpx.get(
            f"{self.server.url}/v1/{path}",
            params={**period, **query},
            headers={"Authorization": f"Bearer {merchant.report_key}"},
            timeout=60,
            verify=False,  # makes no use of certificates, and loads none
        )
        return dict(ok(answer, 200))

    def pages(self, merchant: Opened, path: str, **query: str) -> Iterator[JSON]:
        """What stands on all pages of a list."""
        while True:
            page = self.ask(merchant, path, **query)
            yield from page["data"]
            if page["next_cursor"] is None:
                return
            query["cursor"] = page["next_cursor"]


def year(server: AppServer) -> World:
    """A year behind a server of all tests, made once: small, or large in the long form of the tests."""
    if server.url not in _YEARS:
        _YEARS[server.url] = world(server, YEAR if SOAK else SMALL)
    server.clock.set(START)
    return _YEARS[server.url]


_YEARS: dict[str, World] = {}


def world(server: AppServer, options: Options = SMALL) -> World:
    """Make it. Takes seconds."""
    server.clock.set(START)
    return World(server, simulate(server.database, Signer(SECRET.encode()), options, with_the_word=True))


def day(text: str) -> date:
    return date.fromisoformat(text)
