"""What is said of rules and doubts, in English. Words only; `{names}` are filled in by `kernel/speech.py`."""

from typing import Final

ENGLISH: Final = {
    # pieces of sentences
    "percent": "{number}%",
    "devices.one": "{count} device",
    "devices.other": "{count} devices",
    "likes.one": "{count} like",
    "likes.other": "{count} likes",
    "orders.one": "{count} order",
    "orders.other": "{count} orders",
    "referrals.one": "{count} referral",
    "referrals.other": "{count} referrals",
    "shares.one": "{count} share",
    "shares.other": "{count} shares",
    "visitors.one": "{count} visitor",
    "visitors.other": "{count} visitors",
    "visits.one": "{count} visit",
    "visits.other": "{count} visits",
    # what a rule sees
    "rule.own_visitor": "Somebody bought through a link of their own: it is the same visitor.",
    "rule.own_person": "Somebody bought through a link of their own: both visitors were joined to the same person.",
    "rule.crawler": "A program that says that it is one makes no visits: it is counted among the machines.",
    "rule.own_mail": (
        "The sharer has bought with the buyer’s mail address, and nothing says that the two are the same person."
    ),
    "rule.own_card": "The sharer has bought with the buyer’s card, and nothing says that the two are the same person.",
    "rule.own_device": (
        "The sharer passed the word on the buyer’s device that same day, and nothing says that the two are the same "
        "person."
    ),
    "rule.too_fast": "The order followed its visit within {seconds}: nobody looks and pays so fast.",
    "rule.click_stuffing": (
        "Within {minutes}, one person’s links had at least {visits}, and on average more than {per_device} to a "
        "device, or to a visitor who claimed them."
    ),
    "rule.velocity_visits": "Within {minutes}, one referral had more than {visits} from one network block.",
    "rule.velocity_likes": (
        "Within {minutes}, there were more than {by_visitor} of one visitor, or more than {by_block} from one network "
        "block."
    ),
    "rule.velocity_shares": (
        "Within {minutes}, there were more than {by_visitor} of one visitor, or more than {by_block} from one network "
        "block."
    ),
    "rule.duplicate_sharers": "On one day at least {sharers} passed on the same thing from one device.",
    "rule.coupon_site": (
        "Of the latest {latest} with a code that speaks for a referral, at least {strangers}, and at least {percent}, "
        "are of buyers who came through nobody’s link and saw nobody’s card."
    ),
    "rule.refunds_in_series": "Within {days}, the same buyer took back at least {orders} whole.",
    # why a rule cannot be told otherwise
    "fixed.policy": "The attribution policy decides it: `self_referral` in PUT /v1/policy.",
    "fixed.always": "It is so for everybody.",
    # what it found
    "doubt": "The rule {rule} found something doubtful.",
    "doubt.own_mail": (
        "The sharer has {alike} with the mail address of {order}, and nothing says that the two are the same person."
    ),
    "doubt.own_card": (
        "The sharer has {alike} with the card of {order}, and nothing says that the two are the same person."
    ),
    "doubt.own_device": (
        "On the device of {order} the sharer made {alike} that day, and nothing says that the two are the same person."
    ),
    "doubt.too_fast": "The order {order} followed this visit after {seconds}.",
    "doubt.click_stuffing": (
        "Within {minutes}, the links of this person had {visits}: {seen} from {devices} that could be told apart, and "
        "{claimed} that {visitors} claimed."
    ),
    "doubt.velocity_visits": "Within {minutes}, this referral had {visits} from one network block.",
    "doubt.velocity_likes": "Within {minutes}, there were {by_visitor} of its visitor, and {by_block} from its block.",
    "doubt.velocity_shares": "Within {minutes}, there were {by_visitor} of its visitor, and {by_block} from its block.",
    "doubt.duplicate_sharers": "On one day, {sharers} passed on the same thing from one device.",
    "doubt.coupon_site": (
        "Of the latest {orders} with the code of this one, {strangers} are of buyers who came through nobody’s link."
    ),
    "doubt.refunds_in_series": "Within {days}, the buyer of this order took back {taken_back} whole.",
    # what became of it
    "standing.off": "The rule is off by now: credit is as if nothing had been found.",
    "standing.flag": "Credit is as if nothing had been found.",
    "standing.hold": "Nothing is earned through it until you decide.",
    "standing.refuse": "Nothing is earned through it.",
    "standing.yours.credit": "You decided that credit is as if nothing had been found.",
    "standing.yours.refuse": "You decided that nothing is earned through it.",
}
