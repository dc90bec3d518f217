"""Bringing in a catalogue: a file is kept in pieces, then read item by item in a job that survives a crash.

Items are saved a hundred to a transaction together with how far the import got, so a killed import goes on
where it was and counts nothing twice. A bad row is reported and does not lose the others; the same file
twice changes nothing.
"""

import io
import itertools
import logging
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from datetime import datetime
from typing import BinaryIO

from sqlalchemy import delete, insert, select
from sqlalchemy.exc import IntegrityError, OperationalError
from sqlalchemy.orm import Session

from app.catalog import service
from app.catalog.feeds import shopify_csv
from app.catalog.feeds.items import FeedProduct, RowError
from app.catalog.models import Import, ImportChunk
from app.catalog.service import Outcome, ProductData, VariantData
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.errors import NotFound
from app.kernel.ids import merchant_of, new_id
from app.kernel.outbox import Message, Outbox
from app.merchants import service as merchants

log = logging.getLogger(__name__)

TOPIC = "catalogue.import"
CHUNK = 1024 * 1024
BATCH = 100
MOST_ERRORS = 1000
"""Errors that are told one by one; of more only the number is kept."""

Item = FeedProduct | RowError
Reader = Callable[[BinaryIO, str], Iterable[Item]]
READERS: Mapping[str, Reader] = {"shopify_csv": shopify_csv.read}
Progress = Callable[[Import], None]


def start(
    session: Session, outbox: Outbox, merchant_id: int, file_format: str, file: BinaryIO, now: datetime
) -> Import:
    """Keep the file and promise to read it. `file_format` is one of `READERS`."""
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
    for position, content in enumerate(iter(lambda: file.read(CHUNK), b"")):  # one piece in memory at a time
        piece = {"merchant_id": merchant_id, "import_id": begun.import_id, "position": position, "content": content}
        session.execute(insert(ImportChunk).values(piece))
    outbox.add(session, merchant_id, TOPIC, {"import_id": begun.import_id})
    session.flush()
    return begun


def get(session: Session, merchant_id: int, import_id: str) -> Import:
    """The import. Raises `NotFound`."""
    found = session.get(Import, (merchant_id, import_id)) if merchant_of(import_id, "imp") == merchant_id else None
    if found is None:
        raise NotFound
    return found


def run(database: Database, clock: Clock, message: Message) -> None:
    """The job: bring in what the message names, going on where a crash left it."""
    bring_in(database, clock, message.merchant_id, message.payload["import_id"], lambda _: message.extend())


def bring_in(database: Database, clock: Clock, merchant_id: int, import_id: str, progress: Progress) -> Import:
    """Read the import's file to the end; `progress` is told after each batch. Returns the finished import."""
    with database.transaction() as session:
        begun = get(session, merchant_id, import_id)
        if begun.finished_at is not None:
            return begun
        begun.status = "running"
        currency, skip = merchants.get(session, merchant_id).currency, begun.position
    file = io.BufferedReader(_Chunks(database, merchant_id, import_id), CHUNK)
    items = iter(READERS[begun.format](file, currency))
    try:
        for batch in _batches(itertools.islice(items, skip, None)):
            with database.transaction() as session:
                _save(session, get(session, merchant_id, import_id), batch, currency, clock.now())
                state = get(session, merchant_id, import_id)
            progress(state)
    except (OperationalError, IntegrityError):
        raise  # the database is away, or somebody saved the same product: tried again, from where it was
    except Exception:
        log.exception("import %s cannot be read", import_id)
        return _finish(database, merchant_id, import_id, clock.now(), "failed")
    return _finish(database, merchant_id, import_id, clock.now(), "finished")


def _finish(database: Database, merchant_id: int, import_id: str, now: datetime, status: str) -> Import:
    with database.transaction() as session:
        done = get(session, merchant_id, import_id)
        done.status, done.finished_at = status, now
        session.execute(
            delete(ImportChunk).where(ImportChunk.merchant_id == merchant_id, ImportChunk.import_id == import_id)
        )
    return done


def _batches(items: Iterator[Item]) -> Iterator[list[Item]]:
    while batch := list(itertools.islice(items, BATCH)):
        yield batch


def _save(session: Session, state: Import, batch: Sequence[Item], currency: str, now: datetime) -> None:
    errors = list(state.errors)
    for item in batch:
        state.position += 1
        if isinstance(item, RowError):
            state.failed += item.fails
            if len(errors) < MOST_ERRORS:
                errors.append({"line": item.line, "field": item.field, "detail": item.detail})
            continue
        outcome = _save_product(session, state.merchant_id, item, currency, now)
        setattr(state, outcome.value, getattr(state, outcome.value) + 1)
    state.errors = errors


def _save_product(session: Session, merchant_id: int, item: FeedProduct, currency: str, now: datetime) -> Outcome:
    if item.published:
        return service.save(session, merchant_id, _data(item, currency), now)[1]
    known = service.by_external_id(session, merchant_id, item.external_id)
    if known is None or known.withdrawn_at is not None:
        return Outcome.UNCHANGED  # a draft is not shown, and was not
    service.withdraw(known, now)
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


class _Chunks(io.RawIOBase):
    """The kept file as a stream; one piece in memory at a time."""

    def __init__(self, database: Database, merchant_id: int, import_id: str) -> None:
        self._database = database
        self._owner = (merchant_id, import_id)
        self._position = 0
        self._left = b""

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # what BufferedReader gives
        if not self._left:
            self._left = self._next()
        taken = min(len(buffer), len(self._left))
        buffer[:taken], self._left = self._left[:taken], self._left[taken:]
        return taken

    def _next(self) -> bytes:
        with self._database.reading() as session:
            content = session.scalar(
                select(ImportChunk.content).where(
                    ImportChunk.merchant_id == self._owner[0],
                    ImportChunk.import_id == self._owner[1],
                    ImportChunk.position == self._position,
                )
            )
        self._position += 1
        return content or b""
