"""From which network somebody was observed to come. Pure: what a browser sends in, a network's id out."""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import urlsplit

from app.networks import utm
from app.networks.catalogue import META_FAMILY
from app.networks.traces import CLICK_PARAMETERS, MARKS, by_host

_LONGEST_HEADER = 2048
_BY_PARAMETER = {name: network for network, names in CLICK_PARAMETERS.items() for name in names}
# Messenger and Instagram carry Facebook's marks too: the longer, more telling mark is asked first.
_MARKS = sorted(
    ((mark, network) for network, marks in MARKS.items() for mark in marks),
    key=lambda pair: (pair[1] == "facebook", -len(pair[0])),
)


def seen_from(
    referer: str | None, user_agent: str | None, query: Mapping[str, str], shared_to: str | None = None
) -> str | None:
    """The network a visitor was observed to come from, or None where nothing shows it.

    The referrer's host speaks first, then the mark of an in-app browser, then what stands in the link: the parameter
    that a network appends, then `utm_source`, which anybody can write. Inside Meta's house the in-app mark is more
    exact than the host, and a bare `fbclid` proves only `meta`: it is left aside where `shared_to`, the network that
    was declared, is already one of Meta's.
    """
    page = _by_referrer(referer[:_LONGEST_HEADER]) if referer else None
    app = _by_mark(user_agent[:_LONGEST_HEADER]) if user_agent else None
    if page and not (app and {page, app} <= META_FAMILY):
        return page
    return app or (_by_link(query, shared_to) if query else None)


def _by_link(query: Mapping[str, str], shared_to: str | None) -> str | None:
    appended = next((_BY_PARAMETER[name] for name in _BY_PARAMETER if query.get(name)), None)
    if appended not in (None, "meta"):
        return appended
    written = utm.source_in(query)
    if appended is None or written in META_FAMILY:
        return written
    return None if shared_to in META_FAMILY else "meta"


def _by_referrer(referer: str) -> str | None:
    try:
        host = urlsplit(referer).hostname
    except ValueError:  # an address such as http://[broken
        return None
    return by_host(host or "")


@lru_cache(maxsize=4096)
def _by_mark(user_agent: str) -> str | None:
    return next((network for mark, network in _MARKS if mark in user_agent), None)
