"""Of which network an address is: what neighbours share who are not to be told apart. Pure; keeps no address.

Whether it is one of the public internet is decided by the bits of its block alone. Those behind them are its owner's to
choose: who put a private address there (as ISATAP does) would else be of no network, and be counted nowhere.
"""

from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address
from socket import AF_INET, AF_INET6, inet_pton

from app.kernel.outgoing.addresses import is_public

_MAPPED = bytes(10) + b"\xff\xff"  # ::ffff:0:0/96 (RFC 4291, 2.5.5.2)


Network = tuple[bytes, bytes]
"""Where an address belongs, as its first bytes. First the place, of a household or a device: the address of IPv4, the
/64 of IPv6, in which everybody has as many addresses as they like. Then the block of its neighbours: the /24 of IPv4,
the /48 of IPv6."""


def network_of(host: str) -> Network | None:
    """The network of an address on the public internet.

    None for any other, and for what is none: who comes from loopback or a private network is this house's own, or a
    proxy that nobody named, behind which everybody would be one.
    """
    try:
        packed = inet_pton(AF_INET6 if ":" in host else AF_INET, host)
    except (OSError, ValueError):
        return None
    if len(packed) == 16 and packed.startswith(_MAPPED):
        packed = packed[12:]
    place, block = (packed, packed[:3]) if len(packed) == 4 else (packed[:8], packed[:6])
    return (place, block) if _is_public(block) else None


def block_of(host: str) -> str | None:
    """The /24 (IPv4) or the /48 (IPv6) of an address on the public internet; None where `network_of` knows none."""
    network = network_of(host)
    return None if network is None else f"{_first_of(network[1])}/{8 * len(network[1])}"


def _first_of(block: bytes) -> IPv4Address | IPv6Address:
    return ip_address(block.ljust(4 if len(block) == 3 else 16, b"\0"))


@lru_cache(maxsize=8192)
def _is_public(block: bytes) -> bool:
    """Whether the block is of the public internet. Many come from each: to look into all the lists each time would cost
    a tenth of a visit."""
    return is_public(_first_of(block))
