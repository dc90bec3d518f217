"""Addresses that are told of events: made, changed, withdrawn. Knows the session and the tables, not HTTP."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from types import MappingProxyType
from typing import Any, Final

from sqlalchemy import ColumnElement, Select, func, select, update
from sqlalchemy.orm import Session

from app.delivery import facts
from app.delivery.models import WebhookDelivery, WebhookEndpoint
from app.delivery.queue import LEASE, is_waiting
from app.delivery.vault import Vault
from app.kernel.clock import rfc3339
from app.kernel.errors import Conflict, NotFound
from app.kernel.ids import merchant_of, new_id

MOST: Final = 50
"""Of one merchant."""

USUAL: Final = ("order.attributed", "order.refunded", "referral.created", "visit.recorded", "import.finished")
"""What an endpoint is told that does not say."""

_WHY: Final[Mapping[str, str]] = MappingProxyType(
    {
        "asked": "It was disabled by a call.",
        "gone": "It answered 410 Gone.",
        "failing": "Nothing arrived there for three days.",
    }
)
_ON: Final = "What happens meanwhile is kept for it: set `disabled` to false to go on."


@dataclass(frozen=True)
class NewEndpoint:
    """What is known of it before it stands. No types: all."""

    url: str
    types: Collection[str]
    description: str | None


def add(
    session: Session, vault: Vault, merchant_id: int, new: NewEndpoint, now: datetime
) -> tuple[WebhookEndpoint, str]:
    """An endpoint that is told what is written from now on, and its secret. Raises `Conflict` where there are many."""
    if len(session.scalars(of_merchant(merchant_id)).all()) >= MOST:
        raise Conflict(f"There are {MOST} webhook endpoints already: delete one that is not needed any more.")
    endpoint = WebhookEndpoint(
        merchant_id=merchant_id,
        endpoint_id=new_id("whe", merchant_id, now),
        url=new.url,
        types=list(new.types),
        description=new.description,
        place=facts.end(session, merchant_id),
        created_at=now,
    )
    secret = vault.give(endpoint)
    session.add(endpoint)
    session.flush()
    return endpoint, secret


def of_merchant(merchant_id: int) -> Select[WebhookEndpoint]:
    """Those that stand."""
    return select(WebhookEndpoint).where(
        WebhookEndpoint.merchant_id == merchant_id, WebhookEndpoint.withdrawn_at.is_(None)
    )


def get(session: Session, merchant_id: int, endpoint_id: str, *, lock: bool = False) -> WebhookEndpoint:
    """The endpoint. Raises `NotFound`."""
    is_ours = merchant_of(endpoint_id, "whe") == merchant_id
    found = session.get(WebhookEndpoint, (merchant_id, endpoint_id), with_for_update=lock) if is_ours else None
    if found is None or found.withdrawn_at is not None:
        raise NotFound
    return found


def change(session: Session, endpoint: WebhookEndpoint, changes: Mapping[str, Any], now: datetime) -> WebhookEndpoint:
    """Change `url`, `types`, `description`, `disabled`; what is not named stays. At another address, and when it is
    enabled, what waits is tried at once. Other types count from now on: what was passed over stays so.

    Who asks holds the endpoint's row.
    """
    moved = changes.get("url", endpoint.url) != endpoint.url
    enabled = changes.get("disabled") is False and endpoint.disabled_at is not None
    if set(changes.get("types", endpoint.types)) != set(endpoint.types):
        endpoint.place = facts.before_next(session, endpoint.merchant_id, endpoint.place, endpoint.types)
    for name in ("url", "types", "description"):
        if name in changes:
            setattr(endpoint, name, changes[name])
    if changes.get("disabled") and endpoint.disabled_at is None:
        endpoint.disabled_at, endpoint.disabled_reason = now, "asked"
    if enabled:
        endpoint.disabled_at = endpoint.disabled_reason = None
    if moved or enabled:
        endpoint.failing_since = None
        session.flush()
        _try_at_once(session, endpoint, now)
    return endpoint


def withdraw(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """Tell it nothing more, and forget its secrets."""
    endpoint.withdrawn_at, endpoint.secret = now, ""
    endpoint.former_secret = endpoint.former_until = None
    session.flush()
    session.execute(
        update(WebhookDelivery).where(*_waiting(endpoint)).values(due_at=None, given_up_at=now),
        execution_options={"synchronize_session": False},
    )


def notice(endpoint: WebhookEndpoint) -> str | None:
    """What its owner should know: why it is told nothing, or that nothing arrives."""
    if endpoint.disabled_at is not None:
        return f"{_WHY.get(endpoint.disabled_reason or '', 'It is disabled.')} {_ON}"
    if endpoint.failing_since is not None:
        return f"Nothing has arrived there since {rfc3339(endpoint.failing_since)}: look at its deliveries."
    return None


def waiting(session: Session, endpoint: WebhookEndpoint, most: int) -> int:
    """How many deliveries wait, counted up to `most`."""
    some = select(WebhookDelivery.delivery_id).where(*_waiting(endpoint)).limit(most).subquery()
    return session.scalar(select(func.count()).select_from(some)) or 0


def _try_at_once(session: Session, endpoint: WebhookEndpoint, now: datetime) -> None:
    """What is being told just now has its lease, and keeps it."""
    later = WebhookDelivery.due_at > now + LEASE
    session.execute(
        update(WebhookDelivery).where(*_waiting(endpoint), later).values(due_at=now),
        execution_options={"synchronize_session": False},
    )


def _waiting(endpoint: WebhookEndpoint) -> tuple[ColumnElement[bool], ...]:
    return (
        WebhookDelivery.merchant_id == endpoint.merchant_id,
        WebhookDelivery.endpoint_id == endpoint.endpoint_id,
        *is_waiting(),
    )
