"""When what is old is dropped: the jobs of the timetable."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta
from typing import Final

from app.kernel.periodic import Periodic
from app.kernel.runtime import Runtime
from app.merchants.retention import usual
from app.retention.others import forget_for_all, forget_of_merchant
from app.retention.visits import forget_visits, shops

VISITS: Final = "visits"
OTHERS: Final = "retention"
EVERY: Final = timedelta(hours=6)
_DAILY: Final = timedelta(days=1)


def periodic(here: Runtime) -> Sequence[Periodic]:
    """The jobs that drop what is too old."""
    keep = usual(here.settings)

    def now() -> datetime:
        # What is dropped because a clock was wrong does not come back.
        return here.watch.corrected(here.clock.now())

    def visits(extend: Callable[[], None]) -> None:
        forget_visits(here.database, here.clock, now(), keep["visits"], extend)

    def others(extend: Callable[[], None]) -> None:
        for shop in shops(here.database):
            forget_of_merchant(here.database, shop, keep, now(), extend)
            extend()
        forget_for_all(here.database, here.settings, now(), extend)

    return [Periodic(VISITS, EVERY, visits), Periodic(OTHERS, _DAILY, others)]
