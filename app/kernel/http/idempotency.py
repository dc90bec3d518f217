"""`Idempotency-Key`: an answer is given again for 24 hours instead of the work being done again (api.md).

Kept in the same transaction as the effect, so there is no moment in which one exists without the other.
"""

import json
import threading
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from sqlalchemy import BigInteger, Index, LargeBinary, String, delete, select
from sqlalchemy.orm import Mapped, Session, mapped_column

from app.kernel.database import Base, Database, id_type
from app.kernel.errors import IdempotencyConflict, InProgress

KEPT_FOR = timedelta(hours=24)


class KeptAnswer(Base):
    """An answer that was given under an Idempotency-Key. `merchant_id` is 0 for the operator's calls."""

    __tablename__ = "idempotency_answers"
    __table_args__ = (Index("ix_idempotency_answers_at", "at"),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    owner: Mapped[str] = mapped_column(id_type(80), primary_key=True)  # key, or visitor of a public call
    path: Mapped[str] = mapped_column(id_type(300), primary_key=True)
    key: Mapped[str] = mapped_column(id_type(255), primary_key=True)
    fingerprint: Mapped[str] = mapped_column(String(64))  # SHA-256 of the body
    status: Mapped[int]
    body: Mapped[bytes] = mapped_column(LargeBinary)
    media_type: Mapped[str] = mapped_column(String(80))
    at: Mapped[datetime]


@dataclass(frozen=True)
class Owner:
    """Who may be given an answer again: a key, or a merchant's visitor."""

    merchant_id: int
    name: str


@dataclass(frozen=True)
class Attempt:
    """One request under an Idempotency-Key."""

    owner: Owner
    path: str
    key: str
    fingerprint: str

    def kept(self, session: Session, now: datetime) -> KeptAnswer | None:
        """The answer that was given before, if any. Raises `IdempotencyConflict` for another body."""
        identity = (self.owner.merchant_id, self.owner.name, self.path, self.key)
        kept = session.get(KeptAnswer, identity)
        if kept is None:
            return None
        if kept.at < now - KEPT_FOR:
            session.delete(kept)
            session.flush()
            return None
        if kept.fingerprint != self.fingerprint:
            raise IdempotencyConflict
        return kept

    def keep(self, session: Session, now: datetime, status: int, body: bytes, media_type: str) -> None:
        """Keep this answer in the caller's transaction."""
        session.add(
            KeptAnswer(
                merchant_id=self.owner.merchant_id,
                owner=self.owner.name,
                path=self.path,
                key=self.key,
                fingerprint=self.fingerprint,
                status=status,
                body=body,
                media_type=media_type,
                at=now,
            )
        )
        session.flush()


class InFlight:
    """The attempts being worked on in this process; a second one at the same time is told to ask again."""

    def __init__(self) -> None:
        self._guard = threading.Lock()
        self._attempts: set[tuple[Owner, str, str]] = set()

    @contextmanager
    def only(self, attempt: Attempt) -> Iterator[None]:
        """Raises `InProgress` when the same attempt is under way."""
        mark = (attempt.owner, attempt.path, attempt.key)
        with self._guard:
            if mark in self._attempts:
                raise InProgress
            self._attempts.add(mark)
        try:
            yield
        finally:
            with self._guard:
                self._attempts.discard(mark)


def forget_old(session: Session, now: datetime) -> None:
    """Clear away the answers older than a day."""
    session.execute(delete(KeptAnswer).where(KeptAnswer.at < now - KEPT_FOR))


def forget_of(database: Database, merchant_id: int, names: Collection[str]) -> None:
    """Clear away the answers that were given to these, and those to others in which they are named."""
    written = [json.dumps(name, ensure_ascii=False).encode() for name in names]
    mine = select(KeptAnswer.owner, KeptAnswer.path, KeptAnswer.key, KeptAnswer.body)
    mine = mine.where(KeptAnswer.merchant_id == merchant_id)
    with database.reading() as session:
        found = [
            (merchant_id, owner, path, key)
            for owner, path, key, body in session.execute(mine, execution_options={"yield_per": 200})
            if owner in names or any(each in body for each in written)
        ]
    with database.transaction() as session:
        for place in found:
            if (kept := session.get(KeptAnswer, place)) is not None:
                session.delete(kept)
