"""A small world of facts that are learnt late, twice, out of order and changed again; and what its books should say.

Few people, few seconds, few cents, so that everything meets everything. Books are compared with the engine's answer to
all facts of the merchant at once, read without the loader.
"""

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from functools import partial
from typing import Any

from sqlalchemy import select
from sqlalchemy.orm import Session

from app.attribution import affected, policies, stale
from app.attribution.affected import Touched
from app.attribution.engine import settle
from app.attribution.models import KeptPolicy, StaleOrder
from app.attribution.shell import Listeners
from app.kernel.codes import normalised
from app.kernel.database import Base, Database, insert_all_new
from app.kernel.errors import AppError
from app.kernel.events import Events
from app.kernel.ids import new_id
from app.kernel.outbox import Outbox, OutboxRow
from app.orders import corrections
from app.orders import service as orders
from app.orders.lifecycle import Taking
from app.orders.models import Order
from app.orders.news import OrderChanged
from app.orders.sales import Sale
from app.referrals import coupons, identities, turns, visits
from app.referrals.coupons import CouponChanged
from app.referrals.identities import IdentityJoined
from app.referrals.models import Claim, Coupon, Identity, Referral, Visit
from app.referrals.visits import VisitClaimed
from app.trust.news import StandingsChanged
from tests.clock import START, TestClock
from tests.db import amending, doubted
from tests.db.all_facts import all_facts, every
from tests.db.ledger import Books, books
from tests.db.referring import Shop
from tests.unit.attribution.histories import NETWORKS, NOON, random_policy

VISITORS = [f"v{number}" for number in range(6)]
PEOPLE = ["p0", "p1", "v0", "v1"]
REFERRALS = [f"s{number}" for number in range(9)]
CODES = ["ANA10", "bo"]


@dataclass
class World:
    """A merchant whose facts change through the services, with attribution listening."""

    database: Database
    chance: random.Random
    clock: TestClock = field(default_factory=TestClock)
    shop: Shop = field(init=False)

    def __post_init__(self) -> None:
        self.shop = Shop(self.database)
        self.outbox = Outbox(self.clock)
        self.events = Events(self.outbox)
        listeners = Listeners(self.clock, self.outbox)
        self.events.on(OrderChanged, "order", listeners.on_order_changed)
        self.events.on(VisitClaimed, "claim", listeners.on_visit_claimed)
        self.events.on(IdentityJoined, "identity", listeners.on_identity_joined)
        self.events.on(CouponChanged, "coupon", listeners.on_coupon_changed)
        self.events.on(StandingsChanged, "standings", listeners.on_standings_changed)
        self.clicks = [f"t{number}" for number in range(12)]  # an order may name what is told only later
        self.touches = iter(f"t{number}" for number in range(10**6))
        self.told: set[str] = set()
        self.numbers = iter(range(10**6))

    @property
    def merchant(self) -> int:
        return self.shop.merchant

    def moment(self) -> datetime:
        """Some time, in any order; also inside a second."""
        return START + timedelta(seconds=self.chance.randint(0, 2 * NOON), microseconds=self.chance.choice([0, 0, 7]))

    def keep_policies(self, beside: int, wire: Mapping[str, Any] | None = None) -> None:
        """A policy in force, in two versions of which one applies to later orders, and some beside it."""
        with self.database.transaction() as session:
            names = [(policies.CURRENT, 2, None), (policies.CURRENT, 3, START + timedelta(seconds=NOON))]
            for name, version, since in (*names, *((f"beside-{number}", 1, None) for number in range(beside))):
                session.add(
                    KeptPolicy(
                        merchant_id=self.merchant,
                        name=name,
                        version=version,
                        policy=wire or random_policy(self.chance),
                        applies_from=since,
                        made_at=START,
                    )
                )

    # What happens: each is one call of what the application calls.

    def something(self) -> None:
        """One change of any kind, at any time."""
        self.clock.set(self.moment())
        happenings: list[Callable[[], None]] = [
            *[self.buy] * 4,
            *[partial(self.history, referrals=1)] * 3,
            *[partial(self.history, touches=1)] * 4,
            *[self.visit] * 2,
            *[self.claim] * 4,
            *[self.join] * 4,
            *[self.speak] * 3,
            *[self.refund] * 2,
            *[partial(amending.correct, self)] * 3,
            partial(amending.cancel, self),
            *[partial(doubted.doubt, self), partial(doubted.decide, self)] * 3,
            partial(doubted.keep_rules, self),
            self.history,
        ]
        self.chance.choice(happenings)()

    def buy(self) -> None:
        number = next(self.numbers)
        sale = Sale(
            external_id=f"o{number}",
            source="api",
            fingerprint=str(number),
            livemode=True,
            currency="eur",
            gross=10_000,
            net=self.chance.choice([0, 1, 2, 100, 9_999, 10_000]),
            at=self.moment(),
            click_id=self.chance.choice([None, None, *self.clicks]),
            visitor_id=self.chance.choice([None, *VISITORS[:3], *VISITORS]),
            coupon=self.chance.choice([None, None, "Ana10", "BO ", "unheard"]),
        )
        with self.database.transaction() as session:
            orders.record(session, self.events, self.merchant, sale, self.clock.now())

    def visit(self) -> None:
        """Somebody follows a link of ours; who, is not said yet."""
        known = sorted(self.told)
        if not known:
            return
        at = self.moment()
        visit = visits.NewVisit(
            merchant_id=self.merchant,
            visit_id=new_id("clk", self.merchant, at),
            referral_id=self.chance.choice(known),
            type=self.chance.choice(["click", "click", "like"]),
            product_id=None,
            wall_id=None,
            seen_from=self.chance.choice(NETWORKS),
            at=at,
        )
        with self.database.transaction() as session:
            visits.write(session, [visit])
        self.clicks.append(visit.visit_id)

    def claim(self) -> None:
        clicks = [click for click in self.clicks if click.startswith("clk_")]
        if clicks:
            click, visitor = self.chance.choice(clicks), self.chance.choice(VISITORS)
            with self.database.transaction() as session:
                got = visits.claim(session, self.events, self.merchant, click, visitor, self.clock.now())
            self.clicks.append(got)

    def join(self) -> None:
        visitor, person = self.chance.choice(VISITORS), self.chance.choice(PEOPLE)
        with self.database.transaction() as session:
            identities.join(session, self.events, self.merchant, visitor, person, self.clock.now())

    def speak(self) -> None:
        """A code is given to somebody, or taken from them."""
        code, referral = self.chance.choice(CODES), self.chance.choice([None, *REFERRALS])
        try:
            with self.database.transaction() as session:
                if referral is None:
                    coupons.withdraw(session, self.events, self.merchant, code, self.clock.now())
                else:
                    coupons.put(session, self.events, self.merchant, code, referral, self.clock.now())
        except AppError:
            pass  # no such referral yet, or nobody to take it from

    def refund(self) -> None:
        with self.database.transaction() as session:
            mine = select(Order).where(Order.merchant_id == self.merchant).order_by(Order.order_id)
            known = session.scalars(mine).all()
            if not known:
                return
            order = self.chance.choice(known)
            standing = [refund for refund in order.refunds if refund.dropped_at is None]
            now = self.clock.now()
            if standing and self.chance.random() < 0.4:
                refund = self.chance.choice(standing).refund_id
                corrections.give_back(session, self.events, self.merchant, order.order_id, refund, now)
            elif order.net > order.refunded:
                amount = self.chance.randint(1, order.net - order.refunded)
                taking = Taking(f"f{next(self.numbers)}", "refund", now, amount, amount)
                orders.take_back(session, self.events, self.merchant, order.order_id, taking, now)

    # What another system remembers comes without events: whoever writes it marks what it concerns.

    def history(self, **counts: int) -> None:
        """A batch of facts of all kinds, or so many of each."""
        many = counts or {kind: self.chance.randint(0, 3) for kind in ("referrals", "touches", "joined", "coupons")}
        with self.database.transaction() as session:
            turns.hold_facts(session, self.merchant)
            new = [each for each in REFERRALS if each not in self.told]
            shared = self.chance.sample(new, min(many.get("referrals", 0), len(new)))
            self.told.update(shared)
            self._write(session, Referral, [self._referral(each) for each in shared])
            touches = [self._touch() for _ in range(many.get("touches", 0))]
            self._write(session, Visit, [{k: v for k, v in each.items() if k != "visitor_id"} for each in touches])
            self._write(session, Claim, [_claim(each) for each in touches])
            joined = [self._said("visitor_id", VISITORS, "person", PEOPLE) for _ in range(many.get("joined", 0))]
            self._write(session, Identity, joined)
            spoke = [self._coupon() for _ in range(many.get("coupons", 0))]
            self._write(session, Coupon, spoke)
            learnt = [Touched(each["visit_id"], each["visitor_id"], each["at"]) for each in touches]
            affected.by_referrals(session, self.merchant, shared).mark()
            affected.by_touches(session, self.merchant, learnt).mark()
            affected.by_visitors(session, self.merchant, [each["visitor_id"] for each in joined]).mark()
            affected.by_coupons(session, self.merchant, [(each["code"], each["at"]) for each in spoke]).mark()

    def _write(self, session: Session, table: type[Base], rows: list[dict[str, Any]]) -> None:
        insert_all_new(session, table, rows)

    def _said(self, one: str, ones: list[str], other: str, others: list[str]) -> dict[str, Any]:
        now = self.clock.now() + timedelta(microseconds=next(self.numbers))  # two may not be said at once
        named = {one: self.chance.choice(ones), other: self.chance.choice(others)}
        return {"merchant_id": self.merchant, **named, "at": self.moment(), "received_at": now}

    def _coupon(self) -> dict[str, Any]:
        said = self._said("code", CODES, "referral_id", [*REFERRALS, "s-unknown"])
        coupon_id = new_id("cpn", self.merchant, self.clock.now())
        return {**said, "coupon_id": coupon_id, "said": said["code"], "code": normalised(said["code"])}

    def _referral(self, name: str) -> dict[str, Any]:
        return {
            "merchant_id": self.merchant,
            "referral_id": name,
            "kind": self.chance.choice(["share", "like"]),
            "visitor_id": self.chance.choice(VISITORS),
            "target": "/",
            "network": self.chance.choice(NETWORKS),
            "parent_id": self.chance.choice([None, "s-unknown", *REFERRALS, *REFERRALS]),
            "at": self.moment(),
            "received_at": self.clock.now(),
        }

    def _touch(self) -> dict[str, Any]:
        return {
            "merchant_id": self.merchant,
            "visit_id": next(self.touches),
            "referral_id": self.chance.choice([None, "s-unknown", *REFERRALS, *REFERRALS]),
            "type": self.chance.choice(["click", "click", "like", "view", "direct"]),
            "seen_from": self.chance.choice(NETWORKS),
            "imported": True,
            "at": self.moment(),
            "received_at": self.clock.now(),
            "visitor_id": self.chance.choice(VISITORS),
        }

    # What the books say, and what they should say.

    def catch_up(self) -> int:
        return stale.drain(self.database, self.clock, self.merchant)

    def left(self) -> tuple[int, list[str]]:
        """How many orders are stale, and what the outbox still promises but to catch up."""
        with self.database.reading() as session:
            marks = session.scalars(select(StaleOrder.order_id).where(StaleOrder.merchant_id == self.merchant)).all()
            topics = session.scalars(select(OutboxRow.topic).where(OutboxRow.merchant_id == self.merchant)).all()
        return len(marks), [topic for topic in topics if topic != stale.TOPIC]

    def books(self) -> Books:
        with self.database.reading() as session:
            return books(session, self.merchant)

    def computed(self) -> Books:
        """Every order under every policy, from all facts at once."""
        found: Books = {}
        with self.database.reading() as session:
            rows = every(session, Order, self.merchant)
            facts = all_facts(session, self.merchant, rows)
            kept = policies.kept(session, self.merchant)
            for row in rows:
                for each in kept.all_for(row.at):
                    lines = settle(facts.orders[row.external_id], facts, each.policy).lines
                    if lines:
                        found[row.order_id, each.name] = {line.key: line.amounts for line in lines}
        return found


def _claim(touch: dict[str, Any]) -> dict[str, Any]:
    same = {name: touch[name] for name in ("merchant_id", "visit_id", "visitor_id", "at", "received_at")}
    return {**same, "claimed_id": touch["visit_id"]}
