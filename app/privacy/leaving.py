"""Who left: who opted out, and who had themselves erased. Knows the list of those who left, which names nobody, and no
other table.

The list has a keyed hash of each visitor alone. So whoever holds a visitor's id and the server's secret can ask whether
they left; nobody can read from it who did; and what was put back from an older backup can be asked whom to forget anew.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Final, NamedTuple

from sqlalchemy import BigInteger, FromClause, Select, String, select, update
from sqlalchemy.orm import Session

from app.kernel.database import insert_all_new
from app.kernel.given import Question
from app.kernel.signing import Signer
from app.privacy.models import Leaver

Owned = tuple[int, str]
"""A merchant, and a visitor of theirs."""


class Left(NamedTuple):
    """How a visitor left. Whoever was `erased` is nobody: their token proves nothing any more."""

    opted_out: bool
    erased: bool


def visitor_hash(signer: Signer, merchant_id: int, visitor: str) -> str:
    """What stands for a visitor in the list of those who left: 64 hexadecimal digits, keyed per merchant."""
    return signer.hash(f"leaver:{merchant_id}", visitor)


def left(session: Session, signer: Signer, visitors: Collection[Owned]) -> Mapping[Owned, Left]:
    """Those of the visitors (merchant, visitor) who left, in one statement; whoever did not is not there."""
    hashes = {
        (merchant, visitor_hash(signer, merchant, visitor)): (merchant, visitor) for merchant, visitor in visitors
    }
    found = _LEFT.ask(session, hashes.keys())
    how = ((hashes[merchant, hashed], Left(out is not None, gone is not None)) for merchant, hashed, out, gone in found)
    return {who: left for who, left in how if any(left)}


def opted_out(session: Session, signer: Signer, merchant_id: int, visitors: Collection[str]) -> set[str]:
    """Those of one merchant's visitors of whom nothing may be remembered: who opted out, or were erased."""
    return {visitor for _, visitor in left(session, signer, [(merchant_id, each) for each in visitors])}


def is_erased(session: Session, signer: Signer, merchant_id: int, visitor: str) -> bool:
    """Whether the visitor had themselves erased: nobody is they any more."""
    found = left(session, signer, [(merchant_id, visitor)]).get((merchant_id, visitor))
    return found is not None and found.erased


def opt_out(session: Session, signer: Signer, merchant_id: int, visitor: str, now: datetime) -> Leaver:
    """From now on nothing of the visitor is bound; said again, the first time stands. What stands then."""
    leaver = _locked(session, merchant_id, visitor_hash(signer, merchant_id, visitor))
    leaver.opted_out_at = leaver.opted_out_at or now
    return leaver


def come_back(session: Session, signer: Signer, merchant_id: int, visitor: str) -> None:
    """The visitor no longer opts out; nothing happens where they never did."""
    leaver = session.get(Leaver, (merchant_id, visitor_hash(signer, merchant_id, visitor)), with_for_update=True)
    if leaver is not None:
        leaver.opted_out_at = None


def erased(session: Session, signer: Signer, merchant_id: int, visitors: Collection[str], now: datetime) -> set[str]:
    """Say that these were erased, in the transaction that does it; those who were not before. That nothing is left of
    them is said by `finished`."""
    hashes = {visitor_hash(signer, merchant_id, each): each for each in visitors}
    anew = set()
    for leaver in _all_locked(session, merchant_id, hashes):
        if leaver.erased_at is None:
            leaver.erased_at = now
            anew.add(hashes[leaver.visitor_hash])
        leaver.finished_at = None
    return anew


def finished(session: Session, signer: Signer, merchant_id: int, visitors: Collection[str], now: datetime) -> None:
    """Say that nothing of these is left anywhere."""
    for leaver in _all_locked(session, merchant_id, {visitor_hash(signer, merchant_id, each) for each in visitors}):
        leaver.finished_at = now


def all_finished(session: Session, merchant_id: int, now: datetime) -> None:
    """Say that nothing of any of the merchant's is left, which was looked for."""
    theirs = (Leaver.merchant_id == merchant_id, Leaver.erased_at.is_not(None), Leaver.finished_at.is_(None))
    session.execute(update(Leaver).where(*theirs).values(finished_at=now))


def _locked(session: Session, merchant_id: int, hashed: str) -> Leaver:
    return _all_locked(session, merchant_id, [hashed])[0]


def _all_locked(session: Session, merchant_id: int, hashes: Collection[str]) -> Sequence[Leaver]:
    """All of them, made where they are not there yet; everybody locks in this order."""
    nothing = {"merchant_id": merchant_id, **dict.fromkeys(("opted_out_at", "erased_at", "finished_at"))}
    insert_all_new(session, Leaver, [{**nothing, "visitor_hash": each} for each in sorted(hashes)])
    theirs = select(Leaver).where(Leaver.merchant_id == merchant_id, Leaver.visitor_hash.in_(hashes))
    locked = theirs.order_by(Leaver.visitor_hash).with_for_update()
    return session.scalars(locked, execution_options={"populate_existing": True}).all()


def _left(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Leaver.merchant_id == given.c.merchant_id) & (Leaver.visitor_hash == given.c.visitor_hash)
    told = (Leaver.merchant_id, Leaver.visitor_hash, Leaver.opted_out_at, Leaver.erased_at)
    return select(*told).join_from(given, Leaver, same)


_LEFT: Final = Question(_left, merchant_id=BigInteger(), visitor_hash=String())
