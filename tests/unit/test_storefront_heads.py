"""Locales and players in heads."""

import json
from pathlib import Path

import pytest

from app.catalog.models import Product
from app.merchants.models import Merchant
from app.storefront import cards
from app.storefront.pages import heads
from app.storefront.pages.heads import Player, locale_of
from app.storefront.prices import speaker
from app.storefront.views import ProductView

WORDS = json.loads((Path(__file__).parents[2] / "widgets" / "messages" / "en.json").read_text("utf-8"))


@pytest.mark.parametrize(
    ("chosen", "language", "locale"),
    [
        (None, "en", "en_US"),
        (None, "fr", "fr_FR"),
        ("fr-CH", "fr", "fr_CH"),
        ("fr", "fr", "fr_FR"),
        ("en-Latn-gb", "en", "en_GB"),
        ("de-AT", "en", "en_US"),
        ("sr-Latn", "sr", "sr_RS"),
    ],
)
def test_the_locale_names_a_country(chosen: str | None, language: str, locale: str) -> None:
    assert locale == locale_of(chosen, language)


@pytest.mark.parametrize(
    ("own", "allowed_origins", "player"),
    [
        ("https://g.example", ["*"], Player("https://g.example/embed/products/prod_1", 480, 640)),
        ("https://g.example", ["https://shop.example"], None),
        ("https://g.example", [], None),
        ("http://g.example", ["*"], None),
    ],
)
def test_there_is_a_player_where_a_network_could_show_it(
    own: str, allowed_origins: list[str], player: Player | None
) -> None:
    product = Product(product_id="prod_1", title="Mug", description="", images=[], variants=[])
    merchant = Merchant(name="Shop", allowed_origins=allowed_origins)
    view = ProductView(merchant, product, cards.card(product, 0, f"{own}/p/prod_1"), None)
    head = heads.of_product(view, own, f"{own}/cards/prod_1.png", WORDS, speaker("en"))
    assert player == head.player
