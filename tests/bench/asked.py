"""What is asked, as raw HTTP/1.1: each path that is measured, with the answer that it must give and what was wanted."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal

import httpx

from tests.bench.load import NUMBER
from tests.bench.servers import Server
from tests.bench.world import World
from tests.shop import BROWSER

HEADERS = {
    "User-Agent": BROWSER,
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
}
ORM = "the usual way: insert with the ORM, 302"
EVENTS = 20
"""Beacons of one request."""

Of = Literal["of bare", "times the usual way", "a second", "ms at 99 %"]


@dataclass(frozen=True)
class Target:
    """What is wanted of a path: at least `bound`, or of times at most."""

    of: Of
    bound: float

    def __str__(self) -> str:
        if self.of == "ms at 99 %":
            return f"under {self.bound:g} {self.of}"
        return f"{self.bound:,.2f} {self.of}" if self.bound < 1 else f"{self.bound:,.0f} {self.of}"

    def holds(self, reached: float) -> bool:
        return reached < self.bound if self.of == "ms at 99 %" else reached >= self.bound


@dataclass(frozen=True)
class Path:
    """One row of a table."""

    name: str
    server: Server
    requests: Sequence[str]
    status: int
    durable: bool = True  # answered after its commit, so it can be compared with the usual way
    each: int = 1  # so many are done by one request
    wanted: tuple[Target, ...] = ()


def links(ours: Server, usual: Server, world: World) -> list[Path]:
    """What is asked by the thousand."""
    widget = f"/v1/walls/{world.wall}/widget"
    etag = httpx.get(ours.url + widget, headers=HEADERS).headers["etag"]
    share = (Target("of bare", 0.45), Target("times the usual way", 20))
    return [
        Path("widget payload, warm", ours, [get(widget)], 200, durable=False, wanted=(Target("of bare", 0.80),)),
        Path("widget payload, 304 by its ETag", ours, [get(widget, {"If-None-Match": etag})], 304, durable=False),
        Path("`/r/{code}` to the merchant's page (302)", ours, _follow(world.merchant_codes), 302, wanted=share),
        Path(
            "`/r/{code}` as our hosted page", ours, _follow(world.hosted_codes), 200, wanted=(Target("of bare", 0.3),)
        ),
        the_usual_way(usual, world),
    ]


def the_usual_way(usual: Server, world: World) -> Path:
    """What all that is durable is compared with."""
    return Path(ORM, usual, _follow(world.merchant_codes), 302)


def likes(ours: Server, usual: Server, world: World) -> list[Path]:
    """What people do on purpose."""
    key = {"Authorization": f"Bearer {world.secret_key}"}
    shares = [post("/v1/shares", {"product": product, "network": "whatsapp"}) for product in world.liked]
    orders = [post("/v1/orders", _order(click), key) for click in world.clicks]
    quick = (Target("a second", 2500), Target("ms at 99 %", 60))
    return [
        Path("like", ours, like(world), 201, wanted=quick),
        Path("share", ours, shares, 201, wanted=quick),
        Path("order with its attribution", ours, orders, 201),
        the_usual_way(usual, world),
    ]


def beacons(ours: Server, world: World, wanted: float) -> Path:
    """What widgets report of what was seen, as the widget does it."""
    now = datetime.now(UTC).isoformat()
    requests = []
    for number, visitor in enumerate(world.visitors):
        seen = [world.liked[(number + place) % len(world.liked)] for place in range(EVENTS - 1)]
        common = {"wall": world.wall, "at": now, "visitor": visitor}
        cards = [{"type": "card_view", "product": product, **common} for product in seen]
        body = json.dumps([{"type": "wall_view", **common}, *cards], separators=(",", ":"))
        requests.append(_with_body("/v1/beacons", body, {"Content-Type": "text/plain;charset=UTF-8"}))
    name = f"beacons, {EVENTS} to a request: events"
    return Path(name, ours, requests, 202, each=EVENTS, wanted=(Target("a second", wanted),))


def like(world: World) -> list[str]:
    """Each product in turn."""
    return [post("/v1/likes", {"product": product}) for product in world.liked]


def get(path: str, headers: Mapping[str, str] | None = None) -> str:
    return _request("GET", path, {**HEADERS, **(headers or {})})


def post(path: str, fields: Mapping[str, object], headers: Mapping[str, str] | None = None) -> str:
    return _with_body(path, json.dumps(fields), {"Content-Type": "application/json", **(headers or {})})


def _with_body(path: str, body: str, headers: Mapping[str, str]) -> str:
    return _request("POST", path, {**HEADERS, **headers, "Content-Length": str(len(body))}) + body


def _follow(codes: Sequence[str]) -> list[str]:
    return [get(f"/r/{code}") for code in codes]


def _order(click: str) -> dict[str, object]:
    return {
        "external_id": f"order-{NUMBER.decode()}",
        "placed_at": datetime.now(UTC).isoformat(),
        "currency": "eur",
        "net": 1999,
        "click_id": click,
    }


def _request(method: str, path: str, headers: Mapping[str, str]) -> str:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n"
