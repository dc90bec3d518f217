"""Webhook endpoints by HTTP: made, changed, tried."""

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, Depends, Request, Response
from sqlalchemy.orm import Session

from app.delivery import endpoints
from app.delivery.endpoints import NewEndpoint
from app.delivery.making_out import body_of
from app.delivery.models import WebhookEndpoint
from app.delivery.telling import tell
from app.delivery.vault import Vault
from app.delivery.webhook_wire import (
    ALL,
    EndpointId,
    EndpointIn,
    EndpointOut,
    EndpointPatch,
    EndpointWithSecret,
    RotationIn,
    TestOut,
)
from app.kernel.errors import Invalid, Unavailable
from app.kernel.http.few import Few
from app.kernel.http.pages import Page, Paging, newest_first
from app.kernel.http.work import Answer, UnitOfWork, Work
from app.kernel.ids import new_id
from app.kernel.outgoing import Guard, Refused
from app.kernel.sealing import Unsealable
from app.merchants.access import SecretKey
from app.merchants.audit import difference, note

TEST_TYPE: Final = "webhook.test"
TEST_PATIENCE: Final = 10.0
"""Seconds for a test's receiver."""
AT_ONCE: Final = Few(4, "Other endpoints are being tested just now; ask again in a moment.")
"""A test keeps one of the threads that answer others."""


async def _guard(request: Request) -> Guard:
    found = request.app.state.outgoing
    assert isinstance(found, Guard)
    return found


Outgoing = Annotated[Guard, Depends(_guard)]

router = APIRouter(prefix="/v1/webhook-endpoints", tags=["webhooks"])


@router.post("", status_code=201, response_model=EndpointWithSecret)
def create_webhook_endpoint(body: EndpointIn, caller: SecretKey, work: UnitOfWork, outgoing: Outgoing) -> Response:
    """Have an address told of what is written from now on. The secret with which it is signed is shown once, not even
    to a retry with the same `Idempotency-Key`; make another by `POST …/rotate` if it was lost."""
    _must_be_reachable(outgoing, body.url)
    new = NewEndpoint(body.url, _kept(body.types), body.description)

    def create(session: Session) -> Answer:
        now = work.here.clock.now()
        endpoint, secret = endpoints.add(session, Vault.of(work.here.signer), caller.merchant_id, new, now)
        note(session, caller, "webhook.made", endpoint.endpoint_id, _told(endpoint))
        return _once(endpoint, secret)

    return work.write(create, status=201, owner=caller.owner)


@router.get("", response_model=Page[EndpointOut])
def list_webhook_endpoints(paging: Paging, caller: SecretKey, work: UnitOfWork) -> Response:
    """The endpoints that stand, without their secrets."""

    def show(rows: Sequence[WebhookEndpoint]) -> list[EndpointOut]:
        return [EndpointOut.of(row) for row in rows]

    query = endpoints.of_merchant(caller.merchant_id)
    return work.read(lambda session: newest_first(session, query, WebhookEndpoint.endpoint_id, paging, show))


@router.get("/{endpoint_id}", response_model=EndpointOut)
def get_webhook_endpoint(endpoint_id: EndpointId, caller: SecretKey, work: UnitOfWork) -> Response:
    """One endpoint."""
    return work.read(lambda session: EndpointOut.of(endpoints.get(session, caller.merchant_id, endpoint_id)))


@router.patch("/{endpoint_id}", response_model=EndpointOut)
def change_webhook_endpoint(
    endpoint_id: EndpointId, body: EndpointPatch, caller: SecretKey, work: UnitOfWork, outgoing: Outgoing
) -> Response:
    """Change an endpoint; what is left out stays. While it is disabled, nothing is sent to it and nothing is lost:
    enabled, it goes on where it was, and what waits is tried at once. Other types count from now on."""
    changes = body.model_dump(exclude_unset=True)
    for name in ("url", "types", "disabled"):
        if name in changes and changes[name] is None:
            raise Invalid.field(f"/{name}", "must not be null")
    if body.url is not None:
        _must_be_reachable(outgoing, body.url)
    if body.types is not None:
        changes["types"] = _kept(body.types)

    def change(session: Session) -> EndpointOut:
        endpoint = endpoints.get(session, caller.merchant_id, endpoint_id, lock=True)
        before = _told(endpoint)
        endpoints.change(session, endpoint, changes, work.here.clock.now())
        note(session, caller, "webhook.changed", endpoint_id, difference(before, _told(endpoint)))
        return EndpointOut.of(endpoint)

    answer = work.write(change)
    work.here.wakeups.ring("webhooks")
    return answer


@router.delete("/{endpoint_id}", status_code=204)
def delete_webhook_endpoint(endpoint_id: EndpointId, caller: SecretKey, work: UnitOfWork) -> Response:
    """Send nothing more there, not even what waits."""

    def withdraw(session: Session) -> None:
        endpoint = endpoints.get(session, caller.merchant_id, endpoint_id, lock=True)
        note(session, caller, "webhook.withdrawn", endpoint_id, _told(endpoint))
        endpoints.withdraw(session, endpoint, work.here.clock.now())

    return work.write(withdraw)


@router.post("/{endpoint_id}/rotate", response_model=EndpointWithSecret)
def rotate_webhook_secret(
    endpoint_id: EndpointId, caller: SecretKey, work: UnitOfWork, body: RotationIn | None = None
) -> Response:
    """Exchange the secret. Until the overlap ends, each event is also signed with the secret before, and with those
    before that whose overlap was not over. The new one is shown once."""
    overlap = (body or RotationIn()).overlap

    def rotate(session: Session) -> Answer:
        endpoint = endpoints.get(session, caller.merchant_id, endpoint_id, lock=True)
        secret = Vault.of(work.here.signer).exchange(endpoint, overlap, work.here.clock.now())
        session.flush()
        note(session, caller, "webhook.rotated", endpoint_id, {"overlap_hours": int(overlap.total_seconds() // 3600)})
        return _once(endpoint, secret)

    return work.write(rotate, owner=caller.owner)


@router.post("/{endpoint_id}/test", response_model=TestOut)
def try_webhook_endpoint(endpoint_id: EndpointId, caller: SecretKey, work: UnitOfWork, outgoing: Outgoing) -> Response:
    """Send an event of type `webhook.test` at once, and say what came back; also to an endpoint that is disabled. It is
    not tried again, and not part of the log."""
    return work.outside(lambda: _tested(work, outgoing, caller.merchant_id, endpoint_id), owner=caller.owner)


def _told(endpoint: WebhookEndpoint) -> dict[str, object]:
    """What the audit trail says of an endpoint: not what its address hides behind a question mark."""
    url, _, query = endpoint.url.partition("?")
    about = {"types": list(endpoint.types), "disabled": endpoint.disabled_at is not None}
    return {"url": f"{url}?…" if query else url, **about, "description": endpoint.description}


def _tested(work: Work, outgoing: Guard, merchant_id: int, endpoint_id: str) -> TestOut:
    now = work.here.clock.now()
    with work.here.database.reading() as session:
        endpoint = endpoints.get(session, merchant_id, endpoint_id)
    try:
        by = Vault.of(work.here.signer).signing(endpoint, now)
    except Unsealable:
        raise Unavailable(
            "The secret of this endpoint cannot be read: GRAPEVINE_SECRET is another than when it was made. Rotate it.",
            retry_after=3600,
        ) from None
    event = new_id("evt", merchant_id, now)
    with AT_ONCE:
        data = {"endpoint": endpoint.endpoint_id, "message": "This is a test."}
        body = body_of(event, TEST_TYPE, now, data)
        dated = work.here.watch.corrected(now)
        return TestOut.of(tell(outgoing, endpoint.url, event, body, by, dated, TEST_PATIENCE, of=merchant_id))


def _must_be_reachable(outgoing: Guard, url: str) -> None:
    """Raise `Invalid` for an address to which nothing can ever be sent. What its name leads to is judged each time."""
    try:
        outgoing.judged(url)
    except Refused as refusal:
        raise Invalid.field("/url", f"cannot be sent to: {refusal}") from None


def _kept(types: list[str]) -> list[str]:
    """As they are kept: each once; none stands for all."""
    return [] if ALL in types else list(dict.fromkeys(types))


def _once(endpoint: WebhookEndpoint, secret: str) -> Answer:
    shown = EndpointOut.with_secret(endpoint, secret)
    return Answer(shown, kept=shown.model_copy(update={"secret": None}))
