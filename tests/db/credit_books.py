"""A ledger of credit that is written at random, and questions about it."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from random import Random
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import insert

from app.attribution.marks import mark, quarter_of
from app.attribution.models import CreditLine
from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.ids import new_id
from app.kernel.rollups.tables import QUARTER
from app.merchants import service as merchants
from app.orders.models import Order
from app.reports import credit_reading, ledger
from app.reports.credit_keeping import Keeping
from app.reports.credit_sums import add_up, marked
from app.reports.ledger import Question
from tests.clock import START

DAYS = 45
ZONES = ("UTC", "Europe/Paris", "America/New_York", "Asia/Kathmandu", "Australia/Lord_Howe")
GROUPINGS = (
    *(("network",), ("day",), ("product", "month"), ("week", "sharer"), ("depth",), ("kind", "day")),
    *(("seen_from",), ("wall",), ("shared_to", "week")),
)


class Books:
    """A merchant whose ledger is written at random, straight into the table."""

    def __init__(self, database: Database, chance: Random) -> None:
        self.database = database
        self.chance = chance
        with database.transaction() as session:
            new = merchants.NewMerchant("Vine & Thread", "eur", "Europe/Paris", [], [])
            self.merchant_id = merchants.create(session, new, START).merchant_id
        self.orders: list[tuple[str, datetime]] = []

    def order(self) -> tuple[str, datetime]:
        """An old one, or a new one on some day of the year."""
        if self.orders and self.chance.random() < 0.3:
            return self.chance.choice(self.orders)
        day = self.chance.choice((self.chance.randrange(DAYS), 3, 4))
        at = START - timedelta(days=day, microseconds=self.chance.randrange(QUARTER * 24))
        order_id = new_id("ord", self.merchant_id, at)
        row = {"merchant_id": self.merchant_id, "order_id": order_id, "external_id": order_id, "source": "api"}
        amounts = {"fingerprint": "", "livemode": True, "currency": "eur", "gross": 1, "net": 1}
        with self.database.transaction() as session:
            session.execute(insert(Order), [{**row, **amounts, "at": at, "received_at": at}])
        self.orders.append((order_id, at))
        return order_id, at

    def write(self, orders: int = 1, *, says_so: bool = True) -> None:
        """Lines for some orders, in one transaction, with marks or without."""
        lines = [line for _ in range(orders) for line in self._lines(*self.order())]
        quarters = {quarter_of(line["policy"], line["livemode"], to_micros(line["order_at"])) for line in lines}
        with self.database.transaction() as session:
            session.execute(insert(CreditLine), lines)
            if says_so:
                mark(session, self.merchant_id, quarters, START)

    def add_up_some(self, step: int) -> None:
        """Add up everything, half of what is marked, or nothing, as it is the turn of it."""
        if step % 3 == 1:
            Keeping(self.database).add_up_all()
        elif step % 3 == 2:
            with self.database.transaction() as session:
                for each in self.chance.sample(found := marked(session, None, 500), len(found) // 2):
                    add_up(session, each.ledger, each.starts, each.starts + QUARTER)

    def write_for(self, order: tuple[str, datetime]) -> None:
        """Lines for this order under whatever policies, each with its mark."""
        lines = [line for _ in range(8) for line in self._lines(*order)]
        quarters = {quarter_of(line["policy"], line["livemode"], to_micros(line["order_at"])) for line in lines}
        with self.database.transaction() as session:
            session.execute(insert(CreditLine), lines)
            mark(session, self.merchant_id, quarters, START)

    def _lines(self, order_id: str, at: datetime) -> Iterator[dict[str, Any]]:
        """What moves credit about, and now and then takes away all that was given."""
        chance = self.chance
        policy = chance.choice(("current", "current", "linear"))
        gross = chance.choice((0, 100, 500, -100))
        for sign in (1, -1) if chance.random() < 0.2 else (1,):
            yield {
                "merchant_id": self.merchant_id,
                "credit_id": new_id("crd", self.merchant_id, START),
                "order_id": order_id,
                "policy": policy,
                "policy_version": 1,
                "source": "touch",
                "network": chance.choice(("whatsapp", "x", "email")),
                "sharer": chance.choice(("vis_1", "vis_2", "(house)")),
                "level": chance.choice((0, 1, None)),
                "currency": chance.choice(("eur", "eur", "usd")),
                "gross": sign * gross,
                "reversed": sign * chance.choice((0, 50)),
                "livemode": chance.random() < 0.9,
                "order_at": at,
                "shared_to": chance.choice(("x", None)),
                "seen_from": chance.choice(("x", None)),
                "product": chance.choice(("prod_1", "prod_2", None)),
                "wall": chance.choice(("wall_1", None)),
                "kind": chance.choice(("like", "share", None)),
                "written_at": START,
            }

    def question(self) -> Question:
        chance = self.chance
        grouping = chance.choice(GROUPINGS)
        until = START - timedelta(hours=chance.randrange(24 * 20), seconds=chance.choice((0, 0, 1234)))
        since = until - timedelta(hours=chance.choice((1, 5, 30, 24 * 30)), seconds=chance.choice((0, 1800, 77)))
        columns = [name for name in grouping if name in ledger.COLUMNS]
        filtered = columns[0] if columns else "network"
        values = {
            "network": "x",
            "product": "prod_1",
            "sharer": "vis_1",
            "wall": "(none)",
            "depth": "1",
            "kind": "like",
        }
        return Question(
            merchant_id=self.merchant_id,
            since=since,
            until=until,
            zone=ZoneInfo(chance.choice(ZONES)),
            livemode=chance.random() < 0.8,
            as_of=START,
            currency=chance.choice((None, None, "eur")),
            only={filtered: [values[filtered]]} if filtered in values and chance.random() < 0.3 else {},
            group_by=grouping,
            policy=chance.choice(("current", "current", "linear")),
        )

    def compare(self, question: Question) -> bool:
        """Whether the kept sums answered; if they did, it was the ledger's answer."""
        with self.database.reading() as session:
            kept = credit_reading.answering(session, question)
            if kept is None:
                return False
            totals, rows = ledger.totals(session, question), ledger.grouped(session, question)
        assert (totals, rows) == kept, question
        return True
