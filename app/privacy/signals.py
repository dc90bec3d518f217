"""Global Privacy Control and Do Not Track, as the browser sends them. Pure."""

from collections.abc import Mapping


def says_no(headers: Mapping[str, str]) -> bool:
    """Whether the browser asks not to be followed: `Sec-GPC: 1` or `DNT: 1`."""
    return headers.get("sec-gpc", "").strip() == "1" or headers.get("dnt", "").strip() == "1"
