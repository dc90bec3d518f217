"""Histories of tests/unit/attribution/histories.py, told to a database: each fact a row, without HTTP."""

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from sqlalchemy import insert
from sqlalchemy.orm import Session

from app.attribution.engine import Facts, Order, Policy, Settlement, policy_to_wire, settle
from app.attribution.models import KeptPolicy
from app.kernel.codes import normalised
from app.kernel.database import Base, table_of
from app.kernel.ids import new_id
from app.orders.models import Order as OrderRow
from app.orders.models import Refund
from app.referrals.models import Claim, Coupon, Identity, Referral, Visit
from tests.clock import START
from tests.unit.attribution.histories import Fact

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def tellable(history: list[Fact]) -> list[Fact]:
    """What a database can hold of `history`: no programs, no refunds of orders that never came, nothing said twice."""
    orders = {fact["id"] for fact in history if fact["kind"] == "order"}
    told: dict[tuple[Any, ...], Fact] = {}
    for fact in sorted(history, key=lambda fact: int(fact["received_at"])):
        kind = fact["kind"]
        if kind == "identity":
            key: tuple[Any, ...] = (kind, fact["visitor"], fact["person"], fact["at"])
        elif kind == "coupon":
            key = (kind, normalised(fact["code"]), fact["referral"], fact["at"])
        else:
            key = (kind, fact["id"])
        if kind != "refund" or fact["order"] in orders:
            told.setdefault(key, {**fact, "bot": False} if kind == "touch" else fact)
    return list(told.values())


class Teller:
    """Writes facts of one merchant."""

    def __init__(self, session: Session, merchant: int) -> None:
        self._session = session
        self._merchant = merchant
        self._kinds: dict[str, Callable[[Fact, Fact], None]] = {
            "referral": self._referral,
            "touch": self._touch,
            "identity": self._identity,
            "coupon": self._coupon,
            "order": self._order,
            "refund": self._refund,
        }
        self.orders: dict[str, str] = {}
        """Our ids by the sender's."""

    def tell(self, history: list[Fact]) -> None:
        """Write the facts; refunds after their orders, which they point to."""
        for fact in sorted(history, key=lambda fact: fact["kind"] == "refund"):
            times = {"at": _second(fact["at"]), "received_at": _micro(fact["received_at"])}
            self._kinds[fact["kind"]](fact, times)

    def policy(self, policy: Policy, version: int, name: str = "current", **more: object) -> None:
        wire = policy_to_wire(policy)
        self._write(KeptPolicy, **{"name": name, "version": version, "policy": wire, "made_at": START, **more})

    def _referral(self, fact: Fact, times: Fact) -> None:
        more = {"kind": fact.get("type", "share"), "target": "", "told_product": fact.get("product")}
        self._write(
            Referral,
            referral_id=fact["id"],
            visitor_id=fact["visitor"],
            network=fact["network"],
            parent_id=fact["parent"],
            **more,
            **times,
        )

    def _touch(self, fact: Fact, times: Fact) -> None:
        ids = {"visit_id": fact["id"], "referral_id": fact["referral"]}
        self._write(Visit, **ids, type=fact["type"], seen_from=fact["network"], imported=True, **times)
        if fact["visitor"] is not None:
            self.claim(fact["id"], fact["visitor"], times["received_at"])

    def claim(self, touch: str, visitor: str, at: datetime) -> None:
        self._write(Claim, visit_id=touch, claimed_id=touch, visitor_id=visitor, at=at, received_at=at)

    def _identity(self, fact: Fact, times: Fact) -> None:
        self._write(Identity, visitor_id=fact["visitor"], person=fact["person"], **times)

    def _coupon(self, fact: Fact, times: Fact) -> None:
        code = {"code": normalised(fact["code"]), "said": fact["code"]}
        coupon_id = new_id("cpn", self._merchant, START)
        self._write(Coupon, coupon_id=coupon_id, **code, referral_id=fact["referral"], **times)

    def _order(self, fact: Fact, times: Fact) -> None:
        self.orders[fact["id"]] = new_id("ord", self._merchant, START)
        self._write(
            OrderRow,
            order_id=self.orders[fact["id"]],
            external_id=fact["id"],
            source="history",
            fingerprint="",
            livemode=fact.get("livemode", True),
            currency=fact["currency"],
            gross=fact["net"],
            net=fact["net"],
            click_id=fact.get("click"),
            visitor_id=fact["visitor"],
            coupon=fact["coupon"],
            **times,
        )

    def _refund(self, fact: Fact, times: Fact) -> None:
        dropped = fact.get("dropped_at")
        self._write(
            Refund,
            refund_id=new_id("rfd", self._merchant, START),
            order_id=self.orders[fact["order"]],
            external_id=fact["id"],
            reason="refund",
            amount=fact["amount"],
            paid_back=fact["amount"],
            dropped_at=None if dropped is None else _micro(dropped),
            **times,
        )

    def _write(self, mapped: type[Base], **fields: object) -> None:
        self._session.execute(insert(table_of(mapped)).values(merchant_id=self._merchant, **fields))


def outcome(order: Order, facts: Facts, policy: Policy) -> tuple[object, ...]:
    """All that a settlement decides. What came after the order decides nothing, and need not be known."""
    settled: Settlement = settle(order, facts, policy)
    verdicts = [verdict for verdict in settled.verdicts if verdict.age >= 0]
    taken = [(taking.refund.received_at, taking.taken, taking.dropped) for taking in settled.takings]
    return settled.buyer, settled.lines, verdicts, taken, settled.reason, settled.coupon_reason


def _second(at: int) -> datetime:
    return EPOCH + timedelta(seconds=at)


def _micro(at: int) -> datetime:
    return EPOCH + timedelta(microseconds=at)


def sale(number: int) -> list[Fact]:
    """A sale with all that one can have: two touches, a chain, a person, a code, a refund, an earlier purchase."""
    visitor, root, share = f"v{number}", f"a{number}", f"b{number}"
    return [
        referral(root, f"ana{number}"),
        {**referral(share, f"bo{number}"), "parent": root},
        touch(2 * number, visitor, 1, share),
        touch(2 * number + 1, None, 2, root),
        identity(visitor, f"p{number}", 3),
        {"kind": "coupon", "code": f"CODE{number}", "referral": root, **times(3)},
        {**order_of(f"o{number}", visitor, 9), "coupon": f"code{number}", "click": f"t{2 * number + 1}"},
        {"kind": "refund", "id": "f", "order": f"o{number}", "amount": 1, **times(10)},
    ]


def times(at: int) -> Fact:
    return {"at": at, "received_at": at * 1_000_000}


def referral(name: str, visitor: str, product: str | None = None) -> Fact:
    fields = {"id": name, "visitor": visitor, "network": "x", "parent": None, "product": product}
    return {"kind": "referral", **fields, **times(0)}


def touch(number: int, visitor: str | None, at: int, referral: str | None = None) -> Fact:
    fields = {"id": f"t{number}", "visitor": visitor, "type": "click", "network": None, "referral": referral}
    return {"kind": "touch", **fields, **times(at)}


def identity(visitor: str, person: str, at: int) -> Fact:
    return {"kind": "identity", "visitor": visitor, "person": person, **times(at)}


def order_of(name: str, visitor: str | None, at: int) -> Fact:
    return {
        "kind": "order",
        "id": name,
        "visitor": visitor,
        "currency": "eur",
        "net": 100,
        "coupon": None,
        **times(at),
    }
