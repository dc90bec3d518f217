"""Under what each fact is counted: one `Counted` of plain values for each kind of fact. Pure.

Whoever writes a fact appends what is made here in the same transaction (`kernel/rollups/appending`); the comparison of
counts with facts (`reports/reckoned`) says the same in SQL, from what is kept of the fact, and nothing else.
"""

from collections.abc import Mapping
from datetime import datetime
from typing import Final

from app.kernel.rollups.appending import Counted, quarter_of
from app.kernel.rollups.tables import Measure

VISIT_KINDS: Final[Mapping[str, str]] = {"click": "share", "like": "like"}
"""Through which kind of referral a visit came, by its type. Views and direct touches are no visits."""

REFERRALS: Final[Mapping[str, Measure]] = {"like": "likes", "share": "shares"}
"""How referrals are counted, by their kind."""

BEACONS: Final[Mapping[str, Measure]] = {
    "wall_view": "wall_views",
    "card_view": "card_views",
    "card_open": "card_opens",
    "share_open": "share_opens",
    "checkout_open": "checkout_opens",
}
"""How beacons are counted, by their type."""


def of_visit(
    merchant_id: int,
    at: datetime,
    type: str,
    shared_to: str | None,
    seen_from: str | None,
    product_id: str | None,
    wall_id: str | None,
) -> Counted | None:
    """A visit; None for a touch that is none. `shared_to` is its referral's network, `seen_from` the one observed.
    Its product and wall are its own, else its referral's."""
    kind = VISIT_KINDS.get(type)
    if kind is None:
        return None
    return _counted(merchant_id, at, "visits", shared_to, seen_from, product_id, wall_id, kind)


def of_referral(
    merchant_id: int, at: datetime, kind: str, network: str | None, product_id: str | None, wall_id: str | None
) -> Counted:
    """A like or a share. Product and wall are ours, else what another system called them."""
    return _counted(merchant_id, at, REFERRALS[kind], network, None, product_id, wall_id, kind)


def of_beacon(
    merchant_id: int,
    at: datetime,
    type: str,
    network: str | None,
    product_id: str | None,
    wall_id: str | None,
    kind: str | None,
) -> Counted:
    """Something was seen or opened, as the page said, at `at`. `network` and `kind` are those of the referral that the
    beacon is kept with (whose card it was), where there is one; `product_id` and `wall_id` the beacon's own."""
    return _counted(merchant_id, at, BEACONS[type], network, None, product_id, wall_id, kind)


def of_checkout(
    merchant_id: int,
    created_at: datetime,
    shared_to: str | None,
    seen_from: str | None,
    product_id: str | None,
    wall_id: str | None,
    kind: str | None,
) -> Counted:
    """A checkout. Network and kind are those of the click it came with, where that is known; the product is that of
    its first line, the wall the one it was begun on."""
    return _counted(merchant_id, created_at, "checkouts", shared_to, seen_from, product_id, wall_id, kind)


def _counted(
    merchant_id: int,
    at: datetime,
    measure: Measure,
    shared_to: str | None,
    seen_from: str | None,
    product_id: str | None,
    wall_id: str | None,
    kind: str | None,
) -> Counted:
    return Counted(
        merchant_id,
        quarter_of(at),
        measure,
        network=seen_from or shared_to or "",
        shared_to=shared_to or "",
        seen_from=seen_from or "",
        product=product_id or "",
        wall=wall_id or "",
        kind=kind or "",
    )
