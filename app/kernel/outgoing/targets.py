"""Addresses read strictly, once, into what is connected to; and what an operator allows beyond. Pure."""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network
from typing import Self
from urllib.parse import urljoin, urlsplit

from app.kernel import percent
from app.kernel.outgoing.addresses import Address, Network
from app.kernel.outgoing.refusals import Reason, Refused

LONGEST = 2_048
_PORTS = {"http": 80, "https": 443}
_FIRST_FREE_PORT = 1024
"""Below it stand mail, shells and their like, which must not be spoken to by somebody's order."""

_ODD = re.compile(r"[\x00-\x20\x7f\\]")
_LABEL = re.compile(r"(?!-)[a-z0-9_-]{1,63}(?<!-)")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")
_ENTRY = re.compile(r"(?P<host>\[[0-9a-f:.]+\]|[^:\[\]/]+)(:(?P<port>[0-9]{1,5}))?")


@dataclass(frozen=True)
class Target:
    """Where a request goes. `host` is a name in ASCII, or an IP address without brackets."""

    scheme: str
    host: str
    port: int
    path: str
    """Path and query, as they go over the line."""

    @property
    def literal(self) -> Address | None:
        """The host, where it is an address itself."""
        try:
            return ip_address(self.host)
        except ValueError:
            return None

    @property
    def authority(self) -> str:
        """Host and port as the `Host` header says them (RFC 9110, 7.2)."""
        host = f"[{self.host}]" if isinstance(self.literal, IPv6Address) else self.host
        return host if self.port == _PORTS[self.scheme] else f"{host}:{self.port}"

    def __str__(self) -> str:
        return f"{self.scheme}://{self.authority}{self.path}"

    def onwards(self, location: str) -> str:
        """The address, still to be read, to which a redirect leads. Raises `Refused`."""
        try:
            return urljoin(str(self), location.strip())
        except ValueError:
            raise _forbidden("a redirect to what is no address") from None


@dataclass(frozen=True)
class Allowed:
    """What may be fetched although it is not on the public internet: for development, and for shops inside."""

    hosts: frozenset[tuple[str, int | None]] = frozenset()
    networks: tuple[Network, ...] = ()

    @classmethod
    def of(cls, entries: Iterable[str]) -> Self:
        """Of hosts, hosts with a port, and networks. Raises `ValueError` for what is none."""
        hosts: set[tuple[str, int | None]] = set()
        networks: list[Network] = []
        for entry in entries:
            try:
                networks.append(ip_network(entry))
            except ValueError:
                hosts.add(_host_and_port(entry))
        return cls(frozenset(hosts), tuple(networks))

    def has_host(self, host: str, port: int) -> bool:
        """Whether it was named, with this port or with none."""
        return not self.hosts.isdisjoint({(host, port), (host, None)})

    def has_address(self, address: Address) -> bool:
        """Whether it lies in a network that was named."""
        return any(address.version == network.version and address in network for network in self.networks)


def target(address: str, allowed: Allowed | None = None) -> Target:
    """`address` read strictly: absolute, http or https, no user, a whole host name or a plain IP address, a port of
    the web. A fragment is left out. Raises `Refused`.

    Where its host was named in `allowed`, any port and a host without a dot will do.
    """
    if len(address) > LONGEST or _ODD.search(address):
        raise _forbidden("too long, or with characters that no address has")
    try:
        url = urlsplit(address)
        port = url.port
    except ValueError:
        raise _forbidden("no address") from None
    if url.scheme not in _PORTS or not url.hostname or "@" in url.netloc:
        raise _forbidden("neither http nor https, without a host, or with a user")
    path = percent.in_path(url.path or "/") + (f"?{percent.in_query(url.query)}" if url.query else "")
    host = _host(url.hostname, bracketed="[" in url.netloc)
    read = Target(url.scheme, host, _PORTS[url.scheme] if port is None else port, path)
    if allowed is None or not allowed.has_host(read.host, read.port):
        _refuse_odd(read)
    return read


def _refuse_odd(read: Target) -> None:
    if read.port not in _PORTS.values() and read.port < _FIRST_FREE_PORT:
        raise _forbidden(f"port {read.port}")
    if read.literal is None and "." not in read.host:
        raise _forbidden("a name without a dot")


def _host(text: str, *, bracketed: bool = False) -> str:
    """A host as it is looked up, connected to and compared. What browsers would read as an IP address in disguise
    (WHATWG URL, "ends in a number": decimal, octal, hexadecimal, shortened) is refused."""
    if bracketed:
        return _literal(text)
    try:
        name = text.lower() if text.isascii() else text.encode("idna").decode("ascii").lower()
    except UnicodeError:
        raise _forbidden("a name that IDNA does not know") from None
    labels = name.split(".")
    if _NUMBER.fullmatch(labels[-1]):
        return _literal(name)
    if len(name) > 253 or not all(map(_LABEL.fullmatch, labels)):
        raise _forbidden("a host that is no name")
    return name


def _literal(text: str) -> str:
    try:
        address = ip_address(text)
    except ValueError:
        raise _forbidden("a number in place of a host") from None
    if isinstance(address, IPv6Address) and address.scope_id:
        raise _forbidden("an address with a zone")
    return str(address)


def _host_and_port(entry: str) -> tuple[str, int | None]:
    found = _ENTRY.fullmatch(entry.lower())
    if found is None:
        raise ValueError(f"{entry} is neither a host, a host with a port, nor a network")
    host, port = found["host"], found["port"]
    try:
        return _host(host.strip("[]"), bracketed="[" in host), None if port is None else int(port)
    except Refused as refusal:
        raise ValueError(f"{entry}: {refusal}") from None


def _forbidden(detail: str) -> Refused:
    return Refused(Reason.FORBIDDEN, detail)
