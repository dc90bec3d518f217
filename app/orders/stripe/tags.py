"""What of ours travels in Stripe's metadata, on the session and on its payment. Pure.

It is there for the day when our own record of the checkout is lost, and for whoever reads Stripe's dashboard.
"""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Self

_PREFIX = "gv_"
LONGEST_VALUE = 500
"""Characters that Stripe keeps of a value."""


@dataclass(frozen=True)
class Tags:
    """Whose sale it is, and through whom the buyer had come. `merchant` is `mer_…`, unlike any other install's."""

    merchant: str
    checkout: str
    click: str | None = None
    referral: str | None = None
    wall: str | None = None
    visitor: str | None = None
    coupon: str | None = None

    def metadata(self) -> dict[str, str]:
        """For Stripe. What is empty is left out."""
        return {_PREFIX + name: value[:LONGEST_VALUE] for name, value in asdict(self).items() if value}

    @classmethod
    def of(cls, metadata: Mapping[str, object]) -> Self | None:
        """What Stripe gives back; None where it is another integration's."""
        found = {
            name: value
            for name in cls.__dataclass_fields__
            if isinstance(value := metadata.get(_PREFIX + name), str) and value.isprintable()
        }
        return cls(**found) if "merchant" in found and "checkout" in found else None
