"""What answers by HTTP behind FastAPI: every domain's routes, in the order of the API's page."""

from collections.abc import Sequence
from typing import Final

from fastapi import APIRouter

from app import health
from app.attribution import api as attribution_api
from app.attribution import policy_api, preview_api
from app.catalog import api as catalog_api
from app.catalog import import_api
from app.delivery import deliveries_api, events_api, timeline_api, webhooks_api
from app.history import api as history_api
from app.merchants import api as merchants_api
from app.merchants import audit_api, keys_api
from app.orders import api as orders_api
from app.orders import bulk_api
from app.orders.checkout import api as checkout_api
from app.orders.connectors import api as connector_api
from app.orders.connectors import webhook_api as shop_webhook_api
from app.orders.promotions import api as promotion_api
from app.orders.reconciliation import api as reconciliation_api
from app.orders.webhooks import api as webhook_api
from app.referrals import api as referrals_api
from app.referrals import coupons_api, erasing_api, identities_api
from app.report_page import api as report_page_api
from app.reports import api as reports_api
from app.reports import drilldown_api, funnel_api, machines_api, models_api, sharers_api, spread_api
from app.storefront import api as storefront_api
from app.storefront.assets import api as assets_api
from app.storefront.beacons import api as beacons_api
from app.storefront.embed_code import api as embed_code_api
from app.storefront.embeds import api as embeds_api
from app.storefront.feeds import api as feeds_api
from app.storefront.links import api as links_api
from app.storefront.live import api as live_api
from app.storefront.me import api as me_api
from app.storefront.me import choices_api
from app.storefront.me import data_api as me_data_api
from app.storefront.me import erasing_api as me_erasing_api
from app.storefront.oembed import api as oembed_api
from app.storefront.pages import api as pages_api
from app.storefront.pictures import api as pictures_api
from app.storefront.reference import api as reference_api
from app.trust import api as trust_api
from app.walls import api as walls_api

_DOMAINS = (
    health,
    merchants_api,
    keys_api,
    audit_api,
    catalog_api,
    import_api,
    walls_api,
    referrals_api,
    identities_api,
    erasing_api,
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
    trust_api,
    history_api,
    reports_api,
    drilldown_api,
    funnel_api,
    models_api,
    spread_api,
    machines_api,
    sharers_api,
    storefront_api,
    links_api,
    pages_api,
    reference_api,
    pictures_api,
    assets_api,
    embeds_api,
    oembed_api,
    feeds_api,
    embed_code_api,
    live_api,
    me_api,
    me_data_api,
    me_erasing_api,
    choices_api,
    beacons_api,
    report_page_api,
    events_api,
    timeline_api,
    webhooks_api,
    deliveries_api,
)

ROUTERS: Final[Sequence[APIRouter]] = [domain.router for domain in _DOMAINS]

TAGS: Final = {
    "shopper": "Public calls from pages: no key; the ids of walls and products are public.",
    "catalogue": "Products and imports (secret key).",
    "walls": "Walls (secret key).",
    "orders": "Sales, what takes them back, the codes that credit them, and the explanation of each (secret key).",
    "policies": "By which rules sales are divided, and what they would be under others (secret key).",
    "trust": "What is found doubtful, what becomes of it, and what you decide (secret key).",
    "history": "Moving in from another system (secret key).",
    "reports": "What was shared, visited and sold, and through whom (report or secret key).",
    "events": "All facts in one order, and what one customer did (report or secret key).",
    "webhooks": "Addresses that are told what happens, after Standard Webhooks (secret key).",
    "merchant": "Settings of a merchant (secret key).",
    "keys": "A merchant's keys, and what was changed with which of them (secret key).",
    "privacy": "People who are to be forgotten (secret key).",
    "stripe": "Where Stripe sends its events.",
    "connectors": "Shops of other systems (secret key), and where they send their messages.",
    "operator": "Making merchants, health (operator's token).",
}
