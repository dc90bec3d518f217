"""Reasons: why a touch, a coupon or an order earned nobody credit. Stable codes; `attribution.sentences` says them.

Pure: knows nothing but words.
"""

from enum import StrEnum
from typing import Final


class Reason(StrEnum):
    """A "no" has a reason. The codes are part of the contract: add to them, rename none."""

    # of an order that nobody is credited for (rule 6)
    NO_TOUCH = "no_touch"
    UNKNOWN_CLICK = "unknown_click"
    # of a touch, and of an order all of whose touches have one of these (rules 2 and 6)
    SELF_REFERRAL = "self_referral"
    PREVIOUS_ORDER = "previous_order"
    BOT = "bot"
    EXPIRED = "expired"
    # the same, of a coupon too: nothing of the above stands against it, but somebody doubts it (engine/bars.py)
    HELD = "held"
    REFUSED = "refused"
    # of an order that is closed, and of its coupon: the visits of its time are no longer kept (engine/closed.py)
    NOT_KEPT = "not_kept"
    # of a touch
    DIRECT = "direct"
    AFTER_ORDER = "after_order"
    WEAKER_TYPE = "weaker_type"
    COUPON = "coupon"
    NOT_LAST = "not_last"
    NOT_FIRST = "not_first"
    NO_WEIGHT = "no_weight"
    # of a coupon (rule 5), which may also be a self referral
    COUPON_OFF = "coupon_off"
    COUPON_UNKNOWN = "coupon_unknown"
    COUPON_LATER = "coupon_later"
    COUPON_WITHDRAWN = "coupon_withdrawn"
    UNKNOWN_REFERRAL = "unknown_referral"


DOUBTED: Final = frozenset({Reason.HELD, Reason.REFUSED})
"""Those that somebody's decision may lift."""
