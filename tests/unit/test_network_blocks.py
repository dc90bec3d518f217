"""Neighbours are one block; who is not on the public internet is of none."""

import pytest

from app.kernel.network_blocks import block_of, network_of


@pytest.mark.parametrize(
    ("address", "block"),
    [
        ("93.184.216.34", "93.184.216.0/24"),
        ("93.184.216.255", "93.184.216.0/24"),
        ("93.184.217.0", "93.184.217.0/24"),
        ("::ffff:93.184.216.34", "93.184.216.0/24"),
        ("2606:2800:220:1:248:1893:25c8:1946", "2606:2800:220::/48"),
        ("2606:2800:220:ffff:ffff:ffff:ffff:ffff", "2606:2800:220::/48"),
        ("2606:2800:221::", "2606:2800:221::/48"),
        ("2606:2800:220:1:0:5efe:10.0.0.1", "2606:2800:220::/48"),  # a private address behind a public one
        ("2002:5db8:d822:1::7", "2002:5db8:d822::/48"),
    ],
)
def test_an_address_is_of_its_block(address: str, block: str) -> None:
    assert block == block_of(address)


@pytest.mark.parametrize(
    "address",
    [
        *("127.0.0.1", "::1", "10.0.0.1", "192.168.1.1", "172.18.0.1", "100.64.0.1", "fd00::1", "fe80::1%eth0"),
        *("::ffff:10.0.0.1", "169.254.169.254", "2002:a00:1::7", "192.0.0.9", "0.0.0.0", "::", "224.0.0.1"),
        *("", "testclient", "unknown", "93.184.216.34:80", "93.184.216", "1" * 10_000, "9\x003.184.216.34"),
    ],
)
def test_who_is_not_on_the_public_internet_is_of_none(address: str) -> None:
    assert block_of(address) is None


def test_in_one_network_everybody_is_in_one_place() -> None:
    assert network_of("2606:2800:220:1::7") == network_of("2606:2800:220:1:ffff:ffff:ffff:ffff")
    assert network_of("2606:2800:220:1::7") != network_of("2606:2800:220:2::7")
    assert network_of("93.184.216.34") == network_of("::ffff:93.184.216.34")
    assert network_of("93.184.216.34") != network_of("93.184.216.35")
    assert network_of("10.0.0.1") is None
