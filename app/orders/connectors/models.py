"""Tables of the shops that tell of their orders by themselves."""

from datetime import datetime
from typing import Any

from sqlalchemy import JSON, BigInteger, ForeignKeyConstraint, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type


class Connector(Base):
    """A merchant's shop in another system, whose messages are believed when its secret signed them."""

    __tablename__ = "connectors"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    system: Mapped[str] = mapped_column(id_type(16), primary_key=True)  # shopify, woocommerce
    secret: Mapped[str] = mapped_column(String(1000))  # sealed with the server's own secret
    hint: Mapped[str] = mapped_column(String(16))  # its last four characters, to tell it from another
    created_at: Mapped[datetime]
    heard_at: Mapped[datetime | None]  # the last message that was rightly signed
    refused_at: Mapped[datetime | None]  # the last one that was not
    trouble: Mapped[str | None] = mapped_column(String(300))  # why the last one that could not be read could not
    trouble_at: Mapped[datetime | None]
    withdrawn_at: Mapped[datetime | None]


class ShopOrder(Base):
    """What a shop has told of one of its orders so far, whatever the order in which it came; nothing about the buyer.

    The order itself is made when it is paid.
    """

    __tablename__ = "shop_orders"
    __table_args__ = (ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),)

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    system: Mapped[str] = mapped_column(id_type(16), primary_key=True)
    shop_order_id: Mapped[str] = mapped_column(id_type(100), primary_key=True)
    order_id: Mapped[str | None] = mapped_column(id_type())
    told: Mapped[dict[str, Any]] = mapped_column(JSON)
    changed_at: Mapped[datetime]
