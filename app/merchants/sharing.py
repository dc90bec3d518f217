"""How a merchant's word is passed on: on which networks, and what sharers are told. Pure: knows no session, no HTTP."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from app.merchants.kept import KeptSettings
from app.networks.catalogue import BY_ID, SHAREABLE, Network


@dataclass(frozen=True)
class Sharing(KeptSettings):
    """A merchant's settings for shares, and what holds where nothing was set.

    `networks` are those that are offered, in the merchant's order; None: all of them, in the catalogue's.
    `rewarded`: people are told that a share may be rewarded, with the address of the `terms`. `utm`: whoever lands at
    the merchant's own address brings `utm_source` and its kin for the merchant's statistics.
    """

    networks: tuple[str, ...] | None = None
    rewarded: bool = False
    terms: str | None = None
    utm: bool = False

    def offered(self) -> tuple[Network, ...]:
        """The networks to share on, in the order in which they are offered; one that is no more is left out."""
        wanted = SHAREABLE if self.networks is None else self.networks
        return tuple(BY_ID[each] for each in wanted if each in BY_ID and BY_ID[each].shareable)

    def told(self) -> dict[str, object]:
        """What a page is told beside the networks: whether a share may be rewarded, and by which terms."""
        return {"rewarded": self.rewarded, "terms": self.terms}

    @classmethod
    def _read(cls, kept: Mapping[str, Any]) -> dict[str, Any]:
        networks = kept.get("networks")
        return {**kept, "networks": None if networks is None else tuple(networks)}
