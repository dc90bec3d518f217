"""A change of policy that touches every order: a ledger brought up to date, as the job does it, in this process.

Each order has five touches of its buyer, made over two weeks among all others' touches, through referrals in chains of
three. Under the new policy another touch earns, so each order gets two lines: the taking back and the new one.
"""

import argparse
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from time import perf_counter

import psycopg
from sqlalchemy import insert

from app import migrate
from app.attribution.engine import Model, Policy, policy_to_wire
from app.attribution.models import KeptPolicy
from app.attribution.writing import BATCH, bring_up_to_date
from app.kernel.database import Base, Database, insert_all_new, table_of
from app.kernel.ids import new_id
from app.kernel.statistics import look_at
from app.merchants import service as merchants
from app.orders import history
from app.orders.models import Order
from app.referrals.models import Claim, Referral, Visit
from tests import postgres

ORDERS = 50_000
TOUCHES = 5
_START = datetime(2026, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)
_Row = dict[str, object]


@dataclass(frozen=True)
class Recomputed:
    """Orders in a second, and by how many mebibytes the process grew from the first tenth of them to the last."""

    rate: float
    grew: float


def recomputed(url: str, orders: int = ORDERS) -> Recomputed:
    """Fill the empty database at `url`, then change the policy and bring everything up to date."""
    database = Database(url)
    migrate.upgrade(database)
    merchant_id = _history(database, orders)
    _everything(database, merchant_id, orders)
    with database.transaction() as session:
        policy = policy_to_wire(Policy(model=Model.FIRST_TOUCH))
        session.add(KeptPolicy(merchant_id=merchant_id, name="current", version=2, policy=policy, made_at=_START))
    done = _everything(database, merchant_id, orders)
    database.close()
    return done


def _everything(database: Database, merchant_id: int, orders: int) -> Recomputed:
    """Bring all orders up to date, a batch to a transaction."""
    begin, settled, appended, position, early = perf_counter(), 0, 0, None, 0.0
    while settled < orders:
        with database.transaction() as session:
            rows = history.page(session, merchant_id, after=position, most=BATCH)
            appended += bring_up_to_date(session, merchant_id, [row.order_id for row in rows], _START)
        settled, position = settled + len(rows), rows[-1].order_id
        early = _resident() if settled <= max(orders // 10, BATCH) else early
    assert appended >= orders, "every order gets a line at least"
    return Recomputed(orders / (perf_counter() - begin), _resident() - early)


def _resident() -> float:
    """Mebibytes of memory that this process holds; 0 where the system does not tell."""
    status = Path("/proc/self/status")
    lines = status.read_text("ascii").splitlines() if status.exists() else []
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith("VmRSS:")), 0.0)


def _history(database: Database, orders: int) -> int:
    """A merchant whose referrals came first, then all touches in turn, then the orders. Five touches to a referral."""
    with database.transaction() as session:
        new = merchants.NewMerchant("Vine & Thread", "eur", "Europe/Paris", [], [])
        merchant = merchants.create(session, new, _START).merchant_id
    buyers = [new_id("vis", merchant, _START) for _ in range(orders)]
    referrals = [new_id("ref", merchant, _START) for _ in range(orders)]
    _fill(database, Referral, _referrals(merchant, referrals))
    for place in range(TOUCHES):
        begin = _START + timedelta(days=3 * place)
        ids = [new_id("clk", merchant, begin + number * _SECOND) for number in range(orders)]
        _fill(database, Visit, _visits(merchant, place, ids, referrals, begin))
        _fill(database, Claim, _claims(merchant, ids, buyers, begin))
    _fill(database, Order, _orders(merchant, buyers))
    with database.transaction() as session:
        look_at(session, Referral, Visit, Claim, Order)
    return merchant


def _fill(database: Database, table: type[Base], rows: Iterator[_Row]) -> None:
    while some := list(islice(rows, 5_000)):
        with database.transaction() as session:
            if database.is_sqlite:
                session.execute(insert(table_of(table)), some)
            else:
                insert_all_new(session, table, some)


def _referrals(merchant: int, ids: list[str]) -> Iterator[_Row]:
    for number, referral_id in enumerate(ids):
        yield {
            "merchant_id": merchant,
            "referral_id": referral_id,
            "kind": "share",
            "visitor_id": new_id("vis", merchant, _START),
            "target": "merchant",
            "network": "whatsapp",
            "parent_id": ids[number - 1] if number % 3 else None,
            "at": _START,
            "received_at": _START,
        }


def _visits(merchant: int, place: int, ids: list[str], referrals: list[str], begin: datetime) -> Iterator[_Row]:
    for number, visit_id in enumerate(ids):
        at = begin + number * _SECOND
        yield {
            "merchant_id": merchant,
            "visit_id": visit_id,
            "referral_id": referrals[(number * 7 + place) % len(referrals)],
            "type": "click",
            "at": at,
            "received_at": at,
        }


def _claims(merchant: int, ids: list[str], buyers: list[str], begin: datetime) -> Iterator[_Row]:
    for number, (visit_id, buyer) in enumerate(zip(ids, buyers, strict=True)):
        at = begin + number * _SECOND
        yield {
            "merchant_id": merchant,
            "visit_id": visit_id,
            "claimed_id": visit_id,
            "visitor_id": buyer,
            "at": at,
            "received_at": at,
        }


def _orders(merchant: int, buyers: list[str]) -> Iterator[_Row]:
    for number, buyer in enumerate(buyers):
        at = _START + timedelta(days=14) + number * _SECOND
        yield {
            "merchant_id": merchant,
            "order_id": new_id("ord", merchant, at),
            "external_id": f"order-{number}",
            "source": "api",
            "fingerprint": "",
            "livemode": True,
            "currency": "eur",
            "gross": 9_999 + number,
            "net": 9_999 + number,
            "visitor_id": buyer,
            "at": at,
            "received_at": at,
        }


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.recompute", description=__doc__)
    parser.add_argument("--orders", type=int, default=ORDERS)
    orders = parser.parse_args().orders
    with tempfile.TemporaryDirectory(prefix="grapevine-bench-") as folder:
        print("SQLite", recomputed(f"sqlite:///{folder}/grapevine.db", orders))
    with postgres.running(durable=True) as url:
        with psycopg.connect(f"{url}/postgres", autocommit=True) as connection:
            connection.execute("CREATE DATABASE grapevine")
        print("PostgreSQL", recomputed(f"{url}/grapevine", orders))


if __name__ == "__main__":
    main()
