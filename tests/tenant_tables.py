"""What stands where ids may be another merchant's, in every operation there is. Knows no server."""

import itertools
from collections.abc import Callable, Mapping

from tests.shop import JSON

_numbers = itertools.count(1)

KINDS = {
    "product_id": "product",
    "wall_id": "wall",
    "import_id": "import",
    "order_id": "order",
    "refund_id": "refund",
    "key_id": "key",
    "like_id": "like",
    "job_id": "job",
    "merchant_id": "merchant",
    "visitor": "visitor",
    "sharer": "visitor",
    "person": "visitor",
    "code": "coupon",
    "endpoint_id": "endpoint",
    "delivery_id": "delivery",
    "consent_id": "consent",
    "doubt_id": "doubt",
}
"""What kind of id a path's parameter takes."""

PREFIXES = {
    "product": "prod",
    "wall": "wall",
    "import": "imp",
    "order": "ord",
    "refund": "rfd",
    "key": "key",
    "like": "ref",
    "job": "job",
    "merchant": "mer",
    "click": "clk",
    "visitor": "vis",
    "variant": "var",
    "endpoint": "whe",
    "delivery": "whd",
    "event": "evt",
    "consent": "cns",
    "doubt": "dbt",
}

BODIES: Mapping[str, Callable[[Mapping[str, str]], JSON]] = {
    "POST /v1/walls": lambda own: {"title": "Wall", "products": [own["product"]]},
    "PATCH /v1/walls/{wall_id}": lambda own: {"title": "Other wall"},
    "PATCH /v1/merchants/{merchant_id}": lambda own: {"stripe_account": None},
    "PATCH /v1/products/{product_id}": lambda own: {"title": "Other title"},
    "POST /v1/likes": lambda own: {"product": own["product"]},
    "POST /v1/shares": lambda own: {"product": own["product"], "network": "x"},
    "POST /v1/orders": lambda own: {
        "external_id": f"tried-{next(_numbers)}",
        "placed_at": "2026-03-01T00:00:00Z",
        "currency": "eur",
        "net": 5,
    },
    "POST /v1/orders/{order_id}/refunds": lambda own: {"external_id": f"tried-{next(_numbers)}", "amount": 1},
    "PATCH /v1/orders/{order_id}": lambda own: {"note": "looked at"},
    "POST /v1/orders/bulk": lambda own: {"orders": [BODIES["POST /v1/orders"](own)]},
    "POST /v1/checkouts": lambda own: {"items": [{"variant": own["variant"]}]},
    "PUT /v1/promotion-codes/{code}": lambda own: {"referral": own["share"], "coupon": "TEN"},
    "PUT /v1/identities/{visitor}": lambda own: {"person": "customer-7"},
    "PUT /v1/coupons/{code}": lambda own: {"referral": own["share"]},
    "PATCH /v1/webhook-endpoints/{endpoint_id}": lambda own: {"disabled": False},
    "POST /v1/keys/{key_id}/rotate": lambda own: {"overlap_hours": 1},
    "POST /v1/webhook-endpoints/{endpoint_id}/rotate": lambda own: {"overlap_hours": 0},
    "POST /v1/webhook-endpoints/{endpoint_id}/replay": lambda own: {"cursor": ""},
    "POST /v1/doubts/{doubt_id}/decisions": lambda own: {"verdict": "refuse"},
}
"""A body that is right, for the operations that take ids in one."""

IN_BODIES: Mapping[str, Mapping[str, tuple[str, Callable[[JSON, str], JSON]]]] = {
    "POST /v1/walls": {"products": ("product", lambda body, id_: {**body, "products": [*body["products"], id_]})},
    "PATCH /v1/walls/{wall_id}": {"products": ("product", lambda body, id_: {**body, "products": [id_]})},
    "POST /v1/likes": {
        "wall": ("wall", lambda body, id_: {**body, "wall": id_}),
        "via": ("click", lambda body, id_: {**body, "via": id_}),
    },
    "POST /v1/shares": {
        "wall": ("wall", lambda body, id_: {**body, "wall": id_}),
        "via": ("click", lambda body, id_: {**body, "via": id_}),
    },
    "POST /v1/orders": {
        "click_id": ("click", lambda body, id_: {**body, "click_id": id_}),
        "visitor": ("visitor", lambda body, id_: {**body, "visitor": id_}),
    },
    "PATCH /v1/orders/{order_id}": {
        "click_id": ("click", lambda body, id_: {**body, "click_id": id_}),
        "visitor": ("visitor", lambda body, id_: {**body, "visitor": id_}),
    },
    "POST /v1/orders/bulk": {
        "orders": ("click", lambda body, id_: {"orders": [{**order, "click_id": id_} for order in body["orders"]]}),
    },
    "POST /v1/checkouts": {
        "items": ("variant", lambda body, id_: {**body, "items": [*body["items"], {"variant": id_}]}),
        "wall": ("wall", lambda body, id_: {**body, "wall": id_}),
        "click": ("click", lambda body, id_: {**body, "click": id_}),
    },
    "POST /v1/webhook-endpoints/{endpoint_id}/replay": {
        "events": ("event", lambda body, id_: {"events": [id_]}),
    },
    "PUT /v1/coupons/{code}": {
        "referral": ("like", lambda body, id_: {**body, "referral": id_}),
        "sharer": ("visitor", lambda body, id_: {"sharer": id_}),
    },
    "PUT /v1/promotion-codes/{code}": {
        "referral": ("like", lambda body, id_: {**body, "referral": id_}),
        "sharer": ("visitor", lambda body, id_: {"sharer": id_, "coupon": "TEN"}),
    },
}
"""Where ids stand in bodies, their kind, and how another one is put there."""

NOT_ANOTHERS: Mapping[str, str] = {
    "POST /v1/merchants": "no ids: makes a merchant",
    "PATCH /v1/merchant": "no ids: the merchant is the key's",
    "POST /v1/keys": "no ids",
    "POST /v1/consents": "public: the page says whose shopper this is",
    "PATCH /v1/me": "no ids: the visitor is the token's",
    "POST /v1/webhook-endpoints": "no ids: an address is whose it is",
    "PUT /v1/policy": "no ids: the merchant is the key's",
    "PUT /v1/rules": "no ids: the merchant is the key's, and rules are everybody's",
    "GET /v1/policies/{name}": "no ids: a name is the merchant's own word",
    "PUT /v1/policies/{name}": "no ids: a name is the merchant's own word",
    "DELETE /v1/policies/{name}": "no ids: a name is the merchant's own word",
    "POST /v1/attribution/preview": "no ids: the merchant is the key's",
    "POST /v1/history": "ids in lines are the sender's own words: another merchant's is only a name",
    "GET /v1/coupons/{code}": "no ids: a code is the merchant's own word",
    "PUT /v1/coupons/{code} code": "a code is the merchant's own word",
    "DELETE /v1/coupons/{code}": "no ids: a code is the merchant's own word",
    "PUT /v1/promotion-codes/{code} code": "a code is the merchant's own word",
    "GET /v1/connectors/{system}": "no ids: a system's name",
    "PUT /v1/connectors/{system}": "no ids: a system's name",
    "DELETE /v1/connectors/{system}": "no ids: a system's name",
    "POST /v1/connectors/{system}/{merchant_id}": "signed by the merchant's own shop; tests/api/test_connectors.py",
    "POST /v1/products": "no ids: an external_id is the merchant's own word",
    "POST /v1/imports": "no ids: a file's handles are the merchant's own words",
    "POST /v1/stripe/webhook": "signed by Stripe; what it names is looked up globally",
    "POST /v1/visits/{click}/claim": "public: a click id is all that a visitor has",
    "GET /v1/walls/{wall_id}/widget": "public",
    "GET /v1/walls/{wall_id}/live": "public",
    "POST /v1/beacons": "public; names of another merchant's things are in test_beacons.py",
    "GET /v1/products/{product_id}/widget": "public",
    "GET /v1/merchants/{merchant_id}/sharing": "public",
    "GET /cards/{public_id}.png": "public",
    "GET /embed/walls/{wall_id}": "public",
    "GET /embed/products/{product_id}": "public",
    "GET /embed/r/{code}": "public",
    "GET /w/{wall_id}/feed.json": "public",
    "GET /w/{wall_id}/feed.xml": "public",
    "GET /w/{wall_id}": "public",
    "GET /w/{wall_id}/embed": "public",
    "GET /p/{product_id}": "public",
    "GET /r/{code}": "public",
    "GET /r/{code}.svg": "public",
    "GET /thanks/{checkout_id}": "public: only the buyer was given its id",
    "POST /v1/likes product": "public: the product says whose shopper this is",
    "POST /v1/shares merchant": "public: it says whose shopper this is",
    "POST /v1/shares product": "public: the product says whose shopper this is",
}
"""Operations (and fields) in which nothing can be another merchant's, and why."""

ASKS_STRIPE = {"/v1/checkouts", "/v1/promotion-codes/{code}"}
"""Here there is none, which is a 503."""

ID_FIELDS = {
    "merchant",
    "events",
    "product",
    "products",
    "wall",
    "via",
    "click",
    "click_id",
    "visitor",
    "items",
    "variant",
    "order",
    "orders",
    "referral",
    "sharer",
}

PLAIN_FIELDS = frozenset(
    {
        *("allowed_origins", "amount", "as_of", "brand", "cancel_url", "cancelled", "caption", "checkout", "coupon"),
        *("coupon_override", "currency", "cursor", "customer", "description", "disabled", "expires_at", "external_id"),
        *("file", "format", "from", "gross", "half_life", "images", "journey_reset", "kind", "label", "landing"),
        *("layout", "lines", "livemode", "locale", "mail", "max_redemptions", "model", "name", "net", "network"),
        *("overlap_hours", "person", "placed_at", "policy", "position", "privacy", "quantity", "reason", "return_urls"),
        *("retention", "scopes", "self_referral", "sharing", "since", "small_group", "stripe_account", "success_url"),
        *("suppressed", "tags", "test", "theme", "timezone", "title", "to", "type_priority", "types", "upline", "url"),
        *("note", "rule", "rules", "secret", "variants", "verdict", "version", "windows"),
    }
)
"""Fields of bodies in which no id can stand: words, numbers, and the merchant's own names for things."""

IN_QUERIES: Mapping[str, str] = {
    "product": "product",
    "-product": "product",
    "wall": "wall",
    "-wall": "wall",
    "sharer": "visitor",
    "-sharer": "visitor",
    "referral": "like",
    "click_id": "click",
    "key": "key",
    "subject": "product",
}
"""What kind of id a parameter of a query takes."""

PLAIN_QUERIES = frozenset(
    {
        *("limit", "sort", "order", "q", "tag", "external_id", "coupon", "from", "to", "begin", "end", "timezone"),
        *(
            "currency",
            "livemode",
            "format",
            "network",
            "-network",
            "as_of",
            "policy",
            "kind",
            "-kind",
            "depth",
            "-depth",
        ),
        *("shared_to", "-shared_to", "seen_from", "-seen_from", "machine", "-machine", "group_by", "compare", "state"),
        *("action", "types", "layout", "theme", "rule", "about", "effect"),
    }
)
"""Parameters of queries in which no id can stand; and `cursor` is tried by itself."""
