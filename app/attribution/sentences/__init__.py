"""What is said of a settlement, in English and French: of each touch, line, refund, place of a chain, and of all of it.

Pure: reads what the engine decided (`Settlement`, `Facts`, `Policy`) and decides nothing. Every sentence comes back
in every language at once; words stand in `english` and `french`, amounts are written as each language writes them.
"""

from app.attribution.sentences.credit import of_closed, of_gone, of_line, of_order, of_taking
from app.attribution.sentences.journey import of_chain_end, of_coupon, of_place, of_touch
from app.attribution.sentences.rules import of_policy
from app.attribution.sentences.speech import Said, fraction, percentage

__all__ = [
    "Said",
    "fraction",
    "of_chain_end",
    "of_closed",
    "of_coupon",
    "of_gone",
    "of_line",
    "of_order",
    "of_place",
    "of_policy",
    "of_taking",
    "of_touch",
    "percentage",
]
