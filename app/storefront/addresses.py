"""Addresses that merchants gave, as they may stand in a page or lead away from it. Pure."""

import re
from urllib.parse import urlsplit, urlunsplit

from app.kernel.ids import Malformed, merchant_of
from app.kernel.percent import in_path, in_query
from app.merchants.origins import CLICK as CLICK
from app.merchants.origins import without_click

_HOST = re.compile(r"[A-Za-z0-9._\-:\[\]@%~+]+")


def web_address(text: str | None) -> str | None:
    """`text` as an absolute http(s) address in ASCII, or None for anything else, such as `javascript:`."""
    try:
        url = urlsplit((text or "").strip())
        port = url.port
        host = url.netloc if url.netloc.isascii() else _ascii_host(url.hostname or "", port)
    except ValueError:  # a broken host or port, a host that IDNA refuses
        return None
    if url.scheme not in ("http", "https") or not _HOST.fullmatch(host):
        return None
    return urlunsplit((url.scheme, host, in_path(url.path), in_query(url.query), in_query(url.fragment)))


def first_web_address(texts: list[str]) -> str | None:
    """The first of `texts` that is one."""
    return next((address for text in texts if (address := web_address(text))), None)


def with_click(address: str, click: str) -> str:
    """`address` with the click id in its query; what else stands there, and the fragment, stays."""
    url = urlsplit(without_click(address))
    return urlunsplit(url._replace(query="&".join(filter(None, (url.query, f"{CLICK}={click}")))))


def is_click_of(text: str | None, merchant_id: int) -> bool:
    """Whether `text` has the shape of a click id of this merchant."""
    try:
        return text is not None and merchant_of(text, "clk") == merchant_id
    except Malformed:
        return False


def _ascii_host(host: str, port: int | None) -> str:
    return host.encode("idna").decode("ascii") + ("" if port is None else f":{port}")
