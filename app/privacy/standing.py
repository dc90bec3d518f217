"""Of whom something may be remembered now: `modes.py`, with what people said before. Knows the tables of those who
left and of those who consented, and no other."""

from collections.abc import Collection
from typing import Any, Final

from sqlalchemy import BigInteger, FromClause, Select, select
from sqlalchemy.orm import Session

from app.kernel.database import id_type
from app.kernel.given import Question
from app.kernel.signing import Signer
from app.privacy import leaving, modes
from app.privacy.leaving import Owned
from app.privacy.models import Consent
from app.privacy.modes import Said, Touchpoint


def remembered(
    session: Session, signer: Signer, touchpoint: Touchpoint, mode: str, visitors: Collection[Owned]
) -> set[Owned]:
    """Those of the visitors (merchant, visitor) who may be kept beside what happened, where all their merchants have
    this `mode` and no browser said no: in two statements at most, and none where it depends on nobody."""
    if not visitors or not modes.might_remember(touchpoint, mode, says_no=False):
        return set()
    left = leaving.left(session, signer, visitors)
    agreed = consented(session, visitors) if mode == modes.CONSENTED else set()
    return {each for each in visitors if modes.remembers(touchpoint, mode, Said(False, each in left, each in agreed))}


def is_remembered(
    session: Session, signer: Signer, touchpoint: Touchpoint, mode: str, merchant_id: int, visitor: str
) -> bool:
    """`remembered`, of one visitor."""
    return bool(remembered(session, signer, touchpoint, mode, [(merchant_id, visitor)]))


def consented(session: Session, visitors: Collection[Owned]) -> set[Owned]:
    """Those of the visitors of whom a receipt stands."""
    return {(merchant, visitor) for merchant, visitor in _CONSENTED.ask(session, set(visitors))}


def _consented(given: FromClause) -> Select[*tuple[Any, ...]]:
    theirs = (
        select(Consent.consent_id)
        .where(
            Consent.merchant_id == given.c.merchant_id,
            Consent.visitor_id == given.c.visitor_id,
            Consent.withdrawn_at.is_(None),
        )
        .exists()
    )
    return select(given.c.merchant_id, given.c.visitor_id).where(theirs)


_CONSENTED: Final = Question(_consented, merchant_id=BigInteger(), visitor_id=id_type(200))
