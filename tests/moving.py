"""What another system sends when it moves in: stories and random histories as lines of `POST /v1/history`.

A fact of a random history keeps `at` in seconds and `received_at` in microseconds, as the reference implementation
counts; only its line has times as text.
"""

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from random import Random
from typing import Any, Self

from tests import history
from tests.shop import JSON, TestMerchant, ok
from tests.unit.attribution.histories import Fact, random_history

BEGAN = datetime(2025, 1, 1, tzinfo=UTC)
_REFERENCES = {
    "referral": ("id", "visitor", "parent"),
    "touch": ("id", "visitor", "referral"),
    "identity": ("visitor", "person"),
    "coupon": ("referral",),
    "order": ("id", "visitor"),
    "refund": ("id", "order"),
}
_FIELDS = {
    "referral": ("type", "network", "product", "wall"),
    "touch": ("type", "network"),
    "identity": (),
    "coupon": ("code",),
    "order": ("currency", "net", "coupon"),
    "refund": ("amount", "reason"),
}


class Past:
    """A story told as another system would tell it; times are days since 2025-01-01 and may be fractions."""

    def __init__(self) -> None:
        self.lines: list[JSON] = []

    def tell(self, kind: str, day: float, **fields: object) -> Self:
        """One line. It was received when it happened, so that its story can be asked for as of any day."""
        at = written(round(day * 86_400_000_000))
        self.lines.append({"kind": kind, **fields, "at": at, "received_at": fields.get("received_at", at)})
        return self

    def share(
        self, name: str, visitor: str, network: str | None = "whatsapp", parent: str | None = None, **fields: Any
    ) -> Self:
        fields = {"type": "share", "day": 0, **fields}
        return self.tell("referral", id=name, visitor=visitor, network=network, parent=parent, **fields)

    def touch(self, name: str, visitor: str, referral: str | None = None, day: float = 0, **fields: Any) -> Self:
        return self.tell("touch", day, id=name, visitor=visitor, referral=referral, **{"type": "click", **fields})

    def identity(self, visitor: str, person: str, day: float = 0) -> Self:
        return self.tell("identity", day, visitor=visitor, person=person)

    def coupon(self, code: str, referral: str, day: float = 0) -> Self:
        return self.tell("coupon", day, code=code, referral=referral)

    def order(self, name: str, visitor: str | None, net: int = 10_000, day: float = 10, **fields: Any) -> Self:
        return self.tell("order", day, id=name, visitor=visitor, net=net, **{"currency": "eur", **fields})

    def refund(self, name: str, order: str, amount: int, day: float = 20, **fields: Any) -> Self:
        return self.tell("refund", day, id=name, order=order, amount=amount, **{"reason": "refund", **fields})

    def into(self, merchant: TestMerchant) -> Self:
        """Move in."""
        answer = history.move_in(merchant, *self.lines)
        assert (len(self.lines), []) == (answer["accepted"], answer["refused"])
        return self


def journey(count: int, net: int = 10_000, network: str | None = "whatsapp") -> Past:
    """A buyer who followed the links of `count` people, a day apart, the last one a day before the order."""
    past = Past().order("o1", "buyer", net, day=count + 1)
    for number in range(1, count + 1):
        past.share(f"s{number}", f"v{number}", network).touch(f"t{number}", "buyer", f"s{number}", day=number)
    return past


def chain(*people: str, net: int = 10_000) -> Past:
    """A buyer who followed the first one's link; each had come through the next one's."""
    past = Past().touch("t1", "buyer", people[0], day=9).order("o1", "buyer", net)
    for person, above in zip(people, [*people[1:], None], strict=True):
        past.share(person, person, parent=above)
    return past


def sendable_history(random: Random, world: str) -> list[Fact]:
    """A random history as far as it can be told from outside, in a world of its own: all ids begin with `world`."""
    told: dict[tuple[object, ...], Fact] = {}
    for fact in random_history(random):
        kind = fact["kind"]
        fact = _in_world(_told(fact, random), world)
        identity = (kind, fact["id"]) if "id" in fact else (kind, *_natural_key(fact))
        told.setdefault(identity, fact)  # what contradicts an earlier line would be refused
    return list(told.values())


def lines(facts: Iterable[Fact]) -> bytes:
    """The facts as NDJSON."""
    return history.written(map(_line, facts))


def bring(merchant: TestMerchant, content: bytes) -> JSON:
    """Send lines; the answer."""
    return dict(ok(history.send(merchant, content)))


def preview(merchant: TestMerchant, policy: Mapping[str, Any] | None = None, **fields: Any) -> JSON:
    """What credit would be under `policy`."""
    body = {"policy": policy or {}, **fields}
    return dict(ok(merchant.http.post("/v1/attribution/preview", json=body, timeout=120)))


def written(micros: int) -> str:
    """A moment as the contract writes it."""
    return (BEGAN + timedelta(microseconds=micros)).isoformat().replace("+00:00", "Z")


def _told(fact: Fact, random: Random) -> Fact:
    """What `fact` is over HTTP, where every touch has a visitor, every coupon a referral and nothing is dropped."""
    kept = {name: fact.get(name) for name in (*_REFERENCES[fact["kind"]], *_FIELDS[fact["kind"]])}
    match fact["kind"]:
        case "referral":
            kept["type"] = random.choice(["share", "like"])
        case "touch":
            kept["visitor"] = kept["visitor"] or "v0"
        case "coupon":
            kept["referral"] = kept["referral"] or "r-unknown"
        case "refund":
            kept["reason"] = random.choice(["refund", "chargeback"])
    return {"kind": fact["kind"], **kept, "at": fact["at"], "received_at": fact["received_at"]}


def _in_world(fact: Fact, world: str) -> Fact:
    for name in _REFERENCES[fact["kind"]]:
        if fact[name] is not None:
            fact[name] = f"{world}-{fact[name]}"
    for name in ("code", "coupon"):
        if fact.get(name) is not None:
            bare = fact[name].strip()
            fact[name] = fact[name].replace(bare, f"{world}-{bare}")
    return fact


def _natural_key(fact: Fact) -> tuple[object, ...]:
    if fact["kind"] == "identity":
        return fact["visitor"], fact["person"], fact["at"]
    return fact["code"].strip().casefold(), fact["referral"], fact["at"]


def _line(fact: Fact) -> JSON:
    return {**fact, "at": written(fact["at"] * 1_000_000), "received_at": written(fact["received_at"])}
