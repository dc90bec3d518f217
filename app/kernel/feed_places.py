"""Places in the feed (feed.py), as they are told to others and come back from them. Pure."""

import re
from typing import Final, NamedTuple

_MARK: Final = 12
"""So many characters at the end of an id are chance, drawn anew for each entry."""

_PLACE: Final = re.compile(f"([0-9]{{1,18}})-((?:[0-9a-z]{{{_MARK}}})?)")


class Place(NamedTuple):
    """A position, and the `mark` by which its entry is known again: a database that was put back may have come to the
    same position with something else. At the beginning, 0, there is no entry and no mark."""

    position: int
    mark: str

    def __str__(self) -> str:
        return f"{self.position}-{self.mark}"

    @classmethod
    def of(cls, text: str) -> "Place | None":
        """The place that says so of itself; None for any other text."""
        said = _PLACE.fullmatch(text)
        return cls(int(said[1]), said[2]) if said is not None else None


BEGINNING: Final = Place(0, "")


def mark_of(entry_id: str | None) -> str:
    """The mark of the entry with this id; empty where there is none."""
    return (entry_id or "")[-_MARK:]
