"""A line to PostgreSQL on which notices are heard and told (LISTEN and NOTIFY). Knows none of what they mean."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, cast

from sqlalchemy.exc import DBAPIError

from app.kernel.database import Database

if TYPE_CHECKING:
    import psycopg
    from psycopg.rows import TupleRow


class NoticeLine:
    """A connection without transactions, of one thread. Raises the driver's errors (but see `line_to`)."""

    def __init__(self, connection: "psycopg.Connection[TupleRow]") -> None:
        self._connection = connection
        self._heard: list[str] = []
        connection.add_notify_handler(lambda notice: self._heard.append(notice.payload))

    def fileno(self) -> int:
        """For a selector: there is something to be read."""
        return self._connection.fileno()

    def listen(self, channel: str) -> None:
        self._connection.execute(f'LISTEN "{channel}"'.encode())  # a statement that takes no parameters

    def notify(self, channel: str, words: str) -> None:
        """Tell all who listen, this line too."""
        self._connection.execute("SELECT pg_notify(%s, %s)", (channel, words))

    def look(self) -> None:
        """Raise where nobody is at the other end any more."""
        self._connection.execute("SELECT 1")

    def heard(self) -> list[str]:
        """What has arrived since it was asked last; waits for nothing."""
        line = self._connection.pgconn
        line.consume_input()
        while notice := line.notifies():  # what came with an answer was handed to the handler already
            self._heard.append(notice.extra.decode(errors="replace"))
        heard, self._heard = self._heard, []
        return heard


@contextmanager
def line_to(database: Database) -> Iterator[NoticeLine]:
    """A line of the caller's own, beside the pool. In the block the driver's errors become SQLAlchemy's, as
    everywhere."""
    driver = database.engine.dialect.loaded_dbapi
    try:
        held = database.engine.raw_connection()
        connection = cast("psycopg.Connection[TupleRow]", held.driver_connection)
        held.detach()
        with connection:
            connection.autocommit = True
            yield NoticeLine(connection)
    except driver.Error as error:
        raise DBAPIError.instance(None, None, error, driver.Error, dialect=database.engine.dialect) from error
