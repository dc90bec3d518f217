"""From when on all facts of a kind are there, of those that are dropped by age. Counts go further back."""

from datetime import datetime
from typing import NamedTuple

from sqlalchemy.orm import Session

from app.kernel.clock import to_micros
from app.kernel.rollups.tables import QUARTER
from app.merchants.models import Merchant


class Kept(NamedTuple):
    """Microseconds since 1970, each the beginning of a quarter of an hour: older facts may have been dropped."""

    beacons: int
    visits: int
    checkouts: int


def kept(session: Session, merchant_id: int, beacons_since: datetime) -> Kept:
    """As of the moment that the session sees. What is dropped was announced before, so all that is told to be there is.
    `beacons_since`: since when the server keeps what widgets reported (referrals/keeping)."""
    merchant = session.get_one(Merchant, merchant_id)
    own = merchant.kept
    beacons, checkouts = own.gone_before("beacons"), own.gone_before("checkouts")
    return Kept(_up(max(beacons_since, beacons or beacons_since)), _up(merchant.visits_kept_from), _up(checkouts))


def _up(at: datetime | None) -> int:
    """The beginning of a quarter, not before; without a moment the beginning of all."""
    return 0 if at is None else -(-to_micros(at) // QUARTER) * QUARTER
