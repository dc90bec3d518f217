"""What is said in the stream of a wall, as Server-Sent Events (HTML standard, 9.2). Pure.

Counts are states, not steps: of several updates that somebody was too slow for, the last count of each product is
all that is left to say.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Final

from app.kernel.feed_places import Place

RETRY: Final = b"retry: 3000\n\n"
"""Milliseconds after which a browser comes back that was cut off."""
BEAT: Final = b":\n\n"
"""A comment, so that nobody between takes the line for dead."""

MOST_SHARES: Final = 20
"""So many are told one by one to somebody who is slow; the latest."""

Event = tuple[str, Mapping[str, object]]
"""Its name, and what it says."""

Share = tuple[str | None, str | None]
"""The product that was shared, and the wall."""


@dataclass(frozen=True)
class Update:
    """What has changed on a wall after the place `since`, up to `upto`: the counts of what was liked or no longer
    is, what was shared, and which cards came and went."""

    since: Place
    upto: Place
    likes: Mapping[str, int] = field(default_factory=dict)
    shares: tuple[Share, ...] = ()
    added: frozenset[str] = frozenset()
    removed: frozenset[str] = frozenset()

    def then(self, later: "Update") -> "Update":
        """Both in one."""
        shares = tuple(dict.fromkeys((*self.shares, *later.shares)))[-MOST_SHARES:]
        added = (self.added - later.removed) | (later.added - self.removed)
        removed = (self.removed - later.added) | (later.removed - self.added)
        return Update(self.since, later.upto, {**self.likes, **later.likes}, shares, added, removed)

    def __bool__(self) -> bool:
        return bool(self.likes or self.shares or self.added or self.removed)

    @cached_property
    def encoded(self) -> bytes:
        """As bytes; made once for all who hear it."""
        told: list[Event] = [("likes", {"likes": self.likes})] if self.likes else []
        told += [("share", {"product": product, "wall": wall}) for product, wall in self.shares]
        if self.added or self.removed:
            told.append(("cards", {"added": sorted(self.added), "removed": sorted(self.removed)}))
        return encoded(told, self.since, self.upto)


def encoded(told: list[Event], since: Place, upto: Place) -> bytes:
    """The events in a row, at least one.

    Only the last carries the new place: who is cut off between two of them hears all again.
    """
    ids = [*(since for _ in told[1:]), upto]
    return b"".join(_event(place, name, data) for place, (name, data) in zip(ids, told, strict=True))


def _event(place: Place, name: str, data: Mapping[str, object]) -> bytes:
    return f"id: {place}\nevent: {name}\ndata: {json.dumps(data, separators=(',', ':'))}\n\n".encode()
