"""The headers of the report page: nothing foreign runs in it, nobody frames it, keeps it or finds it. Pure."""

from typing import Final

from app.storefront.answers import Header
from app.storefront.headers import NO_SNIFFING, NO_STORE

_POLICY: Final = (
    "default-src 'self'",
    "img-src * data:",  # products' pictures stand wherever a shop has them
    "object-src 'none'",
    "base-uri 'none'",
    "frame-ancestors 'none'",
    "form-action 'self'",
)
PRIVATE: Final[tuple[Header, ...]] = (
    NO_STORE,
    NO_SNIFFING,
    (b"x-robots-tag", b"noindex, nofollow"),
    # Forms say of which page they are; nobody else is told of any address.
    (b"referrer-policy", b"same-origin"),
    (b"cross-origin-opener-policy", b"same-origin"),
    (b"cross-origin-resource-policy", b"same-origin"),
)
"""What every answer carries."""
PAGE: Final[tuple[Header, ...]] = ((b"content-security-policy", "; ".join(_POLICY).encode()), *PRIVATE)
