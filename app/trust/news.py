"""What trust tells the domains that listen: ids only (`kernel/events.py`)."""

from dataclasses import dataclass

from app.kernel.events import Event


@dataclass(frozen=True)
class StandingsChanged(Event):
    """Whether credit may be earned through these has changed. `eased`: through some of the referrals it may again, and
    of what came through them meanwhile nothing was written."""

    referrals: list[str]
    visits: list[str]
    orders: list[str]
    eased: bool = False
