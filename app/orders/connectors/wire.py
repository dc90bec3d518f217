"""Connected shops as JSON, in and out."""

from typing import Annotated, Self

from fastapi import Path
from pydantic import Field, StringConstraints

from app.kernel.http.wire import Body, Text, Timestamp, Wire
from app.orders.connectors.connections import TOPICS
from app.orders.connectors.models import Connector

System = Annotated[str, Path(description="`shopify` or `woocommerce`.", examples=["shopify"])]
_SECRET = Annotated[Text, StringConstraints(min_length=8, max_length=255, pattern=r"^[\x21-\x7e]+$")]


class ConnectorIn(Body):
    """The secret with which the shop signs its messages.

    Shopify shows it where webhooks are set up. WooCommerce takes any: leave it out, and one is made and shown once.
    """

    secret: _SECRET | None = None


class ConnectorOut(Wire):
    """A shop of another system, connected or not, and what to enter there."""

    system: str
    connected: bool
    webhook_url: Annotated[str, Field(description="Where the shop sends its messages.")]
    topics: Annotated[list[str], Field(description="The messages to send: a webhook for each.")]
    snippet: Annotated[str, Field(description="For the head of every page of the shop.")]
    hint: Annotated[str | None, Field(description="The last four characters of the secret.")] = None
    connected_at: Timestamp | None = None
    heard_at: Annotated[Timestamp | None, Field(description="The last message that was rightly signed.")] = None
    refused_at: Annotated[Timestamp | None, Field(description="The last message that was not.")] = None
    trouble: Annotated[str | None, Field(description="Why a message could not be read, and was left out.")] = None
    trouble_at: Timestamp | None = None
    secret: Annotated[str | None, Field(description="Only in the answer that made it.")] = None

    @classmethod
    def of(
        cls, system: str, connector: Connector | None, public_url: str, merchant: str, secret: str | None = None
    ) -> Self:
        told = {} if connector is None else {name: getattr(connector, name) for name in _TOLD}
        return cls(
            system=system,
            connected=connector is not None,
            webhook_url=f"{public_url}/v1/connectors/{system}/{merchant}",
            topics=list(TOPICS[system]),
            snippet=f'<script type="module" src="{public_url}/shop.js"></script>',
            connected_at=None if connector is None else connector.created_at,
            secret=secret,
            **told,
        )


_TOLD = ("hint", "heard_at", "refused_at", "trouble", "trouble_at")


class Received(Wire):
    """The message has arrived. `kept` is false where it told nothing of an order, or could not be read: `detail` says
    why."""

    received: bool = True
    kept: bool = False
    detail: str | None = None
