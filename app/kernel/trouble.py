"""Tells trouble of the database from trouble with what was asked of it. Knows the drivers' errors, no table."""

import logging

from sqlalchemy.exc import DatabaseError, DBAPIError, InternalError, OperationalError
from sqlalchemy.exc import TimeoutError as NoConnectionFree

_TROUBLES = {"25006", "XX000", "XX001", "XX002"}
"""PostgreSQL: it may only be read (a standby, or a provider's answer to a full disk), something broke inside, damaged
data or index. psycopg calls these internal errors, as it does some that are ours."""


def in_trouble(error: BaseException) -> bool:
    """Whether the database is the matter, and not what was asked of it: it is away, full, locked, damaged, may only be
    read, or nobody knows whether it has committed. Asked again later, it may well succeed."""
    if isinstance(error, NoConnectionFree):
        return True
    if not isinstance(error, DBAPIError):
        return False
    if isinstance(error, InternalError):
        return getattr(error.orig, "sqlstate", None) in _TROUBLES
    # The plain one is how SQLite tells that its file is damaged or none.
    return isinstance(error, OperationalError) or type(error) is DatabaseError or error.connection_invalidated


def tell_of(log: logging.Logger, what: str, error: Exception) -> None:
    """Log that work which goes on for ever could not be done just now: in one line where the database is away, since it
    is tried again each moment; with everything that is known where we are to blame."""
    if in_trouble(error):
        log.warning("%s; trying again: %s", what, str(error).splitlines()[0])
    else:
        log.error("%s; trying again", what, exc_info=error)
