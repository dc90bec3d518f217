"""Each refusal has a page whose words fit, in every language."""

import json
from pathlib import Path
from typing import get_args

import pytest

from app.kernel.errors import AppError, BadRequest, Conflict, Gone, Invalid, NotFound, Unavailable
from app.orders.checkout.basket import OutOfStock
from app.orders.checkout.wire import FormRefused
from app.orders.stripe.problems import CheckoutRefused, CheckoutUnavailable
from app.storefront.pages.refusals import Kind, kind_of

MESSAGES = Path(__file__).parents[2] / "widgets" / "messages"


@pytest.mark.parametrize(
    ("kind", "refusal"),
    [
        ("not_found", NotFound()),
        ("gone", Gone("It was taken back.")),
        ("busy", Conflict()),
        ("busy", Unavailable()),
        ("error", AppError()),
        ("unreadable", BadRequest()),
        ("sold_out", OutOfStock.field("/items/0/variant", "is sold out")),
        ("too_many", OutOfStock.field("/items/0/quantity", "is more than the 3 in stock")),
        ("unpayable", CheckoutRefused("Stripe says: the amount is too small")),
        ("till_away", CheckoutUnavailable()),
        ("quantity", Invalid.field("/items/0/quantity", "Input should be less than or equal to 999")),
        ("quantity", Invalid.field("/quantity", "must be given for each variant, or for none")),
        ("coupon", Invalid.field("/coupon", "String should have at most 200 characters")),
        ("not_for_sale", Invalid.field("/items/0/variant", "is not a variant on offer")),
        ("unreadable", Invalid.field("/items", "List should have at least 1 item")),
        ("refused", Invalid.field("/color", "is not a field of this form")),
        ("refused", Invalid()),
    ],
)
def test_the_page_fits_the_refusal(kind: Kind, refusal: AppError) -> None:
    assert kind == kind_of(refusal)
    assert kind == kind_of(FormRefused(refusal, None))


def test_a_refusal_that_was_kept_says_the_same() -> None:
    first = Invalid.field("/items/0/quantity", "is too many")
    kept = AppError(first.detail)
    kept.status, kept.code = first.status, first.code
    assert kind_of(first) == kind_of(kept) == "quantity"


@pytest.mark.parametrize("language", sorted(file.stem for file in MESSAGES.glob("*.json")))
def test_each_page_has_its_words(language: str) -> None:
    words = json.loads((MESSAGES / f"{language}.json").read_text("utf-8"))
    wanted = [f"page_{kind}_{part}" for kind in get_args(Kind) for part in ("title", "text")]
    assert [] == [name for name in wanted if not words.get(name)]
