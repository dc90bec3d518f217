"""What is said of a journey: of each touch, of the order's coupon, of the chain above a referral. Pure."""

from collections.abc import Iterator

from app.attribution.engine import Bar, Facts, Policy, Reason, Settlement, TouchType, Verdict
from app.attribution.explanation import End, Place, bar_of_coupon, bar_of_touch, by_coupon
from app.attribution.sentences.speech import Count, Part, Said, Seconds, Value, Word, rounded, say, together
from app.kernel.money import Money


def of_touch(verdict: Verdict, settlement: Settlement, facts: Facts, policy: Policy) -> Said:
    """Whether a touch counted and for how much, or why not; and what is peculiar about it."""
    peculiar = _peculiar(verdict, settlement, facts)
    if verdict.reason is not None:
        bar = bar_of_touch(verdict, settlement, facts)
        return together(_refused(verdict, verdict.reason, bar, policy), *peculiar)
    amount = Money(verdict.cents, settlement.order.currency)
    whole = Money(verdict.of, settlement.order.currency)
    if verdict.weight == 1:
        counted = say("touch.counted_whole", amount=amount)
    else:
        counted = say("touch.counted", part=Part(verdict.weight), amount=amount, whole=whole)
    return together(counted, *rounded(verdict.rounding), *peculiar, *_for_no_person(verdict, facts))


def of_coupon(settlement: Settlement, facts: Facts) -> Said | None:
    """What became of the order's coupon; None for an order without one."""
    order, referral = settlement.order, by_coupon(settlement)
    if order.coupon is None:
        return None
    if referral is None:
        doubt = _doubt(bar_of_coupon(settlement, facts))
        return say(f"coupon.{settlement.coupon_reason}", code=order.coupon, **doubt)
    sharer = facts.sharer(facts.referrals[referral])
    return say("coupon.decided", code=order.coupon, referral=referral, sharer=sharer)


def of_place(place: Place, amount: int | None, policy: Policy) -> Said:
    """Why somebody stands in a chain, or does not. `amount` is what the place earned; None if it weighs nothing."""
    if place.left_out is not None:
        people = Count("people", policy.upline.max_depth)
        return say(f"chain.{place.left_out}", sharer=place.sharer, people=people)
    stands = say("chain.above" if place.level else "chain.first", sharer=place.sharer, level=place.level or 0)
    if amount:
        return stands
    return together(stands, say("chain.no_weight" if amount is None else "chain.rounded_away"))


def of_chain_end(end: End, above: str | None, places: int) -> Said:
    """Why a chain goes no further than `places`; `above` is the referral that it does not come to."""
    return say(f"chain.ends.{end}", referral=above or "", count=places)


def _refused(verdict: Verdict, reason: Reason, bar: Bar | None, policy: Policy) -> Said:
    age = Seconds(abs(verdict.age))
    if reason is not Reason.EXPIRED:
        return say(f"touch.{reason}", age=age, **_doubt(bar))
    kind, windows = verdict.touch.type, policy.windows
    window = {TouchType.CLICK: windows.click, TouchType.LIKE: windows.like}.get(kind, windows.view)
    return say("touch.expired", age=age, what=Word(f"a.{kind}"), window=Seconds(window))


def _doubt(bar: Bar | None) -> dict[str, Value]:
    return {} if bar is None else {"this": Word(f"this.{bar.about}"), "rule": bar.rule}


def _peculiar(verdict: Verdict, settlement: Settlement, facts: Facts) -> Iterator[Said]:
    """A visitor who was joined is the buyer too (rule 1); the click that an order names belongs to it, and never comes
    after it (attribution.md, What happened)."""
    touch, order, buyer = verdict.touch, settlement.order, settlement.buyer
    visitor = touch.visitor
    if visitor is not None and buyer is not None and visitor != order.visitor and facts.people.get(visitor) == buyer:
        yield say("touch.joined", visitor=visitor, person=buyer)
    if touch.id == order.click:
        yield say("touch.named")
        ahead = facts.touches[touch.id].at - touch.at
        if ahead:
            yield say("touch.clock_ahead", ahead=Seconds(ahead))


def _for_no_person(verdict: Verdict, facts: Facts) -> Iterator[Said]:
    """A touch without a known referral earns for its network only (rule 2)."""
    touch = verdict.touch
    if touch.referral is None:
        yield say("touch.no_referral")
    elif touch.referral not in facts.referrals:
        yield say("touch.unknown_referral", referral=touch.referral)
