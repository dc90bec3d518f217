"""Pieces of variants that somebody is just paying for: reserved, then given back or sold, each once. Knows the session
and the catalogue's tables, not what a checkout is: a `holder` is any id.

`stock` is the merchant's own number and `held` ours. Both change by statements that look and write at once, so however
many buy at the same time, nobody is promised a piece that is not there. Variants are always locked in the order of
their ids, so that no two baskets can wait for each other.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime

from sqlalchemy import ColumnElement, Update, case, select, update
from sqlalchemy.orm import Session

from app.catalog.models import Reservation, Variant
from app.kernel.database import table_of

_variants = table_of(Variant)
_reservations = table_of(Reservation)


class NotEnough(Exception):
    """So many pieces of the variant are not `left`."""

    def __init__(self, variant_id: str, left: int) -> None:
        super().__init__(variant_id, left)
        self.variant_id = variant_id
        self.left = left


def reserve(session: Session, merchant_id: int, holder: str, wishes: Mapping[str, int], now: datetime) -> None:
    """Have that many pieces of each variant reserved for `holder`: what it has reserved already stays as it is, what
    was given back is reserved anew. Of what is unlimited nothing is kept.

    Raises `NotEnough`; what was reserved of other variants is then undone with the transaction.
    """
    mine = select(Reservation).where(Reservation.merchant_id == merchant_id, Reservation.holder == holder)
    known = {each.variant_id: each for each in session.scalars(mine.with_for_update())}
    for variant_id, quantity in sorted(wishes.items()):
        reserved = known.get(variant_id)
        if reserved is not None and (reserved.sold or reserved.ended_at is None):
            continue
        if _hold(session, merchant_id, variant_id, quantity):
            made = reserved or Reservation(merchant_id=merchant_id, holder=holder, variant_id=variant_id, sold=False)
            made.quantity, made.made_at, made.ended_at = quantity, now, None
            session.add(made)
    session.flush()


def release(session: Session, merchant_id: int, holder: str, now: datetime) -> None:
    """Give back what `holder` reserved, once; what was sold stays sold."""
    ended = _of(merchant_id, holder).where(_reservations.c.ended_at.is_(None)).values(ended_at=now)
    for variant_id, quantity in _changed(session, ended):
        given_back = {"held": _less(_variants.c.held, quantity)}
        session.execute(update(_variants).where(*_is(merchant_id, variant_id)).values(given_back))


def sell(session: Session, merchant_id: int, holder: str, now: datetime) -> None:
    """What `holder` reserved has left the stock, once. After it was given back already (a payment may outrun its own
    session's end), the stock goes down all the same, never below nothing."""
    held = _of(merchant_id, holder).where(_reservations.c.ended_at.is_(None)).values(ended_at=now, sold=True)
    released = _of(merchant_id, holder).where(_reservations.c.sold.is_(False)).values(sold=True)
    still_held = dict(_changed(session, held))
    given_back = dict(_changed(session, released))
    for variant_id, quantity in sorted({**still_held, **given_back}.items()):
        gone = {"stock": _less(_variants.c.stock, quantity)}
        if variant_id in still_held:
            gone["held"] = _less(_variants.c.held, quantity)
        session.execute(update(_variants).where(*_is(merchant_id, variant_id)).values(gone))


def _hold(session: Session, merchant_id: int, variant_id: str, quantity: int) -> bool:
    """Whether the pieces are held now; of what is unlimited nothing need be held. Raises `NotEnough`."""
    known = _variants.c.stock, _variants.c.held
    enough = _variants.c.stock - _variants.c.held >= quantity
    hold = update(_variants).where(*_is(merchant_id, variant_id), enough)
    while session.execute(hold.values(held=_variants.c.held + quantity).returning(_variants.c.held)).first() is None:
        stock, held = session.execute(select(*known).where(*_is(merchant_id, variant_id))).one()
        if stock is None:
            return False
        if stock - held < quantity:  # else the merchant has just changed it, between our two looks
            raise NotEnough(variant_id, max(stock - held, 0))
    return True


def _of(merchant_id: int, holder: str) -> Update:
    return update(_reservations).where(_reservations.c.merchant_id == merchant_id, _reservations.c.holder == holder)


def _is(merchant_id: int, variant_id: str) -> Iterable[ColumnElement[bool]]:
    return _variants.c.merchant_id == merchant_id, _variants.c.variant_id == variant_id


def _less(column: ColumnElement[int], quantity: int) -> ColumnElement[int]:
    """So many less, never below nothing. What is empty stays empty."""
    return case((column < quantity, 0), else_=column - quantity)


def _changed(session: Session, change: Update) -> list[tuple[str, int]]:
    """The reservations that `change` has met: variant and quantity, in the order of ids."""
    session.flush()
    met = session.execute(change.returning(_reservations.c.variant_id, _reservations.c.quantity))
    return sorted((variant_id, quantity) for variant_id, quantity in met)
