"""A sale as it was told, whoever told of it. Pure."""

from dataclasses import dataclass
from datetime import datetime


@dataclass(frozen=True)
class SaleLine:
    """A bought thing; `amount` in minor units of the net, for the whole line."""

    product: str | None
    variant: str | None
    title: str
    quantity: int
    amount: int


@dataclass(frozen=True)
class Sale:
    """A sale as it was reported. `gross` was paid, `net` is divided; in minor units of `currency`."""

    external_id: str
    source: str
    fingerprint: str
    livemode: bool
    currency: str
    gross: int
    net: int
    at: datetime
    click_id: str | None = None
    visitor_id: str | None = None
    wall_id: str | None = None
    coupon: str | None = None
    customer_hash: str | None = None
    mail_hash: str | None = None
    card_hash: str | None = None
    device: str | None = None
    lines: tuple[SaleLine, ...] = ()
