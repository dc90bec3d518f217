"""Reasons: why a touch, a coupon or an order earned nobody credit. Stable codes; a person reads `explain`.

Pure: knows nothing but words.
"""

from enum import StrEnum


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

    @property
    def explain(self) -> str:
        """One English sentence for the person who asks."""
        return _SENTENCES[self]


_SENTENCES = {
    Reason.NO_TOUCH: "The buyer had followed nobody's link and seen nobody's card before this order.",
    Reason.UNKNOWN_CLICK: "The order names a click that is not known here.",
    Reason.SELF_REFERRAL: "The buyer's own link: nobody earns credit for their own order.",
    Reason.PREVIOUS_ORDER: "It led to the buyer's previous order, and journeys start anew after an order.",
    Reason.BOT: "It was made by a program, not by a person.",
    Reason.EXPIRED: "It was longer before the order than the window allows.",
    Reason.DIRECT: "A visit without a link of anybody's earns nobody credit.",
    Reason.AFTER_ORDER: "It happened after the order.",
    Reason.WEAKER_TYPE: "A stronger type of touch was there: a click outranks a like, a like outranks a view.",
    Reason.COUPON: "The order's coupon code speaks for a referral, and takes the whole order.",
    Reason.NOT_LAST: "Only the last touch before the order counts under this model.",
    Reason.NOT_FIRST: "Only the first touch counts under this model.",
    Reason.NO_WEIGHT: "The model gives this place in the journey no weight.",
    Reason.COUPON_OFF: "The policy lets coupon codes decide nothing.",
    Reason.COUPON_UNKNOWN: "This coupon code speaks for no referral.",
    Reason.COUPON_LATER: "The coupon code was given to a referral only after the order.",
    Reason.COUPON_WITHDRAWN: "The coupon code had been withdrawn before the order.",
    Reason.UNKNOWN_REFERRAL: "The coupon code speaks for a referral that is not known here.",
}
