"""Counts what was brought in from another system. Whoever calls this holds the merchant's facts.

A touch may come before the referral it names. Then it is counted without, and once more, with what the referral says
and less what was counted before, when that comes.
"""

from collections import Counter
from collections.abc import Collection
from datetime import datetime
from typing import Any, NamedTuple

from sqlalchemy import BigInteger, FromClause, Select, and_, func, select, text
from sqlalchemy.orm import Session

from app.kernel.database import id_type
from app.kernel.given import Question, keys_of
from app.kernel.rollups.appending import Counted, append
from app.referrals import counting
from app.referrals.models import Referral, Visit


class _Brought(NamedTuple):
    """A touch, and what its referral says, where that is known."""

    type: str
    seen_from: str | None
    at: datetime
    shared_to: str | None
    product: str | None
    wall: str | None

    def counted(self, merchant_id: int) -> Counted | None:
        about = (self.shared_to, self.seen_from, self.product, self.wall)
        return counting.of_visit(merchant_id, self.at, self.type, *about)

    def alone(self) -> "_Brought":
        """As it was known before its referral was."""
        return self._replace(shared_to=None, product=None, wall=None)


def count_touches(session: Session, merchant_id: int, visit_ids: Collection[str]) -> None:
    """Count touches that were just written."""
    touches = [_Brought(*row) for row in _TOUCHES.ask(session, keys_of(merchant_id, visit_ids))]
    append(session, Counter(counted for each in touches if (counted := each.counted(merchant_id)) is not None))


def count_referrals(session: Session, merchant_id: int, referral_ids: Collection[str]) -> None:
    """Count likes and shares that were just written, and anew the touches that had come before them."""
    keys = keys_of(merchant_id, referral_ids)
    counts = Counter(counting.of_referral(merchant_id, *row) for row in _REFERRALS.ask(session, keys))
    for touch in (_Brought(*row) for row in _CAME_THROUGH.ask(session, keys)):
        for said, times in ((touch, 1), (touch.alone(), -1)):
            if (counted := said.counted(merchant_id)) is not None:
                counts[counted] += times
    append(session, counts)


_PRODUCT = func.coalesce(Referral.product_id, Referral.told_product)
_WALL = func.coalesce(Referral.wall_id, Referral.told_wall)
_TOUCH = (Visit.type, Visit.seen_from, Visit.at, Referral.network, _PRODUCT, _WALL)
_ITS_REFERRAL = and_(Referral.merchant_id == Visit.merchant_id, Referral.referral_id == Visit.referral_id)


def _touches(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = and_(Visit.merchant_id == given.c.merchant_id, Visit.visit_id == given.c.visit_id)
    return select(*_TOUCH).join_from(given, Visit, same).outerjoin(Referral, _ITS_REFERRAL)


def _came_through(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = and_(Visit.merchant_id == given.c.merchant_id, Visit.referral_id == given.c.referral_id)
    # As the index says it: SQLite would not see that `imported = 1` is the same.
    return select(*_TOUCH).join_from(given, Visit, same).join(Referral, _ITS_REFERRAL).where(text("visits.imported"))


def _referrals(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = and_(Referral.merchant_id == given.c.merchant_id, Referral.referral_id == given.c.referral_id)
    return select(Referral.at, Referral.kind, Referral.network, _PRODUCT, _WALL).join_from(given, Referral, same)


_TOUCHES = Question(_touches, merchant_id=BigInteger(), visit_id=id_type(200))
_CAME_THROUGH = Question(_came_through, merchant_id=BigInteger(), referral_id=id_type(200))
_REFERRALS = Question(_referrals, merchant_id=BigInteger(), referral_id=id_type(200))
