"""Addresses are read strictly, once: what is connected to is what was judged."""

import pytest

from app.kernel.outgoing import Reason, Refused
from app.kernel.outgoing.targets import LONGEST, Allowed, Target, target

READ = [
    ("https://shop.example", Target("https", "shop.example", 443, "/")),
    ("HTTPS://Shop.Example:443/", Target("https", "shop.example", 443, "/")),
    ("http://shop.example:8080/a?b#c", Target("http", "shop.example", 8080, "/a?b")),
    ("http://shop.example:/a%20b/é?q=ü&r=%26", Target("http", "shop.example", 80, "/a%20b/%C3%A9?q=%C3%BC&r=%26")),
    ("https://bücher.example/", Target("https", "xn--bcher-kva.example", 443, "/")),
    ("https://shop。example/", Target("https", "shop.example", 443, "/")),
    ("http://93.184.216.34/", Target("http", "93.184.216.34", 80, "/")),
    ("http://１２７.0.0.1/", Target("http", "127.0.0.1", 80, "/")),  # the line refuses where it leads
    ("https://[2606:4700:0::1111]:8443/x", Target("https", "2606:4700::1111", 8443, "/x")),
    ("https://my_shop.cdn-1.example/", Target("https", "my_shop.cdn-1.example", 443, "/")),
]
REFUSED = [
    "",
    "shop.example/a.png",
    "//shop.example/a.png",
    "/a.png",
    "ftp://shop.example/",
    "file:///etc/passwd",
    "gopher://shop.example/",
    "data:image/png;base64,AAAA",
    "http:///etc/passwd",
    "http:shop.example",
    "https://ana@shop.example/",
    "https://ana:secret@shop.example/",
    "https://@shop.example/",
    "https://shop.example:25/",
    "https://shop.example:22/",
    "https://shop.example:0/",
    "https://shop.example:65536/",
    "https://shop.example:http/",
    "https://shop.example./",
    "https://.shop.example/",
    "https://shop..example/",
    "https://-shop.example/",
    "https://shop.example%00/",
    "https://%31%32%37.0.0.1/",
    "https://shop.example\\@127.0.0.1/",
    "https://shop.example/a b",
    "https://shop.example/\r\nX: y",
    " https://shop.example/",
    "https://shop.\texample/",
    "http://localhost/",
    "http://metadata/",
    "http://2130706433/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0x7f000001/",
    "http://0x7f.0.0.1/",
    "http://127.0.0.0x1/",
    "http://127.1/",
    "http://127.0.0.1./",
    "http://256.0.0.1/",
    "http://[::1/",
    "http://[fe80::1%25eth0]/",
    "http://[fe80::1%eth0]/",
    "http://[vF.x]/",
    "http://" + "a" * 64 + ".example/",
    "http://" + "é" * 64 + ".example/",
    "http://" + "a." * 130 + "example/",
    "http://shop.example/" + "a" * LONGEST,
]


@pytest.mark.parametrize(("address", "expected"), READ)
def test_an_address_is_read_into_what_is_connected_to(address: str, expected: Target) -> None:
    assert expected == target(address)


@pytest.mark.parametrize("address", REFUSED, ids=range(len(REFUSED)))
def test_an_odd_address_is_refused_before_anything_is_looked_up(address: str) -> None:
    with pytest.raises(Refused) as refusal:
        target(address)
    assert Reason.FORBIDDEN == refusal.value.reason


@pytest.mark.parametrize(
    ("address", "authority"),
    [
        ("http://shop.example/", "shop.example"),
        ("https://shop.example:80/", "shop.example:80"),
        ("https://[2606:4700::1]/", "[2606:4700::1]"),
        ("http://[2606:4700::1]:8080/", "[2606:4700::1]:8080"),
    ],
)
def test_the_host_header_says_host_and_port(address: str, authority: str) -> None:
    assert authority == target(address).authority


def test_a_named_host_may_be_odd() -> None:
    allowed = Allowed.of(["localhost:25", "shop"])
    assert Target("http", "localhost", 25, "/") == target("http://localhost:25/", allowed)
    assert Target("http", "shop", 26, "/") == target("http://shop:26/", allowed)
    with pytest.raises(Refused):
        target("http://localhost:26/", allowed)


@pytest.mark.parametrize(
    ("location", "expected"),
    [
        ("/b", "https://shop.example/b"),
        ("c?d", "https://shop.example/a/c?d"),
        ("//other.example/", "https://other.example/"),
        (" http://other.example/ ", "http://other.example/"),
    ],
)
def test_a_redirect_may_be_relative(location: str, expected: str) -> None:
    assert expected == target("https://shop.example/a/b?x").onwards(location)


def test_a_redirect_to_nonsense_is_refused() -> None:
    with pytest.raises(Refused):
        target("https://shop.example/").onwards("http://[")


@pytest.mark.parametrize("entry", ["http://shop.example", "10.0.0.1/8", "10.0.0.1/33", "a b", "1.2.3:80", "a..b"])
def test_what_is_allowed_must_be_a_host_or_a_network(entry: str) -> None:
    with pytest.raises(ValueError, match=r".+"):
        Allowed.of([entry])
