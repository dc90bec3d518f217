"""Orders whose credit must be looked at again: they are brought up to date some at a time, and their marks go.

A mark is taken away in the transaction that brings its order up to date, so a crash leaves both undone. Several may do
this at once: each takes other orders, and whoever is through waits for what another still has in hand. Beside them the
merchant's facts may only be shared (docs/decisions/0010-whose-turn.md), as live orders and claims do.
"""

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from sqlalchemy import delete, select
from sqlalchemy.orm import Session

from app.attribution import writing
from app.attribution.models import StaleOrder
from app.attribution.writing import BATCH
from app.kernel.as_of import writing_now
from app.kernel.clock import Clock
from app.kernel.database import Database
from app.kernel.outbox import Message, Outbox
from app.kernel.trouble import in_trouble
from app.referrals.turns import share_facts

log = logging.getLogger(__name__)

TOPIC: Final = "attribution.catch_up"


def promise(session: Session, outbox: Outbox, merchant_id: int) -> str:
    """Promise to `drain` when this transaction was committed; the message's id."""
    return outbox.add(session, merchant_id, TOPIC, {})


def run(database: Database, clock: Clock, message: Message) -> None:
    """What was promised."""
    drain(database, clock, message.merchant_id, after_batch=message.extending(clock))


def drain(database: Database, clock: Clock, merchant_id: int, *, after_batch: Callable[[], None] = lambda: None) -> int:
    """Bring all orders of the merchant up to date that are stale now, also those that somebody else has in hand; how
    many were done here.

    An order that cannot be settled, by a fault of ours, stays stale and holds up no other.
    """
    done = 0
    for waiting in (False, True):  # what is free first; then what those who are at work leave over
        going = _Going(database, clock, merchant_id, waiting)
        while going.step(BATCH):
            after_batch()
        done += going.done
    return done


@dataclass
class _Going:
    """Somebody on their way through the stale orders of a merchant, in the order of their ids."""

    database: Database
    clock: Clock
    merchant_id: int
    waiting: bool
    after: str = ""
    done: int = 0

    def step(self, most: int) -> bool:
        """Settle the next ones; whether there were any."""
        found: Sequence[str] = ()
        try:
            with self.database.transaction() as session:
                share_facts(session, self.merchant_id)
                found = self._take(session, most)
                now = writing_now(session, self.merchant_id, self.clock)
                writing.bring_up_to_date(session, self.merchant_id, found, now)
                mine = (StaleOrder.merchant_id == self.merchant_id) & StaleOrder.order_id.in_(found)
                session.execute(delete(StaleOrder).where(mine))
        except Exception as error:
            if not found or in_trouble(error):
                raise
            if len(found) > 1:
                return self.step(len(found) // 2)
            log.exception("order %s cannot be settled; it stays stale", *found)
        else:
            self.done += len(found)
        self.after = max(found, default="")
        self.database.breathe()
        return bool(found)

    def _take(self, session: Session, most: int) -> Sequence[str]:
        """Stale orders, held until the transaction ends; those of others are waited for or passed over."""
        marks = select(StaleOrder.order_id).where(
            StaleOrder.merchant_id == self.merchant_id, StaleOrder.order_id > self.after
        )
        free = marks.order_by(StaleOrder.order_id).limit(most).with_for_update(skip_locked=not self.waiting)
        return session.scalars(free).all()
