"""A promotion code of Stripe's: the word that buyers type in, and the coupon behind it. Pure."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Self

from app.kernel import json_objects


@dataclass(frozen=True)
class Promotion:
    """What Stripe knows of a promotion code. `coupon` is the id of Stripe's coupon that it gives; `merchant` is whom it
    names in its metadata (`mer_…`, as it came): several may sell through one account."""

    id: str
    code: str
    active: bool
    coupon: str | None
    merchant: str | None = None

    @classmethod
    def of(cls, said: Mapping[str, object]) -> Self | None:
        """What Stripe's object says; None where it is none. `promotion.coupon` may be an id or the coupon whole."""
        identifier, code, promotion = said.get("id"), said.get("code"), said.get("promotion")
        if not isinstance(identifier, str) or not isinstance(code, str):
            return None
        coupon = promotion.get("coupon") if isinstance(promotion, Mapping) else said.get("coupon")
        coupon = coupon.get("id") if isinstance(coupon, Mapping) else coupon
        return cls(
            identifier,
            code,
            active=said.get("active") is True,
            coupon=coupon if isinstance(coupon, str) else None,
            merchant=json_objects.text(said.get("metadata"), "gv_merchant"),
        )
