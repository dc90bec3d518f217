"""The attribution engine by itself: orders with journeys of five touches, settled in this process."""

from itertools import chain
from time import perf_counter

from app.attribution.engine import (
    Facts,
    Model,
    Order,
    Policy,
    Referral,
    Touch,
    TouchType,
    Upline,
    UplineMode,
    settle_all,
)

POLICIES = {
    "`last_touch`, upline `direct`": Policy(model=Model.LAST_TOUCH),
    "`time_decay`, upline `direct`": Policy(model=Model.TIME_DECAY),
    "`time_decay`, upline `geometric`": Policy(model=Model.TIME_DECAY, upline=Upline(UplineMode.GEOMETRIC)),
}
JOURNEYS = 4_000
TOUCHES = 5
_SHARERS = 1_000
_DAY = 86_400


def settled_in_a_second(policy: Policy) -> float:
    """Orders divided in a second, each with a journey of five touches; its facts are indexed within the time."""
    referrals, touches, orders = _referrals(), _touches(), _orders()
    begin = perf_counter()
    facts = Facts.of(referrals=referrals, touches=touches, orders=orders)
    lines = sum(len(settlement.lines) for settlement in settle_all(facts, policy))
    took = perf_counter() - begin
    assert lines >= JOURNEYS, "every order has a line at least"
    return JOURNEYS / took


def _referrals() -> list[Referral]:
    """Chains of three: who shared afresh, from whom, and from whom they had it."""
    return [
        Referral(f"ref{number}", f"sharer{number}", "whatsapp", f"ref{number - 1}" if number % 3 else None, 0, 0)
        for number in range(_SHARERS)
    ]


def _touches() -> list[Touch]:
    """A click every third day, each through somebody else's link."""
    journeys = (
        [
            Touch(
                id=f"clk{number}-{place}",
                visitor=f"buyer{number}",
                type=TouchType.CLICK,
                network=None,
                referral=f"ref{(number * 7 + place) % _SHARERS}",
                at=(10 + 3 * place) * _DAY + number,
                received_at=0,
            )
            for place in range(TOUCHES)
        ]
        for number in range(JOURNEYS)
    )
    return list(chain.from_iterable(journeys))


def _orders() -> list[Order]:
    return [
        Order(f"ord{number}", f"buyer{number}", "eur", 9_999 + number, None, 25 * _DAY + number, 0)
        for number in range(JOURNEYS)
    ]
