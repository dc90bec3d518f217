"""Which pages may call us, and where a checkout may lead back to. Pure."""

from collections.abc import Iterable
from urllib.parse import urlsplit

ANY = "*"
SANDBOXED = "null"
"""The origin of a frame without `allow-same-origin`; it has no credentials to abuse."""


def normal_origin(text: str) -> str:
    """`https://shop.example` from what a person types. Raises `ValueError` for what is no origin."""
    if text == ANY:
        return text
    url = urlsplit(text.strip())
    if url.scheme not in ("http", "https") or not url.hostname or url.username or url.password:
        raise ValueError("must be an origin such as https://shop.example, or *")
    if url.path not in ("", "/") or url.query or url.fragment:
        raise ValueError("must be an origin without a path")
    return _origin(text)


def normal_return_url(text: str) -> str:
    """An address under which a buyer may come back. Raises `ValueError` where it is none; `*` is none."""
    url = urlsplit(text.strip())
    if url.scheme not in ("http", "https") or not url.hostname or url.username or url.password:
        raise ValueError("must be an http(s) address; * is not possible here")
    if url.query or url.fragment:
        raise ValueError("must be an address without query or fragment")
    return _origin(text) + (url.path or "/")


def allows_origin(allowed: Iterable[str], origin: str, own: str) -> bool:
    """Whether a page of `origin` may call: it is on the list, our own, or a sandboxed frame (api.md)."""
    return origin in (own, SANDBOXED) or any(entry in (ANY, origin) for entry in allowed)


def allows_return(return_urls: Iterable[str], address: str) -> bool:
    """Whether `address` is one of `return_urls` or lies below one."""
    try:
        url = urlsplit(address)
        origin = _origin(address)
    except ValueError:
        return False
    if url.scheme not in ("http", "https") or url.username or url.password or "\\" in address:
        return False
    if any(part in (".", "..") for part in url.path.replace("%2e", ".").replace("%2E", ".").split("/")):
        return False
    target = origin + (url.path or "/")
    return any(target == entry or target.startswith(entry.rstrip("/") + "/") for entry in return_urls)


def _origin(address: str) -> str:
    url = urlsplit(address.strip())
    host = (url.hostname or "").lower()
    if ":" in host:
        host = f"[{host}]"
    default = {"http": 80, "https": 443}.get(url.scheme)
    port = "" if url.port in (None, default) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"
