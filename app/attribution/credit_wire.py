"""A line of credit as JSON: the same wherever a settlement is told. Knows no session."""

from typing import Any, Self

from app.attribution.engine import Line, Reason, Source
from app.kernel.http.wire import Wire


class CreditOut(Wire):
    """One line of credit in minor units: `gross` as sold, `reversed` as taken back, `net` what is left. `level` is
    what reports call `depth`, and null for the house; `reason` says why nobody earned it, where nobody did."""

    source: Source
    touch: str | None
    referral: str | None
    network: str
    sharer: str
    level: int | None
    gross: int
    reversed: int
    net: int
    reason: Reason | None

    @classmethod
    def of(cls, line: Line, **more: Any) -> Self:
        """`line`, and `more` fields of a subclass."""
        return cls(**{name: getattr(line, name) for name in CreditOut.model_fields}, **more)
