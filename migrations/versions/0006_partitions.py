"""Visits and beacons in parts by month, on PostgreSQL: SQLite has nothing to change

Each table becomes the part of what no month has, where it stands, and nothing of it is rewritten: what was written
before, and visits that other systems brought under ids of their own. It is proven beside everybody's work that it
holds nothing of the months to come, so each lock is short; on PostgreSQL this fails after 5 s of waiting for one
rather than stopping the shop: run it again, as soon as may be. Until then the proof refuses what is written from the
first month on, which is two weeks ahead at least.

Revision: 0006
Revises: 0005
"""

# ruff: noqa: S608 - the statements are made of names of our own tables and beginnings of ids

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import pairwise

import sqlalchemy as sa
from alembic import op
from alembic.util import CommandError

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

_CROCKFORD = "0123456789abcdefghjkmnpqrstvwxyz"
_END = datetime(2200, 1, 1, tzinfo=UTC)
"""No month of ours begins later."""
_NOTICE = timedelta(days=14)
_AHEAD = 3
"""Months that are made: this one, or the first that will be, and the next."""


def upgrade() -> None:
    if op.get_context().dialect.name == "postgresql":
        part("visits", "visit_id", "clk")
        part("beacons", "beacon_id", "bcn")


def part(table: str, key: str, prefix: str) -> None:
    """Bring one table into parts. A second attempt leaves one that is, and begins anew with one that is not."""
    if one(f"SELECT relkind FROM pg_class WHERE oid = to_regclass('{table}')") == "p":
        return
    months = coming(datetime.now(UTC), in_use=one(f"SELECT EXISTS (SELECT FROM {table})"))
    bounds = [(month, beginning(prefix, month)) for month in months]
    first, end = bounds[0][1], beginning(prefix, _END)
    proof = f"ck_{table}_others"
    in_months = f"{key} >= '{first}' AND {key} < '{end}'"
    op.execute(f"ALTER TABLE {table} DROP CONSTRAINT IF EXISTS {proof}")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT {proof} CHECK (NOT ({in_months})) NOT VALID")
    release_locks()
    # Other systems may have ids that look like ours of a time to come; the proof lets no more of them in.
    moved = one(f"SELECT EXISTS (SELECT FROM {table} WHERE {in_months})")
    if moved:
        op.execute(f"CREATE TEMP TABLE moved ON COMMIT DROP AS SELECT * FROM {table} WHERE {in_months}")
        op.execute(f"DELETE FROM {table} WHERE {in_months}")
    op.execute(f"ALTER TABLE {table} VALIDATE CONSTRAINT {proof}")
    if not moved:
        release_locks()
    put_in_place(table, key)
    for (_, since), (month, until) in pairwise(bounds):
        add(table, f"{table}_until_{month:%Y_%m}", since, until)
    add(table, f"{table}_later", bounds[-1][1], end)
    if moved:
        op.execute(f"INSERT INTO {table} SELECT * FROM moved")
    release_locks()


def release_locks() -> None:
    """End the transaction: what was done stands, and a second attempt finds it. The next statement begins another."""
    op.execute("COMMIT")


def put_in_place(table: str, key: str) -> None:
    """The table becomes `…_others`, and a part of one that takes its name, its columns and its indexes."""
    others = f"{table}_others"
    indexes = rows(
        "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
        f" WHERE i.indrelid = '{table}'::regclass AND NOT i.indisprimary"
    )
    op.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
    op.execute(f"ALTER TABLE {table} RENAME TO {others}")
    op.execute(f"ALTER INDEX pk_{table} RENAME TO pk_{others}")
    for name, _ in indexes:
        op.execute(f"ALTER INDEX {name} RENAME TO {name.replace(table, others)}")
    op.execute(f"CREATE TABLE {table} (LIKE {others} INCLUDING DEFAULTS) PARTITION BY RANGE ({key})")
    op.execute(f"ALTER TABLE {table} ADD CONSTRAINT pk_{table} PRIMARY KEY (merchant_id, {key})")
    for _, definition in indexes:
        op.execute(definition)
    op.execute(f"ALTER TABLE {table} ATTACH PARTITION {others} DEFAULT")


def add(table: str, name: str, since: str, until: str) -> None:
    op.execute(f"CREATE TABLE {name} PARTITION OF {table} FOR VALUES FROM ('{since}') TO ('{until}')")


def one(query: str) -> object:
    return op.get_bind().scalar(sa.text(query))


def rows(query: str) -> list[tuple[str, str]]:
    return [(name, said) for name, said in op.get_bind().execute(sa.text(query))]


def coming(now: datetime, *, in_use: object) -> list[datetime]:
    """When the first months begin, and the first that has none yet. Where there is something already, and others who
    write, they begin some time ahead."""
    begun = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    months = following(begun)
    return [month for month in months if not in_use or month >= now + _NOTICE][: _AHEAD + 1]


def following(month: datetime) -> Iterator[datetime]:
    for _ in range(_AHEAD + 3):
        yield month
        month = (month + timedelta(days=31)).replace(day=1)


def beginning(prefix: str, at: datetime) -> str:
    """How our ids of this moment begin; those of later ones are greater (app/kernel/ids.py)."""
    millisecond = int(at.timestamp() * 1000)
    return f"{prefix}_" + "".join(_CROCKFORD[millisecond >> shift & 31] for shift in range(45, -1, -5))


def downgrade() -> None:
    raise CommandError("what was dropped with its month cannot come back: restore a backup")
