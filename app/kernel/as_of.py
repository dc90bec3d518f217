"""Up to when all is known that was written of a merchant: what a report may say that it is as of.

What reports keep by when it was known is written with a time that is read before its commit. So whoever writes says
first that it does, and since when, where everybody sees it before the commit; whoever reports asks for that, after
its own time was read and before its view is opened (docs/decisions/0027-as-of.md). Nobody waits in order to write.

Knows no table. On PostgreSQL it is said by a lock that hinders nobody and ends with the transaction; on SQLite, which
has one writer at a time, by a locked file beside the database, which the system lets go where a process is killed.
"""

import logging
import os
import sys
import zlib
from collections.abc import Callable, Collection
from datetime import datetime, timedelta
from time import monotonic, sleep
from typing import Final, NamedTuple

from sqlalchemy import URL, event, text
from sqlalchemy.orm import Session, SessionTransaction

from app.kernel.clock import Clock, from_micros, to_micros
from app.kernel.database import Database

log = logging.getLogger(__name__)

PATIENCE: Final = 0.5
"""Seconds for which a report waits for writers to end: that is how long a batch takes. Then it is as of before them."""
_BETWEEN: Final = 0.003
"""Seconds until it looks again, at first; then twice as long each time, up to `_MOST_BETWEEN`."""
_MOST_BETWEEN: Final = 0.05
_FILE_WITHIN: Final = 1.0
"""Seconds: whoever looks has the file for a moment; no sale waits for a stranger who keeps it."""

_TICK: Final = timedelta(microseconds=1)
_MILLISECOND: Final = 1000
_ROUND: Final = 2**32
"""Milliseconds, of which a lock's number shows what is left after so many: fifty days."""

_SUFFIX: Final = "-writing"
_SAID: Final = "written as of"
_HOLD = text("SELECT pg_advisory_xact_lock_shared(CAST(:whose AS integer), CAST(:since AS integer))")
_HELD = text(
    "SELECT CAST(classid AS bigint), CAST(objid AS bigint) FROM pg_locks WHERE locktype = 'advisory' AND objsubid = 2"
    " AND database = (SELECT oid FROM pg_database WHERE datname = current_database())"
)


class Writer(NamedTuple):
    """Whose facts somebody is writing, and since when (microseconds since 1970). None: perhaps anybody's."""

    whose: int | None
    since: int


Writers = Collection[Writer]


def writing_now(session: Session, merchant_id: int, clock: Clock) -> datetime:
    """The time at which what this transaction writes of the merchant counts as known: no report is as of that, or
    later, until the transaction has ended."""
    said: set[int | None] = session.info.setdefault(_SAID, set())
    if session.get_bind().dialect.name == "sqlite":
        if None not in said:
            said.add(None)
            _say_in_file(session, clock)
    elif merchant_id not in said:
        _say_by_lock(session, merchant_id, clock.now())
        if not session.in_nested_transaction():  # a lock that is taken in a savepoint is let go where that is undone
            said.add(merchant_id)
    return clock.now()


def writers(database: Database, now: datetime) -> Writers:
    """Who writes at this moment. `now` was read before, and a view that is opened after shows what all others wrote.

    In no view: PostgreSQL would open it before it looks who holds what.
    """
    if database.is_sqlite:
        return _said_in_file(_file_of(database.url))
    with database.straight() as line:
        return [Writer(whose, _since(left, to_micros(now))) for whose, left in line.execute(_HELD)]


def known(by: Writers, merchant_id: int, now: datetime) -> datetime:
    """Up to when all of the merchant's is known beside these writers: `now`, or just before the first of them."""
    whose = _whose(merchant_id)
    begun = [each.since for each in by if each.whose in (None, whose)]
    return min(now, from_micros(min(begun)) - _TICK) if begun else now


def waited_for(look: Callable[[], Writers], merchant_id: int, now: datetime) -> datetime:
    """The same, after those who write of the merchant have had a moment to end; so whoever was answered a moment ago
    finds what they told. `look` says who writes."""
    deadline, pause = monotonic() + PATIENCE, _BETWEEN
    while (found := known(look(), merchant_id, now)) < now and monotonic() < deadline:
        sleep(pause)
        pause = min(2 * pause, _MOST_BETWEEN)
    return found


def _whose(merchant_id: int) -> int:
    """A number that others, who use such locks in the same database, hardly have. Two merchants with the same one may
    wait for each other's writers, and be as of before them; that is all."""
    return zlib.crc32(f"writes of merchant {merchant_id}".encode())


def _say_by_lock(session: Session, merchant_id: int, since: datetime) -> None:
    left = to_micros(since) // _MILLISECOND % _ROUND
    session.execute(_HOLD, {"whose": _signed(_whose(merchant_id)), "since": _signed(left)})


def _since(left: int, now: int) -> int:
    """The moment nearest to `now` of which that is `left`: another machine's clock may be ahead of ours."""
    milliseconds = now // _MILLISECOND
    age = (milliseconds - left) % _ROUND
    return (milliseconds - (age if age < _ROUND // 2 else age - _ROUND)) * _MILLISECOND


def _signed(number: int) -> int:
    """32 bits as PostgreSQL reads them; it shows them unsigned."""
    return number - _ROUND if number >= _ROUND // 2 else number


def _file_of(url: URL) -> str | None:
    """One for a database, whatever links lead to it."""
    return f"{os.path.realpath(url.database)}{_SUFFIX}" if url.database else None


def _say_in_file(session: Session, clock: Clock) -> None:
    """The moment is there before the lock, so whoever finds it locked reads this writer's."""
    session.connection()  # now this is the one that writes, and all before it are known
    path = _file_of(session.get_bind().engine.url)
    if sys.platform == "win32" or path is None:
        return
    try:
        file = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW, 0o600)
        event.listen(session, "after_transaction_end", lambda _, ended: _close(file, ended))
        if os.geteuid() == 0:  # as SQLite does with its own files: who serves need not be root
            owner = os.stat(path.removesuffix(_SUFFIX))
            os.fchown(file, owner.st_uid, owner.st_gid)
        os.pwrite(file, to_micros(clock.now()).to_bytes(8, "big"), 0)
        _lock(file, monotonic() + _FILE_WITHIN)
    except OSError as error:  # no sale fails for it
        log.warning("reports may not see that something is being written: %s", error)


def _lock(file: int, deadline: float) -> None:
    """Others have it only while they look. Raises `BlockingIOError` where somebody keeps it until then."""
    import fcntl

    while True:
        try:
            return fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if monotonic() > deadline:
                raise
        sleep(_BETWEEN)


def _close(file: int, ended: SessionTransaction) -> None:
    if ended.parent is None:
        os.close(file)


def _said_in_file(path: str | None) -> Writers:
    if sys.platform == "win32" or path is None:
        return ()
    import fcntl

    try:
        file = os.open(path, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:  # nobody has written yet
        return ()
    try:
        fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return (Writer(None, int.from_bytes(os.pread(file, 8, 0), "big")),)
    finally:
        os.close(file)
    return ()
