"""Asking for the funnel, and a story for it to tell."""

from typing import Any

from tests.clock import TestClock
from tests.shop import BROWSER, JSON, TestMerchant, ok

COUNTS = (
    *("wall_views", "card_views", "card_opens", "share_opens", "checkout_opens"),
    *("likes", "shares", "visits", "checkouts"),
)


def funnel(merchant: TestMerchant, **query: Any) -> JSON:
    return dict(ok(merchant.http.get("/v1/reports/funnel", params=query)))


def refused(merchant: TestMerchant, **query: Any) -> tuple[str, str]:
    answer = merchant.http.get("/v1/reports/funnel", params=query)
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    return error["pointer"], error["detail"]


def some(row: JSON) -> dict[str, int]:
    """The counts of a row that are more than none."""
    return {name: row[name] for name in COUNTS if row[name]}


def by(report: JSON, *names: str) -> dict[Any, dict[str, int]]:
    return {
        tuple(row[name] for name in names) if len(names) > 1 else row[names[0]]: some(row) for row in report["data"]
    }


def tell(merchant: TestMerchant, clock: TestClock) -> JSON:
    """Ana shares a mug to WhatsApp and likes a bowl. Bo comes from Facebook, Cem without a trace; Bo buys."""
    mug, bowl = merchant.product("Mug")["id"], merchant.product("Bowl")["id"]
    wall = merchant.wall(mug, bowl)["id"]
    ana, bo, cem = (merchant.shopper() for _ in range(3))
    share = ana.share(mug, "whatsapp", wall=wall)
    like = ana.like(bowl)
    bo.follow(share["code"], Referer="https://www.facebook.com/")
    clock.move(days=1)
    cem.follow(share["code"])
    seen = [
        {"type": "wall_view", "wall": wall},
        {"type": "card_view", "product": mug, "wall": wall},
        {"type": "card_view", "product": mug, "code": share["code"]},
        {"type": "card_open", "product": mug, "wall": wall},
    ]
    ok(merchant.public.post("/v1/beacons", json=seen, headers={"User-Agent": BROWSER}), 202)
    order = merchant.order(net=1000, click_id=bo.click)
    merchant.refund(order["id"], 200)
    clock.move(seconds=1)
    return {"mug": mug, "bowl": bowl, "wall": wall, "like": like, "ana": ana}
