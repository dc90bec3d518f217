"""Shops of other systems by HTTP: connecting them."""

from fastapi import APIRouter, Response
from sqlalchemy.orm import Session

from app.kernel.errors import Invalid
from app.kernel.http.pages import Page
from app.kernel.http.work import Answer, UnitOfWork, Work
from app.merchants import service as merchants
from app.merchants.access import SecretKey
from app.merchants.audit import note
from app.orders.connectors import connections
from app.orders.connectors.connections import TOPICS, Vault
from app.orders.connectors.models import Connector
from app.orders.connectors.wire import ConnectorIn, ConnectorOut, System

router = APIRouter(prefix="/v1/connectors", tags=["connectors"])


@router.get("", response_model=Page[ConnectorOut])
def list_connectors(caller: SecretKey, work: UnitOfWork) -> Response:
    """The systems that can be connected, connected or not: what to enter in each, and whether its messages arrive."""

    def look(session: Session) -> Page[ConnectorOut]:
        found = connections.all_connected(session, caller.merchant_id)
        return Page(
            data=[_shown(session, work, caller.merchant_id, system, found.get(system)) for system in TOPICS],
            next_cursor=None,
        )

    return work.read(look)


@router.get("/{system}", response_model=ConnectorOut)
def get_connector(system: System, caller: SecretKey, work: UnitOfWork) -> Response:
    """One system, connected or not: the address to which it sends its messages, which messages, and the snippet for
    its pages."""
    connections.known_system(system)

    def look(session: Session) -> ConnectorOut:
        found = connections.all_connected(session, caller.merchant_id)
        return _shown(session, work, caller.merchant_id, system, found.get(system))

    return work.read(look)


@router.put("/{system}", response_model=ConnectorOut)
def connect_shop(system: System, caller: SecretKey, work: UnitOfWork, body: ConnectorIn | None = None) -> Response:
    """Connect a shop by the secret with which it signs, or give it another secret. WooCommerce's may be left out: then
    one is made, and shown only in this answer; where it is connected already, its secret stays."""
    connections.known_system(system)
    given = None if body is None else body.secret
    if given is None and system in connections.MAKES_ITS_OWN_SECRET:
        raise Invalid.field("/secret", "is needed: the shop shows it where webhooks are set up")

    def write(session: Session) -> Answer:
        known = connections.all_connected(session, caller.merchant_id).get(system)
        if given is None and known is not None:
            return Answer(_shown(session, work, caller.merchant_id, system, known))
        made = None if given is not None else connections.new_secret()
        secret = given or made or ""
        vault, now = Vault.of(work.here.signer), work.here.clock.now()
        found = connections.connect(session, vault, caller.merchant_id, system, secret, now)
        note(session, caller, "connector.connected", system)
        shown = _shown(session, work, caller.merchant_id, system, found)
        return Answer(shown.model_copy(update={"secret": made}), kept=shown)

    return work.write(write, owner=caller.owner)


@router.delete("/{system}", status_code=204)
def disconnect_shop(system: System, caller: SecretKey, work: UnitOfWork) -> Response:
    """Believe no message of this shop's any more. Its orders stay."""

    def disconnect(session: Session) -> None:
        connections.disconnect(session, caller.merchant_id, system, work.here.clock.now())
        note(session, caller, "connector.disconnected", system)

    return work.write(disconnect)


def _shown(session: Session, work: Work, merchant_id: int, system: str, connector: Connector | None) -> ConnectorOut:
    public_id = merchants.get(session, merchant_id).public_id
    return ConnectorOut.of(system, connector, work.here.settings.public_url, public_id)
