"""Whether the server is alive and ready, for those who run it."""

from contextlib import suppress
from typing import Final

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel, Field
from sqlalchemy import func, select, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.orm import Session

from app import migrate
from app.delivery import backlog
from app.kernel.clock_watch import DATABASE
from app.kernel.http.wire import Timestamp
from app.kernel.http.work import Here
from app.kernel.periodic import PeriodicJob
from app.kernel.runtime import Runtime
from app.orders.reconciliation import runs as reconciliation
from app.orders.stripe.gateway import Gateway
from app.reports import audit

router = APIRouter(tags=["operator"])

_OVERDUE: Final = 3 * reconciliation.EVERY


class Health(BaseModel):
    """`status` is `ok`, or says what is missing."""

    status: str


class LastReconciliation(BaseModel):
    """When Stripe's books were last compared with ours, and what hinders it now."""

    finished_at: Timestamp | None
    error: str | None


class LastAudit(BaseModel):
    """When everybody's books were last found to add up, orders to credit to reports, and whether they do now."""

    finished_at: Timestamp | None
    error: str | None


class Webhooks(BaseModel):
    """How far those who are told by webhooks are behind. Endpoints that are disabled are not counted."""

    endpoints_behind: int = Field(
        description="To which something should have been sent five minutes ago, or nothing arrived for five minutes, "
        "or for which more than 10,000 writings were not looked at yet."
    )
    oldest_waiting_at: Timestamp | None = Field(
        description="When what is next for one of them was made out; null where nothing waits for them."
    )
    waiting: int = Field(description="Deliveries that wait, for all endpoints: counted up to 10,000.")


class Readiness(Health):
    """Whether the database answers and has every migration. The rest hinders nothing: `warnings` is for people."""

    database: str
    migrations: str
    clock: str = Field("ok", description="Of this machine: `ok`, or `fast by 600 s`, by Stripe's and the database's.")
    reconciliation: LastReconciliation | None = Field(None, description="Null where no key of Stripe's is set.")
    books: LastAudit | None = Field(None, description="Null until they were looked at for the first time.")
    webhooks: Webhooks | None = Field(None, description="Null where it could not be asked.")
    warnings: list[str] = Field(default_factory=list)


@router.get("/healthz", response_model=Health)
async def healthz() -> Health:
    """Alive: the process answers."""
    return Health(status="ok")


@router.get("/readyz", response_model=Readiness, responses={503: {"model": Readiness}})
def readyz(here: Here, request: Request, response: Response) -> Readiness:
    """Ready: the database answers and has every migration that this code needs."""
    try:
        with here.database.reading() as session:
            session.execute(text("SELECT 1"))
        # Once current, a database stays so as long as this code runs.
        current = getattr(request.app.state, "migrations_are_current", False) or migrate.is_current(here.database)
    except SQLAlchemyError:
        response.status_code = 503
        return _with_clock(here, Readiness(status="unavailable", database="away", migrations="unknown"))
    request.app.state.migrations_are_current = current
    if not current:
        response.status_code = 503
        return _with_clock(here, Readiness(status="unavailable", database="ok", migrations="missing"))
    ready = Readiness(status="ok", database="ok", migrations="ok")
    with suppress(SQLAlchemyError):  # it was there a moment ago, and nobody's readiness hangs on what is told here
        _look(here, request.app.state.gateway, ready)
    return _with_clock(here, ready)


def _look(here: Runtime, gateway: Gateway, ready: Readiness) -> None:
    """What the database knows besides: its own time, how the books stand, and the last comparison with Stripe's."""
    with here.database.reading() as session:
        last_audit = session.get(PeriodicJob, audit.NAME)
        if last_audit is not None and (last_audit.finished_at, last_audit.error) != (None, None):
            ready.books = LastAudit(finished_at=last_audit.finished_at, error=last_audit.error)
            if last_audit.error is not None:
                ready.warnings.append(f"the books were not found to add up: {last_audit.error}")
        _look_at_webhooks(session, here, ready)
        if not here.database.is_sqlite:
            here.watch.heard(DATABASE, session.scalars(select(func.clock_timestamp())).one())
        if not gateway.has_key:
            return
        last = reconciliation.health(session)
    ready.reconciliation = LastReconciliation(finished_at=last.finished_at, error=last.error)
    if last.error is not None:
        ready.warnings.append(f"the last comparison with Stripe's books failed: {last.error}")
    elif last.finished_at is not None and here.clock.now() - last.finished_at > _OVERDUE:
        ready.warnings.append("Stripe's books were not compared with ours for hours: does a worker run?")


def _look_at_webhooks(session: Session, here: Runtime, ready: Readiness) -> None:
    behind = backlog.look(session, here.clock.now())
    ready.webhooks = Webhooks(
        endpoints_behind=behind.late + behind.failing, oldest_waiting_at=behind.oldest, waiting=behind.waiting
    )
    ready.warnings += behind.warnings


def _with_clock(here: Runtime, readiness: Readiness) -> Readiness:
    warning = here.watch.warning
    if warning is not None:
        readiness.clock = warning
        readiness.warnings.append(f"this machine's clock is {warning}: nothing stops, but set it right")
    return readiness
