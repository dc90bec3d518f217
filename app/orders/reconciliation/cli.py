"""`grapevine reconcile`: Stripe's books compared with ours now, and what was repaired for whom, in plain lines.

Safe beside a running server, which does the same each hour.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from rich.console import Console
from sqlalchemy import func, select
from sqlalchemy.orm import Session

from app.kernel.periods import said_utc
from app.kernel.runtime import Runtime
from app.merchants import accounts
from app.orders.reconciliation import runs as reconciliation
from app.orders.reconciliation.models import Reconciliation, Repair
from app.orders.stripe.gateway import Gateway

_MOST: Final = 50
"""Repairs that are told of one merchant; the rest is counted."""
_MEANS: Final = {
    "checkout.session.completed": "a sale",
    "checkout.session.async_payment_succeeded": "a sale, paid later",
    "checkout.session.async_payment_failed": "a payment that failed",
    "checkout.session.expired": "a checkout that nobody paid",
    "refund.created": "a refund",
    "refund.updated": "a refund",
    "refund.failed": "a refund that failed",
    "charge.refund.updated": "a refund",
    "charge.refunded": "a refund",
    "charge.dispute.created": "a dispute",
    "charge.dispute.updated": "a dispute",
    "charge.dispute.funds_withdrawn": "a dispute",
    "charge.dispute.funds_reinstated": "a dispute that was won",
    "charge.dispute.closed": "a dispute that was closed",
}


def reconcile(here: Runtime, since: str | None) -> bool:
    """Compare, and print what was repaired; whether every account could be compared.

    Raises `Invalid` for a `since` that is no moment, `CheckoutUnavailable` where no key of Stripe's is set.
    """
    gateway = Gateway(here.settings, here.watch)
    console = Console(highlight=False, soft_wrap=True)
    try:
        made = reconciliation.reconcile(here, gateway, said_utc(since, "--since"))
    finally:
        gateway.close()
    _tell_accounts(console, made)
    finished = all(reconciliation.is_done(each) for each in made)
    with here.database.reading() as session:
        _tell_repairs(console, session, [each.reconciliation_id for each in made])
    if finished and not any(each.repaired for each in made):
        console.print("\nNothing was missing.")
    if here.watch.warning is not None:
        console.print(f"\nThis machine's clock is {here.watch.warning}: set it right.", markup=False)
    return finished


def _tell_accounts(console: Console, made: Sequence[Reconciliation]) -> None:
    wide = max(len(_account(each)) for each in made)
    console.print(f"{'account':<{wide}}  {'since':<16}  {'events':>7}  {'sessions':>8}  {'repaired':>8}", markup=False)
    for each in made:
        counts = f"{each.events:>7}  {each.sessions:>8}  {each.repaired:>8}"
        remark = "" if each.error is None else f"  {each.error}"
        console.print(f"{_account(each):<{wide}}  {_minute(each.since)}  {counts}{remark}", markup=False)


def _tell_repairs(console: Console, session: Session, ids: Sequence[str]) -> None:
    ours = Repair.reconciliation_id.in_(ids)
    counts = select(Repair.merchant_id, func.count().label("repaired")).where(ours).group_by(Repair.merchant_id)
    repaired = {row.merchant_id: int(row.repaired) for row in session.execute(counts.order_by(Repair.merchant_id))}
    names = accounts.names(session) if repaired else {}
    for merchant_id, count in repaired.items():
        public_id, name = names[merchant_id]
        console.print(f"\n{name} ({public_id}): {count} repaired", markup=False)
        for repair in reconciliation.repairs_of(session, ids, merchant_id, _MOST):
            what = _MEANS.get(repair.type, repair.type)
            order = repair.order_id or ""
            console.print(f"  {_minute(repair.happened_at)}  {what:<27}  {repair.object_id}  {order}", markup=False)
        if count > _MOST:
            console.print(f"  and {count - _MOST} more: GET /v1/repairs tells all")


def _account(made: Reconciliation) -> str:
    return made.account or "your own"


def _minute(at: datetime) -> str:
    return at.strftime("%Y-%m-%d %H:%M")
