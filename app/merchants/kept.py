"""Settings of a merchant's as they are kept, in JSON beside it. Pure: knows none of them."""

from collections.abc import Collection, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Self


@dataclass(frozen=True)
class KeptSettings:
    """Settings that all have a default: what holds where nothing was set."""

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return asdict(self)

    @classmethod
    def from_json(cls, kept: Mapping[str, Any] | None) -> Self:
        """What was kept; the defaults where nothing was."""
        return cls() if kept is None else cls(**cls._read(kept))

    def changed(self, said: Mapping[str, Any], *, to_none: Collection[str]) -> Self:
        """These, with what is `said` of some: none counts for those that can be set `to_none`, and says nothing of the
        others."""
        meant = {name: value for name, value in said.items() if value is not None or name in to_none}
        return self.from_json({**self.to_json(), **meant})

    @classmethod
    def _read(cls, kept: Mapping[str, Any]) -> dict[str, Any]:
        """By field, what JSON has in another form."""
        return dict(kept)
