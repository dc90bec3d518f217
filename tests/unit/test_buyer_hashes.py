"""How it is kept what an order brings of its buyer: which spellings are one mail, and that merchants have nothing in
common."""

import pytest

from app.kernel.signing import Signer
from app.orders.buyer_hashes import box_of, card_hash, mail_hash

SIGNER, OTHER = Signer(b"sixteen bytes at least"), Signer(b"another server's secret")


@pytest.mark.parametrize(
    ("mail", "box"),
    [
        ("bo@example.org", "bo@example.org"),
        ("  Bo@Example.ORG\n", "bo@example.org"),
        ("bo@example.org.", "bo@example.org"),
        ("bo+shop@example.org", "bo@example.org"),
        ("bo+a+b@example.org", "bo@example.org"),
        ("+bo@example.org", "+bo@example.org"),
        ("b.o@example.org", "b.o@example.org"),
        ("b.o+x@gmail.com", "bo@gmail.com"),
        ("BO@googlemail.com", "bo@gmail.com"),
        (".@gmail.com", ".@gmail.com"),
        ("straße@example.org", "strasse@example.org"),
        ('"a@b"@example.org', '"a@b"@example.org'),
    ],
)
def test_all_spellings_of_a_mail_that_reach_one_box_are_one(mail: str, box: str) -> None:
    assert box == box_of(mail)
    assert mail_hash(SIGNER, 1, box) == mail_hash(SIGNER, 1, mail)


@pytest.mark.parametrize(
    "said", ["", " ", "bo", "@", "@example.org", "bo@", "bo@.", "bo @example.org", "bo@exa\tmple", None]
)
def test_what_is_no_mail_is_not_kept(said: str | None) -> None:
    assert mail_hash(SIGNER, 1, said) is None


@pytest.mark.parametrize("said", ["", "a b", "x" * 101, "é", "4242 4242", None])
def test_what_is_no_fingerprint_is_not_kept(said: str | None) -> None:
    assert card_hash(SIGNER, 1, said) is None


def test_another_merchant_purpose_or_secret_makes_another_hash() -> None:
    said = "bo@example.org"
    found = {
        mail_hash(SIGNER, 1, said),
        mail_hash(SIGNER, 2, said),
        mail_hash(OTHER, 1, said),
        SIGNER.customer_hash(1, said),
        card_hash(SIGNER, 1, "Xt5EWLLDS7FJjR1c"),
        card_hash(SIGNER, 1, "xt5ewllds7fjjr1c"),
    }
    assert 6 == len(found - {None})
    assert {64} == {len(each or "") for each in found}
