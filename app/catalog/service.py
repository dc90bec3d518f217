"""What can be done with products. Knows the session and the tables, not HTTP."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import BigInteger, FromClause, Select, select
from sqlalchemy.orm import Session

from app.catalog.models import Product, ProductTag, Variant
from app.kernel import feed
from app.kernel.database import id_type
from app.kernel.errors import NotFound
from app.kernel.given import Question
from app.kernel.ids import merchant_of, new_id


@dataclass(frozen=True)
class VariantData:
    """A variant as a merchant describes it; amounts in minor units of `currency`."""

    external_id: str | None
    title: str | None
    sku: str | None
    currency: str
    price: int | None
    compare_at: int | None
    stock: int | None


@dataclass(frozen=True)
class ProductData:
    """A product as a merchant describes it, whole."""

    external_id: str | None
    title: str
    description: str
    brand: str | None
    url: str | None
    images: tuple[str, ...]
    tags: tuple[str, ...]
    variants: tuple[VariantData, ...]


class Outcome(StrEnum):
    """What saving a product did."""

    CREATED = "created"
    UPDATED = "updated"
    UNCHANGED = "unchanged"


def save(session: Session, merchant_id: int, data: ProductData, now: datetime) -> tuple[Product, Outcome]:
    """Create the product, or make the one with the same `external_id` like `data`. A withdrawn one comes back."""
    known = by_external_ids(session, merchant_id, () if data.external_id is None else (data.external_id,))
    product, outcome = save_among(session, known, merchant_id, data, now)
    session.flush()
    if outcome is not Outcome.UNCHANGED:
        tell(session, merchant_id, product.product_id, now)
    return product, outcome


def tell(session: Session, merchant_id: int, product_id: str | None, now: datetime) -> None:
    """Tell the feed that a product has changed; None: several have. Once in a transaction is enough."""
    feed.tell(session, [feed.Told(merchant_id, "catalogue", product_id, None, now)])


def save_among(
    session: Session, known: dict[str, Product], merchant_id: int, data: ProductData, now: datetime
) -> tuple[Product, Outcome]:
    """`save` for many products one after the other: `known`, from `by_external_ids`, is asked instead of the database.

    A new product joins `known`; it is written with the others, at the end.
    """
    product = None if data.external_id is None else known.get(data.external_id)
    if product is not None:
        return product, Outcome.UPDATED if replace(product, data, now) else Outcome.UNCHANGED
    product = Product(
        merchant_id=merchant_id, product_id=new_id("prod", merchant_id, now), created_at=now, updated_at=now
    )
    _apply(product, data, now)
    session.add(product)
    if data.external_id is not None:
        known[data.external_id] = product
    return product, Outcome.CREATED


def replace(product: Product, data: ProductData, now: datetime) -> bool:
    """Make `product` like `data`; whether that changed anything. A change is never written for nothing."""
    if product.withdrawn_at is None and describe(product) == data:
        return False
    product.withdrawn_at = None
    product.updated_at = now
    _apply(product, data, now)
    return True


def describe(product: Product) -> ProductData:
    """The standing product as its merchant would describe it."""
    return ProductData(
        external_id=product.external_id,
        title=product.title,
        description=product.description,
        brand=product.brand,
        url=product.url,
        images=tuple(product.images),
        tags=tuple(product.tags),
        variants=tuple(
            VariantData(each.external_id, each.title, each.sku, each.currency, each.price, each.compare_at, each.stock)
            for each in product.standing
        ),
    )


def get(session: Session, merchant_id: int, product_id: str) -> Product:
    """The standing product. Raises `NotFound` for another merchant's, a withdrawn one or none."""
    if merchant_of(product_id, "prod") != merchant_id:
        raise NotFound
    product = session.get(Product, (merchant_id, product_id))
    if product is None or product.withdrawn_at is not None:
        raise NotFound
    return product


def by_external_ids(session: Session, merchant_id: int, external_ids: Collection[str]) -> dict[str, Product]:
    """The products that the merchant calls so, by that name, standing or withdrawn."""
    if not external_ids:
        return {}
    query = select(Product).where(Product.merchant_id == merchant_id, Product.external_id.in_(external_ids))
    return {product.external_id: product for product in session.scalars(query) if product.external_id is not None}


def variant(session: Session, merchant_id: int, variant_id: str) -> tuple[Variant, Product]:
    """The variant, if it is still offered, and its product. Raises `NotFound`."""
    if merchant_of(variant_id, "var") != merchant_id:
        raise NotFound
    found = session.get(Variant, (merchant_id, variant_id))
    if found is None or found.withdrawn_at is not None:
        raise NotFound
    return found, get(session, merchant_id, found.product_id)


def faces(session: Session, products: Collection[tuple[int, str]]) -> dict[tuple[int, str], tuple[str, str | None]]:
    """Title and first picture of those of the products (merchant and id) that stand; of many in one statement."""
    return {
        (merchant_id, product_id): (title, next(iter(images), None))
        for merchant_id, product_id, title, images in _FACES.ask(session, products)
    }


def _faces(given: FromClause) -> Select[*tuple[Any, ...]]:
    same = (Product.merchant_id == given.c.merchant_id) & (Product.product_id == given.c.product_id)
    columns = select(Product.merchant_id, Product.product_id, Product.title, Product.images)
    return columns.join_from(given, Product, same).where(Product.withdrawn_at.is_(None))


_FACES = Question(_faces, merchant_id=BigInteger(), product_id=id_type())


def withdraw(product: Product, now: datetime) -> None:
    """Take a product off every wall. Its orders and referrals stay."""
    product.withdrawn_at = now


def standing(
    merchant_id: int, *, q: str | None = None, tag: str | None = None, external_id: str | None = None
) -> Select[Product]:
    """The merchant's standing products that match."""
    query = select(Product).where(Product.merchant_id == merchant_id, Product.withdrawn_at.is_(None))
    if q:
        query = query.where(Product.title.icontains(q, autoescape=True))
    if tag is not None:
        query = query.where(Product.labels.any(ProductTag.tag == tag))
    if external_id is not None:
        query = query.where(Product.external_id == external_id)
    return query


def standing_by_id(session: Session, merchant_id: int, product_ids: Iterable[str]) -> dict[str, Product]:
    """Those of `product_ids` that stand."""
    wanted = list(product_ids)
    query = standing(merchant_id).where(Product.product_id.in_(wanted))
    return {product.product_id: product for product in session.scalars(query)} if wanted else {}


def _apply(product: Product, data: ProductData, now: datetime) -> None:
    product.external_id = data.external_id
    product.title = data.title
    product.description = data.description
    product.brand = data.brand
    product.url = data.url
    product.images = list(data.images)
    _apply_tags(product, data.tags)
    _apply_variants(product, data.variants, now)


def _apply_tags(product: Product, tags: Sequence[str]) -> None:
    known = {label.tag: label for label in product.labels}
    product.labels = [
        known.get(tag) or ProductTag(merchant_id=product.merchant_id, tag=tag) for tag in dict.fromkeys(tags)
    ]
    for position, label in enumerate(product.labels):
        label.position = position


def _apply_variants(product: Product, wanted: Sequence[VariantData], now: datetime) -> None:
    """Keep the id of a variant that is still there, so that carts, stock and links to it live on."""
    left = list(product.variants)
    for position, data in enumerate(wanted):
        match = _match(left, data, position)
        if match is None:
            match = Variant(merchant_id=product.merchant_id, variant_id=new_id("var", product.merchant_id, now))
            product.variants.append(match)
        else:
            left.remove(match)
        match.position = position
        match.withdrawn_at = None
        for name in ("external_id", "title", "sku", "currency", "price", "compare_at", "stock"):
            setattr(match, name, getattr(data, name))
    for gone in left:
        gone.withdrawn_at = gone.withdrawn_at or now


def _match(candidates: Sequence[Variant], data: VariantData, position: int) -> Variant | None:
    """The variant that `data` describes: by the merchant's id, else by SKU, else by title."""
    for name in ("external_id", "sku", "title"):
        value = getattr(data, name)
        if value is not None:
            found = [each for each in candidates if getattr(each, name) == value]
            if found or name == "external_id":
                return found[0] if found else None
    unnamed = [each for each in candidates if each.title is None and each.position == position]
    return unnamed[0] if unnamed else None
