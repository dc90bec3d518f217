"""Settling: one order divided among the referrals that led to it (attribution.md, all rules).

Pure: `settle` is a function of what happened and of the policy, and of nothing else. The caller loads and saves.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from app.attribution.engine.cents import Table, over_levels, over_sources, take_back
from app.attribution.engine.facts import Facts, Order, Referral, Touch
from app.attribution.engine.journey import judge, judge_coupon, why_nobody
from app.attribution.engine.lines import Line, Settlement, Source, Taking, Verdict
from app.attribution.engine.models import weights, why_weightless
from app.attribution.engine.policy import Policy
from app.attribution.engine.reasons import Reason
from app.attribution.engine.upline import NOBODY, Seat, chain, seats_and_weights

UNKNOWN_NETWORK = "(unknown)"
DIRECT_NETWORK = "(direct)"


class _Source(NamedTuple):
    """A source of credit before it becomes lines."""

    kind: Source
    touch: str | None
    referral: str | None
    network: str
    reason: Reason | None
    part: int
    seats: tuple[Seat, ...]
    parts: tuple[int, ...]


def settle(order: Order, facts: Facts, policy: Policy) -> Settlement:
    """Divide `order` among the referrals of its journey, as far as `facts` knew of them (their `as_of`).

    `order` need not be among the facts. ValueError for a net below zero.
    """
    if order.net < 0:
        raise ValueError(f"order {order.id} has a net below zero")
    buyer = facts.buyer(order)
    journey = facts.journey(order, buyer)
    reasons = judge(order, journey, facts, policy, buyer)
    by_coupon, coupon_reason = judge_coupon(order, facts, policy, buyer)
    if by_coupon is not None:
        reasons = [Reason.COUPON if reason is None else reason for reason in reasons]
        parts = [0] * len(journey)
        sources = [_coupon_source(by_coupon, facts, policy, buyer)]
    else:
        parts = _weigh(order, journey, reasons, policy)
        earning = [(touch, part) for touch, part in zip(journey, parts, strict=True) if part]
        sources = [_touch_source(touch, part, facts, policy, buyer) for touch, part in earning]
        sources = sources or [_no_source(why_nobody(order, facts, reasons, coupon_reason))]
    cents = over_sources(order.net, [source.part for source in sources])
    gross = [over_levels(part, source.parts) for part, source in zip(cents, sources, strict=True)]
    left, takings = take_back_of(order, gross, facts)
    lines = _all_lines(sources, cents, gross, left)
    return Settlement(
        order=order,
        buyer=buyer,
        lines=tuple([line for line in lines if line.gross]),
        rounded_away=tuple([line for line in lines if not line.gross]),
        verdicts=_verdicts(order, journey, reasons, parts, cents),
        takings=takings,
        reason=sources[0].reason,
        coupon_reason=coupon_reason,
    )


def settle_all(facts: Facts, policy: Policy) -> Iterator[Settlement]:
    """Settle every order of `facts`, by (at, id)."""
    for order in sorted(facts.orders.values(), key=lambda order: (order.at, order.id)):
        yield settle(order, facts, policy)


def _weigh(order: Order, journey: Sequence[Touch], reasons: list[Reason | None], policy: Policy) -> list[int]:
    """The weight of each touch. Those that are eligible and weigh nothing are given their reason."""
    parts = [0] * len(journey)
    eligible = [index for index, reason in enumerate(reasons) if reason is None]
    if eligible:
        found = weights(policy, [order.at - journey[index].at for index in eligible])
        for index, weight in zip(eligible, found, strict=True):
            parts[index] = weight
            if not weight:
                reasons[index] = why_weightless(policy.model)
    return parts


def _touch_source(touch: Touch, part: int, facts: Facts, policy: Policy, buyer: str | None) -> _Source:
    referral = facts.referral_of(touch)
    people = NOBODY if referral is None else chain(referral, facts, policy, buyer)
    network = touch.network or (referral and referral.network) or UNKNOWN_NETWORK
    seats, parts = seats_and_weights(people, policy.upline)
    known = None if referral is None else referral.id
    return _Source(Source.TOUCH, touch.id, known, network, None, part, seats, parts)


def _coupon_source(referral: Referral, facts: Facts, policy: Policy, buyer: str | None) -> _Source:
    people = chain(referral, facts, policy, buyer)
    network = referral.network or UNKNOWN_NETWORK
    seats, parts = seats_and_weights(people, policy.upline)
    return _Source(Source.COUPON, None, referral.id, network, None, 1, seats, parts)


def _no_source(reason: Reason) -> _Source:
    return _Source(Source.DIRECT, None, None, DIRECT_NETWORK, reason, 1, NOBODY, (1,))


def take_back_of(order: Order, gross: Table, facts: Facts) -> tuple[Table, tuple[Taking, ...]]:
    """What is left of every level of an order after all that was taken back of it, and what each took (rule 11)."""
    left = gross
    takings: list[Taking] = []
    for refund in facts.refunds.get(order.id, ()):
        dropped = refund.dropped_at is not None
        left, taken = take_back(left, 0 if dropped else refund.amount)
        takings.append(Taking(refund, taken, dropped))
    return left, tuple(takings)


def _all_lines(sources: list[_Source], cents: list[int], gross: Table, left: Table) -> list[Line]:
    whole = sum(source.part for source in sources)
    rows = zip(sources, cents, gross, left, strict=True)
    return [line for source, earned, grosses, lefts in rows for line in _lines(source, whole, earned, grosses, lefts)]


def _lines(source: _Source, whole: int, cents: int, grosses: list[int], lefts: list[int]) -> list[Line]:
    level_whole = sum(source.parts)
    kind, touch, touched, network, reason, part, seats, parts = source
    # By position: naming the fields of so many lines would cost a tenth of the engine's time.
    return [
        Line(
            kind,
            touch,
            own,
            network,
            sharer,
            level,
            gross,
            gross - left,
            reason,
            touched,
            cents,
            part,
            whole,
            level_part,
            level_whole,
        )
        for (sharer, own, level), level_part, gross, left in zip(seats, parts, grosses, lefts, strict=True)
    ]


def _verdicts(
    order: Order,
    journey: Sequence[Touch],
    reasons: Sequence[Reason | None],
    parts: Sequence[int],
    cents: Sequence[int],
) -> tuple[Verdict, ...]:
    whole = sum(parts) or 1
    earned = iter(cents)
    return tuple(
        [
            Verdict(touch, order.at - touch.at, reason, part, whole, next(earned) if part else 0, order.net)
            for touch, reason, part in zip(journey, reasons, parts, strict=True)
        ]
    )
