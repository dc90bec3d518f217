"""Touch models: how much each touch that counts weighs (rule 4).

Pure. Weights are whole numbers in exact proportion, so that splitting money by them never rounds twice. Only
time decay passes through double precision, as the rule says; each double is then taken exactly as it is.
"""

from collections.abc import Sequence

from app.attribution.engine.policy import WHOLE, Model, Policy
from app.attribution.engine.reasons import Reason


def weights(policy: Policy, ages: Sequence[int]) -> list[int]:
    """Proportions of the touches that count, earliest first; never all 0.

    `ages` are seconds before the order, one for each touch and at least one.
    """
    count = len(ages)
    match policy.model:
        case Model.LAST_TOUCH:
            return [0] * (count - 1) + [1]
        case Model.FIRST_TOUCH:
            return [1] + [0] * (count - 1)
        case Model.LINEAR:
            return [1] * count
        case Model.POSITION_BASED:
            return _by_position(policy.position, count)
        case _:  # time decay
            return _by_age(policy.half_life, ages)


def why_weightless(model: Model) -> Reason:
    """Why a touch that is eligible weighs nothing under `model`."""
    if model is Model.LAST_TOUCH:
        return Reason.NOT_LAST
    if model is Model.FIRST_TOUCH:
        return Reason.NOT_FIRST
    return Reason.NO_WEIGHT


def _by_position(position: tuple[int, int], count: int) -> list[int]:
    first, last = position
    if count == 1:
        return [1]
    middle = count - 2
    if not middle:
        return [first, last]
    # The middle shares the rest evenly; everything is multiplied by its number of touches to stay whole.
    return [first * middle, *([WHOLE - first - last] * middle), last * middle]


def _by_age(half_life: int, ages: Sequence[int]) -> list[int]:
    decayed = [2.0 ** (-age / half_life) for age in ages]
    if not any(decayed):
        # All of them are too small for a double. Their proportions are not: count from the youngest touch.
        youngest = min(ages)
        decayed = [2.0 ** ((youngest - age) / half_life) for age in ages]
    ratios = [weight.as_integer_ratio() for weight in decayed]
    # The denominators are powers of two, so the largest is a multiple of all.
    scale = max(denominator for _, denominator in ratios)
    return [numerator * (scale // denominator) for numerator, denominator in ratios]
