"""`grapevine merchant`: a tenant made from the command line."""

from pydantic import ValidationError

from app.kernel.clock import SystemClock
from app.kernel.database import Database
from app.kernel.signing import Signer
from app.merchants import service
from app.merchants.api import MerchantIn
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
