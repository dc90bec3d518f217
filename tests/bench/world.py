"""What stands on a server while it is measured: two shops, a wall, links that were shared. Made by the API alone."""

from dataclasses import dataclass

import httpx

from tests.bench.servers import ADMIN_TOKEN, Server
from tests.clock import TestClock
from tests.shop import TestMerchant, ok

PRODUCTS = 4
"""Cards of the wall."""
LINKS = 64
LIKED = 200
"""Products that are liked in turn, so that no like has to count all the others."""


@dataclass(frozen=True)
class World:
    """What the load asks for."""

    secret_key: str
    wall: str
    liked: list[str]
    hosted_codes: list[str]  # lead to our own page
    merchant_codes: list[str]  # lead on to the merchant's page
    clicks: list[str]
    visitors: list[str]  # tokens


def make(server: Server, links: int = LINKS, liked: int = LIKED) -> World:
    """Make it. Takes a few seconds."""
    shop, elsewhere = _merchant(server), _merchant(server)
    ok(elsewhere.http.patch("/v1/merchant", json={"landing": "merchant"}))
    mugs = [shop.product(f"Mug {number}", url=f"https://shop.example/mugs/{number}") for number in range(liked)]
    wall = shop.wall(*(mug["id"] for mug in mugs[:PRODUCTS]))
    theirs = elsewhere.product(url="https://shop.example/mugs/1")
    sharers = [shop.shopper() for _ in range(links)]
    hosted = [sharer.share(mugs[0]["id"])["code"] for sharer in sharers]
    onward = [elsewhere.shopper().share(theirs["id"])["code"] for _ in range(links)]
    world = World(
        secret_key=shop.secret_key,
        wall=wall["id"],
        liked=[mug["id"] for mug in mugs],
        hosted_codes=hosted,
        merchant_codes=onward,
        clicks=[shop.shopper().follow(code) for code in hosted],
        visitors=[sharer.token for sharer in sharers if sharer.token is not None],
    )
    shop.close()
    elsewhere.close()
    return world


def _merchant(server: Server) -> TestMerchant:
    answer = httpx.post(
        f"{server.url}/v1/merchants",
        headers={"Authorization": f"Bearer {ADMIN_TOKEN}"},
        json={"name": "Vine & Thread", "currency": "eur"},
    )
    shown = ok(answer, 201)
    return TestMerchant(shown["id"], shown["secret_key"], shown["report_key"], server.url, TestClock())
