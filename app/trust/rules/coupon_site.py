"""A code that strangers use: it stands on a page of coupons, and nobody passed the word. Pure."""

from collections.abc import Mapping
from typing import Final, NamedTuple

from app.trust.found import About, Evidence
from app.trust.rules.rule import Rule, Threshold

RULE: Final = Rule(
    "coupon_site",
    (About.ORDER,),
    thresholds={
        "latest": Threshold(50, 10, 200, "orders"),
        "strangers": Threshold(10, 3, 200, "orders"),
        "percent": Threshold(80, 50, 100, "percent"),
    },
)


class Uses(NamedTuple):
    """The latest orders with one code, and how many of them are strangers': of buyers without any touch at all."""

    orders: int
    strangers: int


def judge(uses: Uses, thresholds: Mapping[str, int]) -> Evidence | None:
    """Doubtful where strangers are at least so many of the latest orders, and at least so large a part of them."""
    if uses.strangers < thresholds["strangers"] or uses.strangers * 100 < uses.orders * thresholds["percent"]:
        return None
    return {"orders": uses.orders, "strangers": uses.strangers}
