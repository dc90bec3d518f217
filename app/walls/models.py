"""Tables of walls and what is on them."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column, relationship

from app.kernel.database import Base, id_type
from app.walls.looks import Layout


class Wall(Base):
    """An ordered, themed collection of cards: chosen by hand (`cards`) or filled by `rule`."""

    __tablename__ = "walls"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    wall_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    title: Mapped[str] = mapped_column(String(300))
    layout: Mapped[Layout] = mapped_column(String(16))
    theme: Mapped[dict[str, Any]] = mapped_column(JSON)
    locale: Mapped[str | None] = mapped_column(String(35))  # BCP 47; empty: the visitor's
    landing: Mapped[str | None] = mapped_column(String(16))  # page, merchant; empty: the merchant's
    rule: Mapped[dict[str, Any] | None] = mapped_column(JSON)
    created_at: Mapped[datetime]
    updated_at: Mapped[datetime]
    withdrawn_at: Mapped[datetime | None]

    cards: Mapped[list["WallCard"]] = relationship(
        order_by="WallCard.position", lazy="selectin", cascade="all, delete-orphan"
    )


class WallCard(Base):
    """A product's place on a wall."""

    __tablename__ = "wall_cards"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id", "wall_id"], ["walls.merchant_id", "walls.wall_id"]),
        ForeignKeyConstraint(["merchant_id", "product_id"], ["products.merchant_id", "products.product_id"]),
        Index("ix_wall_cards_product", "merchant_id", "product_id"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    wall_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    product_id: Mapped[str] = mapped_column(id_type(), primary_key=True)
    position: Mapped[int]
