"""A merchant straight in the database whose orders, visits and referrals are doubted; and what was told of it."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from sqlalchemy.orm import Session

from app.kernel.clock import to_micros
from app.kernel.database import Database
from app.kernel.events import Events
from app.kernel.outbox import Outbox
from app.merchants.audit import By
from app.trust import changing, doubts
from app.trust.book import Book, Setting, book, usual
from app.trust.doubts import Standing, Verdict
from app.trust.found import About, Found
from app.trust.news import StandingsChanged
from app.trust.rules import RULES, Do
from app.trust.standings import FOR_EVER, Bar, Barred, barred
from tests.clock import TestClock
from tests.db.referring import Shop


def found(subject: str, rule: str = "own_mail", about: About = About.ORDER, **evidence: str | int) -> Found:
    return Found(about, subject, rule, evidence)


@dataclass
class Doubting:
    """The merchant, at a time that only the test moves."""

    database: Database
    clock: TestClock = field(default_factory=TestClock)
    heard: list[StandingsChanged] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.shop = Shop(self.database)
        self.merchant = self.shop.merchant
        self.events = Events(Outbox(self.clock))
        self.events.on(StandingsChanged, "heard", self._hear)

    def _hear(self, _: Session, told: StandingsChanged) -> None:
        self.heard.append(told)

    def told(self) -> list[StandingsChanged]:
        """What was told since this was asked last."""
        said = list(self.heard)
        self.heard.clear()
        return said

    def record(self, *what: Found) -> int:
        with self.database.transaction() as session:
            return doubts.record(session, self.events, self.merchant, what, self.clock.now())

    def raised(self, what: Found) -> str:
        """The new doubt's id."""
        assert self.record(what) == 1
        return max(self.standings())

    def decide(self, doubt_id: str, verdict: Verdict, note: str | None = None, key: str = "key_1") -> bool:
        by = By(self.merchant, key, self.clock.now())
        with self.database.transaction() as session:
            return doubts.decide(session, self.events, by, doubt_id, verdict, note, self.clock.now())

    def rules(self, **dos: Do) -> None:
        """Let rules do this, and all others as usual."""
        self.put({code: usual(RULES[code])._replace(do=do) for code, do in dos.items()})

    def put(self, said: Mapping[str, Setting]) -> None:
        by = By(self.merchant, "key_1", self.clock.now())
        with self.database.transaction() as session:
            changing.put(session, self.events, by, Book(dict(said)), self.clock.now())

    def book(self) -> Book:
        with self.database.reading() as session:
            return book(session, self.merchant)

    def barred(self, known_by: datetime | None = None, **subjects: list[str]) -> Barred:
        by = FOR_EVER if known_by is None else to_micros(known_by)
        with self.database.reading() as session:
            return barred(session, self.merchant, known_by=by, **subjects)

    def bar(self, order: str, known_by: datetime | None = None) -> Bar | None:
        """What stands against an order."""
        return self.barred(known_by, orders=[order]).orders.get(order)

    def effect(self, order: str, known_by: datetime | None = None) -> str | None:
        held = self.bar(order, known_by)
        return None if held is None else held.effect

    def standings(self) -> dict[str, Standing]:
        """All doubts as they stand, by id."""
        with self.database.reading() as session:
            return {row[0].doubt_id: Standing(*row) for row in session.execute(doubts.all_of(self.merchant))}

    def verdicts(self, doubt_id: str) -> list[tuple[str, str, str | None]]:
        """All that was decided, in order: verdict, effect, note."""
        with self.database.reading() as session:
            doubt = doubts.get(session, self.merchant, doubt_id).doubt
            return [(each.verdict, each.effect, each.note) for each in doubts.decisions_about(session, doubt)]

    def later(self, seconds: int = 60) -> datetime:
        """Let time pass; the moment just before that."""
        before = self.clock.now()
        self.clock.move(seconds=seconds)
        return before
