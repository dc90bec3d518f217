"""The usual way, for comparison: a FastAPI route that inserts a click with the ORM, commits, and answers 302.

It shares nothing with `app/` but the libraries, and is as durable: SQLite in WAL with `synchronous=FULL`,
PostgreSQL with its defaults. It spares itself what `/r/` has to do besides: it looks up no link.
"""

import os
import secrets
from datetime import UTC, datetime

from fastapi import FastAPI
from fastapi.responses import RedirectResponse
from sqlalchemy import create_engine, event
from sqlalchemy.engine.interfaces import DBAPIConnection
from sqlalchemy.orm import DeclarativeBase, Mapped, Session, mapped_column

ADDRESS = "BENCH_DATABASE_URL"


class Base(DeclarativeBase):
    """The tables of this file."""


class Click(Base):
    __tablename__ = "orm_baseline_clicks"

    id: Mapped[str] = mapped_column(primary_key=True)
    code: Mapped[str]
    at: Mapped[datetime]


def make() -> FastAPI:
    """The application, on the database that the environment names."""
    engine = create_engine(os.environ[ADDRESS], pool_size=40)
    if engine.dialect.name == "sqlite":
        event.listen(engine, "connect", _durable)
    Base.metadata.create_all(engine)
    app = FastAPI()

    def follow(code: str) -> RedirectResponse:
        click = secrets.token_hex(16)
        with Session(engine) as session, session.begin():
            session.add(Click(id=click, code=code, at=datetime.now(UTC)))
        return RedirectResponse(f"https://shop.example/mug?gv_click={click}", 302)

    async def follow_alone(code: str) -> RedirectResponse:
        return follow(code)

    # SQLite has one writer: threads would only wait for each other, and answer a third less.
    app.get("/r/{code}")(follow_alone if engine.dialect.name == "sqlite" else follow)
    return app


def _durable(connection: DBAPIConnection, _: object) -> None:
    cursor = connection.cursor()
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "busy_timeout=30000"):
        cursor.execute(f"PRAGMA {pragma}")
    cursor.close()
