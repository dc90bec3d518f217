"""What can go wrong, in the application's words. Pure: an error knows its status and code, not its framework.

AppError
├── BadRequest 400          the request cannot be read at all
├── Unauthorized 401        no key, or not one of ours
├── Forbidden 403           a key that may not do this
│   └── OriginNotAllowed
├── NotFound 404            does not exist, or belongs to another merchant: the same answer
├── Conflict 409
│   ├── IdempotencyConflict the key was used for another body
│   └── InProgress          the same key is being worked on: ask again
├── Gone 410
├── Invalid 422             understood, but impossible; names the field by a JSON pointer
├── TooManyRequests 429     too often: ask again after `retry_after` seconds
└── Unavailable 503         not now: ask again after `retry_after` seconds

Each `code` is stable and listed in docs/errors.md; a test compares the two.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Self


@dataclass(frozen=True)
class FieldError:
    """One impossible field: `pointer` is a JSON pointer (RFC 6901) into the body, or the parameter's name."""

    pointer: str
    detail: str


class AppError(Exception):
    """A refusal with a status, a stable code and a sentence for people."""

    status: int = 500
    code: str = "internal_error"
    title: str = "Something went wrong"

    def __init__(self, detail: str | None = None, *, retry_after: int | None = None) -> None:
        super().__init__(detail or self.title)
        self.detail = detail or self.title
        self.retry_after = retry_after
        self.errors: Sequence[FieldError] = ()
        self.extra: Mapping[str, str] = {}


class BadRequest(AppError):
    status, code, title = 400, "bad_request", "The request cannot be read"


class Unauthorized(AppError):
    status, code, title = 401, "unauthorized", "A valid key is needed"


class Forbidden(AppError):
    status, code, title = 403, "forbidden", "This key may not do that"


class OriginNotAllowed(Forbidden):
    code, title = "origin_not_allowed", "This origin is not on the merchant's list"


class NotFound(AppError):
    status, code, title = 404, "not_found", "There is no such thing"


class Conflict(AppError):
    status, code, title = 409, "conflict", "This contradicts what is already there"


class IdempotencyConflict(Conflict):
    code, title = "idempotency_conflict", "This Idempotency-Key was used with another body"


class InProgress(Conflict):
    code, title = "in_progress", "The same request is being worked on"

    def __init__(self) -> None:
        super().__init__(retry_after=1)


class Gone(AppError):
    status, code, title = 410, "gone", "This is no longer there"


class Invalid(AppError):
    """A request that is understood and impossible; tells which fields."""

    status, code, title = 422, "invalid_request", "The request is not valid"

    def __init__(self, *errors: FieldError, detail: str | None = None) -> None:
        super().__init__(detail or "; ".join(f"{error.pointer}: {error.detail}" for error in errors))
        self.errors = errors

    @classmethod
    def field(cls, pointer: str, detail: str) -> Self:
        """One field is impossible."""
        return cls(FieldError(pointer, detail))


class TooManyRequests(AppError):
    status, code, title = 429, "too_many_requests", "Too many requests"


class Unavailable(AppError):
    status, code, title = 503, "unavailable", "Not possible at the moment"

    def __init__(self, detail: str | None = None, *, retry_after: int = 2) -> None:
        super().__init__(detail, retry_after=retry_after)
