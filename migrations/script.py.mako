"""${message}

Runs beside the old code: expand, backfill, then enforce. On PostgreSQL it fails after 5 s of waiting for a
lock rather than stopping the shop; run it again. An index on a large table is made CONCURRENTLY.

Revision: ${up_revision}
Revises: ${down_revision | comma,n}
"""

import sqlalchemy as sa
from alembic import op
${imports if imports else ""}
revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}


def downgrade() -> None:
    ${downgrades if downgrades else "pass"}
