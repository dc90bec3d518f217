"""Runs Alembic in the database that `app.migrate` hands over, or in the one of the environment's settings."""

from typing import Any, Literal

from alembic import context
from alembic.autogenerate.api import AutogenContext
from sqlalchemy import text

from app import settings, tables
from app.kernel.database import Database, Instant

_LOCK = 7239847192
"""PostgreSQL: servers that start together take turns under this advisory lock."""


def _render(kind: str, item: Any, _: AutogenContext) -> str | Literal[False]:
    """Write our own types into migrations as what they are in a database, so that migrations outlive them."""
    return "sa.BigInteger()" if kind == "type" and isinstance(item, Instant) else False


def run() -> None:
    given = context.config.attributes.get("database")
    database = given or Database(settings.load().database)
    with database.engine.connect() as connection:
        context.configure(
            connection=connection,
            target_metadata=tables.METADATA,
            render_as_batch=database.is_sqlite,
            transaction_per_migration=True,
            compare_type=True,
            render_item=_render,
        )
        with context.begin_transaction():
            if not database.is_sqlite:
                connection.execute(text(f"SELECT pg_advisory_xact_lock({_LOCK})"))
                connection.execute(text("SET LOCAL lock_timeout = '5s'"))
            context.run_migrations()
        connection.commit()


run()
