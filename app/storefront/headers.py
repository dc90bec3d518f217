"""The headers by which our pages protect those who read them. Pure."""

from app.storefront.answers import Header

STRIPE_CHECKOUT = "https://checkout.stripe.com"
REAL_STRIPE = "https://api.stripe.com"

NO_STORE: Header = (b"cache-control", b"no-store")
REVALIDATED: Header = (b"cache-control", b"private, no-cache")
"""For what looks different to others: kept by the reader's own cache, and asked for again each time."""
SHORT_LIVED: Header = (b"cache-control", b"public, max-age=1, stale-while-revalidate=10")
IMMUTABLE: Header = (b"cache-control", b"public, max-age=31536000, immutable")
ANYWHERE: Header = (b"access-control-allow-origin", b"*")
EMBEDDABLE: Header = (b"cross-origin-resource-policy", b"cross-origin")
NO_SNIFFING: Header = (b"x-content-type-options", b"nosniff")
BY_LANGUAGE: Header = (b"vary", b"Accept-Encoding, Accept-Language")


_A_YEAR = b"max-age=31536000"


def only_encrypted(own: str) -> list[Header]:
    """Where this server's address is of https, browsers never ask it in the open again (RFC 6797)."""
    return [(b"strict-transport-security", _A_YEAR)] if own.startswith("https:") else []


def script_free_headers(own: str) -> list[Header]:
    """What a page carries that needs nothing but words and styles."""
    policy = b"default-src 'none'; style-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    return [
        (b"content-security-policy", policy),
        NO_SNIFFING,
        (b"referrer-policy", b"strict-origin-when-cross-origin"),
        *only_encrypted(own),
    ]


def page_headers(stripe_api_base: str, own: str = "") -> list[Header]:
    """What every page of ours carries: nothing foreign runs in it, and nobody frames it.

    A form's redirects are held against `form-action` too, so the till must be on it: Stripe's, and that of a
    simulated Stripe, which is where its API is.
    """
    tills = [STRIPE_CHECKOUT] + ([stripe_api_base] if stripe_api_base != REAL_STRIPE else [])
    policy = [
        "default-src 'self'",
        "img-src * data:",
        "object-src 'none'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
        " ".join(["form-action 'self'", *tills]),
    ]
    return [
        (b"content-security-policy", "; ".join(policy).encode("latin-1")),
        NO_SNIFFING,
        (b"referrer-policy", b"strict-origin-when-cross-origin"),
        *only_encrypted(own),
    ]
