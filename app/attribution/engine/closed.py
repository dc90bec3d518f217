"""Orders whose journeys are not known in full any more: what was credited stands, and refunds take from it.

Pure. Who is closed, and what was written, the caller says (docs/privacy.md, How long it is kept).
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from app.attribution.engine.cents import over_levels, over_sources
from app.attribution.engine.facts import Facts, Order
from app.attribution.engine.journey import judge_coupon
from app.attribution.engine.lines import Amounts, Line, LineKey, Settlement, Source
from app.attribution.engine.policy import Policy
from app.attribution.engine.reasons import Reason
from app.attribution.engine.settle import DIRECT_NETWORK, take_back_of
from app.attribution.engine.upline import NONE


class Written(NamedTuple):
    """A line as it was appended: signed changes under its key."""

    key: LineKey
    amounts: Amounts
    reason: Reason | None


class _Place(NamedTuple):
    """A line that stands: what it was given in all."""

    key: LineKey
    gross: int
    reason: Reason | None


_NOBODY = _Place(LineKey(Source.DIRECT, None, None, 0, NONE, DIRECT_NETWORK, None), 1, Reason.NOT_KEPT)


def settle_closed(order: Order, facts: Facts, policy: Policy, written: Iterable[Written]) -> Settlement:
    """Divide `order` as it was divided: by the gross that `written` adds up to, source by source.

    Sources stand in the order in which `written` first names them, earliest first. Where the order's net was corrected
    since, the new one is divided in the same proportions; where nothing was written, nobody has it (`NOT_KEPT`).
    Refunds are taken by rule 11. No touch is judged: `verdicts` is empty.
    """
    sources = _sources(written) or [[_NOBODY]]
    weights = [sum(place.gross for place in places) for places in sources]
    cents = over_sources(order.net, weights)
    gross = [over_levels(part, [place.gross for place in places]) for part, places in zip(cents, sources, strict=True)]
    left, takings = take_back_of(order, gross, facts)
    whole = sum(weights)
    lines = [
        _line(place, amount, amount - rest, (part, weight, whole))
        for places, part, weight, amounts, rests in zip(sources, cents, weights, gross, left, strict=True)
        for place, amount, rest in zip(places, amounts, rests, strict=True)
    ]
    return Settlement(
        order=order,
        buyer=facts.buyer(order),
        lines=tuple([line for line in lines if line.gross]),
        rounded_away=tuple([line for line in lines if not line.gross]),
        verdicts=(),
        takings=takings,
        reason=lines[0].reason,
        coupon_reason=_why_not_the_coupon(order, facts, policy, lines[0]),
    )


def _sources(written: Iterable[Written]) -> Sequence[Sequence[_Place]]:
    """What stands, source by source, each from level 0 to the house."""
    sums: dict[LineKey, int] = {}
    reasons: dict[LineKey, Reason | None] = {}
    for line in written:
        sums[line.key] = sums.get(line.key, 0) + line.amounts.gross
        reasons[line.key] = line.reason
    sources: dict[tuple[Source, str | None], list[_Place]] = {}
    for key, gross in sums.items():
        places = sources.setdefault((key.source, key.touch), [])
        if gross > 0:
            places.append(_Place(key, gross, reasons[key]))
    return [sorted(places, key=_level) for places in sources.values() if places]


def _level(place: _Place) -> tuple[bool, int]:
    return place.key.level is None, place.key.level or 0


def _line(place: _Place, gross: int, reversed_: int, source: tuple[int, int, int]) -> Line:
    key, (cents, part, whole) = place.key, source
    return Line(
        source=key.source,
        touch=key.touch,
        referral=key.referral,
        network=key.network,
        sharer=key.sharer,
        level=key.level,
        gross=gross,
        reversed=reversed_,
        reason=place.reason,
        source_referral=key.source_referral,
        source_gross=cents,
        source_part=part,
        source_whole=whole,
        level_part=place.gross,
        level_whole=part,
    )


def _why_not_the_coupon(order: Order, facts: Facts, policy: Policy, first: Line) -> Reason | None:
    """Why the coupon decided nothing, where it did not: also one that would by now."""
    if order.coupon is None or first.source is Source.COUPON:
        return None
    return judge_coupon(order, facts, policy, facts.buyer(order))[1] or Reason.NOT_KEPT
