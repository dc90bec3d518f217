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
    currency: str | None = None
    only: Mapping[str, Sequence[str]] = field(default_factory=dict)
    without: Mapping[str, Sequence[str]] = field(default_factory=dict)
