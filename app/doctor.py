"""`grapevine doctor`: looks whether all is well, and says what is not. Changes nothing, beside a running server."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cached_property
from typing import Final

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.delivery import backlog
from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.outbox import OutboxRow
from app.kernel.periodic import PeriodicJob
from app.merchants.cli import chosen
from app.orders.reconciliation import runs as reconciliation
from app.referrals import keeping
from app.reports import audit, credit_check
from app.reports.mending import ASIDE, Books
from app.settings import Settings

_APART: Final = timedelta(seconds=5)
"""By which the database's clock and this machine's may differ."""
_LATE: Final = timedelta(minutes=10)
"""After which promised work should have been done, or tried again."""
_MOST: Final = 10
"""Problems of one kind that are told one by one."""

Problems = Iterator[str]


@dataclass(frozen=True)
class Patient:
    """A database that has every migration, and whose books to look at (by number: public id and name)."""

    settings: Settings
    database: Database
    merchants: Mapping[int, tuple[str, str]]

    @cached_property
    def clock(self) -> SystemClock:
        return SystemClock()

    def clocks(self, session: Session) -> Problems:
        if self.database.is_sqlite:
            return
        apart = session.scalars(select(func.clock_timestamp())).one() - self.clock.now()
        if abs(apart) > _APART:
            yield f"this machine's and the database's differ by {abs(apart).total_seconds():.0f} s"

    def promised_work(self, session: Session) -> Problems:
        given_up = select(OutboxRow.topic, func.count()).where(OutboxRow.given_up_at.is_not(None))
        for topic, count in session.execute(given_up.group_by(OutboxRow.topic)):
            yield f"{topic}: {count} given up after many attempts (table outbox, `error` says why)"
        late = select(func.count()).where(OutboxRow.due_at < self.clock.now() - _LATE)
        if waiting := session.scalar(late):
            yield f"{waiting} should have been begun by now: does a worker run?"

    def timetable(self, session: Session) -> Problems:
        for job in session.scalars(select(PeriodicJob).order_by(PeriodicJob.name)):
            if job.error is not None:
                yield f"{job.name}: {job.error}"
            if job.due_at < self.clock.now() - _LATE:
                yield f"{job.name} was due at {job.due_at:%Y-%m-%d %H:%M} UTC: does a worker run?"

    def webhooks(self, session: Session) -> Problems:
        if late := backlog.look(session, self.clock.now()).late:
            yield f"endpoints that should have been told more by now: {late}; does a worker run?"

    def stripe(self, session: Session) -> Problems:
        last = reconciliation.health(session)
        if last.error is not None:
            yield last.error

    def counts(self, merchant_id: int) -> Problems:
        now = self.clock.now()
        beacons_since = keeping.beacons_kept_since(self.settings, now)
        found = Books(self.database, merchant_id, now + ASIDE, beacons_since).compare()
        if found:
            number = len(found.quarters) + len(found.spans)
            yield f"{number} are not those of the facts: `grapevine rollups check` names them, `rebuild` mends them"

    def kept_sums(self, merchant_id: int) -> Problems:
        with self.database.reading() as session:
            wrong = credit_check.forgotten(session, merchant_id)
        if wrong:
            yield f"{len(wrong)} quarters of an hour are not as the ledger has them; they are mended within a day"

    def books(self, merchant_id: int) -> Problems:
        with self.database.reading() as session:
            yield from list(audit.discrepancies(session, merchant_id))

    def notes(self) -> Iterator[str]:
        """What is not wrong with this server, but should be known."""
        with self.database.reading() as session:
            failing = backlog.look(session, self.clock.now()).failing
        if failing:
            yield f"webhook endpoints where nothing arrives: {failing}"
        for merchant_id, (public_id, _) in self.merchants.items():
            with self.database.reading() as session:
                count = audit.waiting(session, merchant_id)
            if count:
                wait = "1 order waits" if count == 1 else f"{count} orders wait"
                yield f"{public_id}: {wait} to be looked at again; until then no totals of credit are compared"


def examine(settings: Settings, merchant: str | None, *, quick: bool) -> bool:
    """Look at everything (`quick`: not at facts), tell it; whether all is well. The database has every migration.

    Raises `AppError` for a merchant that there is not.
    """
    database = Database(settings.database)
    console = Console(highlight=False, soft_wrap=True)
    try:
        with database.reading() as session:
            named = chosen(session, merchant)
        patient = Patient(settings, database, named)
        wrong = [what for what, problems in _findings(patient, quick=quick) if not _tell(console, what, problems)]
        for note in () if quick else patient.notes():
            console.print(f"note   {note}", markup=False)
        return not wrong
    finally:
        database.close()


def _findings(patient: Patient, *, quick: bool) -> Iterator[tuple[str, Sequence[str]]]:
    """What was looked at, and what is wrong with it."""
    yield "database and migrations", ()  # or we would not be here
    of_server: dict[str, Callable[[Session], Problems]] = {
        "clocks": patient.clocks,
        "promised work": patient.promised_work,
        "timetable": patient.timetable,
        "webhooks": patient.webhooks,
        "Stripe's books and ours": patient.stripe,
    }
    for what, look in of_server.items():
        with patient.database.reading() as session:
            problems = list(look(session))
        yield what, problems
    of_merchant: dict[str, Callable[[int], Problems]] = {
        "credit = orders = reports": patient.books,
        "kept sums of credit = ledger": patient.kept_sums,
        "counts = facts": patient.counts,
    }
    if quick:
        return
    for what, look_at in of_merchant.items():
        yield what, [f"{who[0]}: {each}" for number, who in patient.merchants.items() for each in look_at(number)]


def _tell(console: Console, what: str, problems: Sequence[str]) -> bool:
    mark = "[red]wrong[/red]" if problems else "[green]ok[/green]   "
    console.print(f"{mark}  {what}")
    for problem in problems[:_MOST]:
        console.print(f"         {problem}", markup=False)
    if len(problems) > _MOST:
        console.print(f"         and {len(problems) - _MOST} more")
    return not problems
