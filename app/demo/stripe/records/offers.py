"""What the double remembers of coupons and promotion codes. No behaviour beyond what is left of them."""

from dataclasses import dataclass, field
from decimal import Decimal


@dataclass
class Coupon:
    """So much off: `percent_off`, or `amount_off` minor units of `currency`."""

    id: str
    account: str | None
    created: int
    percent_off: Decimal | None
    amount_off: int | None
    currency: str | None
    name: str | None
    duration: str
    duration_in_months: int | None
    max_redemptions: int | None
    redeem_by: int | None
    metadata: dict[str, str] = field(default_factory=dict)
    times_redeemed: int = 0

    def valid(self, now: int) -> bool:
        return _is_left(self.times_redeemed, self.max_redemptions) and _is_before(now, self.redeem_by)


@dataclass
class PromotionCode:
    """What a buyer types for a coupon. `enabled` is the merchant's word; whether it can be used, `active`."""

    id: str
    account: str | None
    created: int
    code: str
    coupon: Coupon
    enabled: bool
    max_redemptions: int | None
    expires_at: int | None
    minimum_amount: int | None
    minimum_currency: str | None
    metadata: dict[str, str] = field(default_factory=dict)
    times_redeemed: int = 0

    def active(self, now: int) -> bool:
        return self.enabled and self.redeemable(now)

    def redeemable(self, now: int) -> bool:
        """Whether it could be active: it and its coupon have uses and time left."""
        left = _is_left(self.times_redeemed, self.max_redemptions) and _is_before(now, self.expires_at)
        return left and self.coupon.valid(now)


@dataclass(frozen=True)
class Discount:
    """A coupon as it was applied to a session, by itself or by a promotion code."""

    id: str
    start: int
    coupon: Coupon
    promotion_code: PromotionCode | None


def _is_left(used: int, most: int | None) -> bool:
    return most is None or used < most


def _is_before(now: int, end: int | None) -> bool:
    return end is None or now <= end
