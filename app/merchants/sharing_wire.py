"""How a merchant's word is passed on, as JSON, in and out: the `sharing` of `/v1/merchant`."""

from typing import Annotated

from pydantic import AfterValidator, ConfigDict, Field
from pydantic.config import JsonDict
from pydantic_core import PydanticCustomError

from app.kernel.http.wire import Body, Text, Wire
from app.merchants.origins import normal_page
from app.merchants.sharing import Sharing
from app.networks.catalogue import SHAREABLE


def _network(text: str) -> str:
    if text not in SHAREABLE:
        raise PydanticCustomError("unknown_network", "is not a network on which one can share")
    return text


def _once_each(networks: list[str]) -> list[str]:
    if len(set(networks)) < len(networks):
        raise PydanticCustomError("network_twice", "must name each network once")
    return networks


ShareableNetwork = Annotated[str, Field(max_length=40, examples=["whatsapp"]), AfterValidator(_network)]
_NETWORKS = (
    "The networks that are offered, in this order; `null`: all of them, in the order of the catalogue "
    f"({', '.join(SHAREABLE)}). What was shared elsewhere still counts."
)
_REWARDED = "Whether whoever is about to share is told that a share may be rewarded."
_TERMS = "Where the terms of rewards are told."
_UTM = (
    "Whoever lands at the merchant's own address brings `utm_source`, `utm_medium` and `utm_campaign=grapevine` along, "
    "unless that address has `utm_` parameters of its own."
)
Networks = Annotated[
    list[ShareableNetwork],
    Field(min_length=1, max_length=100, description=_NETWORKS),
    AfterValidator(_once_each),
]
Terms = Annotated[
    Text,
    Field(max_length=500, description=_TERMS, examples=["https://shop.example/rewards"]),
    AfterValidator(normal_page),
]

_EXAMPLE: JsonDict = {
    "networks": ["whatsapp", "email", "copy"],
    "rewarded": True,
    "terms": "https://shop.example/rewards",
    "utm": True,
}


class SharingPatch(Body):
    """The settings of shares to change; what is left out stays. `networks` is replaced whole; `null` ends `networks`
    and `terms`."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    networks: Networks | None = None
    rewarded: Annotated[bool, Field(strict=True, description=_REWARDED)] | None = None
    terms: Terms | None = None
    utm: Annotated[bool, Field(strict=True, description=_UTM)] | None = None

    def changed(self, standing: Sharing) -> Sharing:
        """What stands, with what is said here."""
        return standing.changed(self.model_dump(exclude_unset=True), to_none=("networks", "terms"))


class SharingOut(Wire):
    """How the word is passed on."""

    networks: Annotated[list[str] | None, Field(description=_NETWORKS)]
    rewarded: Annotated[bool, Field(description=_REWARDED)]
    terms: Annotated[str | None, Field(description=_TERMS)]
    utm: Annotated[bool, Field(description=_UTM)]

    @classmethod
    def of(cls, sharing: Sharing) -> "SharingOut":
        return cls.model_validate(sharing)
