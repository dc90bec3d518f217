"""Addresses: those that merchants gave, as they may stand in a page or lead away from it, and names in ours. Pure."""

import re
from collections.abc import Mapping
from typing import Literal
from urllib.parse import urlsplit, urlunsplit

from app.kernel.ids import Malformed, is_code, merchant_of
from app.kernel.percent import in_path, in_query
from app.merchants.origins import CLICK as CLICK
from app.merchants.origins import without_click

_HOST = re.compile(r"[A-Za-z0-9._\-:\[\]@%~+]+")


What = Literal["walls", "products", "r"]
"""What is named in an address of ours: a wall or a product, by its id, or a referral, by the code of its link."""
_PREFIXES: Mapping[What, str] = {"walls": "wall", "products": "prod"}


def check_name(what: What, name: str) -> None:
    """Raise `Malformed` where `name` can be none of what is meant. Names can be made up without end, and of any length:
    what has not even the shape is not looked for, waits for nobody, and is not kept meanwhile."""
    if what != "r":
        merchant_of(name, _PREFIXES[what])
    elif not is_code(name):
        raise Malformed(name[:80])


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
