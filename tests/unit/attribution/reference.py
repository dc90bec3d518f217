"""attribution.md a second time: slow, plain, without an index, and without a line in common with the engine.

It works on facts in their wire form, with `at` in seconds and `received_at` in microseconds as whole numbers, and
on policies in their wire form, written out in full. Where attribution.md is silent it follows docs/attribution.md.
Beyond the wire forms: an order may have a `click`, a touch a `bot`, a refund a `dropped_at`; a touch's visitor
and a coupon's referral may be None. A `bar` says of a touch, a referral or an order (`about`, `id`) that it is held or
refused: nothing is earned through it.
"""

from fractions import Fraction
from typing import Any

Fact = dict[str, Any]
STRENGTHS = ["view", "like", "click"]


class Reference:
    def __init__(self, history: list[Fact], policy: Fact, as_of: int | None = None) -> None:
        self.policy = policy
        self.facts: list[Fact] = []
        for fact in sorted(history, key=lambda fact: int(fact["received_at"])):
            received = as_of is None or fact["received_at"] <= as_of
            again = any(f["kind"] == fact["kind"] and "id" in fact and f["id"] == fact["id"] for f in self.facts)
            if received and not again:
                if fact.get("dropped_at") is not None and as_of is not None and fact["dropped_at"] > as_of:
                    fact = {**fact, "dropped_at": None}
                self.facts.append(fact)

    # -- looking things up ------------------------------------------------------------------------------------

    def all(self, kind: str) -> list[Fact]:
        return [fact for fact in self.facts if fact["kind"] == kind]

    def one(self, kind: str, identifier: str | None) -> Fact | None:
        for fact in self.all(kind):
            if fact["id"] == identifier:
                return fact
        return None

    def person(self, visitor: str | None) -> str | None:  # rule 1
        said = [f for f in self.all("identity") if f["visitor"] == visitor]
        said.sort(key=lambda f: (f["received_at"], f["at"], f["person"].encode()))
        return said[-1]["person"] if said else visitor

    def buyer(self, order: Fact) -> str | None:
        click = self.one("touch", order.get("click"))
        if order["visitor"] is None and click is not None:
            return self.person(click["visitor"])
        return self.person(order["visitor"])

    def is_barred(self, about: str, identifier: str | None) -> bool:
        return any(bar["about"] == about and bar["id"] == identifier for bar in self.all("bar"))

    def is_own(self, referral: Fact | None, order: Fact) -> bool:
        if referral is None or self.policy["self_referral"] != "exclude":
            return False
        return self.person(referral["visitor"]) == self.buyer(order)

    # -- rules 2 to 5 -----------------------------------------------------------------------------------------

    def journey(self, order: Fact) -> list[Fact]:
        buyer = self.buyer(order)
        touches = []
        for touch in self.all("touch"):
            if touch["id"] == order.get("click"):
                touches.append({**touch, "at": min(touch["at"], order["at"])})
            elif touch["visitor"] is not None and self.person(touch["visitor"]) == buyer:
                touches.append(touch)
        return touches

    def previous_order_at(self, order: Fact) -> int | None:
        buyer = self.buyer(order)
        earlier = [
            (other["at"], other["id"].encode())
            for other in self.all("order")
            if buyer is not None
            and self.buyer(other) == buyer
            and (other["at"], other["id"].encode()) < (order["at"], order["id"].encode())
        ]
        return int(max(earlier)[0]) if earlier else None

    def eligible(self, order: Fact) -> list[Fact]:
        found = []
        previous = self.previous_order_at(order)
        for touch in self.journey(order):
            if touch["type"] == "direct" or touch.get("bot"):
                continue
            if not 0 <= order["at"] - touch["at"] <= self.policy["windows"][touch["type"]]:
                continue
            if self.policy["journey_reset"] and previous is not None and not touch["at"] > previous:
                continue
            if self.is_own(self.one("referral", touch["referral"]), order):
                continue
            if self.is_barred("visit", touch["id"]) or self.is_barred("referral", touch["referral"]):
                continue
            if self.is_barred("order", order["id"]):
                continue
            found.append(touch)
        if self.policy["type_priority"] == "strict" and found:
            strongest = max(STRENGTHS.index(touch["type"]) for touch in found)
            found = [touch for touch in found if STRENGTHS.index(touch["type"]) == strongest]
        return sorted(found, key=lambda t: (t["at"], STRENGTHS.index(t["type"]), t["id"].encode()))

    def weights(self, order: Fact, touches: list[Fact]) -> list[Fraction]:
        n = len(touches)
        model = self.policy["model"]
        if model == "last_touch":
            return [Fraction(int(i == n - 1)) for i in range(n)]
        if model == "first_touch":
            return [Fraction(int(i == 0)) for i in range(n)]
        if model == "linear":
            return [Fraction(1, n)] * n
        if model == "position_based":
            first, last = (Fraction(bp, 10_000) for bp in self.policy["position"])
            if n == 1:
                return [Fraction(1)]
            if n == 2:
                return [first / (first + last), last / (first + last)]
            return [first] + [(1 - first - last) / (n - 2)] * (n - 2) + [last]
        ages = [order["at"] - touch["at"] for touch in touches]
        doubles = [2 ** (-age / self.policy["half_life"]) for age in ages]
        if sum(doubles) == 0:
            doubles = [2 ** (-(age - min(ages)) / self.policy["half_life"]) for age in ages]
        total = sum(Fraction(double) for double in doubles)
        return [Fraction(double) / total for double in doubles]

    def coupon_referral(self, order: Fact) -> Fact | None:  # rule 5
        if order["coupon"] is None or not self.policy["coupon_override"]:
            return None
        puts = [
            coupon
            for coupon in self.all("coupon")
            if coupon["code"].strip().lower() == order["coupon"].strip().lower() and coupon["at"] <= order["at"]
        ]
        puts.sort(key=lambda c: (c["at"], c["received_at"], c["referral"] or ""))
        referral = self.one("referral", puts[-1]["referral"]) if puts else None
        if referral is None or self.is_barred("referral", referral["id"]) or self.is_barred("order", order["id"]):
            return None
        return None if self.is_own(referral, order) else referral

    # -- rules 7 to 9 -----------------------------------------------------------------------------------------

    def chain(self, referral: Fact, order: Fact) -> list[tuple[str, str]]:  # (person, referral)
        people: list[tuple[str, str]] = []
        been: list[str] = []
        current: Fact | None = referral
        while current is not None and current["id"] not in been:
            been.append(current["id"])
            person = self.person(current["visitor"])
            assert person is not None
            left_out = self.is_own(current, order) or self.is_barred("referral", current["id"])
            if not left_out and person not in [other for other, _ in people]:
                people.append((person, current["id"]))
            current = self.one("referral", current["parent"])
        return people[: self.policy["upline"]["max_depth"]]

    def levels(self, people: list[tuple[str, str]]) -> list[tuple[str, str | None, int | None, Fraction]]:
        count = len(people)
        a = Fraction(self.policy["upline"]["alpha"], 10_000)
        mode = self.policy["upline"]["mode"]
        weights = [Fraction(0)] * count
        house = Fraction(0)
        for i in range(count):
            if mode == "direct":
                weights[i] = Fraction(int(i == 0))
            elif mode == "root":
                weights[i] = Fraction(int(i == count - 1))
            elif mode == "equal":
                weights[i] = Fraction(1, count)
            elif mode == "geometric":
                weights[i] = a**i / sum(a**j for j in range(count))
            elif mode == "recursive":
                weights[i] = (1 - a) * a**i
                house = a**count
            elif mode == "halving":
                weights[i] = Fraction(1, 2 ** (count - 1))
                house = 1 - count * Fraction(1, 2 ** (count - 1))
        rows: list[tuple[str, str | None, int | None, Fraction]] = [
            (person, own, level, weights[level]) for level, (person, own) in enumerate(people)
        ]
        rows.append(("(house)", None, None, house))
        return rows

    # -- rules 6, 10, 11 --------------------------------------------------------------------------------------

    def sources(self, order: Fact) -> list[Fact]:
        """Sources, nearest to the purchase first, each with its levels from 0 to the house."""
        coupon = self.coupon_referral(order)
        if coupon is not None:
            return [self.source("coupon", None, coupon, coupon["network"], Fraction(1), order)]
        touches = self.eligible(order)
        weights = self.weights(order, touches) if touches else []
        found = []
        for touch, weight in reversed(list(zip(touches, weights, strict=True))):
            referral = self.one("referral", touch["referral"])
            network = touch["network"] or (referral["network"] if referral else None)
            found.append(self.source("touch", touch["id"], referral, network, weight, order))
        return found or [self.source("direct", None, None, "(direct)", Fraction(1), order)]

    def source(
        self, kind: str, touch: str | None, referral: Fact | None, network: str | None, weight: Fraction, order: Fact
    ) -> Fact:
        if referral is None:
            levels: list[tuple[str, str | None, int | None, Fraction]] = [("(none)", None, 0, Fraction(1))]
        else:
            levels = self.levels(self.chain(referral, order))
        top = None if referral is None else referral["id"]
        lines = [
            {"source": kind, "touch": touch, "referral": own, "network": network or "(unknown)", "sharer": sharer,
             "level": level, "weight": part, "top": top}
            for sharer, own, level, part in levels
        ]  # fmt: skip
        return {"weight": weight, "lines": lines}

    def settle(self, order: Fact) -> list[Fact]:
        """The lines that are not 0 gross, in the order of the wire form."""
        sources = self.sources(order)
        cents = largest_remainder(order["net"], [source["weight"] for source in sources])
        for source, amount in zip(sources, cents, strict=True):
            shares = largest_remainder(amount, [line["weight"] for line in source["lines"]])
            for line, share in zip(source["lines"], shares, strict=True):
                line["gross"] = line["net"] = share
        refunds = [refund for refund in self.all("refund") if refund["order"] == order["id"]]
        for refund in sorted(refunds, key=lambda r: (r["received_at"], r["id"].encode())):
            if refund.get("dropped_at") is None:
                take_back(sources, refund["amount"])
        lines = [line for source in reversed(sources) for line in source["lines"] if line["gross"]]
        return [{**line, "reversed": line["gross"] - line["net"]} for line in lines]

    def wire_lines(self, order: Fact) -> list[Fact]:
        inner = ("weight", "top")
        return [{k: v for k, v in line.items() if k not in inner} for line in self.settle(order)]

    # -- rule 12 ----------------------------------------------------------------------------------------------

    def by_subtree(self) -> dict[str, dict[str, int]]:
        totals: dict[str, dict[str, int]] = {}
        for order in self.all("order"):
            for line in self.settle(order):
                been: list[str] = []
                current = self.one("referral", line["top"])
                while current is not None and current["id"] not in been:
                    been.append(current["id"])
                    current = self.one("referral", current["parent"])
                for identifier in been:
                    add(totals, order["currency"], identifier, line["net"])
        return without_zeros(totals)

    def by(self, dimension: str) -> dict[str, dict[str, int]]:
        totals: dict[str, dict[str, int]] = {}
        for order in self.all("order"):
            for line in self.settle(order):
                add(totals, order["currency"], line[dimension], line["net"])
        return without_zeros(totals)


def take_back(sources: list[Fact], amount: int) -> None:
    left = [sum(line["net"] for line in source["lines"]) for source in sources]
    amount = min(amount, sum(left))
    if amount == 0:
        return
    for source, part in zip(sources, largest_remainder(amount, [Fraction(x) for x in left]), strict=True):
        if part:
            nets = [Fraction(line["net"]) for line in source["lines"]]
            for line, taken in zip(source["lines"], largest_remainder(part, nets), strict=True):
                line["net"] -= taken


def largest_remainder(total: int, weights: list[Fraction]) -> list[int]:
    """The first of equal remainders is served first."""
    quotas = [total * weight / sum(weights) for weight in weights]
    shares = [quota.numerator // quota.denominator for quota in quotas]
    while sum(shares) < total:
        rests = [quota - share for quota, share in zip(quotas, shares, strict=True)]
        winner = rests.index(max(rests))
        shares[winner] += 1
    return shares


def add(totals: dict[str, dict[str, int]], currency: str, key: str, amount: int) -> None:
    row = totals.setdefault(currency, {})
    row[key] = row.get(key, 0) + amount


def without_zeros(totals: dict[str, dict[str, int]]) -> dict[str, dict[str, int]]:
    rows = {currency: {k: v for k, v in row.items() if v} for currency, row in totals.items()}
    return {currency: row for currency, row in rows.items() if row}
