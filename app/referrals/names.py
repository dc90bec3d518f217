"""What a sharer is called: the one place that says under which name a like or share is shown, if under any.

A name comes with a share, or is chosen later (or taken away) on the sharer's own page; the later of the two counts. It
is never kept as it was: reports of the past show the names of now. Knows the session and the tables, not HTTP.
"""

from datetime import datetime
from typing import Final, NamedTuple, TypeVarTuple

from sqlalchemy import ColumnElement, Select, and_, case
from sqlalchemy.orm import Session

from app.referrals.models import Referral, SharerName

Columns = TypeVarTuple("Columns")


class Chosen(NamedTuple):
    """What a visitor said that they want to be called; None is nothing."""

    name: str | None
    at: datetime


def shown(said: str | None, at: datetime, choice: Chosen | None) -> str | None:
    """The name of a referral that stands: what was `said` with it at that time, or what its visitor chose since. Pure.

    A share that says no name takes none away: then what was chosen holds.
    """
    return said if choice is None or (said is not None and at > choice.at) else choice.name


def shown_name(session: Session, referral: Referral) -> str | None:
    """The name under which this referral may be shown now. None: it was taken back, or nobody wants to be named."""
    if referral.withdrawn_at is not None:
        return None
    found = session.get(SharerName, (referral.merchant_id, referral.visitor_id))
    return shown(referral.name, referral.at, None if found is None else Chosen(found.name, found.at))


def chosen(session: Session, merchant_id: int, visitor_id: str) -> str | None:
    """What the visitor chose last, whatever they said with shares since."""
    found = session.get(SharerName, (merchant_id, visitor_id))
    return None if found is None else found.name


def choose(session: Session, merchant_id: int, visitor_id: str, name: str | None, now: datetime) -> None:
    """From now on the visitor is called so, on all that they ever liked or shared; None: nowhere any more."""
    known = session.get(SharerName, (merchant_id, visitor_id), with_for_update=True)
    if known is None:
        session.add(SharerName(merchant_id=merchant_id, visitor_id=visitor_id, name=name, at=now))
        session.flush()
    else:
        known.name, known.at = name, now


SHOWN: Final[ColumnElement[str | None]] = case(
    (Referral.withdrawn_at.is_not(None), None),
    (SharerName.visitor_id.is_(None), Referral.name),
    (and_(Referral.name.is_not(None), Referral.at > SharerName.at), Referral.name),
    else_=SharerName.name,
)
"""`shown_name`, said in SQL, for statements that are `joined`."""


def joined(query: Select[*Columns]) -> Select[*Columns]:
    """A query of referrals, which may say `SHOWN` of each."""
    same = and_(SharerName.merchant_id == Referral.merchant_id, SharerName.visitor_id == Referral.visitor_id)
    return query.outerjoin_from(Referral, SharerName, same)
