"""Who bought, as far as that may be remembered (`privacy/modes.py`). A sale is never refused for it: then nobody is
said to have bought, and the click alone says through whom they came. Knows the session, not HTTP."""

from collections.abc import Collection, Sequence
from dataclasses import replace

from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.kernel.events import Events
from app.kernel.signing import Signer
from app.merchants import service as merchants
from app.orders import service
from app.orders.corrections import Amendment
from app.orders.news import OrderChanged
from app.orders.sales import Sale
from app.privacy import modes, standing
from app.privacy.modes import Said, Touchpoint
from app.referrals import history, turns

_Buyer = tuple[str | None, str | None]
"""Visitor and click of a sale."""


def kept(session: Session, signer: Signer, merchant_id: int, sales: Sequence[Sale]) -> list[Sale]:
    """The sales, each with its buyer, and with what they could be known by, only where that may be kept beside it."""
    telling = {(sale.visitor_id, sale.click_id) for sale in sales if sale.visitor_id is not None or _is_known(sale)}
    may = _may_be_kept(session, signer, merchant_id, telling)
    return [sale if (sale.visitor_id, sale.click_id) in may else _nobodys(sale) for sale in sales]


def might_be_kept(session: Session, merchant_id: int) -> bool:
    """Whether the merchant keeps anything of any buyer."""
    return modes.might_remember(Touchpoint.SALE, merchants.privacy_of(session, merchant_id), says_no=False)


def _nobodys(sale: Sale) -> Sale:
    """The sale without its buyer, and without anything they could be known by."""
    return replace(sale, visitor_id=None, customer_hash=None, mail_hash=None, card_hash=None, device=None)


def learn(
    session: Session, signer: Signer, events: Events, merchant_id: int, order_id: str, **hashes: str | None
) -> bool:
    """Keep by what (`mail_hash`, `card_hash`) the buyer of an order is known that was recorded before, where that may
    be kept; whether that is new. What is None says nothing. Nothing is learnt of an order whose buyer was forgotten.

    Before anything else of the merchant's is held: who is found to be the same person may change what others earned.
    """
    told = {name: value for name, value in hashes.items() if value is not None}
    order = service.get(session, merchant_id, order_id)
    if all(getattr(order, name) == value for name, value in told.items()):
        return False
    turns.hold_facts(session, merchant_id)
    order = service.get(session, merchant_id, order_id, lock=True)
    buyer = (order.visitor_id, order.click_id)
    if order.fingerprint == service.FORGOTTEN or not _may_be_kept(session, signer, merchant_id, {buyer}):
        return False
    for name, value in told.items():
        setattr(order, name, value)
    session.flush()
    events.publish(session, OrderChanged(merchant_id, order_id, buyer_known=True))
    return True


def must_be_kept(session: Session, signer: Signer, merchant_id: int, asked: Amendment) -> None:
    """Raises `Invalid` for a buyer who is said to have bought and may not be kept."""
    visitor = asked.changes.get("visitor_id")
    if isinstance(visitor, str) and not _may_be_kept(session, signer, merchant_id, {(visitor, None)}):
        raise Invalid.field("/visitor", "may not be remembered: they left, did not consent, or no visitors are kept")


def _is_known(sale: Sale) -> bool:
    return (sale.customer_hash, sale.mail_hash, sale.card_hash, sale.device) != (None, None, None, None)


def _may_be_kept(session: Session, signer: Signer, merchant_id: int, buyers: Collection[_Buyer]) -> set[_Buyer]:
    """Those who may be kept beside what they bought. Who names no visitor is whoever has claimed the click; where
    nobody has, nothing was said by anybody, and the merchant's mode decides."""
    if not buyers:
        return set()
    mode = merchants.privacy_of(session, merchant_id)
    clicks = {click for visitor, click in buyers if visitor is None and click is not None}
    touched = history.clicks(session, merchant_id, clicks, known_by=history.FOR_EVER)
    claimed = {touch_id: visitor for touch_id, visitor, *_ in touched}
    who = {buyer: buyer[0] or claimed.get(buyer[1] or "") for buyer in buyers}
    named = {(merchant_id, visitor) for visitor in who.values() if visitor is not None}
    may = {visitor for _, visitor in standing.remembered(session, signer, Touchpoint.SALE, mode, named)}
    anybody = modes.remembers(Touchpoint.SALE, mode, Said())
    return {buyer for buyer, visitor in who.items() if (anybody if visitor is None else visitor in may)}
