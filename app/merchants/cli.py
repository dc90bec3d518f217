"""Merchants on the command line: `grapevine merchant` makes one; other commands ask whose something is."""

from pydantic import ValidationError
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.errors import Invalid, NotFound
from app.kernel.ids import Malformed
from app.kernel.signing import Signer
from app.merchants import accounts, service
from app.merchants.api import MerchantIn
from app.merchants.models import Merchant
from app.settings import Settings


def make_merchant(settings: Settings, name: str, currency: str, origins: list[str]) -> dict[str, str]:
    """Its id and keys, which are not shown again. Raises `ValueError` saying what is wrong."""
    try:
        wanted = MerchantIn(name=name, currency=currency, allowed_origins=origins)
    except ValidationError as wrong:
        first = wrong.errors()[0]
        raise ValueError(f"{first['loc'][0]}: {first['msg']}") from None
    database = Database(settings.database)
    try:
        with database.transaction() as session:
            merchant, secret, report = service.open_shop(
                session,
                Signer(settings.secret.encode()),
                service.NewMerchant(**wanted.model_dump()),
                SystemClock().now(),
            )
            return {"merchant": merchant.public_id, "secret key": secret, "report key": report}
    finally:
        database.close()


def owner(session: Session, public_id: str | None) -> Merchant:
    """The merchant who is meant by `--merchant`; the only one, where none was said. Raises `Invalid`."""
    if public_id is not None:
        try:
            return service.by_public_id(session, public_id)
        except (NotFound, Malformed):
            raise Invalid(detail=f"--merchant: there is no merchant {public_id}") from None
    known = session.scalars(select(Merchant).where(Merchant.closed_at.is_(None)).limit(2)).all()
    if len(known) != 1:
        raise Invalid(detail="there is not exactly one merchant: say which, with --merchant mer_…")
    return known[0]


def chosen(session: Session, public_id: str | None) -> dict[int, tuple[str, str]]:
    """The merchants whom a command is about, by number, each with `mer_…` and name: all there ever were, or the one
    that `--merchant` says. Raises `Invalid` for one that there is not."""
    everybody = accounts.names(session)
    if public_id is None:
        return everybody
    one = owner(session, public_id).merchant_id
    return {one: everybody[one]}
