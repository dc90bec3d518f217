"""What the database knows of how full its tables are: by that it chooses its ways through them.

PostgreSQL looks by itself, once a minute; SQLite never does. Until then a table that was just filled is taken for
nearly empty and read from end to end where an index would do, a hundred times slower. Whoever fills tables asks for a
look on the way. Knows no table.
"""

from collections.abc import Sequence

from sqlalchemy import text
from sqlalchemy.orm import Session

from app.kernel.database import Base, table_of

_ROWS_A_LOOK = 1000
"""Of an index, that SQLite looks at: enough to tell few from many."""


def look_at(session: Session, first: type[Base], *others: type[Base]) -> None:
    """Look at these tables now, in a transaction of its own; at some rows of each, so it takes a tenth of a second.

    One that somebody else is looking at is passed over.
    """
    look_at_named(session, [table_of(table).name for table in (first, *others)])


def look_at_named(session: Session, names: Sequence[str]) -> None:
    """As `look_at`, for whoever fills tables without knowing them."""
    if session.get_bind().dialect.name == "postgresql":
        session.execute(text(f"ANALYZE (SKIP_LOCKED) {', '.join(names)}"))
        return
    session.execute(text(f"PRAGMA analysis_limit = {_ROWS_A_LOOK}"))
    for name in names:
        session.execute(text(f"ANALYZE {name}"))


class Growth:
    """Tells when something has grown so much that it is worth another look: from `first` on, each time fourfold."""

    def __init__(self, first: int) -> None:
        self._next = first

    def is_worth_a_look(self, size: int) -> bool:
        """Whether a size is reached at which none was taken yet."""
        if size < self._next:
            return False
        while self._next <= size:
            self._next *= 4
        return True
