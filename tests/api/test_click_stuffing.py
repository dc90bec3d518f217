"""Somebody has a program open their link all day, and shoppers' browsers too, so that they are the last whom everybody
came through. Seen from outside, over HTTP: by itself that is flagged; a merchant who says so pays nothing for it; and
who passes the word honestly beside it loses nothing."""

import time
from collections.abc import Callable, Iterator
from itertools import count

import pytest

from app import main
from app.referrals.models import Visit
from app.trust.sweep import Sweep
from tests.conftest import AppServer
from tests.shop import JSON, Shopper, TestMerchant, ok

VISITS = 100
"""With so many in ten minutes it is looked how many devices they come from."""
NET = 10_000

_people = count()


@pytest.fixture
def sweep(app_server: AppServer) -> Iterator[Callable[[], None]]:
    """The look that is taken each minute."""
    here = main.assemble(app_server.settings, app_server.clock)
    yield lambda: Sweep(here).minutes(lambda: None)
    here.database.close()


def home() -> str:
    """The address of somebody who comes from where nobody came from before."""
    number = next(_people)
    return f"93.{190 + number // 250}.{number % 250}.9"


def is_seen(server: AppServer, click: str) -> bool:
    with server.database.reading() as session:
        return any(device is not None for (device,) in session.query(Visit.device).where(Visit.visit_id == click))


class World:
    """Ana and Bo pass the word; the cheat has a program."""

    def __init__(self, merchant: TestMerchant, server: AppServer) -> None:
        self.merchant = merchant
        product = str(merchant.product()["id"])
        self.ana, self.bo, self.cheat = (merchant.shopper() for _ in range(3))
        shared = [(who.share(product), who.id) for who in (self.ana, self.bo, self.cheat)]
        self.links = {who: link for link, who in shared}
        warm = time.monotonic() + 20
        while not is_seen(server, self.opens(self.bo, home())):  # the first of a day come before its salt
            assert time.monotonic() < warm
            time.sleep(0.05)

    def opens(self, whose: Shopper, address: str, by: Shopper | None = None) -> str:
        """Somebody's browser, or a program, opens a link, and claims the visit or does not."""
        browser = by or self.merchant.shopper()
        code = self.links[whose.id]["url"].rpartition("/")[2]
        return browser.follow(code, claim=by is not None, **{"X-Forwarded-For": address})

    def stuffs(self, visits: int = VISITS) -> None:
        """The program comes from four addresses."""
        for number in range(visits):
            self.opens(self.cheat, f"93.184.216.{number % 4 + 1}")

    def buys(self, *through: Shopper) -> str:
        """A shopper comes through these, one after the other, and buys; the order's id."""
        buyer, address = self.merchant.shopper(), home()
        for whose in through:
            self.opens(whose, address, buyer)
            self.merchant.clock.move(seconds=20)
        return str(self.merchant.order(NET, visitor=buyer.token)["id"])

    def earned(self, order: str) -> dict[str, int]:
        """What each sharer has of an order."""
        lines = self.merchant.explanation(order)["lines"]
        return {line["sharer"]: line["net"] for line in lines if line["net"]}

    def doubts(self) -> list[JSON]:
        query = {"rule": "click_stuffing"}
        return list(ok(self.merchant.http.get("/v1/doubts", params=query))["data"])

    def rule(self, **says: object) -> None:
        ok(self.merchant.http.put("/v1/rules", json={"rules": {"click_stuffing": says}}))


@pytest.fixture
def world(merchant: TestMerchant, app_server: AppServer) -> World:
    return World(merchant, app_server)


def test_what_a_program_stuffs_is_flagged_and_earns_nothing_once_it_is_refused(
    world: World, sweep: Callable[[], None]
) -> None:
    stolen = [world.buys(world.ana, world.cheat) for _ in range(3)]
    honest = world.buys(world.bo)
    world.stuffs()
    sweep()

    [doubt] = world.doubts()
    assert (world.links[world.cheat.id]["id"], "none") == (doubt["subject"], doubt["effect"])
    assert [{world.cheat.id: NET}] * 3 == [world.earned(order) for order in stolen], "by itself it is only flagged"

    world.rule(do="refuse")
    assert [{world.ana.id: NET}] * 3 == [world.earned(order) for order in stolen]
    assert {world.bo.id: NET} == world.earned(honest)
    assert {world.ana.id: NET} == world.earned(world.buys(world.ana, world.cheat)), "nor does it from then on"
    world.merchant.clock.move(seconds=61)
    world.stuffs(VISITS // 10)
    sweep()
    assert 1 == len(world.doubts()), "it is told once"
    totals = {each["sharer"]: each["net"] for each in world.merchant.report("sharer")["data"] if each["net"]}
    assert {world.ana.id: 4 * NET, world.bo.id: NET} == totals


def test_a_crowd_that_comes_through_an_honest_link_is_no_program(world: World, sweep: Callable[[], None]) -> None:
    world.rule(do="refuse", thresholds={"visits": 20})
    bought = world.buys(world.ana)
    for _ in range(25):
        world.opens(world.ana, home())
    world.stuffs(25)
    sweep()
    assert [world.links[world.cheat.id]["id"]] == [doubt["subject"] for doubt in world.doubts()]
    assert {world.ana.id: NET} == world.earned(bought)


def test_what_browsers_are_made_to_load_unseen_is_no_visit(world: World) -> None:
    buyer, address = world.merchant.shopper(), home()
    world.opens(world.ana, address, buyer)
    code = world.links[world.cheat.id]["url"].rpartition("/")[2]
    hidden = {"X-Forwarded-For": address, "Sec-Fetch-Dest": "image", "User-Agent": "Mozilla/5.0 Chrome/148.0.0.0"}
    page = world.merchant.public.get(f"/r/{code}", headers=hidden)
    assert "clk_" not in page.headers.get("location", "") + page.text
    assert {world.ana.id: NET} == world.earned(str(world.merchant.order(NET, visitor=buyer.token)["id"]))
