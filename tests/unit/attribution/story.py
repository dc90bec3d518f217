"""A story told in the domain's words, for tests: who shared, who followed whose link, who bought.

Times are days since 2025-01-01 and may be fractions. What is left out has the plainest value.
"""

from app.attribution.engine import (
    Bar,
    Bars,
    Coupon,
    Doubted,
    Facts,
    Identity,
    Line,
    Model,
    Order,
    Policy,
    Reason,
    Referral,
    Refund,
    Settlement,
    Touch,
    TouchType,
    Upline,
    UplineMode,
    settle,
)

NEW_YEAR = 1_735_689_600
DAY = 86_400


def at(day: float) -> int:
    return NEW_YEAR + round(day * DAY)


def received(day: float) -> int:
    return at(day) * 1_000_000


def model(model: Model, **fields: object) -> Policy:
    return Policy(model=model, **fields)  # type: ignore[arg-type]


def upline(mode: UplineMode, alpha_bp: int = 5_000, max_depth: int = 5) -> Upline:
    return Upline(mode, alpha_bp, max_depth)


class Story:
    def __init__(self) -> None:
        self.referrals: list[Referral] = []
        self.touches: list[Touch] = []
        self.identities: list[Identity] = []
        self.coupons: list[Coupon] = []
        self.orders: list[Order] = []
        self.refunds: list[Refund] = []
        self.bars: list[tuple[str, Bar]] = []

    def share(
        self, name: str, by: str, network: str | None = "whatsapp", parent: str | None = None, day: float = 0
    ) -> "Story":
        self.referrals.append(Referral(name, by, network, parent, at(day), received(day)))
        return self

    def touch(
        self,
        name: str,
        by: str | None,
        referral: str | None = None,
        day: float = 0,
        kind: TouchType = TouchType.CLICK,
        network: str | None = None,
        bot: bool = False,
    ) -> "Story":
        self.touches.append(Touch(name, by, kind, network, referral, at(day), received(day), bot))
        return self

    def identity(self, visitor: str, person: str, day: float = 0, heard: float | None = None) -> "Story":
        learnt = received(day if heard is None else heard)
        self.identities.append(Identity(visitor, person, at(day), learnt))
        return self

    def coupon(self, code: str, referral: str | None, day: float = 0) -> "Story":
        self.coupons.append(Coupon(code, referral, at(day), received(day)))
        return self

    def order(
        self,
        name: str,
        by: str | None,
        net: int = 10_000,
        day: float = 10,
        coupon: str | None = None,
        click: str | None = None,
        currency: str = "eur",
    ) -> "Story":
        self.orders.append(Order(name, by, currency, net, coupon, at(day), received(day), click))
        return self

    def refund(self, name: str, order: str, amount: int, day: float = 11, dropped: float | None = None) -> "Story":
        drop = None if dropped is None else received(dropped)
        self.refunds.append(Refund(name, order, amount, at(day), received(day), drop))
        return self

    def hold(self, name: str, about: Doubted = Doubted.REFERRAL, rule: str = "click_stuffing") -> "Story":
        self.bars.append((name, Bar(Reason.HELD, about, rule, f"dbt_{name}")))
        return self

    def refuse(self, name: str, about: Doubted = Doubted.REFERRAL, rule: str = "own_mail") -> "Story":
        self.bars.append((name, Bar(Reason.REFUSED, about, rule, f"dbt_{name}")))
        return self

    def facts(self, as_of: float | None = None) -> Facts:
        def about(kind: Doubted) -> dict[str, Bar]:
            return {name: bar for name, bar in self.bars if bar.about is kind}

        return Facts.of(
            referrals=self.referrals,
            touches=self.touches,
            identities=self.identities,
            coupons=self.coupons,
            orders=self.orders,
            refunds=self.refunds,
            bars=Bars(about(Doubted.VISIT), about(Doubted.REFERRAL), about(Doubted.ORDER)),
            as_of=None if as_of is None else received(as_of),
        )

    def settle(self, policy: Policy | None = None, order: str = "order", as_of: float | None = None) -> Settlement:
        facts = self.facts(as_of)
        return settle(facts.orders[order], facts, policy or Policy())


def journey_of(count: int, net: int = 10_000) -> Story:
    """A buyer who followed the links of `count` sharers, a day apart, the last one a day before the order."""
    story = Story().order("order", "buyer", net, day=count + 1)
    for number in range(1, count + 1):
        story.share(f"s{number}", f"sharer{number}").touch(f"t{number}", "buyer", f"s{number}", day=number)
    return story


def chain_of(*people: str, net: int = 10_000) -> Story:
    """A buyer who followed the first one's link; each had come through the next one's."""
    story = Story().touch("t", "buyer", people[0], day=9).order("order", "buyer", net)
    for person, above in zip(people, [*people[1:], None], strict=True):
        story.share(person, person, parent=above)
    return story


def gross(settlement: Settlement) -> list[int]:
    return [line.gross for line in settlement.lines]


def net(settlement: Settlement) -> list[int]:
    return [line.net for line in settlement.lines]


def by_person(settlement: Settlement) -> dict[str, int]:
    return {line.sharer: line.gross for line in settlement.lines}


def only(settlement: Settlement) -> Line:
    (line,) = settlement.lines
    return line
