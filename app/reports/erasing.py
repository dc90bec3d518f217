"""How reports forget somebody: what is kept of sums by sharer is added up anew, under the names that hold now."""

from sqlalchemy import delete

from app.kernel.database import Database
from app.kernel.rekeying import Step
from app.privacy.erasure import Forgetting
from app.reports.credit_keeping import Keeping
from app.reports.models import CreditSum


def add_up(database: Database, whom: Forgetting, step: Step) -> None:
    """Add up what was marked, and take away the sums of nothing that are left under the old names: of wider spans that
    they were part of. Comes last: what was marked may be added up by others before all have their new names."""
    Keeping(database).add_up_all()
    step()
    of_them = (CreditSum.dimension == "sharer", CreditSum.value.in_(whom.names))
    nothing = (CreditSum.orders == 0, CreditSum.gross == 0, CreditSum.refunded == 0, CreditSum.lines == 0)
    with database.transaction() as session:
        session.execute(delete(CreditSum).where(CreditSum.merchant_id == whom.merchant_id, *of_them, *nothing))
