"""What is asked about networks: may one share there, by which address, and from which did somebody come.

Pure: strings in, strings out. Knows no database, no request and no clock; the networks are data beside it.
"""

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote, urlsplit

from app.referrals.network_catalogue import META_FAMILY, NETWORKS, Kind, Network
from app.referrals.wording import fit, length, one_each, one_line, plain, weight_on_x

__all__ = [
    "BY_ID",
    "NETWORKS",
    "ONSITE",
    "SHAREABLE",
    "Kind",
    "Network",
    "intent_url",
    "is_network",
    "seen_from",
]

ONSITE = "onsite"
BY_ID: Mapping[str, Network] = {network.id: network for network in NETWORKS}
SHAREABLE: tuple[str, ...] = tuple(network.id for network in NETWORKS if network.shareable)
"""What `POST /v1/shares` accepts, in the order in which networks are offered."""

_LONGEST_HEADER = 2048
_BY_HOST = {host: network.id for network in NETWORKS for host in network.hosts}
_BY_PARAMETER = {name: network.id for network in NETWORKS for name in network.click_parameters}
# Messenger and Instagram carry Facebook's marks too: the longer, more telling mark is asked first.
_MARKS = sorted(
    ((mark, network.id) for network in NETWORKS for mark in network.marks),
    key=lambda pair: (pair[1] == "facebook", -len(pair[0])),
)


def is_network(network_id: str) -> bool:
    """Whether `network_id` is one of ours, shareable or only observed."""
    return network_id in BY_ID


def intent_url(network_id: str, url: str, text: str, media: str | None = None, title: str | None = None) -> str | None:
    """The address that opens the network's own share form, filled in; None where there is none.

    Text is cut to what the network takes, the link never is. Percent-encoded by RFC 3986: a space is %20.
    """
    network = BY_ID.get(network_id)
    if network is None or not network.intent:
        return None
    words = _words(network, url, text)
    values = {
        "url": url,
        "text": words,
        "text_url": f"{words} {url}" if words else url,
        "media": media or "",
        "subject": fit(one_line(title or text), 150),
        # RFC 6068, section 5: line ends in a mail's body are CR LF.
        "body": (f"{words}\n\n{url}" if words else url).replace("\n", "\r\n"),
    }
    given = [(name, values[value]) for name, value in network.fields if values[value]]
    return network.intent + "&".join(f"{name}={_encode(value)}" for name, value in given)


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


def _words(network: Network, url: str, text: str) -> str:
    measure = weight_on_x if network.id == "x" else one_each
    cost = network.link_cost if network.link_cost is not None else length(url)
    room = network.limit - (cost + 1 if cost else 0)
    one_lined = any(name in {"title", "t"} for name, _ in network.fields)
    return fit(one_line(text) if one_lined else plain(text), room, measure)


def _encode(value: str) -> str:
    return quote(value, safe="", errors="replace")


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
