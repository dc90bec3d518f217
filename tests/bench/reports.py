"""The part about reports over much that happened: worlds of the simulation behind the real server, asked over HTTP."""

import time
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from statistics import median

import httpx

from app import migrate
from app.kernel.database import Database
from app.kernel.signing import Signer
from app.simulation.making import simulate
from app.simulation.opening import Opened
from app.simulation.options import Options
from tests.bench import servers
from tests.bench.figures import milliseconds, table, verdict
from tests.bench.ground import Ground, Kind
from tests.bench.servers import SECRET, Server

QUICK = 0.1
"""Seconds in which a report must answer."""
A_MILLION = 60.0
"""Seconds in which a million facts must be made."""
ASKED = 7
"""So often; once more before, and that does not count."""
KEPT = "half-lives"
"""The name of the policy that is kept computed beside the one in force."""
_POLICY = {"model": "time_decay", "upline": {"mode": "geometric"}}
_PATIENCE = 900.0
"""Seconds until a policy must be computed for all orders."""

FUNNELS: Mapping[str, Mapping[str, str]] = {
    "funnel, in all": {},
    "funnel by network": {"group_by": "network"},
    "funnel by product": {"group_by": "product"},
    "funnel by day": {"group_by": "day"},
}
CREDITS: Mapping[str, Mapping[str, str]] = {
    "attribution by network": {"group_by": "network"},
    "attribution by product": {"group_by": "product"},
    "attribution by sharer": {"group_by": "sharer"},
    "attribution by network and day": {"group_by": "network,day"},
}


def section(ground: Ground) -> str:
    """The table: each report on each kind of database at each size."""
    rows = [row for kind in ground.kinds for row in _on(ground, kind)]
    return table(["a year's report, over HTTP", "rows", "median ms", "most ms", "wanted", ""], rows)


def _on(ground: Ground, kind: Kind) -> Iterator[list[str]]:
    for number, millions in enumerate(ground.scale.millions):
        facts = max(1_000, round(millions * 1_000_000))
        orders = ground.scale.orders if number == 0 else facts // 100
        ground.say(f"reports: making {millions:g} million facts on {kind.name}")
        url = kind.fresh(f"reports-{number}")
        begin = time.perf_counter()
        shop = made(url, facts, orders, ground.scale.days)
        took, most = time.perf_counter() - begin, A_MILLION * facts / 1_000_000
        where = f"{kind.name}, {millions:g} million facts, {orders:,} orders"
        yield [f"{where}: made in", "", f"{took:.0f} s", "", f"a million a minute: {most:g} s", verdict(took < most)]
        with servers.grapevine(ground.cores, url, ground.folder) as server:
            yield from _asked(ground, server, shop, where, FUNNELS)
            yield from _asked(ground, server, shop, where, CREDITS)
            ground.say(f"reports: waiting for a kept policy on {kind.name}")
            keep_a_policy(server, shop)
            kept = {f"{name}, a kept policy": {**asked, "policy": KEPT} for name, asked in CREDITS.items()}
            yield from _asked(ground, server, shop, where, kept)


def made(url: str, facts: int, orders: int, days: int) -> Opened:
    """A shop with so much behind it, in the empty database at `url`."""
    database = Database(url)
    migrate.upgrade(database)
    options = Options(until=datetime.now(UTC).date(), merchants=1, facts=facts, orders=orders, days=days)
    shop = simulate(database, Signer(SECRET.encode()), options).merchants[0]
    database.close()
    return shop


def keep_a_policy(server: Server, shop: Opened) -> None:
    """Have another policy computed for all orders, and wait until it is."""
    with _as(server, shop.secret_key) as http:
        put = http.put(f"/v1/policies/{KEPT}", json=_POLICY)
        put.raise_for_status()
        deadline = time.monotonic() + _PATIENCE
        while http.get("/v1/reports/attribution", params={"policy": KEPT}).status_code == 409:
            if time.monotonic() > deadline:
                raise TimeoutError("a policy was not computed in time")
            time.sleep(0.5)


def _asked(
    ground: Ground, server: Server, shop: Opened, where: str, reports: Mapping[str, Mapping[str, str]]
) -> Iterator[list[str]]:
    since = (datetime.now(UTC) - timedelta(days=ground.scale.days)).date().isoformat()
    with _as(server, shop.report_key) as http, ground.cores.on(ground.cores.others):
        for name, asked in reports.items():
            path = "/v1/reports/funnel" if asked in FUNNELS.values() else "/v1/reports/attribution"
            took, rows = _took(http, path, {"from": since, **asked})
            quick = verdict(median(took) < QUICK)
            most = milliseconds(max(took))
            yield [
                f"{where}: {name}",
                f"{rows:,}",
                milliseconds(median(took)),
                most,
                f"under {QUICK * 1000:g} ms",
                quick,
            ]


def _took(http: httpx.Client, path: str, asked: Mapping[str, str]) -> tuple[Sequence[float], int]:
    """Seconds that the answers took, and how many rows there were."""
    took = []
    for _ in range(ASKED + 1):
        begin = time.perf_counter()
        answer = http.get(path, params=dict(asked))
        took.append(time.perf_counter() - begin)
        answer.raise_for_status()
    return took[1:], len(answer.json()["data"])


def _as(server: Server, key: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=120)
