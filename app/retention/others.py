"""All other facts that are dropped by age, row by row: reports of widgets, attempts to pay, what machines asked for,
Stripe's messages, what shops told of orders that were never paid, the audit trail, doubts that hold nothing back.

What is reckoned with is never dropped: orders, referrals, credit, Stripe's messages of what was taken back.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import Column, ColumnElement, and_, delete, exists, func, or_, select, true, tuple_
from sqlalchemy.orm import Session, aliased

from app.kernel.database import Base, Database, table_of
from app.kernel.forgetting import AT_ONCE, forget, forget_of
from app.kernel.ids import beginning
from app.merchants.models import AuditEntry, Merchant
from app.merchants.retention import Kind
from app.orders.connectors.models import ShopOrder
from app.orders.models import Checkout
from app.orders.stripe import messages
from app.orders.stripe_models import StripeEvent
from app.referrals.models import Beacon, MachineVisits
from app.retention.visits import Shop, Step, midnight
from app.settings import Settings
from app.trust.models import Decision, Doubt

_ANNOUNCED: Final[Mapping[Kind, tuple[type[Base], str, tuple[ColumnElement[bool], ...]]]] = {
    "beacons": (Beacon, "bcn", ()),
    "checkouts": (Checkout, "chk", (Checkout.status.in_(("paid", "failed", "expired")),)),
}
"""Facts with which counts are compared: the table, how its ids begin, and which of it goes."""


def forget_of_merchant(database: Database, shop: Shop, usual: Mapping[Kind, int], now: datetime, step: Step) -> None:
    """Drop what one merchant may keep, each kind for as long as they say."""
    for kind, (mapped, prefix, only) in _ANNOUNCED.items():
        before = shop.kept.gone_before(kind)
        if before is not None:
            key = list(table_of(mapped).primary_key.columns)[-1]
            forget_of(database, key, shop.merchant_id, f"{prefix}_", beginning(prefix, before), step, *only)
        days = shop.kept.days(kind, usual)
        # What widgets reported goes for everybody by the month (referrals/keeping), unless somebody's time is shorter.
        if kind != "beacons" or days < usual[kind]:
            _announce(database, shop, kind, midnight(now - timedelta(days=days)))
    machines = midnight(now - timedelta(days=shop.kept.days("machine_visits", usual)))
    mine = (MachineVisits.merchant_id == shop.merchant_id) & (MachineVisits.day < machines)
    _walk(database, MachineVisits, true(), step, within=mine)


def forget_for_all(database: Database, settings: Settings, now: datetime, step: Step) -> None:
    """Drop what the server keeps alike for everybody."""

    def ago(days: int) -> datetime:
        return now - timedelta(days=days)

    forget(database, table_of(AuditEntry).c.entry_id, "aud_", beginning("aud", ago(settings.keep_audit_days)), step)
    never_paid = ShopOrder.order_id.is_(None) & (ShopOrder.changed_at < ago(settings.keep_shop_orders_days))
    _walk(database, ShopOrder, never_paid, step)
    applied = StripeEvent.type.not_in(messages.TAKING) & StripeEvent.applied_at.is_not(None)
    _walk(database, StripeEvent, applied & (StripeEvent.received_at < ago(settings.keep_stripe_events_days)), step)
    harmless = (Doubt.at < ago(settings.keep_doubts_days)) & ~_bars()
    _walk(database, Doubt, harmless, step, beside=_forget_decisions)


def _announce(database: Database, shop: Shop, kind: Kind, before: datetime) -> None:
    gone = shop.kept.gone_before(kind)
    if shop.created_at >= before or (gone is not None and gone >= before):
        return
    with database.transaction() as session:
        merchant = session.get_one(Merchant, shop.merchant_id, with_for_update=True, populate_existing=True)
        merchant.retention = merchant.kept.forgetting(kind, before).to_json()


def _bars() -> ColumnElement[bool]:
    """Whether a doubt takes anybody's credit: the last decision about it says so."""
    last, any_of = aliased(Decision), aliased(Decision)
    of_doubt = (any_of.merchant_id == Doubt.merchant_id, any_of.doubt_id == Doubt.doubt_id)
    newest = select(func.max(any_of.decision_id)).where(*of_doubt).correlate(Doubt).scalar_subquery()
    same = (last.merchant_id == Doubt.merchant_id, last.doubt_id == Doubt.doubt_id)
    return exists().where(*same, last.decision_id == newest, last.effect != "none").correlate(Doubt)


def _forget_decisions(session: Session, doubts: ColumnElement[bool]) -> None:
    ids = select(Doubt.merchant_id, Doubt.doubt_id).where(doubts)
    session.execute(delete(Decision).where(tuple_(Decision.merchant_id, Decision.doubt_id).in_(ids)))


def _walk(
    database: Database,
    mapped: type[Base],
    old: ColumnElement[bool],
    step: Step,
    *,
    within: ColumnElement[bool] | None = None,
    beside: Callable[[Session, ColumnElement[bool]], None] = lambda _, __: None,
) -> None:
    """Delete what is `old` of the rows `within` (None: of all), going through them in the order of their key, some at a
    time. What goes `beside` them goes first."""
    key = list(table_of(mapped).primary_key.columns)
    part = true() if within is None else within
    while True:
        with database.reading() as session:
            rows = select(*key).where(part).order_by(*key).limit(AT_ONCE).subquery()
            last = session.execute(select(*rows.c).order_by(*(each.desc() for each in rows.c)).limit(1)).first()
            if last is None:
                return
            some = and_(part, ~_after(key, last), old)
            any_old = session.scalar(select(exists().select_from(mapped).where(some)))
        if any_old:
            with database.transaction() as session:
                beside(session, some)
                session.execute(delete(mapped).where(some))
            database.breathe()
        part = _after(key, last) if within is None else and_(within, _after(key, last))
        step()


def _after(key: Sequence[Column[Any]], place: Sequence[Any]) -> ColumnElement[bool]:
    """Whether a row comes after that place, in the order of the key."""
    first, *rest = key
    further: ColumnElement[bool] = first > place[0]
    if not rest:
        return further
    return or_(further, and_(first == place[0], _after(rest, place[1:])))
