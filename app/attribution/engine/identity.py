"""Identity: which person a visitor stands for (rule 1).

Pure. The only place that decides what "the latest identity wins" means.
"""

from collections.abc import Iterable, Mapping
from typing import NamedTuple


class Identity(NamedTuple):
    """`visitor` is the same person as `person` (the merchant's own customer id, or another visitor's)."""

    visitor: str
    person: str
    at: int  # seconds; never decides when a person was joined, see `latest`
    received_at: int  # microseconds


def latest(identities: Iterable[Identity]) -> dict[str, str]:
    """The person of each linked visitor: what was said last, by `received_at`.

    Two that were received in the same microsecond are put in order by `at`, then by person, so that the outcome
    never depends on the order in which they are read.
    """
    winners: dict[str, Identity] = {}
    for identity in identities:
        other = winners.get(identity.visitor)
        if other is None or _said(identity) > _said(other):
            winners[identity.visitor] = identity
    return {visitor: identity.person for visitor, identity in winners.items()}


def stands_for(visitor: str, people: Mapping[str, str]) -> str:
    """The linked person of `visitor`, else the visitor. One step: a person is not looked up again."""
    return people.get(visitor, visitor)


def _said(identity: Identity) -> tuple[int, int, str]:
    return identity.received_at, identity.at, identity.person
