"""What can be done with merchants; keyring.py: with their keys. Knows the session and the tables, not HTTP."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.errors import NotFound
from app.kernel.ids import Malformed, merchant_of, new_id
from app.kernel.signing import Signer
from app.merchants import keyring
from app.merchants.audit import By, note
from app.merchants.keyring import NewKey
from app.merchants.models import Merchant
from app.privacy.modes import NONE


@dataclass(frozen=True)
class NewMerchant:
    """What a merchant begins with."""

    name: str
    currency: str
    timezone: str
    allowed_origins: list[str]
    return_urls: list[str]
    stripe_account: str | None = None


def create(session: Session, new: NewMerchant, now: datetime) -> Merchant:
    """A new tenant, without keys yet."""
    merchant = Merchant(
        public_id="",
        name=new.name,
        currency=new.currency,
        timezone=new.timezone,
        allowed_origins=new.allowed_origins,
        return_urls=new.return_urls,
        privacy="counts",
        landing="page",
        stripe_account=new.stripe_account,
        created_at=now,
    )
    session.add(merchant)
    session.flush()
    merchant.public_id = new_id("mer", merchant.merchant_id, now)
    return merchant


def open_shop(session: Session, signer: Signer, new: NewMerchant, now: datetime) -> tuple[Merchant, str, str]:
    """A new tenant with its first secret key and report key, in clear: they exist only in this answer."""
    merchant = create(session, new, now)
    _, secret = keyring.add(session, signer, merchant.merchant_id, NewKey("secret"), now)
    _, report = keyring.add(session, signer, merchant.merchant_id, NewKey("report"), now)
    note(session, By(merchant.merchant_id, None, now), "merchant.opened", merchant.public_id)
    return merchant, secret, report


def privacy_of(session: Session, merchant_id: int) -> str:
    """How much the merchant keeps of people (`privacy/modes.py`); of one who is not here, nothing is."""
    return session.scalar(select(Merchant.privacy).where(Merchant.merchant_id == merchant_id)) or NONE


def visits_kept_from(session: Session, merchant_id: int) -> datetime | None:
    """Before which moment visits of the merchant may be gone; None: all are there."""
    return session.scalar(select(Merchant.visits_kept_from).where(Merchant.merchant_id == merchant_id))


def get(session: Session, merchant_id: int, *, lock: bool = False) -> Merchant:
    """The merchant with this number; with `lock`, nobody else changes it until the transaction ends.

    Raises `NotFound` when there is none, or it has left.
    """
    merchant = session.get(Merchant, merchant_id, with_for_update=lock or None)
    if merchant is None or merchant.closed_at is not None:
        raise NotFound
    return merchant


def by_public_id(session: Session, public_id: str) -> Merchant:
    """The merchant called `mer_…`. Raises `NotFound`."""
    merchant = get(session, merchant_of(public_id, "mer"))
    if merchant.public_id != public_id:
        raise NotFound
    return merchant


def seller(session: Session, public_id: str, stripe_account: str | None) -> Merchant | None:
    """The merchant called `mer_…`, where they sell through this account of Stripe's (None: the server's own)."""
    try:
        merchant = by_public_id(session, public_id)
    except (NotFound, Malformed):
        return None
    return merchant if merchant.stripe_account == stripe_account else None


def only_seller(session: Session, stripe_account: str | None) -> Merchant | None:
    """The one merchant who sells through this account of Stripe's (None: the server's own); None where there is none,
    or several do."""
    sells = select(Merchant).where(Merchant.stripe_account == stripe_account, Merchant.closed_at.is_(None))
    found = session.scalars(sells.limit(2)).all()
    return found[0] if len(found) == 1 else None


def change(merchant: Merchant, changes: dict[str, Any]) -> Merchant:
    """Set the given settings; the caller has checked them."""
    for name, value in changes.items():
        setattr(merchant, name, value)
    return merchant


def close(session: Session, merchant: Merchant, now: datetime) -> None:
    """Off-boarding: keys, links and widgets stop; the books stay."""
    merchant.closed_at = now
    for key in keyring.working(session, merchant.merchant_id, now):
        key.withdrawn_at = now


def listed_origins(session: Session) -> frozenset[str]:
    """Every origin that some merchant lists: what a preflight, which names no merchant, is held against."""
    lists = session.scalars(select(Merchant.allowed_origins).where(Merchant.closed_at.is_(None)))
    return frozenset(origin for origins in lists for origin in origins)
