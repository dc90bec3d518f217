"""What orders tell the other domains."""

from collections.abc import Sequence
from dataclasses import dataclass

from app.kernel.events import Event


@dataclass(frozen=True)
class OrderChanged(Event):
    """An order was recorded or corrected, or something was taken from it or given back. One that `is_new`, or whose
    `buyer_changed`, may stand before others of its buyer's, or stand there no longer. `buyer_known`: by which mail or
    card it was paid was learnt after it was recorded; the merchant's facts are held alone then."""

    order_id: str
    is_new: bool = False
    buyer_changed: bool = False
    buyer_known: bool = False


@dataclass(frozen=True)
class OrdersRecorded(Event):
    """New orders, told together: as if `OrderChanged` told of each."""

    order_ids: Sequence[str]
