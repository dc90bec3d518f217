"""Parts of addresses in ASCII: what may not stand in them is percent-encoded, and what already is stays (RFC 3986)."""

from urllib.parse import quote

_PATH_SAFE = "/%:@!$&'()*+,;=~"
_QUERY_SAFE = _PATH_SAFE + "?"


def in_path(text: str) -> str:
    """`text` as it stands in a path."""
    return quote(text, _PATH_SAFE)


def in_query(text: str) -> str:
    """`text` as it stands in a query or a fragment."""
    return quote(text, _QUERY_SAFE)
