"""Which network block an address is of: what neighbours share who are not to be told apart. Pure; keeps nothing."""

from ipaddress import IPv6Address, ip_address, ip_network

from app.kernel.outgoing.addresses import is_public


def block_of(host: str) -> str | None:
    """The /24 (IPv4) or the /48 (IPv6) of an address on the public internet.

    None for any other, and for what is none: who comes from loopback or a private network is this house's own, or a
    proxy that nobody named, behind which everybody would be one.
    """
    try:
        address = ip_address(host)
    except ValueError:
        return None
    if isinstance(address, IPv6Address) and address.ipv4_mapped is not None:
        address = address.ipv4_mapped
    if not is_public(address):
        return None
    return str(ip_network(f"{address}/{24 if address.version == 4 else 48}", strict=False))
