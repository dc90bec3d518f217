"""Products as JSON, in and out (api.md)."""

from typing import Annotated

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from app.catalog.feeds.items import LARGEST_STOCK
from app.catalog.models import Product, Variant
from app.catalog.service import ProductData, VariantData
from app.kernel.http.wire import Body, ExternalId, MoneyWire, Text, Timestamp, Wire


def _web_address(text: str) -> str:
    if not text.lower().startswith(("http://", "https://")) or any(character.isspace() for character in text):
        raise PydanticCustomError("not_a_web_address", "must be an http or https address")
    return text


WebAddress = Annotated[
    Text, Field(max_length=2000, examples=["https://shop.example/mug"]), AfterValidator(_web_address)
]
Tag = Annotated[Text, Field(min_length=1, max_length=200)]


class VariantIn(Body):
    """One way to buy a product. Without a price it is shown but not for sale; `stock: null` is never sold out."""

    external_id: ExternalId | None = None
    title: Annotated[Text, Field(min_length=1, max_length=300)] | None = None
    sku: Annotated[Text, Field(max_length=200)] | None = None
    price: MoneyWire | None = None
    compare_at: MoneyWire | None = None
    stock: Annotated[int, Field(ge=0, le=LARGEST_STOCK, strict=True)] | None = None


class ProductIn(Body):
    """A product, whole. With an `external_id` that is known, that product becomes like this one."""

    external_id: ExternalId | None = None
    title: Annotated[Text, Field(min_length=1, max_length=300, examples=["Stoneware mug"])]
    description: Annotated[Text, Field(max_length=20_000)] = ""
    brand: Annotated[Text, Field(max_length=200)] | None = None
    url: WebAddress | None = None
    images: Annotated[list[WebAddress], Field(max_length=50)] = []
    variants: Annotated[list[VariantIn], Field(max_length=250)] = []
    tags: Annotated[list[Tag], Field(max_length=100)] = []


class ProductPatch(Body):
    """The fields to change; lists are replaced whole."""

    title: Annotated[Text, Field(min_length=1, max_length=300)] | None = None
    description: Annotated[Text, Field(max_length=20_000)] | None = None
    brand: Annotated[Text, Field(max_length=200)] | None = None
    url: WebAddress | None = None
    images: Annotated[list[WebAddress], Field(max_length=50)] | None = None
    variants: Annotated[list[VariantIn], Field(max_length=250)] | None = None
    tags: Annotated[list[Tag], Field(max_length=100)] | None = None


class VariantOut(Wire):
    """A variant as it stands."""

    id: str
    external_id: str | None
    title: str | None
    sku: str | None
    price: MoneyWire | None
    compare_at: MoneyWire | None
    stock: Annotated[int | None, Field(description="The merchant's own number; `null`: never sold out.")]
    reserved: Annotated[int, Field(description="Pieces of them that somebody is just paying for.")]
    available: Annotated[bool, Field(description="Whether a piece is left that nobody is paying for, and has a price.")]


class ProductOut(Wire):
    """A product as it stands."""

    id: str
    external_id: str | None
    title: str
    description: str
    brand: str | None
    url: str | None
    images: list[str]
    variants: list[VariantOut]
    tags: list[str]
    created_at: Timestamp
    updated_at: Timestamp

    @classmethod
    def of(cls, product: Product) -> "ProductOut":
        return cls(
            id=product.product_id,
            external_id=product.external_id,
            title=product.title,
            description=product.description,
            brand=product.brand,
            url=product.url,
            images=product.images,
            variants=[_variant(variant) for variant in product.standing],
            tags=product.tags,
            created_at=product.created_at,
            updated_at=product.updated_at,
        )


def money(minor: int | None, currency: str) -> MoneyWire | None:
    """An amount with its currency, or none."""
    return None if minor is None else MoneyWire(amount=minor, currency=currency)


def variant_data(variant: VariantIn, currency: str) -> VariantData:
    """What the body says; a variant without any price has the merchant's currency."""
    known = variant.price or variant.compare_at
    return VariantData(
        external_id=variant.external_id,
        title=variant.title,
        sku=variant.sku,
        currency=known.currency if known else currency,
        price=variant.price.amount if variant.price else None,
        compare_at=variant.compare_at.amount if variant.compare_at else None,
        stock=variant.stock,
    )


def product_data(body: ProductIn, currency: str) -> ProductData:
    """What the body says, in the domain's words."""
    return ProductData(
        external_id=body.external_id,
        title=body.title,
        description=body.description,
        brand=body.brand,
        url=body.url,
        images=tuple(body.images),
        tags=tuple(dict.fromkeys(body.tags)),
        variants=tuple(variant_data(variant, currency) for variant in body.variants),
    )


def _variant(variant: Variant) -> VariantOut:
    return VariantOut(
        id=variant.variant_id,
        external_id=variant.external_id,
        title=variant.title,
        sku=variant.sku,
        price=money(variant.price, variant.currency),
        compare_at=money(variant.compare_at, variant.currency),
        stock=variant.stock,
        reserved=variant.held,
        available=variant.available,
    )
