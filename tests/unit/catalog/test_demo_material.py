"""The demonstration's own shop and blog: what they promise to the rest of the demonstration."""

import io
import re

from app.catalog.feeds.items import FeedProduct
from app.catalog.feeds.shopify_csv import read
from app.demo import blog, shop


def demo_products() -> list[FeedProduct]:
    items = list(read(io.BytesIO(shop.catalogue("http://shop.localhost:8000/pictures")), shop.CURRENCY))
    return [item for item in items if isinstance(item, FeedProduct)]


def test_the_shop_is_read_whole_and_every_picture_is_there() -> None:
    products = demo_products()
    assert len(products) == 17
    names = {address.rsplit("/", 1)[1] for product in products for address in product.images}
    pictures = {name: shop.picture(name) or b"" for name in names}
    assert all(content.startswith(b"\x89PNG") and len(content) < 40_000 for content in pictures.values())


def test_the_shop_shows_each_case_that_a_shop_has() -> None:
    variants = [variant for product in demo_products() for variant in product.variants]
    assert any(variant.stock == 0 for variant in variants)
    assert any(variant.stock is None for variant in variants)
    assert any(variant.compare_at_minor for variant in variants)
    assert any(len(product.images) > 1 and len(product.variants) > 1 for product in demo_products())


def test_only_pictures_are_given_out() -> None:
    assert shop.picture("../catalogue.csv") is None
    assert shop.picture("src") is None


def test_the_blog_carries_the_embed_line_once_with_a_fallback_link() -> None:
    page = blog.render("http://localhost:8000", "wall_1", "mer_1", "prod_1", title="<b>Mornings</b>")
    assert page.count('<script type="module" src="http://localhost:8000/embed.js"></script>') == 1
    assert page.count("<script") == 1
    assert '<grapevine-wall wall="wall_1"><a href="http://localhost:8000/w/wall_1">' in page
    assert '<grapevine-product product="prod_1" wall="wall_1"><a href="http://localhost:8000/p/prod_1' in page
    assert page.count('<grapevine-share merchant="mer_1">') == 1
    assert "&lt;b&gt;Mornings&lt;/b&gt;" in page
    assert not re.search(r"\{\{\w+\}\}", page)
