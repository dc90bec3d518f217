"""The explanation of an order as JSON: what the engine decided, as data and as sentences in every language.

Translates only; knows no session. Exact parts are fractions in text (`1/3`), since no JSON number is exact; beside
each stands its percentage for people. Ids are those under which facts were told: the sender's own where they came by
history.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Self

from pydantic import Field

from app.attribution import sentences
from app.attribution.credit_wire import CreditOut
from app.attribution.engine import Bar, Doubted, Facts, Line, Policy, Settlement, Source, Verdict
from app.attribution.explanation import (
    LeftOut,
    bar_of_coupon,
    bar_of_touch,
    by_coupon,
    chain,
    every_line,
    takings_by_line,
)
from app.attribution.sentences import Said, fraction, percentage
from app.kernel.clock import from_micros
from app.kernel.http.wire import Timestamp, Wire
from app.orders.models import Refund

Sentences = Annotated[
    Said, Field(examples=[{"en": "It happened after the order.", "fr": "Il a eu lieu après la commande."}])
]
ExactPart = Annotated[str, Field(description="An exact fraction.", examples=["1/3"])]
Percentage = Annotated[str, Field(description="The same in percent, rounded to four decimals.", examples=["33.3333"])]


class DoubtOut(Wire):
    """Why something is `held` or `refused`: a doubt (`GET /v1/doubts/{id}`) about the visit, the referral or the order,
    raised by a rule."""

    id: str
    rule: str
    about: Doubted

    @classmethod
    def of(cls, bar: Bar | None) -> Self | None:
        """None where nothing is barred."""
        return None if bar is None else cls(id=bar.doubt, rule=bar.rule, about=bar.about)


Doubt = Annotated[
    DoubtOut | None,
    Field(examples=[{"id": "dbt_06exk52yhr00000001w3p8xq2y7k4m", "rule": "too_fast", "about": "visit"}]),
]
_DOUBTED: Final = frozenset({LeftOut.HELD, LeftOut.REFUSED})


class PlaceOut(Wire):
    """A referral of the chain: its person stands at `level`, or is left out for `reason`. `amount` is the gross of
    that level; null where the upline gives the level nothing."""

    referral: str
    sharer: str
    level: int | None
    amount: int | None
    reason: str | None
    doubt: Doubt = None
    explanation: Sentences


class ChainOut(Wire):
    """From the source's referral up. `ends`: root, unknown_parent, loop, cut (to the policy's depth) or too_long (to
    be shown whole); `above` is the parent that it does not come to."""

    places: list[PlaceOut]
    ends: str
    above: str | None
    explanation: Sentences


class TouchOut(Wire):
    """One touch of the journey, and what became of it. `weight` is its part of the order, `amount` its gross,
    `rounding` what rounding added to that in minor units."""

    touch: str
    type: str
    visitor: str | None
    network: str | None
    referral: str | None
    referral_known: bool
    sharer: str | None
    at: Timestamp
    age_seconds: int
    counted: bool
    reason: str | None
    doubt: Doubt = None
    weight: ExactPart
    weight_percent: Percentage
    amount: int
    rounding: ExactPart
    chain: ChainOut | None
    explanation: Sentences


class CouponDecisionOut(Wire):
    """What the order's coupon decided, or why it decided nothing."""

    code: str
    counted: bool
    referral: str | None
    sharer: str | None
    reason: str | None
    doubt: Doubt = None
    chain: ChainOut | None
    explanation: Sentences


class CreditLineOut(CreditOut):
    """One line of credit with its arithmetic. The source has `source_weight` of the order, `source_gross` after
    rounding; the line has `level_weight` of that, `gross` after rounding."""

    source_weight: ExactPart
    source_weight_percent: Percentage
    source_gross: int
    source_rounding: ExactPart
    level_weight: ExactPart
    level_weight_percent: Percentage
    rounding: ExactPart
    explanation: Sentences


class LineTakingOut(Wire):
    """What a refund took from one line, in minor units."""

    touch: str | None
    sharer: str
    level: int | None
    amount: int


class RefundTakingOut(Wire):
    """A refund, chargeback or cancellation, in the order in which they count. `taken` is less than `amount` where less
    was left of the order, and 0 where it was dropped."""

    id: str
    external_id: str
    reason: str
    amount: int
    taken: int
    at: Timestamp
    received_at: Timestamp
    dropped_at: Timestamp | None
    takings: list[LineTakingOut]
    explanation: Sentences


def journey_of(settlement: Settlement, facts: Facts, policy: Policy) -> Iterator[TouchOut]:
    """Every touch of the journey, in the order of rule 3."""
    for verdict in settlement.verdicts:
        touch = verdict.touch
        referral = None if touch.referral is None else facts.referrals.get(touch.referral)
        yield TouchOut(
            touch=touch.id,
            type=touch.type,
            visitor=touch.visitor,
            network=touch.network,
            referral=touch.referral,
            referral_known=referral is not None,
            sharer=None if referral is None else facts.sharer(referral),
            at=from_micros(touch.at * 1_000_000),
            age_seconds=verdict.age,
            counted=verdict.counted,
            reason=verdict.reason,
            doubt=DoubtOut.of(bar_of_touch(verdict, settlement, facts)),
            weight=fraction(verdict.weight),
            weight_percent=percentage(verdict.weight),
            amount=verdict.cents,
            rounding=fraction(verdict.rounding),
            chain=_chain_of(verdict, settlement, facts, policy),
            explanation=sentences.of_touch(verdict, settlement, facts, policy),
        )


def coupon_of(settlement: Settlement, facts: Facts, policy: Policy) -> CouponDecisionOut | None:
    """What became of the order's coupon; None for an order without one."""
    code, decided = settlement.order.coupon, by_coupon(settlement)
    explanation = sentences.of_coupon(settlement, facts)
    if code is None or explanation is None:
        return None
    spoken = facts.coupon(code, settlement.order.at)
    told = None if spoken is None else spoken.referral
    referral = None if told is None else facts.referrals.get(told)
    return CouponDecisionOut(
        code=code,
        counted=decided is not None,
        referral=told,
        sharer=None if referral is None else facts.sharer(referral),
        reason=settlement.coupon_reason,
        doubt=DoubtOut.of(bar_of_coupon(settlement, facts)),
        chain=None if decided is None else _chain(decided, None, settlement, facts, policy),
        explanation=explanation,
    )


def lines_of(settlement: Settlement) -> Iterator[CreditLineOut]:
    """Every line with its arithmetic: source by source, earliest first, each from level 0 to the house."""
    for line in settlement.lines:
        yield CreditLineOut.of(
            line,
            source_weight=fraction(line.source_weight),
            source_weight_percent=percentage(line.source_weight),
            source_gross=line.source_gross,
            source_rounding=fraction(line.source_gross - settlement.order.net * line.source_weight),
            level_weight=fraction(line.level_weight),
            level_weight_percent=percentage(line.level_weight),
            rounding=fraction(line.rounding),
            explanation=sentences.of_line(line, settlement),
        )


def refunds_of(settlement: Settlement, refunds: Sequence[Refund]) -> Iterator[RefundTakingOut]:
    """Every refund that was known, with what it took from whom. `refunds` are the order's, in any order."""
    known = {refund.refund_id: refund for refund in refunds}
    for taking, lines in zip(settlement.takings, takings_by_line(settlement), strict=True):
        refund = known[taking.refund.id.rpartition("\0")[2]]
        yield RefundTakingOut(
            id=refund.refund_id,
            external_id=refund.external_id,
            reason=refund.reason,
            amount=refund.amount,
            taken=taking.taken,
            at=refund.at,
            received_at=refund.received_at,
            dropped_at=refund.dropped_at if taking.dropped else None,
            takings=[_line_taking(line, amount) for line, amount in lines],
            explanation=sentences.of_taking(taking, refund.reason, settlement.order.currency),
        )


def _line_taking(line: Line, amount: int) -> LineTakingOut:
    return LineTakingOut(touch=line.touch, sharer=line.sharer, level=line.level, amount=amount)


def _chain_of(verdict: Verdict, settlement: Settlement, facts: Facts, policy: Policy) -> ChainOut | None:
    """The chain above a touch that counted; it has none where its referral is unknown."""
    referral = verdict.touch.referral
    if not verdict.counted or referral is None or referral not in facts.referrals:
        return None
    return _chain(referral, verdict.touch.id, settlement, facts, policy)


def _chain(referral: str, touch: str | None, settlement: Settlement, facts: Facts, policy: Policy) -> ChainOut:
    source = Source.COUPON if touch is None else Source.TOUCH
    earned = {line.level: line.gross for line in every_line(settlement) if (line.source, line.touch) == (source, touch)}
    found = chain(facts.referrals[referral], facts, policy, settlement.buyer)
    places = []
    for place in found.places:
        amount = None if place.level is None else earned.get(place.level)
        said = sentences.of_place(place, amount, policy)
        places.append(
            PlaceOut(
                referral=place.referral,
                sharer=place.sharer,
                level=place.level,
                amount=amount,
                reason=place.left_out,
                doubt=DoubtOut.of(facts.bars.referrals[place.referral]) if place.left_out in _DOUBTED else None,
                explanation=said,
            )
        )
    explanation = sentences.of_chain_end(found.end, found.above, len(places))
    return ChainOut(places=places, ends=found.end, above=found.above, explanation=explanation)
