"""The composition root: settings -> database -> domains -> one ASGI application. Decides nothing else."""

import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import health, resources
from app.attribution import api as attribution_api
from app.attribution import policies, policy_api, preview_api, recomputation, stale
from app.attribution import shell as attribution
from app.catalog import api as catalog_api
from app.catalog import import_api
from app.catalog import imports as catalog_imports
from app.fastlane import FastLane
from app.history import api as history_api
from app.kernel import feed
from app.kernel.clock import Clock, SystemClock
from app.kernel.clock_watch import ClockWatch
from app.kernel.database import Database
from app.kernel.events import Events
from app.kernel.feed_relay import Relay
from app.kernel.http import idempotency, openapi, problems, routes
from app.kernel.http.crowd import Crowd
from app.kernel.http.limits import TooLargeAsProblem
from app.kernel.outbox import Beside, Handler, Outbox, Worker
from app.kernel.periodic import Timetable
from app.kernel.recorder import Recorder
from app.kernel.replica import Reports
from app.kernel.rollups.folding import Folding
from app.kernel.runtime import Runtime
from app.kernel.signing import Signer
from app.kernel.stopping import on_stop
from app.kernel.wakeups import Wakeups
from app.merchants import api as merchants_api
from app.merchants.cors import Cors
from app.merchants.directory import Directory
from app.orders import api as orders_api
from app.orders import bulk_api
from app.orders.checkout import api as checkout_api
from app.orders.connectors import api as connector_api
from app.orders.connectors import webhook_api as shop_webhook_api
from app.orders.news import OrderChanged, OrdersRecorded
from app.orders.promotions import api as promotion_api
from app.orders.reconciliation import api as reconciliation_api
from app.orders.reconciliation import runs as reconciliation
from app.orders.stripe.gateway import Gateway
from app.orders.webhooks import api as webhook_api
from app.referrals import api as referrals_api
from app.referrals import beacons, coupons, coupons_api, identities, identities_api, keeping, machine_visits, visits
from app.referrals import service as referrals
from app.referrals import writing as referrals_writing
from app.reports import api as reports_api
from app.reports import credit_keeping, funnel_api, keeping_counts, machines_api, models_api, sharers_api, spread_api
from app.settings import Settings, load
from app.storefront import api as storefront_api
from app.storefront.assets import api as assets_api
from app.storefront.beacons import api as beacons_api
from app.storefront.embed_code import api as embed_code_api
from app.storefront.embeds import api as embeds_api
from app.storefront.feeds import api as feeds_api
from app.storefront.front import Storefront
from app.storefront.links import api as links_api
from app.storefront.live import api as live_api
from app.storefront.oembed import api as oembed_api
from app.storefront.pages import api as pages_api
from app.storefront.pictures import api as pictures_api
from app.walls import api as walls_api

VERSION = "0.1.0"
LARGEST_BODY = 1024 * 1024
"""Bytes. Uploads of catalogues say their own limit."""
MOST_PROBES = 100
"""Who ask at once whether this process is ready."""

PUBLIC_PATHS = ("/v1/beacons", "/v1/likes", "/v1/shares", "/v1/visits/", "/v1/checkouts", "/v1/walls/", "/v1/products/")
"""What pages of other origins may call; the widget and its code answer CORS in the fast lane."""


def assemble(settings: Settings, clock: Clock | None = None, machine: Clock | None = None) -> Runtime:
    """The kernel's parts, with the domains connected to each other. Starts nothing.

    `clock` dates what happens; `machine` is the clock that is compared with others' (both are the system's).
    """
    clock = clock or SystemClock()
    database = Database(settings.database)
    wakeups = Wakeups(database)
    outbox = Outbox(clock, partial(wakeups.ring, "jobs"))
    wakeups.hear("jobs", lambda _: outbox.added.set())
    wakeups.hear("told", lambda _: feed.bell.wake())
    here = Runtime(
        settings=settings,
        clock=clock,
        database=database,
        signer=Signer(settings.secret.encode()),
        outbox=outbox,
        events=Events(outbox),
        recorder=Recorder(database),
        watch=ClockWatch(machine),
        wakeups=wakeups,
        reports=Reports(database, settings.reports_database_url),
    )
    credit = attribution.Listeners(here.clock, here.outbox)
    here.events.on(OrderChanged, "attribute-order", credit.on_order_changed)
    here.events.on(OrdersRecorded, "attribute-orders", credit.on_orders_recorded)
    here.events.on(visits.VisitClaimed, "attribute-claim", credit.on_visit_claimed)
    here.events.on(identities.IdentityJoined, "attribute-identity", credit.on_identity_joined)
    here.events.on(coupons.CouponChanged, "attribute-coupon", credit.on_coupon_changed)
    here.recorder.register(referrals.NewReferral, partial(referrals_writing.write, windows=policies.click_windows))
    here.recorder.register(visits.NewVisit, visits.write)
    here.recorder.register(beacons.NewBeacons, beacons.Keeper().write)
    here.recorder.register(machine_visits.MachinesCame, machine_visits.write)
    return here


def worker(here: Runtime, gateway: Gateway) -> Worker:
    """The background jobs of every domain."""

    def tidy() -> None:
        with here.database.transaction() as session:
            idempotency.forget_old(session, here.clock.now())
        feed.tidy(here.database, here.clock.now())

    handlers: dict[str, Handler] = {
        **here.events.handlers(here.database),
        stale.TOPIC: partial(stale.run, here.database, here.clock),
        recomputation.TOPIC: partial(recomputation.run, here.database, here.clock),
        catalog_imports.TOPIC: partial(catalog_imports.run, here.database, here.clock),
    }
    hourly = reconciliation.periodic(here, gateway) if here.settings.reconcile else []
    lookouts = [keeping.periodic(here), keeping_counts.periodic(here)]
    lookouts += credit_keeping.periodic(here.database, here.clock)
    timetable = Timetable(here.database, here.clock, [*lookouts, *hourly])
    beside: list[Beside] = [timetable, _relay(here), Folding(here.database), credit_keeping.Keeping(here.database)]
    return Worker(here.database, here.clock, here.outbox, handlers, tidy=tidy, beside=beside)


def _relay(here: Runtime) -> Relay:
    return Relay(here.database, here.clock, partial(here.wakeups.ring, "placed"))


@contextmanager
def _woken(here: Runtime, *, relays: bool) -> Iterator[None]:
    """Hear of what other processes commit, and let them hear of ours, while the block lasts."""

    def told(shown: feed.Shown) -> None:
        if not relays:  # those of other processes must do it
            here.wakeups.tell("told")
        if shown:
            here.wakeups.ring("shown", shown)

    here.wakeups.start()
    try:
        with feed.bell.joined(told):
            yield
    finally:
        here.wakeups.stop()


def api(here: Runtime, directory: Directory, front: Storefront) -> FastAPI:
    """The FastAPI application: everything that is called by the second."""
    app = FastAPI(
        title="Grapevine",
        version=VERSION,
        summary="Social commerce: walls to embed, likes and shares as referrals, sales credited to who brought them.",
        lifespan=partial(_lifespan, here, front),
        max_body_size=LARGEST_BODY,
        generate_unique_id_function=routes.operation_id,
        openapi_tags=[{"name": name, "description": text} for name, text in _TAGS.items()],
    )
    app.state.runtime = here
    app.state.directory = directory
    app.state.storefront = front
    app.state.gateway = Gateway(here.settings, here.watch)
    app.state.in_flight = idempotency.InFlight()
    app.state.click_windows = policies.click_windows
    problems.install(app)
    pages_api.install(app)
    routes.install(app, (domain.router for domain in _DOMAINS), first=("/v1/likes", "/v1/shares"))
    for path, look in (("/healthz", health.healthz), ("/readyz", health.readyz)):  # many monitors ask by HEAD
        app.add_api_route(path, look, methods=["HEAD"], include_in_schema=False)
    openapi.install(app)
    return app


def application(settings: Settings, clock: Clock | None = None, machine: Clock | None = None) -> ASGIApp:
    """The whole server, ready for uvicorn."""
    here = assemble(settings, clock, machine)
    directory = Directory(here.database)
    front = Storefront(here, resources.WIDGETS, directory)
    all_else = TooLargeAsProblem(api(here, directory, front))
    # Whether this process is healthy is asked where shoppers are in nobody's way; /readyz waits for a thread.
    probes: dict[str, ASGIApp] = {"/healthz": all_else, "/readyz": Crowd(all_else, most=MOST_PROBES)}
    limited = Crowd(all_else, streamed=("/v1/history",), apart=probes)
    return FastLane(Cors(limited, directory, settings.public_url, PUBLIC_PATHS), front)


def from_environment() -> ASGIApp:
    """What `grapevine serve` runs, in each of its processes."""
    made = application(load())
    gc.freeze()  # what a start has built stays: the collector need not look at it again
    gc.enable()
    return made


def run_worker(settings: Settings) -> None:
    """What `grapevine worker` runs: the jobs alone, until it is told to stop."""
    here = assemble(settings)
    gateway = Gateway(here.settings, here.watch)
    jobs = worker(here, gateway)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with _woken(here, relays=True):
        jobs.start()
        stop.wait()
        jobs.stop()
    gateway.close()
    here.database.close()


@asynccontextmanager
async def _lifespan(here: Runtime, front: Storefront, app: FastAPI) -> AsyncIterator[dict[str, Callable[[], None]]]:
    here.recorder.start()
    jobs = worker(here, app.state.gateway) if here.settings.jobs else None
    if jobs is not None:
        jobs.start()
    front.listen(here.wakeups)
    with on_stop(front.live.end), _woken(here, relays=jobs is not None):
        yield {"end_streams": front.live.end}
    await front.settle()
    here.recorder.stop()
    if jobs is not None:
        jobs.stop()
    front.close()
    app.state.gateway.close()
    here.reports.close()
    here.database.close()


_DOMAINS = (
    health,
    merchants_api,
    catalog_api,
    import_api,
    walls_api,
    referrals_api,
    identities_api,
    coupons_api,
    orders_api,
    bulk_api,
    promotion_api,
    checkout_api,
    webhook_api,
    reconciliation_api,
    connector_api,
    shop_webhook_api,
    attribution_api,
    policy_api,
    preview_api,
    history_api,
    reports_api,
    funnel_api,
    models_api,
    spread_api,
    machines_api,
    sharers_api,
    storefront_api,
    links_api,
    pages_api,
    pictures_api,
    assets_api,
    embeds_api,
    oembed_api,
    feeds_api,
    embed_code_api,
    live_api,
    beacons_api,
)
"""Those that answer by HTTP, in the order of the API's page."""

_TAGS = {
    "shopper": "Public calls from pages: no key; the ids of walls and products are public.",
    "catalogue": "Products and imports (secret key).",
    "walls": "Walls (secret key).",
    "orders": "Sales, what takes them back, the codes that credit them, and the explanation of each (secret key).",
    "policies": "By which rules sales are divided, and what they would be under others (secret key).",
    "history": "Moving in from another system (secret key).",
    "reports": "What was shared, visited and sold, and through whom (report or secret key).",
    "merchant": "Settings and keys of a merchant (secret key).",
    "stripe": "Where Stripe sends its events.",
    "connectors": "Shops of other systems (secret key), and where they send their messages.",
    "operator": "Making merchants, health (operator's token).",
}
