"""Cards, prices and structured data: what is shown of a product."""

import json

import pytest

from app.catalog.models import Product, Variant
from app.storefront.cards import MoneyDict, card, cut
from app.storefront.pages import structured
from app.storefront.prices import speaker


def variant(
    price: int | None, stock: int | None = None, currency: str = "eur", compare_at: int | None = None
) -> Variant:
    return Variant(
        merchant_id=1,
        variant_id=f"var_{price}",
        product_id="prod_1",
        position=0,
        title=None,
        sku=None,
        currency=currency,
        price=price,
        compare_at=compare_at,
        stock=stock,
        withdrawn_at=None,
    )


def product(*variants: Variant, **fields: object) -> Product:
    described = {"title": "Mug", "description": "", "brand": None, "url": None, "images": [], **fields}
    return Product(merchant_id=1, product_id="prod_1", variants=list(variants), **described)


def shown_price(*variants: Variant) -> tuple[int | None, bool]:
    made = card(product(*variants), 0, "https://x.example/p/prod_1")
    return made["price"] and made["price"]["amount"], made["sold_out"]


def test_the_price_of_a_card_is_the_lowest_that_can_be_had() -> None:
    assert shown_price(variant(3000), variant(1000, stock=0), variant(2000, stock=1)) == (2000, False)


def test_the_price_of_a_sold_out_card_is_the_lowest_of_all() -> None:
    assert shown_price(variant(3000, stock=0), variant(1000, stock=0)) == (1000, True)


def test_what_has_no_price_is_not_for_sale_and_not_sold_out() -> None:
    assert shown_price(variant(None)) == (None, False)
    assert shown_price() == (None, False)


def test_a_price_of_nothing_is_a_price() -> None:
    assert shown_price(variant(0), variant(5)) == (0, False)


def test_the_price_before_is_that_of_the_same_variant() -> None:
    made = card(product(variant(2000, compare_at=9000), variant(1000)), 0, "https://x.example")
    assert made["compare_at"] is None


@pytest.mark.parametrize(
    ("text", "longest", "shown"),
    [
        ("short", 300, "short"),
        ("one two, three four", 10, "one two…"),
        ("x" * 400, 300, "x" * 299 + "…"),
    ],
)
def test_a_description_is_cut_at_a_word(text: str, longest: int, shown: str) -> None:
    assert cut(text, longest) == shown


def test_an_emoji_is_not_cut_in_half() -> None:
    family = "👩‍👩‍👧‍👦"
    assert cut(family * 100, 300).rstrip("…").replace(family, "") == ""


@pytest.mark.parametrize(
    ("language", "amount", "currency", "said"),
    [
        ("en", 1999, "eur", "€19.99"),
        ("fr", 1999, "eur", "19,99\u00a0€"),
        ("fr", 123456789, "eur", "1\u202f234\u202f567,89\u00a0€"),
        ("en", 0, "usd", "$0.00"),
        ("en", 1999, "jpy", "¥1,999"),
        ("en", 1999, "kwd", "KWD\u00a01.999"),
        ("en", 1999, "huf", "HUF\u00a019.99"),
        ("en", 100_000, "cad", "CA$1,000.00"),
        ("en", 999_999_999_999, "eur", "€9,999,999,999.99"),
    ],
)
def test_an_amount_has_the_decimals_of_its_currency_and_the_manner_of_the_language(
    language: str, amount: int, currency: str, said: str
) -> None:
    assert speaker(language)(MoneyDict(amount=amount, currency=currency)) == said


def test_structured_data_cannot_leave_its_script() -> None:
    hostile = "</script><!--<script>&amp;\u2028\u2029\"'"
    named = product(variant(100), title=hostile, brand=hostile, description=hostile)
    text = structured.of_product(named, "https://x", hostile)
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text)["name"] == hostile


def test_structured_data_offers_what_has_a_price_in_decimals() -> None:
    offered = product(variant(1999, currency="kwd"), variant(None), variant(5, stock=0, currency="kwd"))
    offers = json.loads(structured.of_product(offered, "https://x", "Shop"))["offers"]
    assert [(each["price"], each["availability"].rsplit("/", 1)[1]) for each in offers] == [
        ("1.999", "InStock"),
        ("0.005", "OutOfStock"),
    ]
    assert "offers" not in json.loads(structured.of_product(product(variant(None)), "https://x", "Shop"))
    pictured = product(images=["javascript:x", "https://x/1.jpg"])
    pictures = json.loads(structured.of_product(pictured, "https://x", "Shop"))
    assert pictures["image"] == ["https://x/1.jpg"]
