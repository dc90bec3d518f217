"""What is asked, as raw HTTP/1.1: each path that is measured, with the answer that it must give."""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime

from tests.bench.load import NUMBER
from tests.bench.servers import Server
from tests.bench.world import World
from tests.shop import BROWSER

_BROWSER_HEADERS = {
    "User-Agent": BROWSER,
    "Accept": "text/html,application/xhtml+xml,*/*;q=0.8",
    "Accept-Language": "en-GB,en;q=0.8",
    "Accept-Encoding": "gzip, deflate, br",
}
ORM = "the usual way: insert with the ORM, 302"


@dataclass(frozen=True)
class Path:
    """One row of the table."""

    name: str
    server: Server
    requests: list[str]
    status: int
    durable: bool = True  # answered after its commit, so it can be compared with the usual way


def bare(server: Server) -> Path:
    """The bare answer, to which all are compared."""
    return Path("a bare answer of 2 KB", server, [_get("/")], 200, durable=False)


def paths(ours: Server, usual: Server, world: World) -> list[Path]:
    """The paths in the order in which each round measures them."""
    key = {"Authorization": f"Bearer {world.secret_key}"}
    likes = [_post("/v1/likes", {"product": product}) for product in world.liked]
    shares = [_post("/v1/shares", {"product": product, "network": "whatsapp"}) for product in world.liked]
    orders = [_post("/v1/orders", _order(click), key) for click in world.clicks]
    return [
        Path("widget payload, warm", ours, [_get(f"/v1/walls/{world.wall}/widget")], 200, durable=False),
        Path("`/r/{code}` to the merchant's page (302)", ours, _follow(world.merchant_codes), 302),
        Path("`/r/{code}` as our hosted page", ours, _follow(world.hosted_codes), 200),
        Path(ORM, usual, _follow(world.merchant_codes), 302),
        Path("like", ours, likes, 201),
        Path("share", ours, shares, 201),
        Path("order with its attribution", ours, orders, 201),
    ]


def _follow(codes: list[str]) -> list[str]:
    return [_get(f"/r/{code}") for code in codes]


def _order(click: str) -> dict[str, object]:
    return {
        "external_id": f"order-{NUMBER.decode()}",
        "placed_at": datetime.now(UTC).isoformat(),
        "currency": "eur",
        "net": 1999,
        "click_id": click,
    }


def _get(path: str) -> str:
    return _request("GET", path, _BROWSER_HEADERS)


def _post(path: str, fields: Mapping[str, object], headers: dict[str, str] | None = None) -> str:
    body = json.dumps(fields)
    more = {"Content-Type": "application/json", "Content-Length": str(len(body))}
    return _request("POST", path, _BROWSER_HEADERS | more | (headers or {})) + body


def _request(method: str, path: str, headers: dict[str, str]) -> str:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"{method} {path} HTTP/1.1\r\nHost: 127.0.0.1\r\n{lines}\r\n"
