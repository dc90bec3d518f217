"""The audit trail: what was changed with which key, from what to what. The one place that writes it.

Whoever changes something on behalf of a caller says so here, in the same transaction: what did not happen is not in it.
Knows the session and its table, not HTTP.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal, cast

from sqlalchemy.orm import Session

from app.kernel.http import request_ids
from app.kernel.ids import new_id
from app.kernel.redaction import redacted
from app.merchants.models import AuditEntry

Action = Literal[
    "merchant.opened",
    "merchant.changed",
    "merchant.closed",
    "key.made",
    "key.rotated",
    "key.withdrawn",
    "policy.changed",
    "policy.kept",
    "policy.dropped",
    "rules.changed",
    "doubt.decided",
    "webhook.made",
    "webhook.changed",
    "webhook.rotated",
    "webhook.withdrawn",
    "connector.connected",
    "connector.disconnected",
    "order.corrected",
    "product.withdrawn",
    "wall.withdrawn",
    "coupon.changed",
    "coupon.withdrawn",
    "person.erased",
]


@dataclass(frozen=True)
class By:
    """Who changes something of a merchant's, and when. Without a key: the operator, by HTTP or on the command line."""

    merchant_id: int
    key_id: str | None
    at: datetime


def note(
    session: Session, by: By, action: Action, subject: str | None = None, changes: Mapping[str, Any] | None = None
) -> None:
    """Append an entry: `subject` is the id of what was changed, `changes` are of JSON (see `difference`).

    Where there could have been changes and were none (an empty mapping), nothing happened, and nothing is written.
    """
    if changes is not None and not changes:
        return
    entry = AuditEntry(
        merchant_id=by.merchant_id,
        entry_id=new_id("aud", by.merchant_id, by.at),
        key_id=by.key_id,
        action=action,
        subject=None if subject is None else redacted(subject)[:200],
        changes=_without_secrets(dict(changes or {})),
        request_id=request_ids.current(),
        at=by.at,
    )
    session.add(entry)


def difference(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """By field, what it was and what it is, of those that are not as before. What was not there was null."""
    names = [name for name in {**before, **after} if before.get(name) != after.get(name)]
    return {name: {"from": before.get(name), "to": after.get(name)} for name in names}


def _without_secrets(value: object) -> dict[str, Any]:
    return cast("dict[str, Any]", _cleaned(value))


def _cleaned(value: object) -> object:
    if isinstance(value, str):
        return redacted(value)
    if isinstance(value, Mapping):
        return {name: _cleaned(each) for name, each in value.items()}
    if isinstance(value, list | tuple):
        return [_cleaned(each) for each in value]
    return value
