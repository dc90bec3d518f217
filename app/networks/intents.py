"""The addresses by which something is shared on a network. Pure: strings in, strings out."""

from urllib.parse import quote

from app.networks.catalogue import BY_ID, Network
from app.networks.wording import fit, length, one_each, one_line, plain, weight_on_x


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


def _words(network: Network, url: str, text: str) -> str:
    measure = weight_on_x if network.id == "x" else one_each
    cost = network.link_cost if network.link_cost is not None else length(url)
    room = network.limit - (cost + 1 if cost else 0)
    one_lined = any(name in {"title", "t"} for name, _ in network.fields)
    return fit(one_line(text) if one_lined else plain(text), room, measure)


def _encode(value: str) -> str:
    return quote(value, safe="", errors="replace")
