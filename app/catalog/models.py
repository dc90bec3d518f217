"""Tables of the catalogue: products, their variants and tags, imports."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, LargeBinary, String, Text, UniqueConstraint
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.database import Base, id_type


class Product(Base):
    """Something that is sold. Its price and stock are its variants'."""

    __tablename__ = "products"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        UniqueConstraint("merchant_id", "external_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    product_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    external_id: Mapped[str | None] = mapped_column(id_type(255))
    title: Mapped[str] = mapped_column(String(300))
    description: Mapped[str] = mapped_column(Text)
    brand: Mapped[str | None] = mapped_column(String(255))
    url: Mapped[str | None] = mapped_column(Text)
    images: Mapped[list[str]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    variants: Mapped[list["Variant"]] = relationship(
        order_by="Variant.position", lazy="selectin", cascade="all", overlaps="labels"
    )
    labels: Mapped[list["ProductTag"]] = relationship(
        order_by="ProductTag.position", lazy="selectin", cascade="all, delete-orphan", overlaps="variants"
    )

    @property
    def standing(self) -> list["Variant"]:
        """The variants that are still offered, in order."""
        offered = [variant for variant in self.variants if variant.withdrawn_at is None]
        return sorted(offered, key=lambda variant: variant.position)  # the list itself is as it was loaded

    @property
    def tags(self) -> list[str]:
        return [label.tag for label in self.labels]


class Variant(Base):
    """One way to buy a product. Without a price it is shown but not for sale; without a stock it is never sold out."""

    __tablename__ = "variants"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "product_id"], ["products.merchant_id", "products.product_id"]),
        Index("ix_variants_product", "merchant_id", "product_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    variant_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    product_id: Mapped[str] = mapped_column(id_type())
    position: Mapped[int]
    external_id: Mapped[str | None] = mapped_column(id_type(255))
    title: Mapped[str | None] = mapped_column(String(300))
    sku: Mapped[str | None] = mapped_column(String(255))
    currency: Mapped[str] = mapped_column(String(3))
    price: Mapped[int | None] = mapped_column(BigInteger, comment="minor units")
    compare_at: Mapped[int | None] = mapped_column(BigInteger, comment="minor units")
    stock: Mapped[int | None] = mapped_column(comment="pieces; empty: unlimited")
    held: Mapped[int] = mapped_column(default=0, server_default="0", comment="pieces of them that are reserved")
    withdrawn_at: Mapped[datetime | None]

    @property
    def left(self) -> int | None:
        """Pieces that may still be sold: what is in stock and nobody is just paying for. None: unlimited."""
        held = self.held or 0  # empty until it is written for the first time
        return None if self.stock is None else max(self.stock - held, 0)

    @property
    def available(self) -> bool:
        return self.withdrawn_at is None and self.price is not None and self.left != 0


class Reservation(Base):
    """Pieces of a variant that somebody is just paying for. `ended_at` with `sold` says how it ended, once."""

    __tablename__ = "reservations"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "variant_id"], ["variants.merchant_id", "variants.variant_id"]),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    holder: Mapped[str] = mapped_column(id_type(), primary_key=True)  # the checkout
    variant_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    quantity: Mapped[int]
    sold: Mapped[bool]
    made_at: Mapped[datetime]
    ended_at: Mapped[datetime | None]


class ProductTag(Base):
    """A word by which products are found and walls are filled."""

    __tablename__ = "product_tags"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "product_id"], ["products.merchant_id", "products.product_id"]),
        Index("ix_product_tags_product", "merchant_id", "product_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    tag: Mapped[str] = mapped_column(id_type(255), primary_key=True)
    product_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    position: Mapped[int]


class Import(Base):
    """A catalogue being brought in. `position` is how far it got: a crash loses no work and counts none twice."""

    __tablename__ = "imports"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    import_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    format: Mapped[str] = mapped_column(String(32))
    status: Mapped[str] = mapped_column(String(16))  # queued, running, finished, failed
    position: Mapped[int] = mapped_column(comment="items of the file that were dealt with")
    created: Mapped[int]
    updated: Mapped[int]
    unchanged: Mapped[int]
    failed: Mapped[int]
    errors: Mapped[list[dict[str, Any]]] = mapped_column(JSON)
    created_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]


class ImportChunk(Base):
    """A piece of an uploaded file, kept until its import has finished."""

    __tablename__ = "import_chunks"
    __table_args__ = (ForeignKeyConstraint(["merchant_id", "import_id"], ["imports.merchant_id", "imports.import_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    import_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    position: Mapped[int] = mapped_column(primary_key=True, autoincrement=False)
    content: Mapped[bytes] = mapped_column(LargeBinary)
