"""What should be taken back of an order, reckoned anew from all that was ever said, with fractions: slow, and plain."""

from collections.abc import Collection, Mapping
from fractions import Fraction
from math import floor

Reckoned = dict[str, int]
"""Minor units of the net, by refund (`re…`) and dispute (`du…`)."""

_FAILED = {"failed", "canceled"}
_GONE = {"needs_response", "under_review", "lost", "funds_withdrawn"}
_BACK = {"won", "funds_reinstated"}


def reckoned(net: int, paid: int, told: Mapping[str, tuple[int, int]], heard: Collection[tuple[str, str]]) -> Reckoned:
    """`told` says of each when it was made and how much of what was `paid` it is about; `heard` are its words."""
    words = {id: {word for other, word in heard if other == id} for id, _ in heard}
    stands = [
        id
        for id, said in words.items()
        if (not said & _FAILED if id.startswith("re") else said & _GONE and not said & _BACK)
    ]
    taken: Reckoned = {}
    back = Fraction(0)
    for id in sorted(stands, key=lambda id: (told[id][0], id)):
        back += Fraction(told[id][1] * net, paid) if paid else 0
        taken[id] = min(floor(back + Fraction(1, 2)), net) - sum(taken.values())
    return taken
