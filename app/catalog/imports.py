"""Bringing in a catalogue: a file is kept in pieces, then read item by item in a job that survives a crash.

Items are saved some to a transaction (kernel/carried_on.py). A bad row is reported and does not lose the others; the
same file twice changes nothing.
"""

import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import BinaryIO

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, SQLAlchemyError
from sqlalchemy.orm import Session

from app.catalog import kept_file, service
from app.catalog.feeds import shopify_csv
from app.catalog.feeds.items import FeedProduct, RowError
from app.catalog.models import Import, Product
from app.catalog.service import Outcome, ProductData, VariantData
from app.kernel import journal
from app.kernel.carried_on import CarriedOn
from app.kernel.clock import Clock
from app.kernel.database import Database, lost_a_race
from app.kernel.errors import NotFound
from app.kernel.ids import merchant_of, new_id
from app.kernel.outbox import ATTEMPTS, Message, Outbox
from app.merchants import service as merchants
from app.merchants.models import Merchant

log = logging.getLogger(__name__)

TOPIC = "catalogue.import"
BATCH = 25
"""Items to a transaction. In SQLite everybody else who writes waits for it, so it is short: some 30 ms."""

MOST_ERRORS = 1000
"""Errors that are told one by one; of more only the number is kept."""

TRIES = ATTEMPTS - 2
"""After so many attempts an import has failed: the outbox still tries often enough to say so."""

Item = FeedProduct | RowError
Reader = Callable[[BinaryIO, str], Iterable[Item]]
READERS: Mapping[str, Reader] = {"shopify_csv": shopify_csv.read}
Progress = Callable[[Import], None]


def start(
    session: Session, outbox: Outbox, merchant_id: int, file_format: str, file: BinaryIO, now: datetime
) -> Import:
    """Keep the file and promise to read it. `file_format` is one of `READERS`."""
    begun = keep(session, merchant_id, file_format, file, now)
    promise(session, outbox, begun)
    return begun


def keep(session: Session, merchant_id: int, file_format: str, file: BinaryIO, now: datetime) -> Import:
    """Keep the file. `file_format` is one of `READERS`."""
    begun = Import(
        merchant_id=merchant_id,
        import_id=new_id("imp", merchant_id, now),
        format=file_format,
        status="queued",
        position=0,
        created=0,
        updated=0,
        unchanged=0,
        failed=0,
        errors=[],
        created_at=now,
    )
    session.add(begun)
    session.flush()
    kept_file.keep(session, merchant_id, begun.import_id, file)
    return begun


def promise(session: Session, outbox: Outbox, begun: Import) -> str:
    """Promise to read the file that was kept; the id of the message under which that is done."""
    return outbox.add(session, begun.merchant_id, TOPIC, {"import_id": begun.import_id})


def get(session: Session, merchant_id: int, import_id: str) -> Import:
    """The import. Raises `NotFound`."""
    found = session.get(Import, (merchant_id, import_id)) if merchant_of(import_id, "imp") == merchant_id else None
    if found is None:
        raise NotFound
    return found


def run(database: Database, clock: Clock, message: Message, progress: Progress = lambda _: None) -> None:
    """The job: bring in what the message names, going on where a crash or another reader left it."""
    import_id = message.payload["import_id"]
    if message.attempt > TRIES:
        with database.transaction() as session:
            state = _locked(session, message.merchant_id, import_id)
            _fail(session, state, clock.now(), f"given up after {TRIES} attempts; what was read until then stands")
        return

    def step(state: Import) -> None:
        message.extend()
        progress(state)

    while bring_in(database, clock, message.merchant_id, import_id, step).finished_at is None:
        message.extend()  # outrun by one whose lease was over, and who stops at its next step: ours is the lease


def bring_in(database: Database, clock: Clock, merchant_id: int, import_id: str, progress: Progress) -> Import:
    """Read the import's file to the end; `progress` is told after each batch.

    Returns the import as it then stands: finished, failed, or neither where another reader got further meanwhile.
    """
    with database.transaction() as session:
        state = _locked(session, merchant_id, import_id)
        merchant = _going_on(session, state, clock.now())
        if merchant is None:
            return state
        state.status = "running"
        currency = merchant.currency
    items = iter(READERS[state.format](kept_file.stream(database, merchant_id, import_id), currency))
    items = itertools.islice(items, state.position, None)
    job = CarriedOn(
        database,
        state.position,
        lambda session: _locked(session, merchant_id, import_id),
        lambda session, state: _going_on(session, state, clock.now()) is not None,
    )
    return job.to_the_end(_Reading(clock, merchant_id, import_id, currency, items, job.write).step, progress)


@dataclass
class _Reading:
    """One reader on its way through the file."""

    clock: Clock
    merchant_id: int
    import_id: str
    currency: str
    items: Iterator[Item]
    write: Callable[[Callable[[Session, Import], None]], Import]

    def step(self) -> Import:
        """Read the next batch and save it, or end the import where there is none; the import as it then stands."""
        line = 1
        try:
            batch = list(itertools.islice(self.items, BATCH))
            line = batch[0].line if batch else line
            return self._saved(batch)
        except Exception as error:
            if isinstance(error, SQLAlchemyError) and not isinstance(error, DataError):
                raise  # the database is away: tried again later, from where it was
            log.exception("import %s cannot be read", self.import_id)
            why = "from here on the file could not be read, by a fault of ours; what stands before was brought in"
            return self.write(lambda session, state: _fail(session, state, self.clock.now(), why, line))

    def _saved(self, batch: Sequence[Item], races: int = 3) -> Import:
        """Save the batch; again, where somebody else saves the same products at this moment: then they are known."""
        try:
            return self.write(lambda session, state: self._save(session, state, batch))
        except DBAPIError as error:
            if not races or not (isinstance(error, IntegrityError) or lost_a_race(error)):
                raise
        return self._saved(batch, races - 1)

    def _save(self, session: Session, state: Import, batch: Sequence[Item]) -> None:
        now = self.clock.now()
        if not batch:
            _end(session, state, now, "finished")
            return
        names = [item.external_id for item in batch if isinstance(item, FeedProduct)]
        known = service.by_external_ids(session, self.merchant_id, names)
        errors, before = list(state.errors), (state.created, state.updated)
        for item in batch:
            if isinstance(item, RowError):
                state.failed += item.fails
                errors.append(_told(item.line, item.field, item.detail))
            else:
                outcome = _save_product(session, known, self.merchant_id, item, self.currency, now)
                setattr(state, outcome.value, getattr(state, outcome.value) + 1)
        state.errors = errors[:MOST_ERRORS]
        state.position += len(batch)
        if before != (state.created, state.updated):
            service.tell(session, self.merchant_id, None, now)


def _locked(session: Session, merchant_id: int, import_id: str) -> Import:
    """The import, which nobody else changes until this transaction ends. Raises `NotFound`."""
    state = session.get(Import, (merchant_id, import_id), with_for_update=True)
    if state is None:
        raise NotFound
    return state


def _going_on(session: Session, state: Import, now: datetime) -> Merchant | None:
    """Whose import it is, where it goes on; that of a merchant who has left ends here."""
    if state.finished_at is not None:
        return None
    try:
        return merchants.get(session, state.merchant_id)
    except NotFound:
        _fail(session, state, now, "the merchant has left")
        return None


def _fail(session: Session, state: Import, now: datetime, why: str, line: int = 1) -> None:
    """End the import before its time, and tell the merchant why, however much was told already."""
    if state.finished_at is None:
        state.errors = [*state.errors[: MOST_ERRORS - 1], _told(line, "file", why)]
        _end(session, state, now, "failed")


def _end(session: Session, state: Import, now: datetime, status: str) -> None:
    state.status, state.finished_at = status, now
    journal.note(session, state.merchant_id, "import.finished", [state.import_id], now)
    kept_file.forget(session, state.merchant_id, state.import_id)


def _told(line: int, field: str, detail: str) -> dict[str, object]:
    return {"line": line, "field": field, "detail": detail}


def _save_product(
    session: Session, known: dict[str, Product], merchant_id: int, item: FeedProduct, currency: str, now: datetime
) -> Outcome:
    if item.published:
        return service.save_among(session, known, merchant_id, _data(item, currency), now)[1]
    hidden = known.get(item.external_id)
    if hidden is None or hidden.withdrawn_at is not None:
        return Outcome.UNCHANGED  # a draft is not shown, and was not
    service.withdraw(hidden, now)
    return Outcome.UPDATED


def _data(item: FeedProduct, currency: str) -> ProductData:
    return ProductData(
        external_id=item.external_id,
        title=item.title,
        description=item.description or "",
        brand=item.brand,
        url=item.url,
        images=item.images,
        tags=tuple(dict.fromkeys(item.tags)),
        variants=tuple(
            VariantData(
                external_id=variant.external_id,
                title=variant.title,
                sku=variant.sku,
                currency=currency,
                price=variant.price_minor,
                compare_at=variant.compare_at_minor,
                stock=variant.stock,
            )
            for variant in item.variants
        ),
    )
