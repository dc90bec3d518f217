"""From which network somebody was observed to come. Pure: what a browser sends in, a network's id out."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from app.networks.catalogue import META_FAMILY, NETWORKS

_LONGEST_HEADER = 2048
_BY_HOST = {host: network.id for network in NETWORKS for host in network.hosts}
_BY_PARAMETER = {name: network.id for network in NETWORKS for name in network.click_parameters}
# Messenger and Instagram carry Facebook's marks too: the longer, more telling mark is asked first.
_MARKS = sorted(
    ((mark, network.id) for network in NETWORKS for mark in network.marks),
    key=lambda pair: (pair[1] == "facebook", -len(pair[0])),
)


def seen_from(
    referer: str | None, user_agent: str | None, query: Mapping[str, str], shared_to: str | None = None
) -> str | None:
    """The network a visitor was observed to come from, or None where nothing shows it.

    The referrer's host speaks first, then the mark of an in-app browser, then the parameter a network appends
    to links. Inside Meta's house the in-app mark is more exact than the host, and a bare `fbclid` proves only
    `meta`: it is left aside where `shared_to`, the network that was declared, is already one of Meta's.
    """
    by_host = _by_referrer(referer[:_LONGEST_HEADER]) if referer else None
    by_mark = _by_mark(user_agent[:_LONGEST_HEADER]) if user_agent else None
    if by_host and not (by_mark and {by_host, by_mark} <= META_FAMILY):
        return by_host
    if by_mark:
        return by_mark
    by_parameter = next((_BY_PARAMETER[name] for name in _BY_PARAMETER if query.get(name)), None)
    return None if by_parameter == "meta" and shared_to in META_FAMILY else by_parameter


def _by_referrer(referer: str) -> str | None:
    try:
        host = urlsplit(referer).hostname
    except ValueError:  # an address such as http://[broken
        return None
    labels = (host or "").rstrip(".").split(".")
    return next((found for at in range(len(labels)) if (found := _BY_HOST.get(".".join(labels[at:])))), None)


@lru_cache(maxsize=4096)
def _by_mark(user_agent: str) -> str | None:
    return next((network for mark, network in _MARKS if mark in user_agent), None)
