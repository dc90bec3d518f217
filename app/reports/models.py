"""What reports keep for themselves, made from the ledger and from nothing else."""

from sqlalchemy import BigInteger, Boolean, String
from sqlalchemy.orm import Mapped, mapped_column

from app.kernel.database import Base, id_type


class CreditSum(Base):
    """What the orders of a span of time brought under one value of a dimension: distinct orders and minor units.

    All of it could be added up from `credit_lines` again; an hour that has a mark (`CreditMark`) waits for that.
    """

    __tablename__ = "credit_sums"

    merchant_id: Mapped[int] = mapped_column(BigInteger, primary_key=True, autoincrement=False)
    policy: Mapped[str] = mapped_column(id_type(40), primary_key=True)
    livemode: Mapped[bool] = mapped_column(Boolean, primary_key=True)
    dimension: Mapped[str] = mapped_column(String(16), primary_key=True)
    span: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # one of `credit_sums.SPANS`
    starts: Mapped[int] = mapped_column(BigInteger, primary_key=True)  # microseconds since 1970
    currency: Mapped[str] = mapped_column(String(3), primary_key=True)
    value: Mapped[str] = mapped_column(id_type(255), primary_key=True)
    orders: Mapped[int] = mapped_column(BigInteger)
    gross: Mapped[int] = mapped_column(BigInteger, comment="minor units")
    refunded: Mapped[int] = mapped_column(BigInteger, comment="minor units")
    lines: Mapped[int] = mapped_column(BigInteger)  # that were added up: by it the sums are checked
