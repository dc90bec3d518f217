"""How long facts of a merchant are kept: the server's periods, and the merchant's own, which may be shorter.

Pure. What is dropped, and when, is app/retention.py's; how far back visits must reach, attribution's.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final, Literal, Self, get_args

from app.kernel.clock import from_micros, to_micros
from app.settings import Settings

Kind = Literal["visits", "beacons", "machine_visits", "checkouts"]
KINDS: Final[tuple[Kind, ...]] = get_args(Kind)

LEAST: Final[Mapping[Kind, int]] = {"visits": 31, "beacons": 7, "machine_visits": 7, "checkouts": 60}
"""Days. A checkout may be disputed for long, but nothing is looked up in it once Stripe's messages have come."""


def usual(settings: Settings) -> Mapping[Kind, int]:
    """How many days each kind of fact is kept where the merchant says nothing, and at the most."""
    return {kind: getattr(settings, f"keep_{kind}_days") for kind in KINDS}


@dataclass(frozen=True)
class Retention:
    """`own`: the merchant's own periods in days. `gone`: before which moment (microseconds since 1970) facts of a kind
    may be gone; of visits the merchant's row says so itself (`visits_kept_from`)."""

    own: Mapping[str, int]
    gone: Mapping[str, int]

    @classmethod
    def from_json(cls, said: Mapping[str, Any] | None) -> Self:
        """As `to_json` has written it; None: as usual."""
        said = said or {}
        return cls(said.get("days", {}), said.get("gone", {}))

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"days": dict(self.own), "gone": dict(self.gone)}

    def days(self, kind: Kind, usual: Mapping[Kind, int]) -> int:
        """How many days facts of this kind are kept: never more than usual."""
        return min(self.own.get(kind, usual[kind]), usual[kind])

    def changed(self, days: Mapping[str, int | None]) -> Self:
        """With other periods of one's own; None: as usual."""
        own = {kind: number for kind, number in {**self.own, **days}.items() if number is not None}
        return replace(self, own=own)

    def gone_before(self, kind: Kind) -> datetime | None:
        """From when on facts of this kind are all there; None: they ever were."""
        micros = self.gone.get(kind)
        return None if micros is None else from_micros(micros)

    def forgetting(self, kind: Kind, before: datetime) -> Self:
        """With facts of this kind gone before that moment."""
        return replace(self, gone={**self.gone, kind: to_micros(before)})
