"""Policies in tests: changing them over HTTP, and waiting until that was applied to what was there before."""

import time
from typing import Any

from sqlalchemy import update

from app.attribution.models import Recomputation
from app.kernel.ids import merchant_of
from tests.conftest import AppServer
from tests.shop import JSON, TestMerchant, ok

DEFAULT: JSON = {
    "model": "last_touch",
    "windows": {"click": 2592000, "like": 604800, "view": 86400},
    "type_priority": "strict",
    "position": [4000, 4000],
    "half_life": 604800,
    "upline": {"mode": "direct", "alpha": 5000, "max_depth": 5},
    "self_referral": "exclude",
    "coupon_override": True,
    "journey_reset": False,
}
"""As attribution.md gives it."""

LINEAR: JSON = {"model": "linear"}
FIRST: JSON = {"model": "first_touch"}


def put(merchant: TestMerchant, policy: JSON, **query: str) -> JSON:
    """Change the policy in force, without waiting. `since` stands for `from`."""
    params = {"from" if name == "since" else name: value for name, value in query.items()}
    return dict(ok(merchant.http.put("/v1/policy", json=policy, params=params), 200))


def change(merchant: TestMerchant, policy: JSON, **query: str) -> JSON:
    """Change the policy in force, and wait until it is applied."""
    made = put(merchant, policy, **query)
    wait(merchant)
    return made


def keep(merchant: TestMerchant, name: str, policy: JSON) -> JSON:
    """Keep a policy computed, and wait until it is."""
    ok(merchant.http.put(f"/v1/policies/{name}", json=policy), 200)
    wait(merchant)
    return dict(ok(merchant.http.get(f"/v1/policies/{name}")))


def policy(merchant: TestMerchant) -> JSON:
    """The one in force."""
    return dict(ok(merchant.http.get("/v1/policy")))


def listed(merchant: TestMerchant) -> list[JSON]:
    """The one in force, and those that are kept."""
    page = ok(merchant.http.get("/v1/policies"))
    assert page["next_cursor"] is None
    return list(page["data"])


def names(merchant: TestMerchant) -> list[str]:
    return [each["name"] for each in listed(merchant)]


def jobs(merchant: TestMerchant) -> list[JSON]:
    """Jobs, newest first."""
    return list(ok(merchant.http.get("/v1/jobs"))["data"])


def wait(merchant: TestMerchant) -> None:
    """Until no job is under way."""
    for _ in range(1000):
        if all(job["finished_at"] is not None for job in jobs(merchant)):
            return
        time.sleep(0.02)
    raise AssertionError(f"the jobs do not finish: {jobs(merchant)}")


def two_touches(merchant: TestMerchant) -> Any:
    """A buyer who came through Ana by WhatsApp, a day later through Cy by e-mail, and buys another day later."""
    product = merchant.product()["id"]
    ana, cy, bo = merchant.shopper(), merchant.shopper(), merchant.shopper()
    bo.follow(ana.share(product, "whatsapp")["code"])
    merchant.clock.move(days=1)
    bo.follow(cy.share(product, "email")["code"])
    merchant.clock.move(days=1)
    return bo


def nets(explanation: JSON) -> dict[str, int]:
    """What each network has of an order, in the ledger."""
    sums: dict[str, int] = {}
    for entry in explanation["entries"]:
        sums[entry["network"]] = sums.get(entry["network"], 0) + entry["gross"] - entry["reversed"]
    return {network: net for network, net in sums.items() if net}


def by_network(report: JSON) -> dict[str, int]:
    return {row["network"]: row["net"] for row in report["data"]}


def pretend(server: AppServer, merchant: TestMerchant, **state: object) -> None:
    """Let the merchant's jobs stand otherwise than they do."""
    with server.database.transaction() as session:
        mine = Recomputation.merchant_id == merchant_of(merchant.id)
        session.execute(update(Recomputation).where(mine).values(**state))
