"""What can be done with a merchant's keys. Knows the session and its table, not HTTP.

Conflict
├── LastKey      nobody could do everything for the merchant any more
└── TooManyKeys
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import or_, select
from sqlalchemy.orm import Session

from app.kernel.database import take_turn
from app.kernel.errors import Conflict, NotFound
from app.kernel.ids import new_id
from app.kernel.signing import Signer
from app.merchants.keys import KeyKind, is_well_formed, new_key
from app.merchants.models import ApiKey

_PURPOSE = "api-key"


MOST: Final = 100
"""Keys of a merchant's that work at once: they are listed whole."""


class TooManyKeys(Conflict):
    code, title = "too_many_keys", f"{MOST} keys work already"


class LastKey(Conflict):
    code, title = "last_key", "No other key could do everything any more"


@dataclass(frozen=True)
class NewKey:
    """What a key is made as. Without `scopes` it may do all that its kind may; without `expires_at` it does not end;
    `suppressed`: it is shown no small groups."""

    kind: KeyKind
    label: str | None = None
    scopes: Sequence[str] | None = None
    suppressed: bool = False
    expires_at: datetime | None = None


def add(session: Session, signer: Signer, merchant_id: int, new: NewKey, now: datetime) -> tuple[ApiKey, str]:
    """A new key, and its clear text, which exists only in this answer. Raises `TooManyKeys`."""
    if len(working(session, merchant_id, now)) >= MOST:
        raise TooManyKeys("Withdraw those that nobody uses any more.")
    clear = new_key(new.kind)
    key = ApiKey(
        hash=signer.hash(_PURPOSE, clear),
        merchant_id=merchant_id,
        key_id=new_id("key", merchant_id, now),
        kind=new.kind,
        hint=clear[-4:],
        suppressed=new.suppressed,
        label=new.label,
        scopes=None if new.scopes is None else sorted(set(new.scopes)),
        created_at=now,
        expires_at=new.expires_at,
    )
    session.add(key)
    return key, clear


def working(session: Session, merchant_id: int, now: datetime) -> list[ApiKey]:
    """The merchant's keys that work, newest first."""
    query = select(ApiKey).where(
        ApiKey.merchant_id == merchant_id,
        ApiKey.withdrawn_at.is_(None),
        or_(ApiKey.expires_at.is_(None), ApiKey.expires_at > now),
    )
    return list(session.scalars(query.order_by(ApiKey.key_id.desc())))


def hold(session: Session, merchant_id: int, key_id: str, now: datetime) -> ApiKey:
    """The working key of this id; until the transaction ends, nobody else withdraws or rotates one of this merchant's.
    Raises `NotFound`."""
    take_turn(session, f"keys of {merchant_id}")
    key = next((key for key in working(session, merchant_id, now) if key.key_id == key_id), None)
    if key is None:
        raise NotFound
    return key


def withdraw(session: Session, key: ApiKey, now: datetime) -> None:
    """Make a key that is held useless at once. Raises `LastKey`."""
    key.withdrawn_at = now
    _keep_one(session, key.merchant_id, now)


def rotate(
    session: Session, signer: Signer, key: ApiKey, overlap: timedelta, expires_at: datetime | None, now: datetime
) -> tuple[ApiKey, str]:
    """Another key that may do the same, and its clear text; the one that is held works on for no longer than the
    overlap. Raises `LastKey`."""
    kind: KeyKind = "secret" if key.kind == "secret" else "report"
    same = NewKey(kind, key.label, key.scopes, bool(key.suppressed), expires_at)
    made = add(session, signer, key.merchant_id, same, now)
    end = now + overlap
    key.expires_at = end if key.expires_at is None else min(end, key.expires_at)
    _keep_one(session, key.merchant_id, now)
    return made


def find(session: Session, signer: Signer, clear: str, now: datetime) -> ApiKey | None:
    """The working key with this clear text, if it is one of ours.

    Looked up by its keyed hash: how long that takes says nothing of any key, since nobody can choose a hash.
    """
    if not is_well_formed(clear):
        return None
    key = session.get(ApiKey, signer.hash(_PURPOSE, clear))
    works = key is not None and key.withdrawn_at is None and (key.expires_at is None or now < key.expires_at)
    return key if works else None


def _keep_one(session: Session, merchant_id: int, now: datetime) -> None:
    session.flush()
    for key in working(session, merchant_id, now):
        if key.kind == "secret" and key.scopes is None and key.expires_at is None:
            return
    raise LastKey("There must remain a secret key that may do everything and does not expire: make another one first.")
