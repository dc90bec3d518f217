"""One batch of facts, written in one transaction: kind by kind, and which orders' credit they may have changed.

Knows the session, not HTTP. Referrals, people and coupons come first and orders before refunds, so that what belongs
together in a batch finds itself; the outcome is the same in any order.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from functools import partial
from typing import TypeAlias, TypeVar

from sqlalchemy.orm import Session

from app.attribution import affected
from app.attribution.affected import Touched
from app.history.lines import Fact
from app.kernel.brought import Outcome, Verdict
from app.orders.bringing import PastOrder, PastRefund, bring_orders, bring_refunds, ids_of
from app.referrals.bringing import (
    PastCoupon,
    PastIdentity,
    PastReferral,
    PastTouch,
    bring_coupons,
    bring_identities,
    bring_referrals,
    bring_touches,
)
from app.referrals.turns import hold_facts

Verdicts: TypeAlias = dict[int, Verdict]
"""What became of the fact that each line told."""

_Kind = TypeVar("_Kind", PastReferral, PastTouch, PastIdentity, PastCoupon, PastOrder, PastRefund)
_Bring: TypeAlias = Callable[[Session, int, Sequence[_Kind]], list[Verdict]]


def write(session: Session, merchant_id: int, facts: Mapping[int, Fact], *, livemode: bool, now: datetime) -> Verdicts:
    """Write the facts, each told by the line of that number; mark the orders whose credit they may change as stale."""
    hold_facts(session, merchant_id)
    batch = _Batch(session, merchant_id, facts)
    referrals = batch.bring(PastReferral, partial(bring_referrals, now=now))
    identities = batch.bring(PastIdentity, partial(bring_identities, now=now))
    coupons = batch.bring(PastCoupon, partial(bring_coupons, now=now))
    touches = batch.bring(PastTouch, partial(bring_touches, now=now))
    orders = batch.bring(PastOrder, partial(bring_orders, livemode=livemode, now=now))
    refunds = batch.bring(PastRefund, partial(bring_refunds, now=now))
    ours = ids_of(session, merchant_id, {*(fact.id for fact in orders), *(fact.order for fact in refunds)})
    for reach in (  # when all is written: who marks before what they mark for might be overtaken
        affected.by_referrals(session, merchant_id, [fact.id for fact in referrals]),
        affected.by_visitors(session, merchant_id, [fact.visitor for fact in identities]),
        affected.by_coupons(session, merchant_id, [(fact.code, fact.at) for fact in coupons]),
        affected.by_touches(session, merchant_id, [Touched(fact.id, fact.visitor, fact.at) for fact in touches]),
        affected.by_orders(session, merchant_id, ours.values()),
    ):
        reach.mark()
    return batch.verdicts


class _Batch:
    def __init__(self, session: Session, merchant_id: int, facts: Mapping[int, Fact]) -> None:
        self._session = session
        self._merchant_id = merchant_id
        self._facts = facts
        self.verdicts: Verdicts = {}

    def bring(self, kind: type[_Kind], bring: _Bring[_Kind]) -> list[_Kind]:
        """Write the facts of this kind; those that are new."""
        told = {line: fact for line, fact in self._facts.items() if isinstance(fact, kind)}
        if not told:
            return []
        verdicts = dict(zip(told, bring(self._session, self._merchant_id, list(told.values())), strict=True))
        self.verdicts |= verdicts
        return [fact for line, fact in told.items() if verdicts[line] is Outcome.ACCEPTED]
