"""Tables of promotion codes."""

from datetime import datetime

from sqlalchemy import BigInteger, ForeignKeyConstraint, Index, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.codes import LONGEST as LONGEST_CODE
from app.kernel.database import Base, id_type


class PromotionCode(Base):
    """A promotion code of Stripe's that this merchant's buyers may use: Stripe's sessions name it by its id, and people
    by its `code`, which is that of a coupon (`PUT /v1/coupons/{code}`)."""

    __tablename__ = "promotion_codes"
    __table_args__ = (
        ForeignKeyConstraint(["merchant_id"], ["merchants.merchant_id"]),
        Index("ix_promotion_codes_code", "merchant_id", "code_key"),
    )

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    promotion_code_id: Mapped[str] = mapped_column(id_type(200), primary_key=True)
    code: Mapped[str] = mapped_column(String(500))
    code_key: Mapped[str] = mapped_column(id_type(LONGEST_CODE))  # the code, as codes are compared
    active: Mapped[bool]
    known_at: Mapped[datetime]
