"""Which IP addresses are on the public internet. Pure.

`ipaddress` alone does not say it: it misses addresses that carry another one inside, and blocks that were reserved
after it was written; what it answers also differs between versions of Python.
"""

from collections.abc import Iterator
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_network

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network

_MAPPED = IPv6Network("::ffff:0:0/96")  # RFC 4291, 2.5.5.2
_COMPATIBLE = IPv6Network("::/96")  # RFC 4291, 2.5.5.1
_NAT64 = IPv6Network("64:ff9b::/96")  # RFC 6052
_6TO4 = IPv6Network("2002::/16")  # RFC 3056
_TEREDO = IPv6Network("2001::/32")  # RFC 4380
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214, 6.1

_GLOBAL_UNICAST = IPv6Network("2000::/3")
"""All that was ever given out (RFC 4291, 2.4; IANA). The rest is special or is not there."""
_NOT_PUBLIC = tuple(
    ip_network(text)
    for text in (
        "192.0.0.0/24",  # IETF protocols (RFC 6890); the metadata of Oracle's cloud
        "192.88.99.0/24",  # relays of 6to4, gone since RFC 7526
        "168.63.129.16/32",  # what each machine of Azure's sees there is its host
        "2001::/23",  # IETF protocols (RFC 2928)
        "3fff::/20",  # documentation (RFC 9637)
    )
)


def is_public(address: Address) -> bool:
    """Whether `address`, and each address that it carries inside, is a single host on the public internet."""
    carried = list(_carried(address))
    return all(map(is_public, carried)) if carried else _is_public_itself(address)


def _is_public_itself(address: Address) -> bool:
    if isinstance(address, IPv6Address) and address not in _GLOBAL_UNICAST:
        return False
    reserved = any(address.version == network.version and address in network for network in _NOT_PUBLIC)
    return address.is_global and not address.is_multicast and not reserved


def _carried(address: Address) -> Iterator[IPv4Address]:
    """The addresses to which packets for `address` may really go."""
    if isinstance(address, IPv4Address):
        return
    number = int(address)
    if address in _MAPPED or address in _COMPATIBLE or address in _NAT64:
        yield IPv4Address(number & 0xFFFF_FFFF)
    elif address in _6TO4:
        yield IPv4Address(number >> 80 & 0xFFFF_FFFF)
    elif address in _TEREDO:
        yield IPv4Address(number >> 64 & 0xFFFF_FFFF)
        yield IPv4Address(~number & 0xFFFF_FFFF)
    elif address in _GLOBAL_UNICAST and number >> 32 & 0xFFFF_FFFF in _ISATAP:
        yield IPv4Address(number & 0xFFFF_FFFF)
