"""Sealed secrets: read again by whoever has the server's secret, and by nobody else, in no other place."""

from collections.abc import Callable

import pytest

from app.kernel.sealing import Sealer, Unsealable
from app.kernel.signing import Signer

SECRET = "shpss_1f0b2c Grüße"


def sealer(secret: bytes = b"secret-of-the-tests-x", purpose: str = "connectors") -> Sealer:
    return Sealer(Signer(secret), purpose)


@pytest.mark.parametrize("text", [SECRET, "", "x" * 500])
def test_what_was_sealed_is_read_again_for_the_same_thing(text: str) -> None:
    assert text == sealer().open(sealer().seal(text, "1 shopify"), "1 shopify")


def test_a_sealed_secret_shows_nothing_and_is_never_the_same_twice() -> None:
    one, other = (sealer().seal(SECRET, "1 shopify") for _ in range(2))
    assert one != other
    assert SECRET not in one
    assert len(sealer().seal("x" * 255, "1 shopify")) < 1000  # the column's length


@pytest.mark.parametrize(
    ("by", "about"),
    [
        (sealer(b"another-secret-of-them"), "1 shopify"),
        (sealer(purpose="another purpose"), "1 shopify"),
        (sealer(), "2 shopify"),
        (sealer(), "1 woocommerce"),
    ],
    ids=["another secret", "another purpose", "another merchant", "another system"],
)
def test_nobody_else_opens_it_and_nowhere_else(by: Sealer, about: str) -> None:
    sealed = sealer().seal(SECRET, "1 shopify")
    with pytest.raises(Unsealable):
        by.open(sealed, about)


@pytest.mark.parametrize(
    "change",
    [
        lambda sealed: "",
        lambda sealed: "1.",
        lambda sealed: "2." + sealed[2:],
        lambda sealed: sealed[2:],
        lambda sealed: sealed[:-8],
        lambda sealed: sealed[:20] + ("A" if sealed[20] != "A" else "B") + sealed[21:],
        lambda sealed: sealed + "!",
        lambda sealed: "1.AAAA",
    ],
    ids=["empty", "no content", "another version", "no version", "cut", "changed", "garbage", "short"],
)
def test_what_was_tampered_with_does_not_open(change: Callable[[str], str]) -> None:
    with pytest.raises(Unsealable):
        sealer().open(change(sealer().seal(SECRET, "1 shopify")), "1 shopify")
