"""What is asked of a report, understood: what all of them have in common. Knows no HTTP."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo


@dataclass(frozen=True, kw_only=True)
class Asked:
    """`only` and `without` hold values by dimension; `(none)` stands for what has none."""

    merchant_id: int
    since: datetime
    until: datetime
    zone: ZoneInfo
    livemode: bool
    as_of: datetime
    as_known_now: bool = False
    """Whether `as_of` is now because nothing else was asked for: then what is kept of now may answer."""
    currency: str | None = None
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    without: Mapping[str, Sequence[str]] = field(default_factory=dict)
