"""Signatures are made for one purpose under one secret."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.kernel.signing import Signer

SIGNER = Signer(b"a secret of sixteen bytes or more")
words = st.text(st.characters(exclude_categories=["Cs"]))


@given(words, words)
def test_a_signature_fits_its_text_and_purpose(purpose: str, text: str) -> None:
    signature = SIGNER.sign(purpose, text)
    assert SIGNER.verify(purpose, text, signature)
    assert 22 == len(signature)


@given(words, words, words)
def test_a_signature_for_one_thing_proves_nothing_else(purpose: str, text: str, other: str) -> None:
    signature = SIGNER.sign(purpose, text)
    assert SIGNER.verify(purpose, other, signature) == (text == other)
    assert SIGNER.verify(other, text, signature) == (purpose == other)


@given(st.text())
def test_made_up_signatures_are_refused(signature: str) -> None:
    assert not SIGNER.verify("visitor", "vis_1", signature)


def test_another_secret_signs_and_hashes_otherwise() -> None:
    other = Signer(b"another secret of sixteen bytes")
    assert not other.verify("visitor", "vis_1", SIGNER.sign("visitor", "vis_1"))
    assert other.hash("key", "sk_1") != SIGNER.hash("key", "sk_1") != SIGNER.hash("customer", "sk_1")


def test_a_keyed_hash_is_64_hexadecimal_digits() -> None:
    assert 64 == len(SIGNER.hash("key", "sk_1"))
    assert SIGNER.hash("key", "sk_1") == SIGNER.hash("key", "sk_1")


def test_a_short_secret_is_refused() -> None:
    with pytest.raises(ValueError, match="16 bytes"):
        Signer(b"fifteen bytes..")
