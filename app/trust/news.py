"""What trust tells the domains that listen: ids only (`kernel/events.py`)."""

from dataclasses import dataclass

from app.kernel.events import Event


@dataclass(frozen=True)
class StandingsChanged(Event):
    """Whether credit may be earned through these has changed. `eased_since`: something earns again, for the first time
    since that moment (microseconds since 1970): any order received since may gain by it."""

    referrals: list[str]
    visits: list[str]
    orders: list[str]
    eased_since: int | None = None
