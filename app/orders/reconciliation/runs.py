"""Reconciliation: Stripe's books are compared with ours, account by account, and what webhooks missed is repaired.

Knows the database and the gateway. Each comparison is a row: the next one goes on from the last that finished, with an
overlap. One that was broken off is made again from the same point, and changes only what is still missing.
"""

import logging
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import delete, func, select
from sqlalchemy.orm import Session

from app.kernel.errors import AppError
from app.kernel.ids import new_id
from app.kernel.periodic import Periodic
from app.kernel.runtime import Runtime
from app.merchants import accounts
from app.orders.models import UNSETTLED, Checkout
from app.orders.reconciliation.comparing import LISTED, Comparison, Found, Seller
from app.orders.reconciliation.models import Reconciliation, Repair
from app.orders.stripe.gateway import Gateway
from app.orders.stripe.problems import AccountRefused

log = logging.getLogger(__name__)

NAME: Final = "reconciliation"
EVERY: Final = timedelta(hours=1)
OVERLAP: Final = timedelta(hours=1)
"""Stripe may list an event a little later than it is dated."""
KEPT_FOR: Final = timedelta(days=180)
"""How long an account is compared where nobody sells any more, counted from when it was last known to let us ask; so
long, too, a comparison is kept that found nothing. A dispute is decided by then."""
_GONE: Final = "nobody sells through this account any more, and it does not let us ask"
_LOOKED_AT: Final = 200
"""Comparisons that the health page goes through."""
_NOBODY: Final = 0
"""The merchant's number in the id of a comparison: an account may serve several."""


class NotReconciled(Exception):
    """Some accounts could not be compared; the message says why, without naming them."""


@dataclass(frozen=True)
class Health:
    """When Stripe's books were compared last, and what hinders it now."""

    finished_at: datetime | None
    error: str | None


def periodic(here: Runtime, gateway: Gateway) -> list[Periodic]:
    """The hourly comparison; nothing where no key of Stripe's is set."""

    def run(extend: Callable[[], None]) -> None:
        _must_be_finished(reconcile(here, gateway, step=extend))

    return [Periodic(NAME, EVERY, run)] if gateway.has_key else []


def reconcile(
    here: Runtime, gateway: Gateway, since: datetime | None = None, step: Callable[[], None] = lambda: None
) -> list[Reconciliation]:
    """Compare every account through which somebody sells or sold, the server's own first; one that fails does not stop
    the others. What they became: `error` says what hindered one, `finished_at` is empty where it must be made again.

    `since` looks further back than the last finished comparison; it never leaves anything out. Raises
    `CheckoutUnavailable` where no key is set, and what `step` raises.
    """
    gateway.require()
    with here.database.reading() as session:
        own, *others = _sellers(session, here.clock.now())
    made = [_compare(here, gateway, own, since, step)]
    key_works = made[0].finished_at is not None
    for seller in others:
        made.append(_compare(here, gateway, seller, since, step, may_be_gone=key_works and not seller.sells))
    return made


def is_done(made: Reconciliation) -> bool:
    """Whether a comparison has nothing left to do: it has finished, or its account is gone, where nobody sells."""
    return made.finished_at is not None or made.error == _GONE


def health(session: Session) -> Health:
    """As the last comparisons of all accounts went."""
    latest = select(Reconciliation).order_by(Reconciliation.reconciliation_id.desc()).limit(_LOOKED_AT)
    rows = session.scalars(latest).all()
    newest: dict[str, Reconciliation] = {}
    for row in rows:
        if row.finished_at is not None or row.error is not None:
            newest.setdefault(row.account, row)
    finished = [row.finished_at for row in rows if row.finished_at is not None]
    return Health(max(finished, default=None), _errors(row for row in newest.values() if row.error != _GONE))


def repairs_of(session: Session, reconciliation_ids: Iterable[str], merchant_id: int, most: int) -> list[Repair]:
    """What these comparisons repaired for a merchant, in the order in which it had happened, `most` at most."""
    ids = list(reconciliation_ids)
    query = select(Repair).where(Repair.merchant_id == merchant_id, Repair.reconciliation_id.in_(ids))
    return list(session.scalars(query.order_by(Repair.happened_at, Repair.repair_id).limit(most)))


def _sellers(session: Session, now: datetime) -> list[Seller]:
    """The accounts to compare, the server's own first: through which somebody sells or has sold of late, which were
    compared of late, and where a checkout is of which nobody has told how it ended."""
    of_merchants = accounts.by_merchant(session)
    of_checkouts = select(Checkout.merchant_id, Checkout.terms["account"].as_string()).where(UNSETTLED).distinct()
    found = accounts.in_use(session, now - KEPT_FOR) | _lately_compared(session)
    for merchant_id, account in session.execute(of_checkouts):
        found |= {account, of_merchants[merchant_id]}  # those of before accounts were kept are at their merchant's
    selling = accounts.in_use(session, now)
    connected = sorted(account for account in found if account is not None)
    return [Seller(account, account in selling, of_merchants) for account in (None, *connected)]


def _lately_compared(session: Session) -> set[str | None]:
    """Accounts that let us ask in the last time before the newest comparison: how long nobody compared at all does not
    count."""
    newest = session.scalar(select(func.max(Reconciliation.started_at)))
    if newest is None:
        return set()
    lately = Reconciliation.started_at > newest - KEPT_FOR
    may_be_asked = Reconciliation.error.is_(None) | (Reconciliation.error != _GONE)
    found = session.scalars(select(Reconciliation.account).where(lately, may_be_asked).distinct())
    return {account or None for account in found}


def _compare(
    here: Runtime,
    gateway: Gateway,
    seller: Seller,
    since: datetime | None,
    step: Callable[[], None],
    *,
    may_be_gone: bool = False,
) -> Reconciliation:
    begun = _begin(here, seller.account or "", since)
    comparison = Comparison(here, gateway, begun.reconciliation_id, seller, step)
    try:
        comparison.run(begun.since)
    except AppError as trouble:
        nothing_was_given = comparison.found.events == comparison.found.sessions == 0
        if may_be_gone and nothing_was_given and isinstance(trouble, AccountRefused):
            log.warning("account %s of Stripe's, where nobody sells any more, refuses: %s", seller.account, trouble)
            comparison.let_go()
            comparison.found.failed = _GONE
        else:
            log.exception("account %s of Stripe's cannot be compared; the next time goes on", seller.account or "(own)")
            comparison.found.failed = _in_a_word(trouble)
    return _note(here, begun, comparison.found)


def _begin(here: Runtime, account: str, since: datetime | None) -> Reconciliation:
    now = here.clock.now()
    of_account = Reconciliation.account == account
    with here.database.transaction() as session:
        last = session.scalar(
            select(Reconciliation)
            .where(of_account, Reconciliation.finished_at.is_not(None))
            .order_by(Reconciliation.started_at.desc())
            .limit(1)
        )
        old = (Reconciliation.started_at < now - KEPT_FOR, Reconciliation.repaired == 0)
        last_id = "" if last is None else last.reconciliation_id
        session.execute(delete(Reconciliation).where(of_account, *old, Reconciliation.reconciliation_id != last_id))
        known = now - LISTED if last is None else last.started_at - OVERLAP
        begun = Reconciliation(
            reconciliation_id=new_id("rec", _NOBODY, now),
            account=account,
            since=known if since is None else min(since, known),
            started_at=now,
            finished_at=None,
            events=0,
            sessions=0,
            repaired=0,
            error=None,
        )
        session.add(begun)
    return begun


def _note(here: Runtime, begun: Reconciliation, found: Found) -> Reconciliation:
    with here.database.transaction() as session:
        row = session.get_one(Reconciliation, begun.reconciliation_id)
        row.events, row.sessions, row.repaired = found.events, found.sessions, found.repaired
        row.finished_at = here.clock.now() if found.failed is None else None
        row.error = found.failed or found.left_out
    return row


def _must_be_finished(made: Iterable[Reconciliation]) -> None:
    """Raises `NotReconciled`."""
    error = _errors(each for each in made if not is_done(each))
    if error is not None:
        raise NotReconciled(error)


def _errors(rows: Iterable[Reconciliation]) -> str | None:
    errors = sorted({row.error for row in rows if row.error is not None})
    return "; ".join(errors[:3]) or None


def _in_a_word(trouble: AppError) -> str:
    """What hindered us, for the health page, which anybody may read: no name, no number of Stripe's in it."""
    cause = trouble.__cause__
    status = getattr(cause, "http_status", None)
    what = trouble.title if cause is None else type(cause).__name__
    return f"Stripe could not be asked: {what}" + (f" ({status})" if isinstance(status, int) else "")
