"""Amounts as Stripe counts them, and back. Pure.

We count by ISO 4217 (api.md, Conventions). Stripe does too, but for three currencies, and not every amount can
be charged. Source: Stripe's documentation, "Supported currencies" (zero-decimal, three-decimal, special cases).
"""

from app.kernel.money import exponent

# Iceland's and Uganda's money has no decimals left, but Stripe still wants two; Madagascar's the other way round.
_DECIMALS_AT_STRIPE = {"isk": 2, "ugx": 2, "mga": 0}


class NotChargeable(ValueError):
    """Stripe cannot charge such an amount; the message says why."""


def to_stripe(minor: int, currency: str) -> int:
    """Our minor units in Stripe's. Raises `NotChargeable`."""
    finer, coarser = _scales(currency)
    units, rest = divmod(minor * finer, coarser)
    if rest:
        raise NotChargeable(f"Stripe charges {currency} in multiples of {coarser}")
    if exponent(currency) == 3 and units % 10:
        raise NotChargeable(f"Stripe charges {currency} in multiples of 10")
    return units


def from_stripe(units: int, currency: str) -> int:
    """Stripe's units in our minor units. Where Stripe's are finer, half a unit rounds up."""
    finer, coarser = _scales(currency)
    return (2 * units * coarser + finer) // (2 * finer)


def _scales(currency: str) -> tuple[int, int]:
    """How much finer, and how much coarser, Stripe's units are than those of ISO 4217: one of the two is 1."""
    more = _DECIMALS_AT_STRIPE.get(currency, exponent(currency)) - exponent(currency)
    return int(10 ** max(more, 0)), int(10 ** max(-more, 0))
