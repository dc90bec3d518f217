"""How a checkout goes on and what is taken back of an order, whatever the order in which we hear of it. Pure.

Messages come late, twice and in any order. So nothing here goes by what was heard last: the facts that were heard
only grow, and what holds is a function of the set of them (docs/orders.md has the diagrams).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

OrderStatus = Literal["paid", "partially_refunded", "refunded", "disputed", "cancelled"]

REFUND: Final = "refund"
CHARGEBACK: Final = "chargeback"
CANCELLATION: Final = "cancellation"

FUNDS_WITHDRAWN: Final = "funds_withdrawn"
FUNDS_REINSTATED: Final = "funds_reinstated"

_CHECKOUT_RANK = {"asking": 0, "open": 1, "paying": 2, "expired": 3, "failed": 4, "paid": 5}
_FINAL_REFUNDS = frozenset({"failed", "canceled"})
_TAKES = frozenset({FUNDS_WITHDRAWN, "needs_response", "under_review", "lost"})
_GIVES_BACK = frozenset({FUNDS_REINSTATED, "won"})


@dataclass(frozen=True)
class TakenBack:
    """A refund or a dispute: all that was heard of it, put together. `paid_back` in minor units of what was paid."""

    id: str
    reason: str
    at: datetime
    paid_back: int
    counts: bool


@dataclass(frozen=True)
class Taking:
    """What a refund or dispute takes: `amount` of the net, in minor units."""

    id: str
    reason: str
    at: datetime
    paid_back: int
    amount: int


def furthest(known: str, heard: str) -> str:
    """The state of a checkout that was `known` and of which `heard` is said now. Paid is never undone."""
    return max(known, heard, key=_CHECKOUT_RANK.__getitem__)


def refund_counts(statuses: Iterable[str]) -> bool:
    """Whether a refund of which these states were heard takes back: until it has failed or was cancelled.

    Both are final at Stripe, so an older message cannot revive it; one under way counts already.
    """
    return _FINAL_REFUNDS.isdisjoint(statuses)


def dispute_counts(heard: Iterable[str]) -> bool:
    """Whether a dispute of which these states and movements of its funds were heard takes back: from when the funds
    are withdrawn until it is won or they are reinstated (attribution.md, What happened).

    A state that only a dispute without the funds can have says as much as the withdrawal. An inquiry (`warning_…`)
    and a dispute that was `prevented` move no funds; an inquiry may still become a dispute.
    """
    words = frozenset(heard)
    return not _TAKES.isdisjoint(words) and _GIVES_BACK.isdisjoint(words)


def takings(net: int, paid: int, said: Iterable[TakenBack]) -> list[Taking]:
    """What those of `said` that count take of the net, each in its turn by (at, id), whatever the order of `said`.

    `said` has one of each id. Each takes `round(paid back so far x net / paid)` less what those before it took
    (api.md), never more than they left. All in minor units.
    """
    made: list[Taking] = []
    back = taken = 0
    for each in sorted((each for each in said if each.counts), key=lambda each: (each.at, each.id)):
        back += each.paid_back
        amount = net_part(back, net, paid, taken, net - taken)
        taken += amount
        made.append(Taking(each.id, each.reason, each.at, each.paid_back, amount))
    return made


def net_part(refunded: int, net: int, paid: int, taken: int, left: int) -> int:
    """What a refund takes from the net: `round(refunded so far x net / paid)` less what was taken already (api.md).

    `refunded` includes this refund. Half a minor unit rounds up; cut at what is `left`. All in minor units.
    """
    if paid == 0:
        return 0
    due = (2 * refunded * net + paid) // (2 * paid)
    return min(max(due - taken, 0), left)


def status(net: int, counting: Iterable[tuple[str, int]]) -> OrderStatus:
    """What became of an order: from the reason and the amount of each of its refunds that counts.

    The gravest comes first: whoever cancelled it wants to read that, whatever was refunded before.
    """
    taken = list(counting)
    reasons = {reason for reason, _ in taken}
    if CANCELLATION in reasons:
        return "cancelled"
    if CHARGEBACK in reasons:
        return "disputed"
    if not taken:
        return "paid"
    return "refunded" if sum(amount for _, amount in taken) >= net else "partially_refunded"
