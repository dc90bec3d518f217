"""What a running process has: one of each, made by the composition root and handed to whoever asks."""

from dataclasses import dataclass

from app.kernel.clock import Clock
from app.kernel.clock_watch import ClockWatch
from app.kernel.database import Database
from app.kernel.events import Events
from app.kernel.outbox import Outbox
from app.kernel.recorder import Recorder
from app.kernel.replica import Reports
from app.kernel.signing import Signer
from app.kernel.wakeups import Wakeups
from app.settings import Settings


@dataclass(frozen=True)
class Runtime:
    """The kernel's parts, alive."""

    settings: Settings
    clock: Clock
    database: Database
    signer: Signer
    outbox: Outbox
    events: Events
    recorder: Recorder
    watch: ClockWatch
    wakeups: Wakeups
    reports: Reports
