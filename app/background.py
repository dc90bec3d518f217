"""What goes on behind the answers: every domain's jobs, and how processes wake each other. Decides nothing else."""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial

from app.attribution import recomputation, stale
from app.catalog import imports as catalog_imports
from app.delivery import deliveries, unnoted, webhooks
from app.erasing import erasure_of
from app.kernel import feed, journal
from app.kernel.feed_relay import Relay
from app.kernel.http import idempotency
from app.kernel.numbering import Shown
from app.kernel.outbox import Handler, Worker
from app.kernel.periodic import Timetable
from app.kernel.repeated import Repeated
from app.kernel.rollups.folding import Folding
from app.kernel.runtime import Runtime
from app.orders.reconciliation import runs as reconciliation
from app.orders.stripe.gateway import Gateway
from app.privacy import erasure, salts
from app.referrals import beacons, keeping, view_touches
from app.reports import audit, credit_keeping, keeping_counts
from app.retention import jobs as retention
from app.trust.sweep import Sweep


def worker(here: Runtime, gateway: Gateway) -> Worker:
    """The background jobs of every domain."""

    def tidy() -> None:
        with here.database.transaction() as session:
            idempotency.forget_old(session, here.clock.now())
        feed.tidy(here.database, here.clock.now())

    forgets = erasure_of(here)
    handlers: dict[str, Handler] = {
        **here.events.handlers(here.database),
        stale.TOPIC: partial(stale.run, here.database, here.clock),
        recomputation.TOPIC: partial(recomputation.run, here.database, here.clock),
        catalog_imports.TOPIC: partial(catalog_imports.run, here.database, here.clock),
        beacons.TOPIC: partial(view_touches.keep_promise, here.database, here.events, here.signer, here.clock),
    }
    hourly = reconciliation.periodic(here, gateway) if here.settings.reconcile else []
    lookouts = [keeping.periodic(here), keeping_counts.periodic(here), audit.periodic(here.database)]
    lookouts += credit_keeping.periodic(here.database, here.clock)
    lookouts += [unnoted.periodic(here.database, here.clock), deliveries.periodic(here.database, here.clock)]
    lookouts += [forgets.periodic(), salts.periodic(here.database, here.clock)]
    lookouts += retention.periodic(here)
    lookouts += Sweep(here).periodic()
    timetable = Timetable(here.database, here.clock, [*lookouts, *hourly])
    beside: list[Repeated] = [timetable, _relay(here), _journal_relay(here)]
    # Who is forgotten is looked for everywhere: no sale waits for that, however many leave.
    leave = {erasure.TOPIC: forgets.run}
    beside.append(Worker(here.database, here.clock, here.outbox, leave, is_called=False))
    beside += [Folding(here.database), credit_keeping.Keeping(here.database), *webhooks.beside(here)]
    return Worker(here.database, here.clock, here.outbox, handlers, tidy=tidy, beside=beside)


def _relay(here: Runtime) -> Relay:
    return Relay(here.database, here.clock, partial(here.wakeups.ring, "placed"))


def _journal_relay(here: Runtime) -> Relay:
    events = partial(here.wakeups.ring, "events")
    return Relay(here.database, here.clock, events, of=journal.JOURNAL, rest=journal.REST)


@contextmanager
def woken(here: Runtime, *, relays: bool) -> Iterator[None]:
    """Hear of what other processes commit, and let them hear of ours, while the block lasts."""

    def told(shown: Shown) -> None:
        if not relays:  # those of other processes must do it
            here.wakeups.tell("told")
        if shown:
            here.wakeups.ring("shown", shown)

    def noted(_: Shown) -> None:
        if not relays:
            here.wakeups.tell("noted")

    here.wakeups.start()
    try:
        with feed.bell.joined(told), journal.bell.joined(noted):
            yield
    finally:
        here.wakeups.stop()
