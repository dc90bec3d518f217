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

from app import main, migrate
from app.catalog import imports
from app.catalog import service as catalog
from app.catalog.models import Product
from app.demo import shop
from app.demo.serving import serving
from app.demo.site import site
from app.demo.stripe.double import StripeDouble
from app.demo.stripe.server import running
from app.kernel.runtime import Runtime
from app.merchants import service as merchants
from app.settings import SIMULATED_KEY, Settings, load
from app.walls import service as walls

STATE = "demo.json"
_FORGET = ("grapevine.db", "grapevine.db-wal", "grapevine.db-shm", STATE)


@dataclass(frozen=True)
class Shop:
    """The demonstration shop as it was set up; kept in the data folder, keys too, since it is only a show."""

    merchant: str
    secret_key: str
    report_key: str
    wall: str


def run(port: int, *, reset: bool) -> None:
    """Set the shop up on the first run, serve everything, and print where to look. Blocks until stopped.

    Raises `WrongSettings`, or `OSError` when one of the three ports is taken.
    """
    blog_port, stripe_port = port + 1, port + 2
    with ExitStack() as stack:
        settings = _settings(port, stripe_port, stack)
        if reset:
            for name in _FORGET:
                (settings.data_dir / name).unlink(missing_ok=True)
        here = main.assemble(settings)
        migrate.upgrade(here.database)
        known = _known(settings.data_dir) or _set_up(here, f"http://wall.localhost:{blog_port}")
        here.database.close()
        stack.enter_context(serving(site(settings.public_url, known.wall), blog_port))
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
    if os.environ.get("GRAPEVINE_STRIPE_API_KEY"):
        return load(**given)
    secret = f"whsec_{secrets.token_urlsafe(24)}"
    double = StripeDouble(api_key=SIMULATED_KEY)
    address = f"http://localhost:{stripe_port}"  # for browsers too: pages may send forms to this address alone
    stack.enter_context(running(double, port=stripe_port, public_url=address))
    double.webhooks.register(f"http://127.0.0.1:{port}/v1/stripe/webhook", secret)
    return load(stripe_api_key=SIMULATED_KEY, stripe_webhook_secret=secret, stripe_api_base=address, **given)


def _known(folder: Path) -> Shop | None:
    try:
        return Shop(**json.loads((folder / STATE).read_text("utf-8")))
    except FileNotFoundError:
        return None


def _set_up(here: Runtime, blog: str) -> Shop:
    """The shop, its catalogue through the same import as any merchant's, and a wall of all of it."""
    now = here.clock.now()
    with here.database.transaction() as session:
        new = merchants.NewMerchant(shop.NAME, shop.CURRENCY, "Europe/Paris", [blog], [f"{blog}/"])
        merchant, secret, report = merchants.open_shop(session, here.signer, new, now)
        file = io.BytesIO(shop.catalogue(f"{blog}/pictures"))
        begun = imports.start(session, here.outbox, merchant.merchant_id, "shopify_csv", file, now)
    imports.bring_in(here.database, here.clock, merchant.merchant_id, begun.import_id, lambda _: None)
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


def _tell(settings: Settings, known: Shop, blog_port: int) -> None:
    console = Console(highlight=False, soft_wrap=True)
    url = settings.public_url
    console.print("\nGrapevine is running.\n", style="bold")
    for what, where in (
        ("Somebody's blog, with the wall", f"http://wall.localhost:{blog_port}/"),
        ("The wall as a page of its own", f"{url}/w/{known.wall}"),
        ("The API's page", f"{url}/docs"),
        ("Secret key", known.secret_key),
        ("Report key", known.report_key),
    ):
        console.print(f"  {what:<32}{where}")
    console.print("\nWho brought the sales, once there are some:\n")
    console.print(f'  curl -H "Authorization: Bearer {known.report_key}" \\')
    console.print(f'    "{url}/v1/reports/attribution?group_by=network,sharer"\n')
    if settings.test_mode:
        console.print("Stripe is simulated: no money moves, and every order is a test order.\n", style="yellow")
    console.print("Ctrl+C stops it; `make demo RESET=1` begins anew.\n")
