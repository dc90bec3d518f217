"""The part about reports over much that happened: worlds of the simulation behind the real server, asked over HTTP."""

import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from datetime import UTC, datetime, timedelta
from itertools import zip_longest
from statistics import median

import httpx
from sqlalchemy import text

from app import migrate
from app.kernel.database import Database
from app.kernel.signing import Signer
from app.reports.credit_keeping import Keeping
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
"""So often; once more before, which is told by itself."""
KEPT = "half-lives"
"""The name of the policy that is kept computed beside the one in force."""
_POLICY = {"model": "time_decay", "upline": {"mode": "geometric"}}
PATIENCE = 1800.0
"""Seconds until a policy must be computed for all orders, and until all must be added up."""

FUNNELS: Mapping[str, Mapping[str, str]] = {
    "funnel, in all": {},
    "funnel by network": {"group_by": "network"},
    "funnel by product": {"group_by": "product"},
    "funnel by day": {"group_by": "day"},
}
CREDITS: Mapping[str, Mapping[str, str]] = {
    "attribution by network": {"group_by": "network"},
    "attribution by product": {"group_by": "product"},
    "attribution by sharer, the first 100": {"group_by": "sharer", "limit": "100"},
    "attribution by sharer, all": {"group_by": "sharer"},
    "attribution by network and day": {"group_by": "network,day"},
}


def section(ground: Ground) -> str:
    """The table: each report on each kind of database at each size."""
    scale = ground.scale
    sizes = list(zip_longest(scale.millions, scale.orders[: len(scale.millions)], fillvalue=scale.orders[-1]))
    rows = [
        row for millions, orders in sizes for kind in ground.kinds for row in _on(ground, kind, millions, int(orders))
    ]
    head = table(["a year's report, over HTTP", "rows", "first ms", "median ms", "most ms", "wanted", ""], rows)
    asked = (
        f"--millions {' '.join(f'{each:g}' for each, _ in sizes)} --orders {' '.join(f'{each:g}' for _, each in sizes)}"
    )
    return f"{_HOW.format(asked=asked)}\n\n{head}"


_HOW = (
    "Made by `python -m tests.bench --part reports {asked}`. Each report is asked of a server that was just started,"
    f" for the first time, and then {ASKED} times more. What is shown has its price: a row without a target shows"
    " each of tens of thousands of people."
)


def _on(ground: Ground, kind: Kind, millions: float, orders: int) -> Iterator[list[str]]:
    facts = max(1_000, round(millions * 1_000_000))
    where = f"{kind.name}, {millions:g} million facts, {orders:,} orders"
    url = kind.fresh(f"reports-{facts}")
    shop, rows = prepared(ground, url, facts, orders, where)
    yield from rows
    yield from shown(ground, url, shop, where)
    if kind.is_sqlite:  # the next is larger
        for file in ground.folder.rglob(f"reports-{facts}.db*"):
            file.unlink()


def prepared(ground: Ground, url: str, facts: int, orders: int, where: str) -> tuple[Opened, Sequence[list[str]]]:
    """A shop of which everything is added up, and has been compared by a server; another policy is kept. Beside it
    rows of how long that took."""
    ground.say(f"reports: making {where}")
    begin = time.perf_counter()
    shop = made(url, facts, orders, ground.scale.days)
    took, most = time.perf_counter() - begin, A_MILLION * facts / 1_000_000
    wanted = f"a million a minute: {most:g} s"
    rows = [[f"{where}: made in", "", "", f"{took:.0f} s", "", wanted, verdict(took < most)]]
    with closing(Database(url)) as database:
        ground.say(f"reports: adding up {where}, made in {took:.0f} s")
        rows += [[f"{where}: credit added up in", "", "", f"{added_up(database):.0f} s", "", "", ""]]
        with servers.grapevine(ground.cores, url, ground.folder) as server:
            ground.say(f"reports: having another policy kept over {where}")
            keep_a_policy(server, shop)
            added_up(database)
            ground.say(f"reports: waiting for the first looks of the server at {where}")
            settled(database)
    return shop, rows


def shown(ground: Ground, url: str, shop: Opened, where: str) -> Iterator[list[str]]:
    """How long the reports take, asked of a server that has just been started."""
    with servers.grapevine(ground.cores, url, ground.folder) as server:
        yield from _asked(ground, server, shop, where, {**FUNNELS, **CREDITS})
        kept = {f"{name}, a kept policy": {**asked, "policy": KEPT} for name, asked in CREDITS.items()}
        yield from _asked(ground, server, shop, where, kept)


def added_up(database: Database) -> float:
    """Seconds until this process has added up what was written; the server's own thread would rest in between."""
    begin = time.perf_counter()
    Keeping(database).add_up_all()
    return time.perf_counter() - begin


def settled(database: Database, patience: float = PATIENCE) -> None:
    """Wait until what was written is added up by the server's own threads, and its first looks are over.

    Raises `TimeoutError` saying what is left.
    """
    deadline = time.monotonic() + patience
    while True:
        with database.reading() as session:
            left = {what: session.scalar(text(query)) for what, query in _LEFT.items()}
        if not any(left.values()):
            return
        if time.monotonic() > deadline:
            told = ", ".join(f"{count:,} {what}" for what, count in left.items() if count)
            raise TimeoutError(f"after {patience:g} s there are still {told}")
        time.sleep(1)


_LEFT: Mapping[str, str] = {
    "quarters of credit to add up": "SELECT count(*) FROM credit_marks",
    "counts to fold": "SELECT count(*) FROM rollup_deltas",
    "merchants whose counts were not compared with their facts": "SELECT count(*) FROM merchants WHERE merchant_id NOT"
    " IN (SELECT merchant_id FROM rollup_checks WHERE compared_at IS NOT NULL)",
    "periodic jobs that were never done": "SELECT count(*) FROM periodic_jobs WHERE finished_at IS NULL"
    " AND error IS NULL",
}


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
        deadline = time.monotonic() + PATIENCE
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
            (first, *took), rows = _took(http, path, {"from": since, **asked})
            everybody = asked.get("group_by") == "sharer" and "limit" not in asked
            wanted, holds = ("", "") if everybody else (f"under {QUICK * 1000:g} ms", verdict(median(took) < QUICK))
            figures = (f"{rows:,}", *map(milliseconds, (first, median(took), max(took))))
            ground.say(f"reports: {where}: {name}: {', '.join(figures)}")
            yield [f"{where}: {name}", *figures, wanted, holds]


def _took(http: httpx.Client, path: str, asked: Mapping[str, str]) -> tuple[Sequence[float], int]:
    """Seconds that each of the answers took, and how many rows there were."""
    took = []
    for _ in range(ASKED + 1):
        begin = time.perf_counter()
        answer = http.get(path, params=dict(asked))
        took.append(time.perf_counter() - begin)
        answer.raise_for_status()
    return took, len(answer.json()["data"])


def _as(server: Server, key: str) -> httpx.Client:
    return httpx.Client(base_url=server.url, headers={"Authorization": f"Bearer {key}"}, timeout=120)
