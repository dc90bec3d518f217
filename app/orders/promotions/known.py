"""Which promotion codes of Stripe's a merchant's buyers may use: Stripe's sessions name them by id, people by code.

Knows the session and the tables. What a code is, is asked of Stripe elsewhere, outside of transactions.
"""

from datetime import datetime

from sqlalchemy import update
from sqlalchemy.orm import Session

from app.kernel.codes import LONGEST, normalised
from app.kernel.database import insert_new
from app.merchants import service as merchants
from app.merchants.models import Merchant
from app.orders.promotions.models import PromotionCode
from app.orders.stripe.promotion import Promotion

_LONGEST_CODE = 500


def keep(session: Session, merchant_id: int, promotion: Promotion, at: datetime) -> None:
    """Know the promotion code as it was `at` a moment, unless it is known as it was later."""
    code = promotion.code[:_LONGEST_CODE]
    says = {"code": code, "code_key": normalised(code)[:LONGEST], "active": promotion.active, "known_at": at}
    if insert_new(session, PromotionCode, merchant_id=merchant_id, promotion_code_id=promotion.id, **says):
        return
    same = (PromotionCode.merchant_id == merchant_id, PromotionCode.promotion_code_id == promotion.id)
    session.execute(update(PromotionCode).where(*same, PromotionCode.known_at <= at).values(says))


def owner(session: Session, promotion: Promotion, account: str | None) -> Merchant | None:
    """Whose promotion code it is, of those who sell through this account of Stripe's (None: the server's own): of the
    merchant whom it names, else of the account's only seller. None where it names another, or several sell."""
    if promotion.merchant is not None:
        return merchants.seller(session, promotion.merchant, account)
    return merchants.only_seller(session, account)


def code_of(session: Session, merchant_id: int, promotion_code_id: str) -> str | None:
    """What buyers type in; None where the promotion code is not known."""
    row = session.get(PromotionCode, (merchant_id, promotion_code_id))
    return None if row is None else row.code
