"""Bars: what earns nothing because it is doubtful, and until when (docs/attribution.md, What is held or refused).

Pure. Which rule doubts what, and who decided what about it, is not known here: a bar says only that it is so.
"""

from collections.abc import Mapping
from enum import StrEnum
from typing import Final, NamedTuple

from app.attribution.engine.reasons import Reason


class Doubted(StrEnum):
    """What a bar is about: a touch of the journey, a referral, or the order itself."""

    VISIT = "visit"
    REFERRAL = "referral"
    ORDER = "order"


class Bar(NamedTuple):
    """Why something earns nothing: `HELD` until somebody decides, or `REFUSED`; by which rule's doubt."""

    reason: Reason
    about: Doubted
    rule: str
    doubt: str


class Bars(NamedTuple):
    """Everything that is barred, by its id, as it stood when everything else was known."""

    touches: Mapping[str, Bar]
    referrals: Mapping[str, Bar]
    orders: Mapping[str, Bar]

    def of_touch(self, touch: str, referral: str | None, order: str) -> Bar | None:
        """What bars a touch from earning credit for the order: its own bar, that of the referral which it names, or
        the order's. The first that refuses, else the first."""
        return _strongest(self.touches.get(touch), self._through(referral), self.orders.get(order))

    def of_coupon(self, referral: str | None, order: str) -> Bar | None:
        """What bars the referral that the order's coupon speaks for."""
        return _strongest(self._through(referral), self.orders.get(order))

    def _through(self, referral: str | None) -> Bar | None:
        return None if referral is None else self.referrals.get(referral)


NONE_BARRED: Final = Bars({}, {}, {})


def _strongest(*bars: Bar | None) -> Bar | None:
    found = [bar for bar in bars if bar is not None]
    return min(found, key=lambda bar: bar.reason is not Reason.REFUSED, default=None)
