"""Journeys: which touches of a buyer may earn credit for an order, and why the others may not (rules 2 and 5).

Pure. Whether something is barred is looked at after all else that may stand against it by itself: so what is said to
be held or refused is so because of a doubt alone, and somebody's decision can change it.
"""

from collections.abc import Iterable, Sequence

from app.attribution.engine.facts import STRENGTH, Facts, Order, Referral, Touch, TouchType
from app.attribution.engine.policy import Policy, SelfReferral, TypePriority
from app.attribution.engine.reasons import DOUBTED, Reason

# What is said of an order that nobody is credited for: the first of these that it or any of its touches met.
_TELLING = (
    *(Reason.HELD, Reason.REFUSED, Reason.UNKNOWN_CLICK),
    *(Reason.SELF_REFERRAL, Reason.PREVIOUS_ORDER, Reason.BOT, Reason.EXPIRED),
)


def judge(
    order: Order, journey: Sequence[Touch], facts: Facts, policy: Policy, buyer: str | None
) -> list[Reason | None]:
    """For each touch of `journey`, None if it is eligible, else the first reason against it."""
    windows = {
        TouchType.CLICK: policy.windows.click,
        TouchType.LIKE: policy.windows.like,
        TouchType.VIEW: policy.windows.view,
    }
    previous = facts.previous_order_at(order, buyer) if policy.journey_reset else None
    reasons: list[Reason | None] = []
    for touch in journey:
        reason = None
        age = order.at - touch.at
        if touch.type is TouchType.DIRECT:
            reason = Reason.DIRECT
        elif touch.bot:
            reason = Reason.BOT
        elif age < 0:
            reason = Reason.AFTER_ORDER
        elif age > windows[touch.type]:
            reason = Reason.EXPIRED
        elif previous is not None and touch.at <= previous:
            reason = Reason.PREVIOUS_ORDER
        elif is_own(facts.referral_of(touch), facts, policy, buyer):
            reason = Reason.SELF_REFERRAL
        reasons.append(reason)
    if any(facts.bars):
        _leave_out_barred(order, journey, reasons, facts)
    if policy.type_priority is TypePriority.STRICT:
        _keep_strongest(journey, reasons)
    return reasons


def is_own(referral: Referral | None, facts: Facts, policy: Policy, buyer: str | None) -> bool:
    """Whether `referral` is the buyer's own, where the policy excludes that."""
    return referral is not None and policy.self_referral is SelfReferral.EXCLUDE and facts.sharer(referral) == buyer


def judge_coupon(
    order: Order, facts: Facts, policy: Policy, buyer: str | None
) -> tuple[Referral | None, Reason | None]:
    """The referral that the order's coupon gives the whole order to, or why it gives it to none (rule 5)."""
    if order.coupon is None:
        return None, None
    if not policy.coupon_override:
        return None, Reason.COUPON_OFF
    coupon = facts.coupon(order.coupon, order.at)
    if coupon is None:
        later = facts.knows_coupon(order.coupon)
        return None, Reason.COUPON_LATER if later else Reason.COUPON_UNKNOWN
    if coupon.referral is None:
        return None, Reason.COUPON_WITHDRAWN
    referral = facts.referrals.get(coupon.referral)
    if referral is None:
        return None, Reason.UNKNOWN_REFERRAL
    if is_own(referral, facts, policy, buyer):
        return None, Reason.SELF_REFERRAL
    bar = facts.bars.of_coupon(referral.id, order.id)
    return (referral, None) if bar is None else (None, bar.reason)


def why_nobody(order: Order, facts: Facts, reasons: Iterable[Reason | None], coupon_reason: Reason | None) -> Reason:
    """Why an order without any source is credited to nobody (rule 6): because of its touches, or of its coupon where
    that would have decided."""
    met = set(reasons)
    if coupon_reason in DOUBTED:
        met.add(coupon_reason)
    if order.click is not None and order.click not in facts.touches:
        met.add(Reason.UNKNOWN_CLICK)
    return next((reason for reason in _TELLING if reason in met), Reason.NO_TOUCH)


def _leave_out_barred(order: Order, journey: Sequence[Touch], reasons: list[Reason | None], facts: Facts) -> None:
    for index, touch in enumerate(journey):
        if reasons[index] is None:
            bar = facts.bars.of_touch(touch.id, touch.referral, order.id)
            reasons[index] = None if bar is None else bar.reason


def _keep_strongest(journey: Sequence[Touch], reasons: list[Reason | None]) -> None:
    strengths = [STRENGTH[touch.type] for touch in journey]
    eligible = [strength for strength, reason in zip(strengths, reasons, strict=True) if reason is None]
    strongest = max(eligible, default=0)
    for index, strength in enumerate(strengths):
        if reasons[index] is None and strength < strongest:
            reasons[index] = Reason.WEAKER_TYPE
