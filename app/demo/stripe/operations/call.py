"""What an operation of the API is given, and what an operation is. Knows no HTTP server."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TypeAlias

from app.demo.stripe.parameters.values import JsonObject, Params
from app.demo.stripe.world import World


@dataclass(frozen=True)
class Call:
    """A request that was let in: its parameters have their types, `ids` come from its path."""

    params: Params
    ids: Mapping[str, str]
    account: str | None


Operation: TypeAlias = Callable[[World, Call], JsonObject]
Operations: TypeAlias = Mapping[tuple[str, str], Operation]
