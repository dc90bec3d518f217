"""What happens in a world, as columns: one array for each field, all of one length. Pure.

Products, walls and networks are numbers (`shops`, `networks`; 0 is none), times are microseconds since 1970 in UTC.
"""

from collections.abc import Sequence
from typing import NamedTuple, TypeVar

import numpy as np

from app.simulation.chance import Flags, Floats, Ints, Words

LIKE, SHARE = 1, 2
VIEW = 3
"""Kinds of touch: through a like, through a share, or a referral's card that was seen."""


class Referrals(NamedTuple):
    """Likes and shares."""

    id: Words
    at: Ints
    kind: Ints
    visitor: Words
    product: Ints
    wall: Ints
    network: Ints
    code: Words
    parent: Words
    caption: Words
    name: Words
    withdrawn_at: Words
    reach: Floats
    """How much it is followed, beside others: 0 where it will be taken back."""
    depth: Ints


class Visits(NamedTuple):
    """Who followed a link, or saw a referral's card; what they came to, through whom; and whose visit it was, where
    somebody claimed it."""

    id: Words
    at: Ints
    kind: Ints
    referral: Words
    sharer: Words
    product: Ints
    wall: Ints
    shared_to: Ints
    seen_from: Ints
    depth: Ints
    visitor: Words
    claimed_at: Ints
    claimed_id: Words
    is_first: Flags
    """Whether it is the first of its visitor, as far as anybody knows."""


class Beacons(NamedTuple):
    """What widgets reported."""

    id: Words
    at: Ints
    received_at: Ints
    type: Ints
    product: Ints
    wall: Ints
    referral: Words
    network: Ints
    """Of the referral whose card it was, as is the kind."""
    kind: Ints
    click: Words
    visitor: Words


class Machines(NamedTuple):
    """How often machines asked for links on a day."""

    referral: Words
    machine: Ints
    visits: Ints


Columns = TypeVar("Columns", Referrals, Visits, Beacons, Machines)


def chosen(columns: Columns, which: Ints | Flags) -> Columns:
    """Those that are meant."""
    return type(columns)._make(column[which] for column in columns)


def joined(first: Columns, *others: Columns) -> Columns:
    """All of them, one after the other."""
    return type(first)._make(np.concatenate(each) for each in zip(first, *others, strict=True))


def nothing(count: int) -> Words:
    """So many times None."""
    return np.full(count, None, dtype=object)


def only(texts: Words, which: Flags) -> Words:
    """Those of the texts that are meant, and None for the others."""
    found = texts.copy()
    found[~which] = None
    return found


def words(texts: Sequence[object]) -> Words:
    """Texts as a column."""
    column = np.empty(len(texts), dtype=object)
    column[:] = texts
    return column


def none_of(kind: type[Columns]) -> Columns:
    """Columns without a row."""
    return kind._make(np.empty(0, dtype=_DTYPES[each]) for each in kind.__annotations__.values())


_DTYPES: dict[object, type] = {Words: object, Ints: np.int64, Floats: np.float64, Flags: np.bool_}
