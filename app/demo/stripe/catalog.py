"""Products and prices of checked parameters: for the catalogue, or for one session only. Knows no HTTP."""

from app.demo.stripe.currencies import check_amount, check_currency
from app.demo.stripe.errors import StripeProblem, missing
from app.demo.stripe.parameters.asked import metadata, only, required
from app.demo.stripe.parameters.values import Params, names
from app.demo.stripe.records.catalog import Price, Product
from app.demo.stripe.urls import check_url
from app.demo.stripe.world import World, find, new_id

_PRODUCT: frozenset[str] = names("name description images metadata tax_code unit_label")


def create_product(world: World, params: Params, account: str | None) -> Product:
    """`POST /v1/products`."""
    only(params, _PRODUCT | {"expand"})
    made = _product(world, params, account, active=True)
    world.emit("product.created", made)
    return made


def create_price(world: World, params: Params, account: str | None) -> Price:
    """`POST /v1/prices`: what one of a product costs, paid once."""
    only(params, names("product currency unit_amount tax_behavior metadata expand"))
    product = find(world.products, required(params, "product"), account, param="product", noun="product", status=400)
    made = _price(world, params, account, product, active=True)
    world.emit("price.created", made)
    return made


def price_of_line(world: World, item: Params, account: str | None) -> Price:
    """The price of a session's line: one of the catalogue, or one made for it (`price_data`)."""
    if identifier := item.text("price"):
        if "price_data" in item:
            raise StripeProblem("You may only specify one of these parameters: price, price_data.")
        return find(world.prices, identifier, account, param=item.param("price"), noun="price", status=400)
    data = item.sub("price_data")
    if "price_data" not in item:
        raise missing(item.param("price_data"))
    only(data, names("currency unit_amount product product_data tax_behavior"))
    if identifier := data.text("product"):
        product = find(world.products, identifier, account, param=data.param("product"), noun="product", status=400)
    else:
        only(data.sub("product_data"), _PRODUCT)
        product = _product(world, data.sub("product_data"), account, active=False)
    return _price(world, data, account, product, active=False)


def _product(world: World, params: Params, account: str | None, *, active: bool) -> Product:
    made = Product(
        id=new_id("prod_", 14),
        account=account,
        created=world.now(),
        name=required(params, "name"),
        description=params.text("description"),
        images=_images(params),
        active=active,
        metadata=metadata(params),
    )
    world.products[made.id] = made
    return made


def _price(world: World, params: Params, account: str | None, product: Product, *, active: bool) -> Price:
    currency = check_currency(params.text("currency") or "", params.param("currency"))
    amount = params.integer("unit_amount")
    if amount is None:
        raise missing(params.param("unit_amount"))
    check_amount(amount, currency, params.param("unit_amount"))
    made = Price(
        id=new_id("price_1"),
        account=account,
        created=world.now(),
        product=product,
        currency=currency,
        unit_amount=amount,
        tax_behavior=params.text("tax_behavior") or "unspecified",
        active=active,
        metadata=metadata(params),
    )
    world.prices[made.id] = made
    return made


def _images(product: Params) -> tuple[str, ...]:
    images = product.texts("images")
    if len(images) > 8:
        raise StripeProblem("You can pass at most 8 images", param=product.param("images"))
    for index, image in enumerate(images):
        check_url(image, f"{product.param('images')}[{index}]")
    return images
