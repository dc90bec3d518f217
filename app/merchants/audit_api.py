"""The audit trail by HTTP: what was changed, and with which key."""

from collections.abc import Sequence
from datetime import datetime
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Response
from pydantic import ConfigDict, Field
from sqlalchemy import select

from app.kernel.http.pages import Page, PageQuery, newest_first
from app.kernel.http.wire import PublicId, Text, Timestamp, Wire
from app.kernel.http.work import UnitOfWork
from app.merchants.access import SecretKey
from app.merchants.audit import Action
from app.merchants.models import AuditEntry

_EXAMPLE: dict[str, Any] = {
    "id": "aud_01k6p0v4c0000000c1h2j3k4m5n6p7",
    "at": "2026-11-22T09:30:00Z",
    "by": "key",
    "key": "key_01k6p0t9x0000000c1q2r3s4t5v6w7",
    "action": "merchant.changed",
    "subject": "mer_01k6p0t9x0000000c1a2b3c4d5e6f7",
    "changes": {"landing": {"from": "page", "to": "merchant"}},
    "request_id": "4c1f0a9be2d37756",
}


class AuditQuery(PageQuery):
    """What to list."""

    action: Annotated[Action, Field(description="Only this.")] | None = None
    key: Annotated[PublicId, Field(description="Only what was changed with this key.")] | None = None
    subject: Annotated[Text, Field(max_length=200, description="Only changes of this: its id, or its name.")] | None = (
        None
    )
    begin: Annotated[Timestamp | None, Field(alias="from", description="Not before.")] = None
    end: Annotated[Timestamp | None, Field(alias="to", description="Before.")] = None


class AuditOut(Wire):
    """Something that was changed. `changes` says of each field what it was and what it is, or of something new what it
    is; never a secret."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE]})

    id: str
    at: Timestamp
    by: Annotated[Literal["key", "operator"], Field(description="`operator`: by their token, or the command line.")]
    key: Annotated[str | None, Field(description="With which key.")]
    action: str
    subject: Annotated[str | None, Field(description="Of what: its id, or its name.")]
    changes: dict[str, Any]
    request_id: Annotated[str | None, Field(description="The `X-Request-Id` of the call; `null` where there was none.")]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditOut":
        return cls(
            id=entry.entry_id,
            at=entry.at,
            by="operator" if entry.key_id is None else "key",
            key=entry.key_id,
            action=entry.action,
            subject=entry.subject,
            changes=entry.changes,
            request_id=entry.request_id,
        )


router = APIRouter()


@router.get("/v1/audit", response_model=Page[AuditOut], tags=["keys"])
def list_audit(query: Annotated[AuditQuery, Query()], caller: SecretKey, work: UnitOfWork) -> Response:
    """What was changed of this merchant's, newest first: settings, keys, policies, webhooks, what was withdrawn; by
    whose key, and from what to what. An entry stands from the moment in which its change does."""
    mine = select(AuditEntry).where(AuditEntry.merchant_id == caller.merchant_id)
    wanted = {AuditEntry.action: query.action, AuditEntry.key_id: query.key, AuditEntry.subject: query.subject}
    for column, value in wanted.items():
        if value is not None:
            mine = mine.where(column == value)
    mine = mine.where(*_within(query.begin, query.end))

    def show(rows: Sequence[AuditEntry]) -> list[AuditOut]:
        return [AuditOut.of(row) for row in rows]

    return work.read(lambda session: newest_first(session, mine, AuditEntry.entry_id, query, show))


def _within(begin: datetime | None, end: datetime | None) -> list[Any]:
    after = [] if begin is None else [AuditEntry.at >= begin]
    return after if end is None else [*after, AuditEntry.at < end]
