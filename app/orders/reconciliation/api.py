"""What comparisons with Stripe's books repaired, by HTTP."""

from collections.abc import Sequence

from fastapi import APIRouter, Response
from pydantic import Field
from sqlalchemy import select
from sqlalchemy.orm import Session

from app.kernel.http.pages import Page, Paging, newest_first
from app.kernel.http.wire import Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey
from app.orders.reconciliation.models import Repair

router = APIRouter(prefix="/v1/repairs", tags=["orders"])


class RepairOut(Wire):
    """Something of Stripe's that no webhook had told, and that is in the books since `repaired_at`."""

    id: str
    type: str = Field(description="Stripe's type of event.", examples=["refund.created"])
    object: str = Field(description="Stripe's id of the session, refund or dispute.", examples=["re_3QX…"])
    order: str | None = Field(description="The order that it made or changed.")
    happened_at: Timestamp
    repaired_at: Timestamp


@router.get("", response_model=Page[RepairOut])
def list_repairs(caller: SecretKey, paging: Paging, work: UnitOfWork) -> Response:
    """What was missing and is repaired, newest first. Stripe's books are compared with ours each hour; an empty list
    says that every webhook has come."""

    def read(session: Session) -> Page[RepairOut]:
        repaired = select(Repair).where(Repair.merchant_id == caller.merchant_id)
        return newest_first(session, repaired, Repair.repair_id, paging, _shown)

    return work.read(read)


def _shown(rows: Sequence[Repair]) -> list[RepairOut]:
    return [
        RepairOut(
            id=row.repair_id,
            type=row.type,
            object=row.object_id,
            order=row.order_id,
            happened_at=row.happened_at,
            repaired_at=row.repaired_at,
        )
        for row in rows
    ]
