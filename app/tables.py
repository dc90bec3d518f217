"""Every table, gathered for migrations and for the tests over the metadata."""

from app.attribution import models as _attribution
from app.catalog import models as _catalog
from app.delivery import models as _delivery
from app.kernel import feed as _feed
from app.kernel import journal as _journal
from app.kernel import outbox as _outbox
from app.kernel import periodic as _periodic
from app.kernel.database import Base
from app.kernel.http import idempotency as _idempotency
from app.kernel.rollups import tables as _rollups
from app.merchants import models as _merchants
from app.orders import models as _orders
from app.orders import stripe_models as _stripe
from app.orders.connectors import models as _connectors
from app.orders.promotions import models as _promotions
from app.orders.reconciliation import models as _reconciliation
from app.privacy import models as _privacy
from app.referrals import models as _referrals
from app.reports import models as _reports
from app.trust import models as _trust
from app.walls import models as _walls

METADATA = Base.metadata

__all__ = ["METADATA"]

_MODULES = (
    *(_attribution, _catalog, _connectors, _delivery, _feed, _idempotency, _journal, _merchants, _orders, _outbox),
    *(_periodic, _privacy, _promotions, _reconciliation, _referrals, _reports, _rollups, _stripe, _trust, _walls),
)
