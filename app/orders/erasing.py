"""How the domain of orders forgets somebody: what they bought was bought by somebody who has another name, and what was
kept to know them again (keyed hashes of customer, mail and card, their device) is gone. Amounts stay.
"""

from collections.abc import Collection, Iterator, Sequence
from typing import Any, Final, NamedTuple

from sqlalchemy import ColumnElement, or_, select, update
from sqlalchemy.orm import Session

from app.kernel.database import Database, table_of
from app.kernel.ids import is_of
from app.kernel.rekeying import Step, pages, renamed
from app.kernel.signing import Signer
from app.orders.buyer_hashes import mail_hash
from app.orders.connectors.models import ShopOrder
from app.orders.models import Checkout, FormerBuyer, Order, OrderCorrection
from app.orders.service import FORGOTTEN
from app.privacy.erasure import Forgetting
from app.referrals import turns
from app.referrals.models import Claim


class Bought(NamedTuple):
    """An order, and what the system that told of it calls it."""

    order_id: str
    source: str
    external_id: str

    @property
    def shops(self) -> tuple[str, str]:
        """The system, and its own id of the order."""
        system, _, shop_order_id = self.external_id.partition(":")
        return system, shop_order_id


class Forgetter:
    """Forgets buyers."""

    def __init__(self, signer: Signer) -> None:
        self._signer = signer

    def forget(self, session: Session, whom: Forgetting) -> None:
        """Forget what an index leads to. Comes before claims are forgotten: they tell who bought through a click."""
        turns.hold_facts(session, whom.merchant_id)
        found = _bought(session, whom, self._signer)
        for begin in range(0, len(found), _AT_ONCE):
            _forget_orders(session, whom, found[begin : begin + _AT_ONCE])
        for mapped in (Order, FormerBuyer):
            for old, new in whom.names.items():
                same = (mapped.merchant_id == whom.merchant_id, mapped.visitor_id == old)
                session.execute(update(mapped).where(*same).values(visitor_id=new), execution_options=_PLAIN)

    def look_for(self, database: Database, whom: Forgetting, step: Step) -> None:
        """Forget what no index leads to: what they wanted to buy, and what was bought by a customer who was never
        joined to a browser, or before that was known."""
        checkouts, orders = table_of(Checkout).c, table_of(Order).c
        claims = Claim.merchant_id == whom.merchant_id, Claim.visitor_id.in_(whom.former)
        theirs = or_(
            checkouts.visitor_id.in_(whom.names), checkouts.click_id.in_(select(Claim.visit_id).where(*claims))
        )
        for page in pages(database, checkouts.checkout_id, whom.merchant_id, step):
            with database.transaction() as session:
                _forget_checkouts(session, whom, page & theirs)
        by = {*whom.names, *self.known_by(whom.merchant_id, whom.names)}
        hashes = {column: [name[len(head) : -1] for name in by if name.startswith(head)] for column, head in _HEADS}
        for page in pages(database, orders.order_id, whom.merchant_id, step):
            known = page & or_(*(orders[column].in_(theirs) for column, theirs in hashes.items()))
            with database.reading() as session:
                found = [Bought(*row) for row in session.execute(select(*_BOUGHT).where(known))]
            if found:
                with database.transaction() as session:
                    _forget_orders(session, whom, found)

    def known_by(self, merchant_id: int, names: Collection[str]) -> set[str]:
        """What stands for the customers among these where orders know them by a hash alone; as `named` tells of them.
        Nobody else has such a name: it begins with a parenthesis."""
        known = set()
        for name in names:
            if not name.startswith("(") and not is_of(name, merchant_id, "vis"):
                known.add(f"{_CUSTOMER}{self._signer.customer_hash(merchant_id, name)})")
                hashed = mail_hash(self._signer, merchant_id, name)
                known |= set() if hashed is None else {f"{_MAIL}{hashed})"}
        return known


def named(session: Session, merchant_id: int) -> Iterator[str]:
    """Everybody whom orders name as their buyer, or know again by a hash."""
    for mapped in (Order, FormerBuyer, Checkout):
        asked = select(mapped.visitor_id).where(mapped.merchant_id == merchant_id, mapped.visitor_id.is_not(None))
        yield from (name for name in session.scalars(asked.distinct()) if name is not None)
    for name, head in _HEADS:
        column = table_of(Order).c[name]
        asked = select(column).where(Order.merchant_id == merchant_id, column.is_not(None)).distinct()
        yield from (f"{head}{hashed})" for hashed in session.scalars(asked))


def _bought(session: Session, whom: Forgetting, signer: Signer) -> list[Bought]:
    """What they bought: under a name, with a mail that is one, through a click of theirs, or as it was said before it
    was corrected."""
    mails = [mail_hash(signer, whom.merchant_id, name) for name in whom.names]
    clicks = select(Claim.visit_id).where(Claim.merchant_id == whom.merchant_id, Claim.visitor_id.in_(whom.names))
    former = select(FormerBuyer.order_id).where(
        FormerBuyer.merchant_id == whom.merchant_id, FormerBuyer.visitor_id.in_(whom.names)
    )
    ways: list[ColumnElement[bool]] = [
        Order.visitor_id.in_(whom.names),
        Order.click_id.in_(clicks) & Order.visitor_id.is_(None),
        Order.order_id.in_(former),
        Order.mail_hash.in_([mail for mail in mails if mail is not None]),
    ]
    mine = Order.merchant_id == whom.merchant_id
    return sorted({Bought(*row) for way in ways for row in session.execute(select(*_BOUGHT).where(mine, way))})


def _forget_orders(session: Session, whom: Forgetting, bought: Sequence[Bought]) -> None:
    """Take away by what their buyer could be known again, also from what was corrected and what their shop told."""
    ids = [each.order_id for each in bought]
    mine = (Order.merchant_id == whom.merchant_id, Order.order_id.in_(ids))
    nothing = {"fingerprint": FORGOTTEN, **dict.fromkeys(_KNOWN_BY)}
    session.execute(update(Order).where(*mine).values(nothing), execution_options=_PLAIN)
    corrections = (OrderCorrection.merchant_id == whom.merchant_id, OrderCorrection.order_id.in_(ids))
    for correction in session.scalars(select(OrderCorrection).where(*corrections)):
        said = {
            **renamed(correction.before, whom.names),
            **{name: None for name in _KNOWN_BY if name in correction.before},
        }
        if said != correction.before:
            correction.before = said
    for system, shop_order_id in (each.shops for each in bought if each.source == each.shops[0]):
        told = session.get(ShopOrder, (whom.merchant_id, system, shop_order_id), with_for_update=True)
        if told is not None:
            told.told = {**told.told, **{name: _nobodys(told.told.get(name)) for name in ("newest", "counting")}}
    session.flush()


def _nobodys(version: dict[str, Any] | None) -> dict[str, Any] | None:
    return None if version is None else {**version, "customer": None}


def _forget_checkouts(session: Session, whom: Forgetting, theirs: ColumnElement[bool]) -> None:
    """What is still open is bought by the new name; of what has ended, no page is kept from which they came."""
    for row in session.scalars(select(Checkout).where(theirs).with_for_update()):
        row.visitor_id, row.device = whom.names.get(row.visitor_id or "", row.visitor_id), None
        row.attempt_key, row.fingerprint = row.checkout_id, FORGOTTEN  # the other was made of their id
        if row.status in _ENDED:
            row.success_url, row.cancel_url, row.session_url = "", "", None


_AT_ONCE: Final = 500
_CUSTOMER: Final = "(customer "
_MAIL: Final = "(mail "
_HEADS: Final = (("customer_hash", _CUSTOMER), ("mail_hash", _MAIL))
_ENDED: Final = ("expired", "failed", "paid")
_KNOWN_BY: Final = ("customer_hash", "mail_hash", "card_hash", "device")
_BOUGHT: Final = (Order.order_id, Order.source, Order.external_id)
_PLAIN: Final = {"synchronize_session": False}
