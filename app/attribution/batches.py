"""All orders of a merchant, settled under any policies, a few hundred at a time: nothing is stored, and memory does not
grow with their number. For previews and for reports that compare models."""

from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.attribution.engine import Policy, Settlement, settle
from app.attribution.loader import Loaded, load_in_parts
from app.attribution.writing import BATCH
from app.orders import history as sales
from app.orders.history import OrderRow


class Batch(NamedTuple):
    """Some orders, and for each of the policies asked for their settlements in the same order."""

    rows: Sequence[OrderRow]
    settlements: Sequence[Sequence[Settlement]]
    loaded: Loaded


def settled_batches(
    session: Session,
    merchant_id: int,
    policies: Sequence[Policy],
    *,
    since: datetime | None = None,
    until: datetime | None = None,
    livemode: bool = True,
    as_of: datetime | None = None,
    after: str | None = None,
) -> Iterator[Batch]:
    """The orders made from `since` until before `until`, as far as they were known at `as_of` (None: now), in the
    order of our ids; only those after the id `after`. Settled under each of `policies`, whatever is in force."""
    purchases = any(policy.journey_reset for policy in policies)
    while True:
        rows = sales.page(
            session,
            merchant_id,
            after=after,
            most=BATCH,
            since=since,
            until=until,
            livemode=livemode,
            known_by=as_of,
        )
        if rows:
            for part, loaded in load_in_parts(session, merchant_id, rows, as_of=as_of, purchases=purchases):
                yield Batch(part, [_settled(loaded, policy) for policy in policies], loaded)
        if len(rows) < BATCH:
            return
        after = rows[-1].order_id


def _settled(loaded: Loaded, policy: Policy) -> list[Settlement]:
    return [settle(order, loaded.facts, policy) for order in loaded.orders.values()]
