"""Facts that are brought in under keys of their own: which of them are new, known already, or contradict what is known.

Knows no table and no kind of fact. What stands first stands: a repetition changes nothing, and what says something
else under the same key is told so, with what is known.
"""

from collections.abc import Callable, Collection, Hashable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import Enum
from typing import TypeAlias, TypeVar

from app.kernel.clock import rfc3339

_LONGEST = 80
"""Characters of a known value that are told."""


class Outcome(Enum):
    """What became of a fact that was not refused."""

    ACCEPTED = "accepted"
    UNCHANGED = "unchanged"


@dataclass(frozen=True)
class Contradiction:
    """Why a fact was refused: it says something else than what stands under its key. `field` is the first such."""

    field: str
    detail: str


Verdict: TypeAlias = Outcome | Contradiction
Said: TypeAlias = tuple[object, ...]
"""What a fact says, field by field: those of the contract, in a fixed order."""

_Fact = TypeVar("_Fact")
_Key = TypeVar("_Key", bound=Hashable)


def judge(
    facts: Sequence[_Fact],
    fields: Sequence[str],
    *,
    key: Callable[[_Fact], _Key],
    said: Callable[[_Fact], Said],
    insert: Callable[[Mapping[_Key, _Fact]], Collection[_Key]],
    find: Callable[[Mapping[_Key, _Fact]], Mapping[_Key, Said]],
) -> list[Verdict]:
    """Write those of `facts` that are new; what became of each, in order. Of one key several times, the first counts.

    `insert` writes the facts that do not stand yet and tells their keys; `find` tells what the others found standing.
    """
    firsts: dict[_Key, _Fact] = {}
    for fact in facts:
        firsts.setdefault(key(fact), fact)
    new = insert(firsts)
    known = dict(find({name: fact for name, fact in firsts.items() if name not in new}))
    known |= {name: said(firsts[name]) for name in new}
    return [
        Outcome.ACCEPTED
        if (name := key(fact)) in new and firsts[name] is fact
        else _compared(fields, said(fact), known[name])
        for fact in facts
    ]


def _compared(fields: Sequence[str], says: Said, knows: Said) -> Verdict:
    if says == knows:
        return Outcome.UNCHANGED
    return Contradiction(
        next(name for name, _ in _differences(fields, says, knows)),
        "known already with "
        + ", ".join(f"{name} {_told(value)}" for name, value in _differences(fields, says, knows)),
    )


def _differences(fields: Sequence[str], says: Said, knows: Said) -> Iterator[tuple[str, object]]:
    """The fields that differ, each with what is known."""
    return ((name, known) for name, new, known in zip(fields, says, knows, strict=True) if new != known)


def _told(value: object) -> str:
    if isinstance(value, datetime):
        return rfc3339(value)
    return "null" if value is None else str(value)[:_LONGEST]
