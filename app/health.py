"""Whether the server is alive and ready, for those who run it."""

from fastapi import APIRouter, Request, Response
from pydantic import BaseModel
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from app import migrate
from app.kernel.http.work import Here

router = APIRouter(tags=["operator"])


class Health(BaseModel):
    """`status` is `ok`, or says what is missing."""

    status: str


class Readiness(Health):
    """Whether the database answers and has every migration."""

    database: str
    migrations: str


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
        return Readiness(status="unavailable", database="away", migrations="unknown")
    request.app.state.migrations_are_current = current
    if not current:
        response.status_code = 503
        return Readiness(status="unavailable", database="ok", migrations="missing")
    return Readiness(status="ok", database="ok", migrations="ok")
