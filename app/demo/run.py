"""`grapevine demo`: everything on one machine, to be clicked through.

Three addresses: Grapevine itself; a blog on an origin of its own (`wall.localhost`) that embeds the wall; and,
where no key of Stripe's is set, a simulated Stripe, which says on its page that no money moves.
"""

import io
import json
import os
import secrets
from contextlib import ExitStack
from dataclasses import asdict, dataclass
from pathlib import Path

import uvicorn
from rich.console import Console
from sqlalchemy import make_url, select
from sqlalchemy.exc import DatabaseError

from app import main, migrate
from app.catalog import imports, naming
from app.catalog import service as catalog
from app.catalog.models import Product
from app.demo import shop
from app.demo.serving import serving
from app.demo.site import site
from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.kernel.database import Database
from app.kernel.errors import NotFound
from app.kernel.ids import Malformed, merchant_of
from app.kernel.runtime import Runtime
from app.merchants import service as merchants
from app.merchants.models import Merchant
from app.settings import SIMULATED_KEY, Settings, WrongSettings, load
from app.walls import service as walls

STATE = "demo.json"
_BLOG = "http://wall.localhost"
"""The blog's origin, but for its port."""


@dataclass(frozen=True)
class Shop:
    """The demonstration shop as it was set up; kept in the data folder, keys too, since it is only a show."""

    merchant: str
    secret_key: str
    report_key: str
    wall: str


def run(port: int, *, reset: bool) -> None:
    """Set the shop up on the first run, serve everything, and print where to look. Blocks until stopped.

    The folder may be used again with another port. `reset` deletes the demonstration's database first. Raises
    `WrongSettings`, also where somebody else's shop would be deleted; `OSError` when one of the ports is taken.
    """
    blog_port, stripe_port = port + 1, port + 2
    with ExitStack() as stack:
        settings = _settings(port, stripe_port, stack)
        if reset:
            _forget(settings)
        here = main.assemble(settings)
        migrate.upgrade(here.database)
        known = _prepare(here, f"{_BLOG}:{blog_port}")
        website = site(settings.public_url, known.wall, known.merchant, _favourite(here, known))
        here.database.close()
        stack.enter_context(serving(website, blog_port))
        _tell(settings, known, blog_port)
        uvicorn.run(
            main.application(settings),
            host="127.0.0.1",
            port=port,
            log_level="warning",
            access_log=False,
            timeout_graceful_shutdown=2,
        )


def _settings(port: int, stripe_port: int, stack: ExitStack) -> Settings:
    """The environment's settings; without a key of Stripe's, those of a simulated Stripe that is started here."""
    given: dict[str, object] = {}
    if "GRAPEVINE_PUBLIC_URL" not in os.environ:
        given["public_url"] = f"http://localhost:{port}"
    if "GRAPEVINE_OUTGOING_ALLOW" not in os.environ:
        given["outgoing_allow"] = f"{_BLOG.removeprefix('http://')}:{port + 1}"  # where the shop's pictures are
    if os.environ.get("GRAPEVINE_STRIPE_API_KEY"):
        return load(**given)
    secret = f"whsec_{secrets.token_urlsafe(24)}"
    double = StripeDouble(api_key=SIMULATED_KEY)
    address = f"http://localhost:{stripe_port}"  # for browsers too: pages may send forms to this address alone
    stack.enter_context(running(double, port=stripe_port, public_url=address))
    double.webhooks.register(f"http://127.0.0.1:{port}/v1/stripe/webhook", secret)
    return load(stripe_api_key=SIMULATED_KEY, stripe_webhook_secret=secret, stripe_api_base=address, **given)


def _known(folder: Path) -> Shop | None:
    """The shop that an earlier run left in this folder."""
    try:
        return Shop(**json.loads((folder / STATE).read_text("utf-8")))
    except FileNotFoundError:
        return None
    except (TypeError, ValueError):
        raise WrongSettings(f"{folder / STATE} is not what a demonstration wrote; take it away") from None


def _forget(settings: Settings) -> None:
    """Delete the database and what was kept beside it. Raises `WrongSettings` unless it is the demonstration's alone:
    `grapevine serve` keeps a real shop in the same place."""
    url = make_url(settings.database)
    if url.get_backend_name() != "sqlite":
        raise WrongSettings("--reset works for the embedded database only; GRAPEVINE_DATABASE_URL names another")
    file, known = Path(url.database or ""), _known(settings.data_dir)
    if file.is_file() and (known is None or _merchants(settings) != {known.merchant}):
        raise WrongSettings(f"--reset would delete {file}, which does not belong to the demonstration alone")
    for path in (file, Path(f"{file}-wal"), Path(f"{file}-shm"), settings.data_dir / STATE):
        if path.is_file():
            path.unlink()


def _merchants(settings: Settings) -> set[str] | None:
    """The public ids of all merchants there ever were; None where the file is no database of ours."""
    database = Database(settings.database)
    try:
        with database.reading() as session:
            return set(session.scalars(select(Merchant.public_id)))
    except DatabaseError:
        return None
    finally:
        database.close()


def _prepare(here: Runtime, blog: str) -> Shop:
    """The shop of an earlier run, moved to where the blog is now; a new one where there is none."""
    known = _known(here.settings.data_dir)
    number = None if known is None else _move(here, known, blog)
    if known is None or number is None:
        return _set_up(here, blog)
    _bring_in(here, number, blog)
    return known


def _move(here: Runtime, known: Shop, blog: str) -> int | None:
    """Let the blog's present address in, and its former ones no more. The merchant's number; None where it is gone."""

    def moved(addresses: list[str], present: str) -> list[str]:
        return [address for address in addresses if not address.startswith(f"{_BLOG}:")] + [present]

    with here.database.transaction() as session:
        try:
            merchant = merchants.by_public_id(session, known.merchant)
        except (NotFound, Malformed):
            return None
        merchants.change(
            merchant,
            {
                "allowed_origins": moved(merchant.allowed_origins, blog),
                "return_urls": moved(merchant.return_urls, f"{blog}/"),
            },
        )
        return merchant.merchant_id


def _set_up(here: Runtime, blog: str) -> Shop:
    """The shop, its catalogue, and a wall of all of it."""
    now = here.clock.now()
    with here.database.transaction() as session:
        new = merchants.NewMerchant(shop.NAME, shop.CURRENCY, "Europe/Paris", [blog], [f"{blog}/"])
        merchant, secret, report = merchants.open_shop(session, here.signer, new, now)
    _bring_in(here, merchant.merchant_id, blog)
    with here.database.transaction() as session:
        products = session.scalars(catalog.standing(merchant.merchant_id).order_by(Product.product_id)).all()
        fields = {
            "title": shop.NAME,
            "layout": "grid",
            "theme": {"scheme": "auto"},
            "products": [product.product_id for product in products],
        }
        wall = walls.create(session, merchant.merchant_id, fields, now)
    made = Shop(merchant.public_id, secret, report, wall.wall_id)
    (here.settings.data_dir / STATE).write_text(json.dumps(asdict(made)), "utf-8")
    return made


def _favourite(here: Runtime, known: Shop) -> str:
    """The id of what stands by itself on the blog."""
    with here.database.reading() as session:
        named = naming.meant(session, merchant_of(known.merchant, "mer"), [shop.FAVOURITE])
    return named[shop.FAVOURITE]


def _bring_in(here: Runtime, merchant_id: int, blog: str) -> None:
    """The catalogue through the same import as any merchant's: it changes only what has moved."""
    now = here.clock.now()
    with here.database.transaction() as session:
        file = io.BytesIO(shop.catalogue(f"{blog}/pictures"))
        begun = imports.start(session, here.outbox, merchant_id, "shopify_csv", file, now)
    imports.bring_in(here.database, here.clock, merchant_id, begun.import_id, lambda _: None)


def _tell(settings: Settings, known: Shop, blog_port: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    url = settings.public_url
    console.print("\nGrapevine is running.\n", style="bold")
    for what, where in (
        ("Somebody's blog, with the wall", f"http://wall.localhost:{blog_port}/"),
        ("The wall as a page of its own", f"{url}/w/{known.wall}"),
        ("Put the wall into your own page", f"{url}/w/{known.wall}/embed"),
        ("The report page", f"{url}/reports"),
        ("The API's page", f"{url}/docs"),
        ("Secret key", known.secret_key),
        ("Report key, for the report page", known.report_key),
    ):
        console.print(f"  {what:<32}{where}")
    console.print("\nWho brought the sales, once there are some:\n")
    console.print(f'  curl -H "Authorization: Bearer {known.report_key}" \\')
    console.print(f'    "{url}/v1/reports/attribution?group_by=network,sharer"\n')
    if settings.test_mode:
        console.print("Stripe is simulated: no money moves, and every order is a test order.", style="yellow")
        console.print(f"Refunds, disputes and Stripe's own faults, to try: {settings.stripe_api_base}/simulation\n")
    console.print("Ctrl+C stops it; `make demo RESET=1` begins anew.\n")
