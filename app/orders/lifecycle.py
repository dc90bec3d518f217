"""How a checkout and its refunds go on, whatever the order in which we hear of it. Pure.

Messages come late, twice and in any order. So each state has a rank and only the highest that was heard of
counts: the result is the same for every order of arrival.
"""

from collections.abc import Iterable

_CHECKOUT_RANK = {"asking": 0, "open": 1, "paying": 2, "expired": 3, "failed": 4, "paid": 5}
_FINAL_REFUNDS = frozenset({"failed", "canceled"})


def furthest(known: str, heard: str) -> str:
    """The state of a checkout that was `known` and of which `heard` is said now. Paid is never undone."""
    return max(known, heard, key=_CHECKOUT_RANK.__getitem__)


def refund_counts(statuses: Iterable[str]) -> bool:
    """Whether a refund of which these states were heard takes back: until it has failed or was cancelled.

    Both are final at Stripe, so an older message cannot revive it; one under way counts already.
    """
    return _FINAL_REFUNDS.isdisjoint(statuses)


def net_part(refunded: int, net: int, paid: int, taken: int, left: int) -> int:
    """What a refund takes from the net: `round(refunded so far x net / paid)` less what was taken already (api.md).

    `refunded` includes this refund. Half a minor unit rounds up; cut at what is `left`. All in minor units.
    """
    if paid == 0:
        return 0
    due = (2 * refunded * net + paid) // (2 * paid)
    return min(max(due - taken, 0), left)
