"""How long visits and beacons are kept, and the job by which they have their months. What they came to, the counts
(app/kernel/rollups), stays."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

from app.kernel import partitions
from app.kernel.partitions import Timed
from app.kernel.periodic import Periodic
from app.kernel.runtime import Runtime
from app.referrals.models import Beacon, Visit
from app.settings import Settings

NAME: Final = "months"
EVERY: Final = timedelta(hours=6)


def tables(settings: Settings) -> tuple[Timed, Timed]:
    """Visits stay for ever: by them an order's credit is divided again whenever something is learnt of it."""
    return Timed(Visit, "clk"), Timed(Beacon, "bcn", timedelta(days=settings.keep_beacons_days))


def beacons_kept_since(settings: Settings, now: datetime) -> datetime:
    """From when on all beacons are there; before that, some may be dropped already."""
    return partitions.kept_since(timedelta(days=settings.keep_beacons_days), now)


def periodic(here: Runtime) -> Periodic:
    """The job that makes the months to come and drops what is too old."""

    def run(extend: Callable[[], None]) -> None:
        # What is dropped because a clock was wrong does not come back.
        partitions.keep_up(here.database, tables(here.settings), here.watch.corrected(here.clock.now()), extend)

    return Periodic(NAME, EVERY, run)
