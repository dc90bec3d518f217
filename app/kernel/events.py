"""News between domains: told in the transaction of what happened, so that effects stand or fall with their cause.

A domain publishes what happened without knowing who listens; the composition root connects the two. A
listener that fails takes nothing down: its own writes are undone (a savepoint), what happened stands, and
the listener is called again from the outbox until it succeeds (docs/decisions/0004-events.md).
"""

import logging
from collections import defaultdict
from collections.abc import Callable
from dataclasses import asdict, dataclass
from typing import Any, TypeVar

from sqlalchemy.orm import Session

from app.kernel.database import Database
from app.kernel.outbox import Handler, Message, Outbox
from app.kernel.trouble import in_trouble

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Event:
    """Something that happened to a merchant's facts. Subclasses add ids only, so that it can wait as JSON."""

    merchant_id: int


Happened = TypeVar("Happened", bound=Event)
Listener = Callable[[Session, Happened], None]


class Events:
    """Connects those who publish with those who listen."""

    def __init__(self, outbox: Outbox) -> None:
        self._outbox = outbox
        self._listeners: dict[type[Event], list[tuple[str, Listener[Any]]]] = defaultdict(list)

    def on(self, kind: type[Happened], name: str, listener: Listener[Happened]) -> None:
        """Call `listener` for each event of `kind`. `name` is stable: retries wait under it."""
        self._listeners[kind].append((name, listener))

    def publish(self, session: Session, event: Event) -> None:
        """Tell all listeners, in the caller's transaction."""
        for name, listener in self._listeners[type(event)]:
            try:
                with session.begin_nested():
                    listener(session, event)
            except Exception as error:
                if in_trouble(error):
                    raise  # nothing of this transaction can stand
                log.exception("listener %s failed; it will be called again", name)
                self._outbox.add(session, event.merchant_id, f"event.{name}", asdict(event))

    def handlers(self, database: Database) -> dict[str, Handler]:
        """The outbox handlers that call failed listeners again."""
        return {
            f"event.{name}": _again(database, kind, listener)
            for kind, listeners in self._listeners.items()
            for name, listener in listeners
        }


def _again(database: Database, kind: type[Event], listener: Listener[Any]) -> Handler:
    def handle(message: Message) -> None:
        with database.transaction() as session:
            listener(session, kind(**message.payload))

    return handle
