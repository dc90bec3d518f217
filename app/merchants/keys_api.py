"""A merchant's keys by HTTP: made, listed, exchanged, withdrawn."""

from datetime import datetime, timedelta
from typing import Annotated, Any, cast

from fastapi import APIRouter, Response
from pydantic import ConfigDict, Field, StringConstraints
from sqlalchemy.orm import Session

from app.kernel.clock import rfc3339
from app.kernel.errors import Forbidden, Invalid
from app.kernel.http.wire import Body, Text, Timestamp, Wire
from app.kernel.http.work import Answer, UnitOfWork
from app.merchants import keyring
from app.merchants.access import Caller, SecretKey
from app.merchants.audit import note
from app.merchants.keyring import NewKey
from app.merchants.keys import SCOPES, KeyKind, Scope, may_do_no_more
from app.merchants.models import ApiKey

_EXAMPLE: dict[str, Any] = {
    "kind": "secret",
    "label": "Warehouse",
    "scopes": ["orders", "reports"],
    "expires_at": "2027-11-22T00:00:00Z",
}
_SCOPES = (
    "To which groups of calls a secret key is narrowed: those under which this page lists them. `null`: to none. "
    "A narrowed key deals only with keys that may do no more than itself."
)
_EXPIRES = "When it stops working; `null`: never."

Label = Annotated[
    Text, StringConstraints(min_length=1, max_length=100), Field(description="What you call it.", examples=["Till 2"])
]
Scopes = Annotated[list[Scope], Field(min_length=1, max_length=len(SCOPES), examples=[["orders", "reports"]])]


class KeyIn(Body):
    """A key to be made."""

    model_config = ConfigDict(json_schema_extra={"examples": [_EXAMPLE, {"kind": "report", "label": "Agency"}]})

    kind: KeyKind
    suppressed: Annotated[
        bool,
        Field(
            strict=True,
            description="For a report key that is given to others, such as an agency: it reads attribution and the "
            "funnel by whole days, and is told of no fewer people than the merchant's `small_group`.",
        ),
    ] = False
    label: Label | None = None
    scopes: Annotated[Scopes, Field(description=_SCOPES)] | None = None
    expires_at: Annotated[Timestamp, Field(description=_EXPIRES)] | None = None


class KeyRotation(Body):
    """How a key is exchanged."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"overlap_hours": 24}]})

    overlap_hours: Annotated[
        int, Field(ge=0, le=168, strict=True, description="How long the key before works on, so that all can change.")
    ] = 24
    expires_at: Annotated[
        Timestamp | None,
        Field(description="When the new key stops working; left out, it lasts as long as the one before was made to."),
    ] = None


class KeyOut(Wire):
    """A key as it can be told apart: by its label, its kind and its last four characters."""

    id: str
    kind: KeyKind
    suppressed: Annotated[bool, Field(description="Whether it is shown no small groups.")]
    hint: str
    label: Annotated[str | None, Field(description="What you call it.")]
    scopes: Annotated[list[str] | None, Field(description=_SCOPES)]
    created_at: Timestamp
    expires_at: Annotated[Timestamp | None, Field(description=_EXPIRES)]

    @classmethod
    def of(cls, key: ApiKey) -> "KeyOut":
        return cls(
            id=key.key_id,
            kind=cast("KeyKind", key.kind),
            suppressed=bool(key.suppressed),
            hint=key.hint,
            label=key.label,
            scopes=key.scopes,
            created_at=key.created_at,
            expires_at=key.expires_at,
        )


class KeyCreated(KeyOut):
    """The same with its clear text, which is shown only here."""

    key: str | None


class Keys(Wire):
    """All keys of a merchant."""

    data: list[KeyOut]
    next_cursor: None = None


router = APIRouter(prefix="/v1/keys", tags=["keys"])


@router.get("", response_model=Keys)
def list_keys(caller: SecretKey, work: UnitOfWork) -> Response:
    """The keys that work, without their clear text."""

    def look(session: Session) -> Keys:
        return Keys(data=[KeyOut.of(key) for key in keyring.working(session, caller.merchant_id, caller.at)])

    return work.read(look)


@router.post("", status_code=201, response_model=KeyCreated)
def create_key(body: KeyIn, caller: SecretKey, work: UnitOfWork) -> Response:
    """Make a key: `secret` may do everything of this merchant, or what its `scopes` say; `report` only reads reports,
    and with `suppressed` only figures of enough people. Shown once. A key that expires makes none that outlives it."""
    if body.kind == "report" and body.scopes is not None:
        raise Invalid.field("/scopes", "is for secret keys: a report key only reads reports")
    if body.kind == "secret" and body.suppressed:
        raise Invalid.field("/suppressed", "is for report keys: a secret key sees everything")
    _must_be_no_wider(caller, body.kind, body.scopes)
    end = body.expires_at if body.expires_at is not None or caller.expires_at is None else caller.expires_at
    _must_end_in_time(caller, end)
    new = NewKey(body.kind, body.label, body.scopes, body.suppressed, end)

    def create(session: Session) -> Answer:
        key, clear = keyring.add(session, work.here.signer, caller.merchant_id, new, caller.at)
        note(session, caller, "key.made", key.key_id, _told(key))
        return _once(key, clear)

    return work.write(create, status=201, owner=caller.owner)


@router.post("/{key_id}/rotate", status_code=201, response_model=KeyCreated)
def rotate_key(key_id: str, caller: SecretKey, work: UnitOfWork, body: KeyRotation | None = None) -> Response:
    """Exchange a key for one that may do the same: both work until the overlap ends. The new one is shown once."""
    how = body or KeyRotation()

    def rotate(session: Session) -> Answer:
        key = _held(session, caller, key_id)
        end = _end_of(key, caller, how)
        _must_end_in_time(caller, end)
        overlap = timedelta(hours=how.overlap_hours)
        made, clear = keyring.rotate(session, work.here.signer, key, overlap, end, caller.at)
        until = key.expires_at
        told = {"into": made.key_id, "until": None if until is None else rfc3339(until), **_told(made)}
        note(session, caller, "key.rotated", key_id, told)
        return _once(made, clear)

    return work.write(rotate, status=201, owner=caller.owner)


@router.delete("/{key_id}", status_code=204)
def withdraw_key(key_id: str, caller: SecretKey, work: UnitOfWork) -> Response:
    """Make a key useless at once. The last secret key that may do everything and does not expire stays (409
    `last_key`): make another one first."""

    def withdraw(session: Session) -> None:
        key = _held(session, caller, key_id)
        keyring.withdraw(session, key, caller.at)
        note(session, caller, "key.withdrawn", key_id, _told(key))

    return work.write(withdraw)


def _held(session: Session, caller: Caller, key_id: str) -> ApiKey:
    key = keyring.hold(session, caller.merchant_id, key_id, caller.at)
    _must_be_no_wider(caller, key.kind, key.scopes)
    return key


def _must_be_no_wider(caller: Caller, kind: str, scopes: list[Scope] | list[str] | None) -> None:
    if not may_do_no_more(kind, scopes, caller.scopes):
        raise Forbidden("A narrowed key deals only with keys that may do no more than itself.")


def _must_end_in_time(caller: Caller, end: datetime | None) -> None:
    """Raises `Invalid` for an end that is over already, or that comes after that of the key with which it is made."""
    if end is not None and end <= caller.at:
        raise Invalid.field("/expires_at", "must be in the future")
    if caller.expires_at is not None and (end is None or end > caller.expires_at):
        raise Invalid.field("/expires_at", "must not be later than that of the key with which it is made")


def _end_of(key: ApiKey, caller: Caller, how: KeyRotation) -> datetime | None:
    if "expires_at" in how.model_fields_set:
        return how.expires_at
    end = None if key.expires_at is None else caller.at + (key.expires_at - key.created_at)
    ends = [each for each in (end, caller.expires_at) if each is not None]
    return min(ends) if ends else None


def _told(key: ApiKey) -> dict[str, Any]:
    """What the audit trail says of a key."""
    said = KeyOut.of(key).model_dump(mode="json", exclude={"id", "created_at"})
    return {name: value for name, value in said.items() if value not in (None, False)}


def _once(key: ApiKey, clear: str) -> Answer:
    shown = KeyCreated(**KeyOut.of(key).model_dump(), key=clear)
    return Answer(shown, kept=shown.model_copy(update={"key": None}))
