"""Where shops of other systems send their messages.

A message is believed when the shop's secret has signed its body. One that is rightly signed and cannot be read is
answered 200 and noted: both systems switch a webhook off that is refused some times, and then all sales would be lost
for one that nobody can read.
"""

import hashlib
import logging
from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Final

from fastapi import APIRouter, Path, Request, Response
from sqlalchemy.orm import Session
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import Headers

from app.kernel.errors import BadRequest
from app.kernel.http.work import UnitOfWork, Work
from app.merchants import service as merchants
from app.orders.connectors import connections, fields, shopify, woocommerce
from app.orders.connectors.connections import Vault
from app.orders.connectors.models import Connector
from app.orders.connectors.said import NotAnOrder, ShopSaid
from app.orders.connectors.shops import Shop, Shopkeeper
from app.orders.connectors.wire import Received, System

log = logging.getLogger(__name__)
router = APIRouter(prefix="/v1/connectors", tags=["connectors"])

LARGEST_BODY = 4 * 1024 * 1024
"""Bytes: an order of five hundred lines, with everything that Shopify says of each."""

_HEADERS: Final = {
    "shopify": ("X-Shopify-Hmac-Sha256", "X-Shopify-Topic", "X-Shopify-Webhook-Id"),
    "woocommerce": ("X-WC-Webhook-Signature", "X-WC-Webhook-Topic", "X-WC-Webhook-Delivery-ID"),
}
_SAY: Final = (
    "base64 of HMAC-SHA256 over the body, with the shop's secret",
    "what the message tells of",
    "the message's own id",
)

MerchantPath = Annotated[str, Path(description="`mer_…`, as in the `webhook_url` of the connector.")]


class WrongSignature(BadRequest):
    code, title = "bad_signature", "This message is not signed with the secret of this shop"


@router.post(
    "/{system}/{merchant_id}",
    response_model=Received,
    max_body_size=LARGEST_BODY,
    openapi_extra={
        "requestBody": {"required": True, "content": {"application/json": {"schema": {"type": "object"}}}},
        "parameters": [
            {"in": "header", "name": name, "description": f"{system}: {what}", "schema": {"type": "string"}}
            for system, names in _HEADERS.items()
            for name, what in zip(names, _SAY, strict=True)
        ],
    },
)
async def shop_webhook(system: System, merchant_id: MerchantPath, request: Request, work: UnitOfWork) -> Response:
    """Where a connected shop sends its messages. A header signs the body, in the way of its system. Repetitions, old
    messages and topics that are of no use here are answered 200 too; so is one that cannot be read, and `detail` says
    why."""
    body = await request.body()
    return await run_in_threadpool(_receive, work, system, merchant_id, body, request.headers)


@dataclass(frozen=True)
class _Message:
    """What was sent, signed by the shop."""

    shop: Shop
    topic: str
    id: str
    body: bytes
    test: bool
    triggered: str  # when, by the shop's clock

    def read(self) -> ShopSaid | None:
        """Raises `NotAnOrder`."""
        body = fields.parse(self.body)
        if self.shop.system == "shopify":
            return shopify.read(self.topic, body, test=self.test, triggered=self.triggered)
        return woocommerce.read(self.topic, body)


def _receive(work: Work, system: str, merchant: str, body: bytes, headers: Headers) -> Response:
    connections.known_system(system)
    signature, topic, id_ = (headers.get(name, "") for name in _HEADERS[system])
    with work.here.database.reading() as session:
        merchant_id = merchants.by_public_id(session, merchant).merchant_id
        connector = connections.connected(session, merchant_id, system)
        secret = Vault.of(work.here.signer).get(connector)
    shop, now = Shop(merchant_id, system), work.here.clock.now()
    if not connections.is_signed(body, signature, secret):
        if system == "woocommerce" and not signature and woocommerce.is_ping(body):
            return work.read(lambda _: Received(detail="This is where orders are sent."))
        if connections.is_stale(connector.refused_at, now):
            work.write(lambda session: _note(session, shop, refused_at=now))
        raise WrongSignature
    id_ = id_ or hashlib.sha256(f"{topic}\0".encode() + body).hexdigest()
    test, triggered = headers.get("X-Shopify-Test") == "true", headers.get("X-Shopify-Triggered-At", "")
    message = _Message(shop, topic, id_[:100], body, test, triggered)
    noted = {"heard_at": now} if connections.is_stale(connector.heard_at, now) else {}
    return _keep(work, message, noted)


def _keep(work: Work, message: _Message, noted: dict[str, datetime]) -> Response:
    try:
        said = message.read()

        def keep(session: Session) -> Received:
            _note(session, message.shop, **noted)
            if said is None:
                return Received(detail="This topic tells nothing of orders.")
            Shopkeeper(session, work.here, message.shop).receive(said, message.id)
            return Received(kept=True)

        return work.write(keep)
    except NotAnOrder as reason:
        detail, now = f"{message.topic[:60]}: {reason}", work.here.clock.now()
        log.error("a message of %s's shop %s is left out: %s", *message.shop.__dict__.values(), detail)

        def complain(session: Session) -> Received:
            _note(session, message.shop, **noted, trouble=detail[:300], trouble_at=now)
            return Received(detail=detail)

        return work.write(complain)


def _note(session: Session, shop: Shop, **what: object) -> None:
    """Note something of the shop, if anything: its row is locked then, before any order's."""
    if what:
        connector = session.get(Connector, (shop.merchant_id, shop.system), with_for_update=True)
        for name, value in what.items():
            setattr(connector, name, value)
