"""The composition root: settings -> database -> domains -> one ASGI application. Decides nothing else."""

import gc
import signal
import threading
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from functools import partial

from fastapi import FastAPI
from starlette.types import ASGIApp

from app import health, resources
from app.attribution import closing, policies
from app.attribution import shell as attribution
from app.background import woken, worker
from app.erasing import erasure_of
from app.fastlane import FastLane
from app.kernel import feed, heaps, journal, logs
from app.kernel.clock import Clock, SystemClock
from app.kernel.clock_watch import ClockWatch
from app.kernel.database import Database
from app.kernel.events import Events
from app.kernel.http import idempotency, openapi, problems, routes
from app.kernel.http.crowd import Crowd
from app.kernel.http.limits import TooLargeAsProblem
from app.kernel.http.private import Private
from app.kernel.http.rates.wrapper import RateLimited
from app.kernel.http.request_ids import RequestIds
from app.kernel.outbox import Outbox
from app.kernel.recorder import Recorder
from app.kernel.replica import Reports
from app.kernel.runtime import Runtime
from app.kernel.signing import Signer
from app.kernel.stopping import on_stop
from app.kernel.wakeups import Wakeups
from app.merchants.cors import Cors
from app.merchants.directory import Directory
from app.orders.news import OrderChanged, OrdersRecorded
from app.orders.stripe.gateway import Gateway
from app.referrals import beacons, coupons, identities, machine_visits, remembering, visits
from app.referrals import service as referrals
from app.report_page import api as report_page_api
from app.routers import ROUTERS, TAGS
from app.settings import Settings, load
from app.storefront.front import Storefront
from app.storefront.pages import api as pages_api
from app.storefront.reference import api as reference_api
from app.trust import listening as judging
from app.trust.news import StandingsChanged

VERSION = "0.1.0"
LARGEST_BODY = 1024 * 1024
"""Bytes. Uploads of catalogues say their own limit."""
MOST_PROBES = 100
"""Who ask at once whether this process is ready."""

PUBLIC_PATHS = (
    *("/v1/beacons", "/v1/likes", "/v1/shares", "/v1/visits/", "/v1/checkouts", "/v1/walls/", "/v1/products/"),
    "/v1/consents",
)
"""What pages of other origins may call; the widget and its code answer CORS in the fast lane."""
SIGNED_PATHS = ("/v1/stripe/webhook", "/v1/connectors/")
"""Where others' messages come; those that have a key are calls like all others."""
PUBLIC_CALLS = ("/v1/me", "/v1/me/data", "/v1/me/opt-out")
"""The same, and nothing that begins with it."""


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
    wakeups.hear("noted", lambda _: journal.bell.wake())
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
    doubts = judging.Listeners(here.clock, here.events, policies.terms)
    here.events.on(OrderChanged, "judge-order", doubts.on_order_changed)  # before it is divided
    here.events.on(OrdersRecorded, "judge-orders", doubts.on_orders_recorded)
    here.events.on(visits.VisitClaimed, "judge-claim", doubts.on_visit_claimed)
    here.events.on(identities.IdentityJoined, "judge-identity", doubts.on_identity_joined)
    here.events.on(OrderChanged, "attribute-order", credit.on_order_changed)
    here.events.on(OrdersRecorded, "attribute-orders", credit.on_orders_recorded)
    here.events.on(visits.VisitClaimed, "attribute-claim", credit.on_visit_claimed)
    here.events.on(identities.IdentityJoined, "attribute-identity", credit.on_identity_joined)
    here.events.on(coupons.CouponChanged, "attribute-coupon", credit.on_coupon_changed)
    here.events.on(StandingsChanged, "attribute-standings", credit.on_standings_changed)
    passed_on = partial(remembering.write_referrals, windows=policies.click_windows, signer=here.signer)
    here.recorder.register(referrals.NewReferral, passed_on)
    here.recorder.register_plain(visits.NewVisit, visits.rows_of)
    here.recorder.register(beacons.NewBeacons, remembering.beacon_writer(beacons.Keeper().write, here.signer))
    here.recorder.register(machine_visits.MachinesCame, machine_visits.write)
    return here


def api(here: Runtime, directory: Directory, front: Storefront) -> FastAPI:
    """The FastAPI application: everything that is called by the second."""
    app = FastAPI(
        title="Grapevine",
        version=VERSION,
        summary="Social commerce: walls to embed, likes and shares as referrals, sales credited to who brought them.",
        lifespan=partial(_lifespan, here, front),
        openapi_url=None,  # the framework's are made of scripts from elsewhere; storefront/reference is ours
        docs_url=None,
        redoc_url=None,
        max_body_size=LARGEST_BODY,
        generate_unique_id_function=routes.operation_id,
        openapi_tags=[{"name": name, "description": text} for name, text in TAGS.items()],
    )
    app.state.runtime = here
    app.state.directory = directory
    app.state.storefront = front
    app.state.gateway = Gateway(here.settings, here.watch)
    app.state.in_flight = idempotency.InFlight()
    app.state.outgoing = front.guard
    app.state.sightings = front.sightings
    app.state.click_windows = policies.click_windows
    app.state.visits_needed = closing.days_needed
    app.state.erasure = erasure_of(here)
    problems.install(app)
    pages_api.install(app)
    report_page_api.install(app, here, front, resources.WIDGETS)
    routes.install(app, ROUTERS, first=("/v1/likes", "/v1/shares"))
    for path, look in (("/healthz", health.healthz), ("/readyz", health.readyz)):  # many monitors ask by HEAD
        app.add_api_route(path, look, methods=["HEAD"], include_in_schema=False)
    openapi.install(app)
    reference_api.install(app)
    return app


def application(settings: Settings, clock: Clock | None = None, machine: Clock | None = None) -> ASGIApp:
    """The whole server, ready for uvicorn."""
    here = assemble(settings, clock, machine)
    directory = Directory(here.database)
    front = Storefront(here, resources.WIDGETS, directory)
    all_else = TooLargeAsProblem(api(here, directory, front))
    # Whether this process is healthy is asked where shoppers are in nobody's way; /readyz waits for a thread.
    probes: dict[str, ASGIApp] = {"/healthz": all_else, "/readyz": Crowd(all_else, most=MOST_PROBES)}
    crowd = Crowd(all_else, streamed=("/v1/history",), apart=probes)
    limited = RateLimited(
        crowd, front.rates, signed=SIGNED_PATHS, checkouts="/v1/checkouts", sign_in="/reports/session"
    )
    called = RequestIds(Private(Cors(limited, directory, settings.public_url, PUBLIC_PATHS, PUBLIC_CALLS)))
    return FastLane(called, front)


def from_environment() -> ASGIApp:
    """What `grapevine serve` runs, in each of its processes."""
    heaps.have_few()
    settings = load()
    logs.install(settings.log_format, settings.secrets)
    made = application(settings)
    gc.freeze()  # what a start has built stays: the collector need not look at it again
    gc.enable()
    return made


def run_worker(settings: Settings) -> None:
    """What `grapevine worker` runs: the jobs alone, until it is told to stop."""
    logs.install(settings.log_format, settings.secrets)
    here = assemble(settings)
    gateway = Gateway(here.settings, here.watch)
    jobs = worker(here, gateway)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with woken(here, relays=True):
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
    front.sightings.start()
    with on_stop(front.live.end), woken(here, relays=jobs is not None):
        yield {"end_streams": front.live.end}
    await front.settle()
    await front.rates.close()
    here.recorder.stop()
    if jobs is not None:
        jobs.stop()
    front.close()
    app.state.gateway.close()
    here.reports.close()
    here.database.close()
