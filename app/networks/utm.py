"""The `utm_` parameters by which shops' statistics know where somebody came from: put on, and read. Pure."""

from collections.abc import Mapping
from urllib.parse import urlsplit, urlunsplit

from app.networks.catalogue import BY_ID, ONSITE
from app.networks.traces import UTM_SOURCES, by_host

CAMPAIGN = "grapevine"
_PREFIX = "utm_"
_OWN_MEDIUM = ("email", "sms", "qr")
_LONGEST = 100

_NO_PLACE = ("copy", "device", ONSITE)
"""Ways of passing on that say nothing of where a link was met."""
_BY_NAME = {name: network for network, names in UTM_SOURCES.items() for name in names} | {
    network: network for network in BY_ID if network not in _NO_PLACE
}


def medium(network_id: str) -> str:
    """The `utm_medium` of a network: `email`, `sms` and `qr` are their own, a link that was copied, handed over by the
    device or liked is a `referral`, all else `social`: the words by which statistics group channels."""
    if network_id in _OWN_MEDIUM:
        return network_id
    return "referral" if network_id in _NO_PLACE else "social"


def with_utm(address: str, network_id: str) -> str:
    """`address` with the network as its source, unless it has a `utm_` parameter of its own; the rest stays."""
    url = urlsplit(address)
    kept = [pair for pair in url.query.split("&") if pair]
    if any(pair.lower().startswith(_PREFIX) for pair in kept):
        return address
    tags = (("source", network_id), ("medium", medium(network_id)), ("campaign", CAMPAIGN))
    return urlunsplit(url._replace(query="&".join([*kept, *(f"{_PREFIX}{name}={value}" for name, value in tags)])))


def source_in(query: Mapping[str, str]) -> str | None:
    """The network that the `utm_source` of a link names, or its `utm_medium` where the source is somebody's own word
    ("autumn-letter"); None where neither does."""
    return next((found for name in ("source", "medium") if (found := _named(query.get(_PREFIX + name)))), None)


def _named(said: str | None) -> str | None:
    name = (said or "")[:_LONGEST].strip().lower()
    return _BY_NAME.get(name) or by_host(name)
