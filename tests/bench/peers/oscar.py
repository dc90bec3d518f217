"""django-oscar, a shop: the page of a product, as its own templates draw it."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from tests.bench.ground import Ground
from tests.bench.peers.had import FOLDER, FROM_PYPI, Program, from_pypi, gunicorn, mark_of, run, serving
from tests.bench.servers import Server
from tests.net import free_port

NAME: Final = "django-oscar 4.2.1"
PAGE: Final = "/catalogue/mug_1/"
THREADS: Final = 8
_SETTINGS: Final = """from pathlib import Path
from oscar.defaults import *

HERE = Path(__file__).parent
SECRET_KEY = "secret-of-the-benchmark"
ALLOWED_HOSTS = ["*"]
DEBUG = False
ROOT_URLCONF = "shop_urls"
USE_TZ = True
SITE_ID = 1
STATIC_URL = "/static/"
STATIC_ROOT = str(HERE / "static")
MEDIA_ROOT = str(HERE / "media")
DEFAULT_AUTO_FIELD = "django.db.models.AutoField"
DATABASES = {"default": {"ENGINE": "django.db.backends.sqlite3", "NAME": str(HERE / "shop.db"), "CONN_MAX_AGE": None}}
DATABASES["default"]["ATOMIC_REQUESTS"] = True
HAYSTACK_CONNECTIONS = {"default": {"ENGINE": "haystack.backends.simple_backend.SimpleEngine"}}
AUTHENTICATION_BACKENDS = ("oscar.apps.customer.auth_backends.EmailBackend",)
INSTALLED_APPS = [
    "django.contrib.admin", "django.contrib.auth", "django.contrib.contenttypes", "django.contrib.sessions",
    "django.contrib.messages", "django.contrib.staticfiles", "django.contrib.sites", "django.contrib.flatpages",
    "oscar.config.Shop", "oscar.apps.analytics.apps.AnalyticsConfig", "oscar.apps.checkout.apps.CheckoutConfig",
    "oscar.apps.address.apps.AddressConfig", "oscar.apps.shipping.apps.ShippingConfig",
    "oscar.apps.catalogue.apps.CatalogueConfig", "oscar.apps.catalogue.reviews.apps.CatalogueReviewsConfig",
    "oscar.apps.communication.apps.CommunicationConfig", "oscar.apps.partner.apps.PartnerConfig",
    "oscar.apps.basket.apps.BasketConfig", "oscar.apps.payment.apps.PaymentConfig",
    "oscar.apps.offer.apps.OfferConfig", "oscar.apps.order.apps.OrderConfig",
    "oscar.apps.customer.apps.CustomerConfig", "oscar.apps.search.apps.SearchConfig",
    "oscar.apps.voucher.apps.VoucherConfig", "oscar.apps.wishlists.apps.WishlistsConfig",
    "oscar.apps.dashboard.apps.DashboardConfig", "oscar.apps.dashboard.reports.apps.ReportsDashboardConfig",
    "oscar.apps.dashboard.users.apps.UsersDashboardConfig", "oscar.apps.dashboard.orders.apps.OrdersDashboardConfig",
    "oscar.apps.dashboard.catalogue.apps.CatalogueDashboardConfig",
    "oscar.apps.dashboard.offers.apps.OffersDashboardConfig",
    "oscar.apps.dashboard.partners.apps.PartnersDashboardConfig",
    "oscar.apps.dashboard.pages.apps.PagesDashboardConfig", "oscar.apps.dashboard.ranges.apps.RangesDashboardConfig",
    "oscar.apps.dashboard.reviews.apps.ReviewsDashboardConfig",
    "oscar.apps.dashboard.vouchers.apps.VouchersDashboardConfig",
    "oscar.apps.dashboard.communications.apps.CommunicationsDashboardConfig",
    "oscar.apps.dashboard.shipping.apps.ShippingDashboardConfig",
    "widget_tweaks", "haystack", "treebeard", "django_tables2",
]
MIDDLEWARE = (
    "django.middleware.security.SecurityMiddleware", "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware", "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware", "oscar.apps.basket.middleware.BasketMiddleware",
    "django.contrib.flatpages.middleware.FlatpageFallbackMiddleware", "django.middleware.common.CommonMiddleware",
)
TEMPLATES = [{
    "BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [], "APP_DIRS": True,
    "OPTIONS": {"context_processors": [
        "django.contrib.auth.context_processors.auth", "django.template.context_processors.request",
        "django.template.context_processors.i18n", "django.contrib.messages.context_processors.messages",
        "oscar.apps.search.context_processors.search_form", "oscar.apps.checkout.context_processors.checkout",
        "oscar.apps.communication.notifications.context_processors.notifications",
        "oscar.core.context_processors.metadata",
    ]},
}]
"""
_URLS: Final = """from django.apps import apps
from django.contrib import admin
from django.urls import include, path

urlpatterns = [
    path("i18n/", include("django.conf.urls.i18n")),
    path("admin/", admin.site.urls),
    path("", include(apps.get_app_config("oscar").urls[0])),
]
"""
_PRODUCT: Final = """import django
django.setup()
from oscar.apps.catalogue.models import Product, ProductClass
from oscar.apps.partner.models import Partner, StockRecord
kind = ProductClass.objects.create(name="Mugs", track_stock=False, requires_shipping=False)
mug = Product.objects.create(title="Mug", slug="mug", product_class=kind, description="It keeps warm.")
StockRecord.objects.create(
    product=mug, partner=Partner.objects.create(name="Pottery"), partner_sku="mug", price="19.99", price_currency="EUR"
)
"""


@contextmanager
def shop(ground: Ground) -> Iterator[Server]:
    """A shop with one product, until the block ends. Raises `NotHad`."""
    programs = from_pypi()
    folder, port = FOLDER / "oscar", free_port()
    settings = {"DJANGO_SETTINGS_MODULE": "shop_settings", "PYTHONPATH": str(folder)}
    _build(programs, folder, settings)
    command = gunicorn(programs, "django.core.wsgi:get_wsgi_application()", port, THREADS)
    with serving(ground, Program(command, port, PAGE, settings, folder)) as server:
        yield server


def _build(programs: Path, folder: Path, settings: dict[str, str]) -> None:
    """Once for each text of ours and each version of theirs: making the tables takes half a minute."""
    files = {"shop_settings.py": _SETTINGS, "shop_urls.py": _URLS, "shop_product.py": _PRODUCT}
    done = folder / mark_of(*files.values(), FROM_PYPI.read_text("utf-8"))
    if done.exists():
        return
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for name, text in files.items():
        (folder / name).write_text(text, "utf-8")
    run([str(programs / "django-admin"), "migrate", "--verbosity", "0"], folder, settings)
    run([str(programs / "python"), "shop_product.py"], folder, settings)
    done.touch()
