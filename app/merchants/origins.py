"""Which pages may call us, and where a checkout may lead back to. Pure."""

import re
from collections.abc import Collection, Iterable
from urllib.parse import SplitResult, urlsplit, urlunsplit

from app.kernel.percent import in_path, in_query

ANY = "*"
SANDBOXED = "null"
"""The origin of a frame without `allow-same-origin`; it has no credentials to abuse."""

CLICK = "gv_click"
"""The parameter by which a click id travels (api.md, Claiming a visit)."""

_HOST = re.compile(r"[a-z0-9_-]+(\.[a-z0-9_-]+)*\.?")
_USUAL_PORTS = {"http": 80, "https": 443}


def normal_origin(text: str) -> str:
    """`https://shop.example` from what a person types. Raises `ValueError` for what is no origin."""
    if text == ANY:
        return text
    url = _split(text.strip())
    if url is None:
        raise ValueError("must be an origin such as https://shop.example, or *")
    if url.path not in ("", "/") or url.query or url.fragment:
        raise ValueError("must be an origin without a path")
    return _origin(url)


def normal_return_url(text: str) -> str:
    """An address under which a buyer may come back. Raises `ValueError` where it is none; `*` is none."""
    url = _split(text.strip())
    if url is None or _climbs(url.path):
        raise ValueError("must be an http(s) address; * is not possible here")
    if url.query or url.fragment:
        raise ValueError("must be an address without query or fragment")
    return _origin(url) + (url.path or "/")


def normal_page(text: str) -> str:
    """The address of a page to which people are led, in ASCII. Raises `ValueError` where it is none."""
    url = _split(text.strip())
    if url is None:
        raise ValueError("must be an http(s) address")
    query = f"?{in_query(url.query)}" if url.query else ""
    fragment = f"#{in_query(url.fragment)}" if url.fragment else ""
    return _origin(url) + in_path(url.path or "/") + query + fragment


def without_click(address: str) -> str:
    """`address` without the click id in its query; what else stands there, and the fragment, stays."""
    url = urlsplit(address)
    kept = [pair for pair in url.query.split("&") if pair and not pair.startswith(f"{CLICK}=")]
    return urlunsplit(url._replace(query="&".join(kept)))


def allows_origin(allowed: Collection[str], origin: str, own: str) -> bool:
    """Whether a page of `origin` may call: it is on the list, our own, or a sandboxed frame (api.md). In a set it is
    found at once, were it that of all merchants."""
    return origin in (own, SANDBOXED) or origin in allowed or ANY in allowed


def allows_return(return_urls: Iterable[str], address: str) -> bool:
    """Whether `address` is one of `return_urls` or lies below one."""
    url = _split(address)
    if url is None or _climbs(url.path):
        return False
    target = _origin(url) + (url.path or "/")
    return any(target == entry or target.startswith(entry.rstrip("/") + "/") for entry in return_urls)


def allows_page(allowed: Iterable[str], return_urls: Iterable[str], page: str) -> bool:
    """Whether a normal `page` is one of the merchant's own: on a listed origin (`*` lists none), or below an address
    to which their buyers come back."""
    url = _split(page)
    return url is not None and (_origin(url) in allowed or allows_return(return_urls, page))


def _split(address: str) -> SplitResult | None:
    """The parts of an http(s) address that every program reads alike, else None: no user, no backslash, nothing
    invisible, a host of letters and digits (in its ASCII form where it has others)."""
    if "\\" in address or any(character.isspace() or ord(character) < 32 for character in address):
        return None
    try:
        url = urlsplit(address)
        host = (url.hostname or "").encode("idna").decode() if ":" not in (url.hostname or "") else "ip6"
        possible = url.port != 0 and _HOST.fullmatch(host)
    except ValueError:  # UnicodeError is one too
        return None
    return url if url.scheme in ("http", "https") and possible and "@" not in url.netloc else None


def _climbs(path: str) -> bool:
    """Whether a browser would shorten the path, so that it leads elsewhere than it says."""
    return any(part in (".", "..") for part in path.lower().replace("%2e", ".").split("/"))


def _origin(url: SplitResult) -> str:
    host = url.hostname or ""
    host = f"[{host}]" if ":" in host else host.encode("idna").decode()
    port = "" if url.port in (None, _USUAL_PORTS[url.scheme]) else f":{url.port}"
    return f"{url.scheme}://{host}{port}"
